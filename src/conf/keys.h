/*
 * keys.h - the file where `vkcb setup` keeps what it got from VK: for each
 * group the secret it chose, VK's confirmation string, the server's number
 * there and the URL it was made for. Responders read it with vkcb.conf.
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
	char secret[KEYS_SECRET_MAX];		/* "": none kept */
	char confirmation[KEYS_SECRET_MAX];	/* "": none kept */
	int64_t server_id;			/* 0: none */
	char url[KEYS_URL_MAX];			/* as setup was given it */
};

struct keys {
	struct key *at;
	size_t n;
	size_t size;		/* keys that there is room for */
};

/*
 * Reads the file; one that is not there yet has no keys. 0, or -1 and a line in
 * error: then keys are empty.
 */
int keys_read(struct keys *, const char *path, char error[KEYS_ERROR_MAX])
    __attribute__((warn_unused_result));

/* The same from text that was read already. */
int keys_parse(struct keys *, const char *path, const char *text, size_t len,
    char error[KEYS_ERROR_MAX]) __attribute__((warn_unused_result));

/* Forgets the secrets too. */
void keys_free(struct keys *);

/*
 * Would this secret be read back as it is, and taken by VK? An empty one is
 * not.
 */
bool keys_can_hold(const char *secret);

/*
 * Is this like a confirmation string of VK's? Those are 8 hexadecimal digits;
 * letters, digits, _ and - are taken, as many as of a secret.
 */
bool keys_is_confirmation(const char *text);

/* The group's key, NULL if there is none. */
struct key *keys_find(const struct keys *, int64_t group_id);

/* The group's key, made if there is none; NULL: out of memory. */
struct key *keys_get(struct keys *, int64_t group_id);

/*
 * Replaces the file whole, mode 0600, its owner as before; one that root makes
 * is its folder's owner's. It is on disk when this returns. 0, or -1 and a line
 * in error: then the file is as it was.
 */
int keys_write(const struct keys *, const char *path,
    char error[KEYS_ERROR_MAX]) __attribute__((warn_unused_result));

/*
 * Keeps a second setup out until the descriptor is closed. -1 and a line in
 * error: one is running, the lock cannot be made, or the file is a link.
 */
int keys_lock(const char *path, char error[KEYS_ERROR_MAX])
    __attribute__((warn_unused_result));

#endif
