/* number.h - decimal integers in text: options, keys, ids, lengths. */
#ifndef NUMBER_H
#define NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Are these bytes, all of them, an integer from min to max? Digits, with a
 * minus before them if min is negative; no plus, no space, in any locale. *out
 * is set if so. A prefix such as the 10 of "10s" is read by its length.
 */
bool number_read(const char *text, size_t len, int64_t min, int64_t max,
    int64_t *out);

/* The same of digits alone, up to 2^64-1. */
bool number_read_digits(const char *text, size_t len, uint64_t *out);

#define NUMBER_DIGITS "0123456789"	/* for strspn() */

/*
 * A version of VK's API as one number, for comparison: 5 * NUMBER_VERSION_MAJOR
 * + 199 for "5.199". 0: it is not two plain numbers with a point between them.
 */
#define NUMBER_VERSION_MAJOR 100000
/* VK sends whole events from version 5.81 on. */
#define NUMBER_VERSION_MIN (5 * NUMBER_VERSION_MAJOR + 81)
int64_t number_version(const char *text);

#endif
