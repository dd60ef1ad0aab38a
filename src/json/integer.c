/*
 * integer.c - integers: plain, or with a point or exponent, as PHP writes a
 * float.
 */
#include "json/integer.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "json/check.h"
#include "number.h"

#include "banned.h"

bool
json_integer(const char *text, size_t len, int64_t *out)
{
	double number;
	char *end;

	if (!json_is_number(text, len))
		return false;
	if (number_read(text, len, INT64_MIN, INT64_MAX, out))
		return true;
	errno = 0;
	number = strtod(text, &end);
	/* Below 2^53 each whole number has a double of its own. */
	if (errno != 0 || end != text + len || fabs(number) >= 0x1p53 ||
	    (double)(int64_t)number != number)
		return false;
	*out = (int64_t)number;
	return true;
}
