/* clock.h - the time, by clocks that need no system call. */
#ifndef CLOCK_H
#define CLOCK_H

#include <errno.h>
#include <stdint.h>
#include <time.h>

static inline int64_t
clock_read_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

/* A clock that is never set, in nano-, micro- and milliseconds. */
static inline int64_t
clock_ns(void)
{
	return clock_read_ns(CLOCK_MONOTONIC);
}

static inline int64_t
clock_us(void)
{
	return clock_ns() / 1000;
}

static inline int64_t
clock_ms(void)
{
	return clock_ns() / 1000000;
}

/* Sleeps until clock_ns() is there. */
static inline void
clock_sleep_until(int64_t ns)
{
	struct timespec when = {
		.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000,
	};

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &when, NULL) ==
	    EINTR)
		;
}

/* The date and time: milliseconds since 1970. */
static inline int64_t
clock_wall_ms(void)
{
	return clock_read_ns(CLOCK_REALTIME) / 1000000;
}

#endif
