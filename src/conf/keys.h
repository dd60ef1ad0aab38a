/*
 * keys.h - the file of `vkcb setup`: for each group the secret that setup
 * chose, VK's confirmation string, and the server's id and URL at VK.
 * Responders read it with vkcb.conf.
 *
 * Secrets are in mappings of their own: the heap would keep copies in freed
 * blocks, and a core dump has the heap.
 */
#ifndef KEYS_H
#define KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KEYS_SECRET_MAX 64
#define KEYS_SECRET_LONGEST 50	/* that VK takes */
#define KEYS_URL_MAX 1024
#define KEYS_ERROR_MAX 512

struct key {
	int64_t group_id;
	char secret[KEYS_SECRET_MAX];		/* "": none stored */
	char confirmation[KEYS_SECRET_MAX];	/* "": none stored */
	int64_t server_id;			/* 0: none */
	char url[KEYS_URL_MAX];			/* as given to setup */
};

struct keys {
	struct key *at;
	size_t n;
	size_t size;		/* keys that there is room for */
};

/*
 * Reads the file; a missing file has no keys. 0, or -1 and a line in error: the
 * keys are empty.
 */
int keys_read(struct keys *, const char *path, char error[KEYS_ERROR_MAX])
    __attribute__((warn_unused_result));

void keys_free(struct keys *);

/* Can the file hold this secret unchanged, and does VK take it? */
bool keys_can_hold(const char *secret);

/*
 * Is this like a confirmation string of VK's, 8 hexadecimal digits? Letters,
 * digits, _ and - are taken, as many as of a secret.
 */
bool keys_is_confirmation(const char *text);

/* The group's key, NULL if there is none. */
struct key *keys_find(const struct keys *, int64_t group_id);

/* The group's key, made if there is none; NULL: out of memory. */
struct key *keys_get(struct keys *, int64_t group_id);

/*
 * Replaces the file whole, mode 0600; the caller has the lock. 0: it is on
 * disk; or -1 and a line in error: the file is as it was.
 */
int keys_write(const struct keys *, const char *path,
    char error[KEYS_ERROR_MAX]) __attribute__((warn_unused_result));

/*
 * Keeps a second setup out until the descriptor is closed. -1 and a line in
 * error: another setup runs, the lock cannot be made, or the file is a link or
 * another user's.
 */
int keys_lock(const char *path, char error[KEYS_ERROR_MAX])
    __attribute__((warn_unused_result));

/*
 * Zeros; the parts that are never touched cost nothing. NULL: out of memory.
 * munmap() gives the memory back to the system, which wipes it.
 */
void *secret_map(size_t size) __attribute__((warn_unused_result));

#endif
