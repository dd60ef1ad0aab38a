/* decimal.h - numbers in JSON's grammar, as 64-bit integers. */
#ifndef JSON_DECIMAL_H
#define JSON_DECIMAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Is this text a number that is exactly a 64-bit integer? 12, 12.0 and 1.2e1
 * are 12. Never rounds, never clamps.
 */
bool json_integer(const char *text, size_t len, int64_t *out);

/* Has this number (JSON's grammar) no fraction? 12.0 and 1e300 have none. */
bool json_is_whole(const char *text, size_t len);

#endif
