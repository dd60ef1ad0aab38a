/*
 * text.c - integers, never clamped and never cut; UTF-8 as RFC 3629 has it.
 *
 * strtoll() is not used: it skips spaces, takes a plus, and reports too large a
 * number in errno alone. Nothing here takes memory.
 */
#include "text.h"

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

uint32_t
utf8_character(const char *at, size_t length)
{
	uint32_t c = (unsigned char)at[0];
	size_t i;

	if (length > 1)
		c &= 0xffu >> (length + 1);
	for (i = 1; i < length; i++)
		c = c << 6 | (at[i] & 0x3f);
	return c;
}

size_t
utf8_length(const char *at, size_t left)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	unsigned char first = (unsigned char)*at;
	size_t i, size = first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ?
	    3 : first < 0xf8 ? 4 : 0;
	uint32_t c;

	if (first < 0x80)
		return left > 0;
	for (i = 1; i < size; i++)
		if (i >= left || (at[i] & 0xc0) != 0x80)
			return 0;
	c = utf8_character(at, size);
	return c < least[size] || c >> 11 == 0xd800 >> 11 || c > 0x10ffff ? 0 :
	    size;
}

size_t
utf8_span(const char *text)
{
	size_t at, len;

	for (at = 0; text[at] != '\0'; at += len) {
		len = utf8_length(text + at, 4);
		if (len == 0)
			break;
	}
	return at;
}

char *
utf8_write(char *out, uint32_t c)
{
	static const unsigned char marks[] = { 0, 0xc0, 0xe0, 0xf0 };
	unsigned int more = c < 0x80 ? 0 : c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;

	*out++ = (char)(marks[more] | c >> 6 * more);
	while (more-- > 0)
		*out++ = (char)(0x80 | (c >> 6 * more & 0x3f));
	return out;
}

size_t
utf8_cut(const char *text, size_t max, size_t *skip)
{
	size_t at, len, units = 0, line = 0, word = 0;

	*skip = 0;
	for (at = 0; text[at] != '\0'; at += len) {
		if (text[at] == '\n')
			line = at;
		if (strchr(UTF8_BLANK, text[at]) != NULL)
			word = at;
		len = utf8_length(text + at, 4);
		/* A bad byte is a character. */
		units += len == 4 ? 2 : 1;
		if (units > max)
			break;
		len += len == 0;
	}
	if (text[at] == '\0')
		return at;
	at = line > at / 2 ? line : word > at / 2 ? word : at;
	*skip = strspn(text + at, UTF8_BLANK);
	return at;
}
