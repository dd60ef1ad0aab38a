/*
 * keys.c - the keys file: read in the syntax of vkcb.conf, written whole.
 *
 * A file that setup has not written is refused, never guessed at; a write that
 * fails leaves the old file. No core dump has the keys.
 */
#include "conf/keys.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/ini.h"
#include "file.h"
#include "text.h"

#include "banned.h"

#define FILE_SIZE_MAX (4 << 20)

static const struct {
	const char *name;
	size_t offset;
	size_t size;
} texts[] = {
	{ "secret", offsetof(struct key, secret), KEYS_SECRET_MAX },
	{ "confirmation", offsetof(struct key, confirmation),
	    KEYS_SECRET_MAX },
	{ "url", offsetof(struct key, url), KEYS_URL_MAX },
};
#define N_TEXTS (sizeof(texts) / sizeof(texts[0]))

void *
secret_map(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE |
	    MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (memory == MAP_FAILED)
		return NULL;
	(void)madvise(memory, size, MADV_DONTDUMP);
	return memory;
}

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

static int
keys_grow(struct keys *keys)
{
	size_t size = keys->size == 0 ? 8 : 2 * keys->size;
	void *grown = keys->size == 0 ? secret_map(size * sizeof(*keys->at)) :
	    mremap(keys->at, keys->size * sizeof(*keys->at),
	    size * sizeof(*keys->at), MREMAP_MAYMOVE);

	if (grown == NULL || grown == MAP_FAILED)
		return -1;
	keys->at = grown;
	keys->size = size;
	return 0;
}

struct key *
keys_get(struct keys *keys, int64_t group_id)
{
	struct key *key = keys_find(keys, group_id);

	if (key != NULL)
		return key;
	if (keys->n == keys->size && keys_grow(keys) == -1)
		return NULL;
	key = &keys->at[keys->n++];
	key->group_id = group_id;
	return key;
}

void
keys_free(struct keys *keys)
{
	if (keys->size > 0)
		(void)munmap(keys->at, keys->size * sizeof(*keys->at));
	*keys = (struct keys){ .n = 0 };
}

/* A line's value ends at a blank and a semicolon. */
static bool
is_value(const char *text)
{
	const unsigned char *at = (const unsigned char *)text;

	while (*at > ' ' && *at != 0x7f)
		at++;
	return *at == '\0' && *text != '\0' && *text != ';';
}

bool
keys_can_hold(const char *secret)
{
	return is_value(secret) && strlen(secret) <= KEYS_SECRET_LONGEST;
}

bool
keys_is_confirmation(const char *text)
{
	size_t len = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789_-");

	return len > 0 && len <= KEYS_SECRET_LONGEST && text[len] == '\0';
}

static bool
read_id(const char *text, int64_t min, int64_t *out)
{
	return number_read(text, strlen(text), min, INT64_MAX, out);
}

static bool
take(struct key *key, const char *name, const char *value)
{
	size_t i;

	if (strcmp(name, "server_id") == 0)
		return read_id(value, 0, &key->server_id);
	for (i = 0; i < N_TEXTS; i++)
		if (strcmp(texts[i].name, name) == 0)
			return is_value(value) &&
			    (size_t)snprintf((char *)key + texts[i].offset,
			    texts[i].size, "%s", value) < texts[i].size;
	return false;
}

/* The text is cut into strings. */
static int
keys_take_all(struct keys *keys, const char *path, char *text, size_t len,
    char error[KEYS_ERROR_MAX])
{
	struct key *key = NULL;
	enum ini_kind kind;
	struct ini ini;
	int64_t id;

	ini_begin(&ini, text, len);
	while ((kind = ini_next(&ini)) != INI_END) {
		errno = 0;
		if (kind == INI_SECTION)
			key = strncmp(ini.name, "group ", 6) == 0 &&
			    read_id(ini.name + 6, 1, &id) ?
			    keys_get(keys, id) : NULL;
		if (key != NULL && (kind == INI_SECTION || (kind == INI_KEY &&
		    take(key, ini.name, ini.value))))
			continue;
		keys_free(keys);
		if (errno == ENOMEM)
			return keys_fail(error, path, "out of memory");
		snprintf(error, KEYS_ERROR_MAX, "%.400s:%d: not what vkcb "
		    "setup writes: move the file away and run vkcb setup "
		    "again", path, ini.line);
		return -1;
	}
	return 0;
}

int
keys_read(struct keys *keys, const char *path, char error[KEYS_ERROR_MAX])
{
	char *text = secret_map(FILE_SIZE_MAX + 1);
	int result = 0;
	size_t len;

	*keys = (struct keys){ .n = 0 };
	if (text == NULL)
		return keys_fail(error, path, "out of memory");
	if (file_read(path, text, FILE_SIZE_MAX + 1, &len) == 0)
		result = keys_take_all(keys, path, text, len, error);
	else if (errno != ENOENT)
		result = keys_fail(error, path, errno == EISDIR ||
		    errno == EINVAL ? "no file of keys" : strerror(errno));
	(void)munmap(text, FILE_SIZE_MAX + 1);
	return result;
}

static int
print_all(int fd, const struct keys *keys)
{
	const struct key *key;
	const char *text;
	bool failed;
	size_t i, k;

	failed = dprintf(fd, "; Kept by vkcb setup. Secret: for the web "
	    "server's user alone.\n") < 0;
	for (i = 0; i < keys->n && !failed; i++) {
		key = &keys->at[i];
		failed |= dprintf(fd, "\n[group %" PRId64 "]\n",
		    key->group_id) < 0;
		if (key->server_id != 0)
			failed |= dprintf(fd, "server_id = %" PRId64 "\n",
			    key->server_id) < 0;
		for (k = 0; k < N_TEXTS; k++) {
			text = (const char *)key + texts[k].offset;
			if (*text != '\0')
				failed |= dprintf(fd, "%s = %s\n",
				    texts[k].name, text) < 0;
		}
	}
	return failed ? -1 : fsync(fd);
}

int
keys_write(const struct keys *keys, const char *path,
    char error[KEYS_ERROR_MAX])
{
	char fresh[PATH_MAX + 8];	/* as long as a line of vkcb.conf */
	int fd;

	snprintf(fresh, sizeof(fresh), "%s.XXXXXX", path);
	/* mkostemp() makes it 0600. */
	fd = mkostemp(fresh, O_CLOEXEC);
	if (fd == -1)
		return keys_fail(error, fresh, strerror(errno));
	if (print_all(fd, keys) == 0 && rename(fresh, path) == 0) {
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
	char lock[PATH_MAX + 8];
	int fd;

	/*
	 * keys_write() would replace a link, and leave its target as it was;
	 * and make another user's keys this user's.
	 */
	if (file_look(path) == -1 && errno != EACCES)
		return keys_fail(error, path, errno == ELOOP ? "a link: name "
		    "the file itself in `keys`" : errno == EPERM ? "it belongs "
		    "to another user: run setup as that user, or as root" :
		    file_error(errno));
	snprintf(lock, sizeof(lock), "%s.lock", path);
	fd = file_open_private(lock, O_RDWR | O_CREAT);
	if (fd == -1)
		return keys_fail(error, lock, errno == EACCES ? "Permission "
		    "denied: run setup as the owner of this folder, or as "
		    "root" : file_error(errno));
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return fd;
	keys_fail(error, lock, errno == EWOULDBLOCK ?
	    "another vkcb setup is running: wait for it" : strerror(errno));
	close(fd);
	return -1;
}
