/* clock.h - what time it is. */
#ifndef CLOCK_H
#define CLOCK_H

#include <stdint.h>

/* On a clock that is never set: milliseconds, microseconds. */
int64_t clock_ms(void);
int64_t clock_us(void);

/* On the wall: milliseconds since 1970. */
int64_t clock_wall_ms(void);

#endif
