/* clock.h - the time, by clocks that need no system call. */
#ifndef CLOCK_H
#define CLOCK_H

#include <stdint.h>
#include <time.h>

static inline int64_t
clock_read_us(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * INT64_C(1000000) + now.tv_nsec / 1000;
}

/* A clock that is never set, in microseconds and milliseconds. */
static inline int64_t
clock_us(void)
{
	return clock_read_us(CLOCK_MONOTONIC);
}

static inline int64_t
clock_ms(void)
{
	return clock_us() / 1000;
}

/* The date and time: milliseconds since 1970. */
static inline int64_t
clock_wall_ms(void)
{
	return clock_read_us(CLOCK_REALTIME) / 1000;
}

#endif
