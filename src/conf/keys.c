/*
 * keys.c - the keys file: read as INI, written whole.
 *
 * A file that is not what setup writes is refused, never guessed at; a write
 * that fails leaves the old file. Secrets are wiped from memory after use.
 */
#include "conf/keys.h"

#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"
#include "private_file.h"
#include "wipe.h"

#include "banned.h"

#define FILE_SIZE_MAX ((size_t)4 << 20)

struct reader {
	struct keys *keys;
	bool no_memory;
};

static int
keys_fail(char *error, const char *path, const char *why)
{
	snprintf(error, KEYS_ERROR_MAX, "%.400s: %s", path, why);
	return -1;
}

struct key *
keys_find(const struct keys *keys, int64_t group_id)
{
	size_t i;

	for (i = 0; i < keys->n; i++)
		if (keys->at[i].group_id == group_id)
			return &keys->at[i];
	return NULL;
}

struct key *
keys_get(struct keys *keys, int64_t group_id)
{
	struct key *key = keys_find(keys, group_id), *grown;

	if (key != NULL)
		return key;
	grown = calloc(keys->n + 1, sizeof(*grown));
	if (grown == NULL)
		return NULL;
	if (keys->n > 0) {
		memcpy(grown, keys->at, keys->n * sizeof(*grown));
		explicit_bzero(keys->at, keys->n * sizeof(*grown));
	}
	free(keys->at);
	keys->at = grown;
	key = &keys->at[keys->n++];
	key->group_id = group_id;
	return key;
}

void
keys_free(struct keys *keys)
{
	if (keys->n > 0)
		explicit_bzero(keys->at, keys->n * sizeof(*keys->at));
	free(keys->at);
	*keys = (struct keys){ .n = 0 };
}

bool
keys_can_hold(const char *secret)
{
	const unsigned char *at = (const unsigned char *)secret;
	size_t len = strlen(secret);

	/* A line's value ends at a blank and a semicolon, or is empty. */
	if (len == 0 || len > KEYS_SECRET_LONGEST || *at == ';')
		return false;
	for (; *at != '\0'; at++)
		if (*at <= ' ' || *at == 0x7f)
			return false;
	return true;
}

bool
keys_is_confirmation(const char *text)
{
	size_t len = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789_-");

	return len > 0 && len <= KEYS_SECRET_LONGEST && text[len] == '\0';
}

static bool
keys_read_number(const char *text, int64_t *out)
{
	char *end;
	long long number;

	errno = 0;
	number = strtoll(text, &end, 10);
	if (errno != 0 || *text < '0' || *text > '9' || *end != '\0')
		return false;
	*out = number;
	return true;
}

/* inih's callback: 0 refuses the line. */
static int
keys_take(void *arg, const char *section, const char *name, const char *value)
{
	struct reader *reader = arg;
	struct key *key;
	int64_t id;
	size_t size = KEYS_SECRET_MAX;
	char *into;

	if (strncmp(section, "group ", 6) != 0 ||
	    !keys_read_number(section + 6, &id) || id <= 0)
		return 0;
	key = keys_get(reader->keys, id);
	if (key == NULL) {
		reader->no_memory = true;
		return 0;
	}
	if (strcmp(name, "server_id") == 0)
		return keys_read_number(value, &key->server_id);
	into = strcmp(name, "secret") == 0 ? key->secret :
	    strcmp(name, "confirmation") == 0 ? key->confirmation : NULL;
	if (strcmp(name, "url") == 0) {
		into = key->url;
		size = sizeof(key->url);
	}
	if (into == NULL || strlen(value) >= size)
		return 0;
	memcpy(into, value, strlen(value) + 1);
	return 1;
}

int
keys_parse(struct keys *keys, const char *path, const char *text, size_t len,
    char error[KEYS_ERROR_MAX])
{
	struct reader reader = { .keys = keys };
	FILE *in = len == 0 ? NULL : fmemopen((void *)text, len, "r");
	char buffer[BUFSIZ];
	int line;

	*keys = (struct keys){ .n = 0 };
	if (len == 0)
		return 0;
	if (in == NULL)
		return keys_fail(error, path, "out of memory");
	(void)setvbuf(in, buffer, _IOFBF, sizeof(buffer));
	line = ini_parse_file(in, keys_take, &reader);
	fclose(in);
	explicit_bzero(buffer, sizeof(buffer));
	wipe_stack();
	if (line == 0)
		return 0;
	keys_free(keys);
	if (reader.no_memory)
		return keys_fail(error, path, "out of memory");
	snprintf(error, KEYS_ERROR_MAX, "%s:%d: not what vkcb setup writes: "
	    "move the file away and run vkcb setup again", path, line);
	return -1;
}

int
keys_read(struct keys *keys, const char *path, char error[KEYS_ERROR_MAX])
{
	struct stat st;
	size_t len;
	char *text = file_read(path, FILE_SIZE_MAX, &len, &st);
	int result;

	*keys = (struct keys){ .n = 0 };
	if (text == NULL && errno == ENOENT)
		return 0;
	if (text == NULL)
		return keys_fail(error, path,
		    errno == EISDIR || errno == EINVAL ? "no file of keys" :
							 strerror(errno));
	result = keys_parse(keys, path, text, len, error);
	explicit_bzero(text, len);
	free(text);
	return result;
}

static int
print(const struct keys *keys, int fd)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	FILE *out = copy != -1 ? fdopen(copy, "w") : NULL;
	const struct key *key;
	size_t i;

	if (out == NULL) {
		if (copy != -1)
			close(copy);
		return -1;
	}
	fprintf(out, "; Kept by vkcb setup. Secret: for the web server's user "
	    "alone.\n");
	for (i = 0; i < keys->n; i++) {
		key = &keys->at[i];
		fprintf(out, "\n[group %" PRId64 "]\n", key->group_id);
		if (key->secret[0] != '\0')
			fprintf(out, "secret = %s\n", key->secret);
		if (key->confirmation[0] != '\0')
			fprintf(out, "confirmation = %s\n", key->confirmation);
		if (key->server_id != 0)
			fprintf(out, "server_id = %" PRId64 "\n",
			    key->server_id);
		if (key->url[0] != '\0')
			fprintf(out, "url = %s\n", key->url);
	}
	return fclose(out) == 0 && fsync(fd) == 0 ? 0 : -1;
}

/* The web server could not read keys that became another user's. */
static int
keys_check_owner(const char *path, char error[KEYS_ERROR_MAX])
{
	struct stat st;

	if (stat(path, &st) == -1 || st.st_uid == geteuid())
		return 0;
	snprintf(error, KEYS_ERROR_MAX, "%.400s: it belongs to user %ld: run "
	    "setup as that user, or as root", path, (long)st.st_uid);
	return -1;
}

int
keys_write(const struct keys *keys, const char *path,
    char error[KEYS_ERROR_MAX])
{
	char fresh[PATH_MAX];
	int fd;

	if ((size_t)snprintf(fresh, sizeof(fresh), "%s.XXXXXX", path) >=
	    sizeof(fresh))
		return keys_fail(error, path, strerror(ENAMETOOLONG));
	if (keys_check_owner(path, error) == -1)
		return -1;
	/* mkostemp() makes it 0600. */
	fd = mkostemp(fresh, O_CLOEXEC);
	if (fd == -1)
		return keys_fail(error, fresh, strerror(errno));
	if (print(keys, fd) == 0 && rename(fresh, path) == 0) {
		close(fd);
		(void)file_sync_folder(path);
		return 0;
	}
	keys_fail(error, path, strerror(errno));
	close(fd);
	(void)unlink(fresh);
	return -1;
}

int
keys_lock(const char *path, char error[KEYS_ERROR_MAX])
{
	char lock[PATH_MAX];
	struct stat st;
	int fd;

	/* It would be replaced, and what it leads to left as it was. */
	if (lstat(path, &st) == 0 && S_ISLNK(st.st_mode))
		return keys_fail(error, path, "a link: name the file itself in "
		    "`keys`");
	if ((size_t)snprintf(lock, sizeof(lock), "%s.lock", path) >=
	    sizeof(lock))
		return keys_fail(error, path, strerror(ENAMETOOLONG));
	fd = private_file_open(lock, O_RDWR | O_CREAT);
	if (fd == -1)
		return keys_fail(error, lock, errno == EACCES ? "Permission "
		    "denied: run setup as the owner of this folder, or as "
		    "root" : private_file_error(errno));
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return fd;
	keys_fail(error, lock, errno == EWOULDBLOCK ?
	    "another vkcb setup is running: wait for it" : strerror(errno));
	close(fd);
	return -1;
}
