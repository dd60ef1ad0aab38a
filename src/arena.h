/* arena.h - memory of one event: taken in pieces, given back whole. */
#ifndef ARENA_H
#define ARENA_H

#include <stdbool.h>
#include <stddef.h>

struct arena_chunk;

/* All zeros at first: the first piece takes memory from the system. */
struct arena {
	struct arena_chunk *chunks;	/* newest first; the oldest is kept */
	char *next;
	size_t left;			/* bytes behind next */
	bool failed;			/* any user of the arena may set it */
};

/*
 * A piece, aligned for any type, not zeroed. NULL: out of memory, and
 * `failed` is set until the next reset: it is looked at once, before the pieces
 * are used.
 */
void *arena_alloc(struct arena *, size_t size)
    __attribute__((malloc, warn_unused_result));

/* Gives all pieces back; a first chunk of usual size stays for the next. */
void arena_reset(struct arena *);

void arena_release(struct arena *);

#endif
