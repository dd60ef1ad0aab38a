/*
 * escape.c - the characters that the escapes of a checked string stand for.
 *
 * Nothing here can fail: check.c has seen the string.
 */
#include "json/check.h"

#include <string.h>

#include "utf8.h"

#include "banned.h"

int
json_hex4(const char *at, const char *end)
{
	static const char digits[] = "0123456789abcdefABCDEF";
	const char *found;
	int value = 0, i;

	if (end - at < 4)
		return -1;
	for (i = 0; i < 4; i++) {
		found = memchr(digits, at[i], sizeof(digits) - 1);
		if (found == NULL)
			return -1;
		value = value << 4 | (int)(found - digits -
		    (found - digits > 15 ? 6 : 0));
	}
	return value;
}

/*
 * The character of a checked \u escape; *in is at its digits, then after it.
 * Surrogates come in pairs. An unpaired one becomes U+FFFD: it is no reason to
 * lose the event that somebody wrote it in.
 */
static uint32_t
escape_unit(const char **in, const char *end)
{
	uint32_t unit = (uint32_t)json_hex4(*in, end);
	int low;

	*in += 4;
	if (unit < 0xd800 || unit > 0xdfff)
		return unit;
	if (unit > 0xdbff || end - *in < 6 || (*in)[0] != '\\' ||
	    (*in)[1] != 'u')
		return 0xfffd;
	low = json_hex4(*in + 2, end);
	if (low < 0xdc00 || low > 0xdfff)
		return 0xfffd;
	*in += 6;
	return 0x10000 + ((unit - 0xd800) << 10) + ((uint32_t)low - 0xdc00);
}

/* The character of an escape; *in is at the backslash, then after it. */
static uint32_t
escape_read(const char **in, const char *end)
{
	static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
	const char *found;
	char c = (*in)[1];

	*in += 2;
	if (c == 'u')
		return escape_unit(in, end);
	found = strchr(from, c);
	return (unsigned char)(found != NULL ? to[found - from] : c);
}

/* In place: an escape is never shorter than its character. */
char *
json_unescape(struct json_value *string, size_t *len)
{
	char *start = string->at + 1;
	const char *end = string->at + string->len - 1, *in;
	char *out = memchr(start, '\\', (size_t)(end - start));

	if (out == NULL) {
		*len = string->len - 2;
		start[*len] = '\0';
		return start;
	}
	for (in = out; in < end; ) {
		if (*in == '\\')
			out = utf8_write(out, escape_read(&in, end));
		else
			*out++ = *in++;
	}
	*out = '\0';
	*len = (size_t)(out - start);
	return start;
}

bool
json_spells(const struct json_value *string, const char *name, size_t len)
{
	const char *in = string->at + 1, *end = string->at + string->len - 1;
	size_t i;

	if ((size_t)(end - in) == len)
		return memcmp(in, name, len) == 0;
	for (i = 0; i < len && in < end; i++) {
		uint32_t c = *in == '\\' ? escape_read(&in, end) :
		    (unsigned char)*in++;

		if (c != (unsigned char)name[i])
			return false;
	}
	return i == len && in == end;
}
