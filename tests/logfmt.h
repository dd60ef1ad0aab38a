/*
 * logfmt.h - a reader of logfmt by the rules of Go's go-logfmt, for tests.
 *
 * It is stricter where the log is: one space between pairs, a value for each
 * key, UTF-8, no raw controls, and each line begins with time=, level=, msg=.
 */
#ifndef TESTS_LOGFMT_H
#define TESTS_LOGFMT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "text.h"

struct logfmt {
	const char *at, *end;
	char *out;		/* values are written here if it is set */
};

/* The four digits of a \u escape, or -1. */
static inline int
logfmt_hex4(const struct logfmt *in)
{
	static const char digits[] = "0123456789abcdef";
	const char *digit;
	int value = 0, i;

	if (in->end - in->at < 4)
		return -1;
	for (i = 0; i < 4; i++) {
		digit = memchr(digits, in->at[i], 16);
		if (digit == NULL)
			return -1;
		value = value << 4 | (int)(digit - digits);
	}
	return value;
}

/* encoding/json reads a lone surrogate as U+FFFD; the log writes none. */
static inline bool
logfmt_unit(struct logfmt *in, uint32_t *character)
{
	int high = logfmt_hex4(in), low;

	*character = (uint32_t)high;
	in->at += 4;
	if (high == -1 || (high >= 0xdc00 && high <= 0xdfff))
		return false;
	if (high < 0xd800 || high > 0xdbff)
		return true;
	if (in->end - in->at < 6 || memcmp(in->at, "\\u", 2) != 0)
		return false;
	in->at += 2;
	low = logfmt_hex4(in);
	in->at += 4;
	*character = 0x10000 + (((uint32_t)high & 0x3ff) << 10) +
	    ((uint32_t)low & 0x3ff);
	return low >= 0xdc00 && low <= 0xdfff;
}

static inline bool
logfmt_escape(struct logfmt *in, uint32_t *character)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *found;

	if (in->at == in->end)
		return false;
	if (*in->at == 'u') {
		in->at++;
		return logfmt_unit(in, character);
	}
	found = memchr(from, *in->at++, sizeof(from) - 1);
	*character = found != NULL ? (unsigned char)to[found - from] : 0;
	return found != NULL;
}

/* The next character of a value, escaped in quotes or as it is. */
static inline bool
logfmt_character(struct logfmt *in, bool quoted)
{
	size_t len = utf8_length(in->at, (size_t)(in->end - in->at));
	uint32_t character;

	if (len == 0 || (unsigned char)*in->at < ' ' || *in->at == 0x7f)
		return false;
	character = utf8_character(in->at, len);
	in->at += len;
	if (quoted && character == '\\' && !logfmt_escape(in, &character))
		return false;
	if (in->out != NULL)
		in->out = utf8_write(in->out, character);
	return true;
}

static inline bool
logfmt_value(struct logfmt *in)
{
	const char *start = in->at;

	if (in->at < in->end && *in->at == '"') {
		in->at++;
		while (in->at < in->end && *in->at != '"')
			if (!logfmt_character(in, true))
				return false;
		return in->at++ < in->end;
	}
	while (in->at < in->end && *in->at != ' ')
		if (*in->at == '=' || *in->at == '"' ||
		    !logfmt_character(in, false))
			return false;
	return in->at > start;
}

/* One pair, with the space before it unless it is the first of the line. */
static inline bool
logfmt_pair(struct logfmt *in, const char *first)
{
	const char *key;

	if (in->at != first && *in->at++ != ' ')
		return false;
	for (key = in->at; in->at < in->end && (*in->at == '_' ||
	    (*in->at >= 'a' && *in->at <= 'z')); in->at++)
		continue;
	if (in->at == key || in->at == in->end || *in->at++ != '=')
		return false;
	return logfmt_value(in);
}

/* Is this one line, without its newline, logfmt? */
static inline bool
logfmt_line(const char *line, size_t len)
{
	struct logfmt in = { .at = line, .end = line + len };

	while (in.at < in.end)
		if (!logfmt_pair(&in, line))
			return false;
	return len > 0;
}

/* Does it begin as a line of vkcb's in a file? */
static inline bool
logfmt_begins(const char *line, size_t len)
{
	static const char form[] = "time=9999-99-99T99:99:99.999Z level=";
	static const char *const levels[] = { "error msg=", "warning msg=",
	    "info msg=", "debug msg=" };
	size_t i;

	for (i = 0; i < sizeof(form) - 1; i++)
		if (i == len || (form[i] != line[i] && (form[i] != '9' ||
		    line[i] < '0' || line[i] > '9')))
			return false;
	for (i = 0; i < 4; i++)
		if (memmem(line, len, levels[i], strlen(levels[i])) ==
		    line + sizeof(form) - 1)
			return true;
	return false;
}

#endif
