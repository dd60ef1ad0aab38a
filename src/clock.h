/* clock.h - the time. */
#ifndef CLOCK_H
#define CLOCK_H

#include <stdint.h>

/* A clock that is never set, in milliseconds and microseconds. */
int64_t clock_ms(void);
int64_t clock_us(void);

/* The date and time: milliseconds since 1970. */
int64_t clock_wall_ms(void);

#endif
