/*
 * rate.h - 20 calls a second per token, whichever processes of this machine
 * make them.
 */
#ifndef RATE_H
#define RATE_H

#include <stdint.h>

#define RATE_CALLS 20
/* A little over a second: calls may take differently long on their way. */
#define RATE_WINDOW INT64_C(1020000000)

/* The times of the last calls, in nanoseconds; a ring. */
struct rate_window {
	uint32_t magic;
	uint32_t next;			/* the oldest of turns */
	int64_t turns[RATE_CALLS];
};

/*
 * Waits for this token's turn, up to max_ms. 0, or -1: there is none in that
 * time, and it did not wait. folder: where processes share the count; if that
 * cannot be, this process counts for itself and says so once.
 */
int rate_wait(const char *folder, const char *token, int64_t max_ms)
    __attribute__((warn_unused_result));

/* The next turn from now on, entered into the book; -1: over max from now. */
int64_t rate_reserve(struct rate_window *, int64_t now, int64_t max);

#endif
