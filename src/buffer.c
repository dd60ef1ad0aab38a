/*
 * buffer.c - a growable buffer.
 *
 * Tokens go through buffers: memory that is given back is cleared first.
 *
 * Out of memory or above the ceiling the buffer is marked as failed, and keeps
 * its bytes.
 */
#include "buffer.h"

#include <stdlib.h>
#include <string.h>

#include "banned.h"

#define FIRST_SIZE ((size_t)1024)

/* Not realloc(): it would leave the old bytes behind. */
static void
buffer_move(struct buffer *buffer, size_t size)
{
	char *at = malloc(size);

	if (at == NULL) {
		buffer->failed = BUFFER_NO_MEMORY;
		return;
	}
	if (buffer->at != NULL) {
		memcpy(at, buffer->at, buffer->len);
		explicit_bzero(buffer->at, buffer->len);
		free(buffer->at);
	}
	at[buffer->len] = '\0';
	buffer->at = at;
	buffer->size = size;
}

char *
buffer_room(struct buffer *buffer, size_t more)
{
	size_t size = buffer->size == 0 ? FIRST_SIZE : buffer->size;

	if (!buffer->failed && more > buffer->max - buffer->len)
		buffer->failed = BUFFER_TOO_LONG;
	while (!buffer->failed && size <= buffer->len + more)
		size *= 2;
	if (!buffer->failed && size > buffer->size)
		buffer_move(buffer, size);
	return buffer->failed ? NULL : buffer->at + buffer->len;
}

void
buffer_put(struct buffer *buffer, const void *bytes, size_t len)
{
	char *room = buffer_room(buffer, len);

	if (room == NULL)
		return;
	memcpy(room, bytes, len);
	room[len] = '\0';
	buffer->len += len;
}

void
buffer_free(struct buffer *buffer)
{
	if (buffer->at != NULL)
		explicit_bzero(buffer->at, buffer->size);
	free(buffer->at);
	*buffer = (struct buffer){ .max = buffer->max };
}
