/*
 * utf8.c - reads and writes UTF-8, as RFC 3629 has it. Takes no memory.
 */
#include "utf8.h"

#include <string.h>

#include "banned.h"

size_t
utf8_length(const char *at, size_t left)
{
	const unsigned char *s = (const unsigned char *)at;
	unsigned char low = 0x80, high = 0xbf;
	size_t size = 2, i;

	if (s[0] < 0x80)
		return left > 0;
	if (s[0] < 0xc2 || s[0] > 0xf4)
		return 0;
	if (s[0] >= 0xf0) {
		size = 4;
		low = s[0] == 0xf0 ? 0x90 : 0x80;
		high = s[0] == 0xf4 ? 0x8f : 0xbf;
	} else if (s[0] >= 0xe0) {
		size = 3;
		low = s[0] == 0xe0 ? 0xa0 : 0x80;
		high = s[0] == 0xed ? 0x9f : 0xbf;
	}
	if (left < size || s[1] < low || s[1] > high)
		return 0;
	for (i = 2; i < size; i++)
		if (s[i] < 0x80 || s[i] > 0xbf)
			return 0;
	return size;
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
	if (line > at / 2)
		at = line;
	else if (word > at / 2)
		at = word;
	*skip = strspn(text + at, UTF8_BLANK);
	return at;
}
