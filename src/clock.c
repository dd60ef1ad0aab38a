/*
 * clock.c - clocks that need no system call. Nothing can fail.
 */
#include "clock.h"

#include <time.h>

#include "banned.h"

static int64_t
microseconds(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * INT64_C(1000000) + now.tv_nsec / 1000;
}

int64_t
clock_ms(void)
{
	return microseconds(CLOCK_MONOTONIC) / 1000;
}

int64_t
clock_us(void)
{
	return microseconds(CLOCK_MONOTONIC);
}

int64_t
clock_wall_ms(void)
{
	return microseconds(CLOCK_REALTIME) / 1000;
}
