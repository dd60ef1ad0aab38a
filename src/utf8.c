/*
 * utf8.c - reads and writes UTF-8, as RFC 3629 has it. Takes no memory.
 */
#include "utf8.h"

#include <string.h>

#include "banned.h"

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
