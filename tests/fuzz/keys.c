/*
 * keys.c - any text as the keys file. The text is refused with one line, or
 * makes keys that are the same when they are written and read again.
 */
#include "conf/keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "event/catalogue.h"

int LLVMFuzzerInitialize(int *, char ***);
int LLVMFuzzerTestOneInput(const unsigned char *, size_t);

/* Fuzz entries have their own table of handlers; this one is empty. */
const struct handler handlers[] = { { NULL, NULL } };
const size_t n_handlers = 0;

static char folder[] = "/dev/shm/vkcb-fuzz.XXXXXX";
static char copy[64];

static void
remove_folder(void)
{
	(void)unlink(copy);
	(void)rmdir(folder);
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	if (mkdtemp(folder) == NULL || atexit(remove_folder) != 0)
		abort();
	snprintf(copy, sizeof(copy), "%s/keys", folder);
	return 0;
}

static void
assert_true(bool good)
{
	if (!good)
		abort();
}

static void
assert_same(const struct keys *keys)
{
	struct keys again;
	char error[KEYS_ERROR_MAX];
	const struct key *key, *other;
	size_t i;

	assert_true(keys_write(keys, copy, error) == 0);
	assert_true(keys_read(&again, copy, error) == 0);
	assert_true(again.n == keys->n);
	for (i = 0; i < keys->n; i++) {
		key = &keys->at[i];
		other = keys_find(&again, key->group_id);
		assert_true(key->group_id > 0 && key->server_id >= 0);
		assert_true(other != NULL &&
		    other->server_id == key->server_id &&
		    strcmp(other->secret, key->secret) == 0 &&
		    strcmp(other->confirmation, key->confirmation) == 0 &&
		    strcmp(other->url, key->url) == 0);
	}
	keys_free(&again);
}

int
LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	int fd = memfd_create("keys", MFD_CLOEXEC);
	char path[64], error[KEYS_ERROR_MAX] = "";
	struct keys keys;

	assert_true(fd != -1 && write(fd, data, size) == (ssize_t)size);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (keys_read(&keys, path, error) == 0)
		assert_same(&keys);
	else
		assert_true(keys.n == 0 && strncmp(error, path,
		    strlen(path)) == 0 && strpbrk(error, "\r\n") == NULL);
	keys_free(&keys);
	close(fd);
	return 0;
}
