/* arena.h - memory of one event: taken in pieces, given back whole. */
#ifndef ARENA_H
#define ARENA_H

#include <stdbool.h>
#include <stddef.h>

struct arena_chunk;

struct arena {
	struct arena_chunk *chunks;	/* newest first; the oldest is kept */
	char *next;
	char *end;
	size_t grow;			/* least size of the next chunk */
	bool failed;
};

/* Takes nothing from the system until the first piece is asked for. */
void arena_init(struct arena *);

/* A hint: this much in all may be asked for before the next reset. */
void arena_expect(struct arena *, size_t size);

/*
 * A piece, aligned for any type, not zeroed. NULL: out of memory, and
 * arena_failed() is true until the next reset: it is asked once, before
 * the pieces are used.
 */
void *arena_alloc(struct arena *, size_t size)
    __attribute__((malloc, warn_unused_result));

/* The same for n pieces in a row. */
void *arena_array(struct arena *, size_t n, size_t size)
    __attribute__((malloc, warn_unused_result));

/* Notes that memory for the same event could not be had elsewhere. */
static inline void
arena_fail(struct arena *arena)
{
	arena->failed = true;
}

static inline bool
arena_failed(const struct arena *arena)
{
	return arena->failed;
}

/* Gives all pieces back; a first chunk of usual size stays for the next. */
void arena_reset(struct arena *);

void arena_release(struct arena *);

#endif
