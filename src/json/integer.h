/* integer.h - numbers in JSON's grammar, as 64-bit integers. */
#ifndef JSON_INTEGER_H
#define JSON_INTEGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Is this text a number that is exactly a 64-bit integer? 12, 12.0 and 1.2e1
 * are 12; with a point or exponent only below 2^53. Never clamped. Behind the
 * text stands a byte that no number has.
 */
bool json_integer(const char *text, size_t len, int64_t *out);

#endif
