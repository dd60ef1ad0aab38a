/*
 * rate.h - the rate limiter: 20 calls a second per token, by all processes of
 * this machine together.
 */
#ifndef RATE_H
#define RATE_H

#include <stdbool.h>
#include <stdint.h>

#define RATE_CALLS 20
/* A little over a second: calls take unequal times to reach VK. */
#define RATE_WINDOW INT64_C(1020000000)

/* When a token was or will be used; CLOCK_MONOTONIC, nanoseconds. */
struct rate_window {
	uint32_t magic;
	uint32_t next;			/* the oldest slot */
	int64_t slots[RATE_CALLS];	/* the last calls: a ring */
	int64_t once;			/* the last true of rate_once() */
};

/*
 * Waits for the token's next slot, at most max_ms. 0, or -1 at once if there
 * is none in that time. folder: where processes share the window. If that
 * fails, this user counts alone or calls are not counted, which is logged once.
 */
int rate_wait(const char *folder, const char *token, int64_t max_ms)
    __attribute__((warn_unused_result));

/* Returns true at most once in so many milliseconds for a token. */
bool rate_once(const char *folder, const char *token, int64_t ms);

/* Reserves the next slot from now on; -1: it is over max away. */
int64_t rate_reserve(struct rate_window *, int64_t now, int64_t max);

#endif
