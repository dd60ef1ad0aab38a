/*
 * decimal.c - numbers of any length, point and exponent, to the last digit.
 *
 * A number is read as its significant digits, which neither begin nor end with
 * a zero, times a power of ten. Nothing here takes memory.
 */
#include "json/decimal.h"

#include "json/check.h"
#include "number.h"

#include "banned.h"

#define EXPONENT_MAX 100000000	/* beyond any use, and any body's length */

struct decimal {
	const char *first;	/* NULL: zero */
	const char *last;	/* there may be a point between them */
	long power;
};

/* The exponent at an e, 0 if none stands there. */
static long
decimal_exponent(const char *at, const char *end)
{
	long value = 0;
	bool minus;

	if (at == end)
		return 0;
	at++;
	minus = *at == '-';
	if (*at == '-' || *at == '+')
		at++;
	for (; at < end; at++)
		if (value < EXPONENT_MAX)
			value = value * 10 + (*at - '0');
	return minus ? -value : value;
}

static struct decimal
decimal_read(const char *at, const char *end)
{
	struct decimal decimal = { NULL, NULL, 0 };
	long zeros = 0, behind_point = 0;
	bool point = false;

	for (; at < end && *at != 'e' && *at != 'E'; at++) {
		if (*at < '0') {
			point = point || *at == '.';
			continue;
		}
		behind_point += point;
		zeros++;
		if (*at == '0')
			continue;
		zeros = 0;
		decimal.last = at;
		if (decimal.first == NULL)
			decimal.first = at;
	}
	decimal.power = decimal_exponent(at, end) + zeros - behind_point;
	return decimal;
}

bool
json_is_whole(const char *text, size_t len)
{
	struct decimal decimal = decimal_read(text, text + len);

	return decimal.first == NULL || decimal.power >= 0;
}

bool
json_integer(const char *text, size_t len, int64_t *out)
{
	struct decimal decimal;
	uint64_t magnitude = 0;
	const char *at;
	bool minus;

	if (!json_is_number(text, len))
		return false;
	if (number_read(text, len, INT64_MIN, INT64_MAX, out))
		return true;
	decimal = decimal_read(text, text + len);
	if (decimal.first == NULL) {
		*out = 0;
		return true;
	}
	if (decimal.power < 0)
		return false;
	for (at = decimal.first; at <= decimal.last; at++)
		if (*at != '.' && !number_append(&magnitude,
		    (unsigned int)(*at - '0')))
			return false;
	for (; decimal.power > 0; decimal.power--)
		if (!number_append(&magnitude, 0))
			return false;
	minus = *text == '-';
	if (magnitude > (uint64_t)INT64_MAX + minus)
		return false;
	*out = (int64_t)(minus ? 0 - magnitude : magnitude);
	return true;
}
