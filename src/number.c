/*
 * number.c - reads integers, never clamped and never cut.
 *
 * strtoll() is not used: it skips spaces, takes a plus, and reports too large a
 * number in errno alone. Nothing here takes memory.
 */
#include "number.h"

#include <string.h>

#include "banned.h"

bool
number_read_digits(const char *text, size_t len, uint64_t *out)
{
	uint64_t number = 0;
	size_t i;

	for (i = 0; i < len; i++)
		if (text[i] < '0' || text[i] > '9' ||
		    __builtin_mul_overflow(number, 10, &number) ||
		    __builtin_add_overflow(number, text[i] - '0', &number))
			return false;
	if (len > 0)
		*out = number;
	return len > 0;
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

int64_t
number_version(const char *text)
{
	size_t len = strspn(text, NUMBER_DIGITS);
	const char *minor_text = text + len + 1;
	int64_t major, minor;

	if (text[len] != '.' || text[0] == '0' ||
	    (minor_text[0] == '0' && minor_text[1] != '\0') ||
	    !number_read(text, len, 1, 999, &major) ||
	    !number_read(minor_text, strlen(minor_text), 0,
		NUMBER_VERSION_MAJOR - 1, &minor))
		return 0;
	return major * NUMBER_VERSION_MAJOR + minor;
}
