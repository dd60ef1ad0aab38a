/*
 * number.c - reads integers, never clamped and never cut.
 *
 * strtoll() is not used: it skips spaces, takes a plus, and reports too large a
 * number in errno alone. Nothing here takes memory.
 */
#include "number.h"

#include <string.h>

#include "banned.h"

size_t
number_digits(const char *text)
{
	return strspn(text, "0123456789");
}

bool
number_read_digits(const char *text, size_t len, uint64_t *out)
{
	uint64_t number = 0;
	size_t i;

	for (i = 0; i < len; i++)
		if (text[i] < '0' || text[i] > '9' ||
		    !number_append(&number, (unsigned int)(text[i] - '0')))
			return false;
	if (len == 0)
		return false;
	*out = number;
	return true;
}

bool
number_read(const char *text, size_t len, int64_t min, int64_t max,
    int64_t *out)
{
	bool minus = min < 0 && len > 0 && text[0] == '-';
	uint64_t magnitude;
	int64_t number;

	if (!number_read_digits(text + minus, len - minus, &magnitude) ||
	    magnitude > (uint64_t)INT64_MAX + minus)
		return false;
	number = (int64_t)(minus ? 0 - magnitude : magnitude);
	if (number < min || number > max)
		return false;
	*out = number;
	return true;
}
