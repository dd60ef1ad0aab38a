/* arena.h - what belongs to one event: taken in pieces, given back whole. */
#ifndef ARENA_H
#define ARENA_H

#include <stddef.h>

struct arena_chunk;

struct arena {
	struct arena_chunk *chunks;	/* newest first; the oldest is kept */
	char *next;
	char *end;
	size_t grow;			/* least size of the next chunk */
};

/* Takes nothing from the system until the first piece is asked for. */
void arena_init(struct arena *);

/* A hint: this much in all may be asked for before the next reset. */
void arena_expect(struct arena *, size_t size);

/* A piece, aligned for any type, not zeroed; NULL: no memory. */
void *arena_alloc(struct arena *, size_t size)
    __attribute__((malloc, warn_unused_result));

/* Every piece goes; a first chunk of usual size stays for the next event. */
void arena_reset(struct arena *);

void arena_release(struct arena *);

#endif
