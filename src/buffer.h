/* buffer.h - bytes that grow, up to a ceiling. */
#ifndef BUFFER_H
#define BUFFER_H

#include <stddef.h>

enum buffer_failure {
	BUFFER_GOOD,
	BUFFER_TOO_LONG,
	BUFFER_NO_MEMORY,
};

/* Initialize it with { .max = ... }, and end it with buffer_free(). */
struct buffer {
	char *at;			/* NULL, or with a NUL at at[len] */
	size_t len;
	size_t size;
	size_t max;			/* for len */
	enum buffer_failure failed;	/* stays: ask once, at the end */
};

/* Appends nothing once it has failed. */
void buffer_put(struct buffer *, const void *bytes, size_t len);

/* Room for `more` bytes at at[len], for the caller to fill; NULL: failed. */
char *buffer_room(struct buffer *, size_t more)
    __attribute__((warn_unused_result));

/* Frees the bytes and leaves no copy; the buffer is empty, and usable. */
void buffer_free(struct buffer *);

#endif
