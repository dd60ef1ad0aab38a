/*
 * arena.c - bump allocation for one event.
 *
 * An event of usual size fits the first chunk, which is kept from event to
 * event, so that no memory is taken from the system. A large event takes more
 * chunks, each twice as large as the one before.
 *
 * Out of memory: arena_alloc() returns NULL, and the arena stays usable.
 */
#include "arena.h"

#include <stdint.h>
#include <stdlib.h>

#include "banned.h"

#define FIRST_CHUNK ((size_t)32 * 1024)
#define ALIGNMENT ((size_t)_Alignof(max_align_t))

struct arena_chunk {
	struct arena_chunk *older;
	size_t size;
	_Alignas(max_align_t) char bytes[];
};

static int
arena_add_chunk(struct arena *arena, size_t size)
{
	struct arena_chunk *chunk, *older = arena->chunks;
	size_t least = older != NULL ? 2 * older->size : FIRST_CHUNK;

	if (size < least)
		size = least;
	chunk = size <= SIZE_MAX / 4 ? malloc(sizeof(*chunk) + size) : NULL;
	if (chunk == NULL)
		return -1;
	*chunk = (struct arena_chunk){ .older = older, .size = size };
	*arena = (struct arena){
		.chunks = chunk, .next = chunk->bytes, .left = size,
		.failed = arena->failed,
	};
	return 0;
}

void *
arena_alloc(struct arena *arena, size_t size)
{
	void *piece;

	if (size <= SIZE_MAX - ALIGNMENT)
		size = (size + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
	if ((arena->next == NULL || size > arena->left) &&
	    arena_add_chunk(arena, size) == -1) {
		arena->failed = true;
		return NULL;
	}
	piece = arena->next;
	arena->next += size;
	arena->left -= size;
	return piece;
}

void
arena_reset(struct arena *arena)
{
	struct arena_chunk *chunk;

	while ((chunk = arena->chunks) != NULL &&
	    (chunk->older != NULL || chunk->size != FIRST_CHUNK)) {
		arena->chunks = chunk->older;
		free(chunk);
	}
	*arena = (struct arena){ .chunks = chunk };
	if (chunk != NULL) {
		arena->next = chunk->bytes;
		arena->left = chunk->size;
	}
}

void
arena_release(struct arena *arena)
{
	arena_reset(arena);
	free(arena->chunks);
	*arena = (struct arena){ .chunks = NULL };
}
