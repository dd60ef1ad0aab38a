/*
 * check.c - a strict check of JSON, and the characters that the escapes of a
 * checked string stand for. Nothing here takes memory.
 *
 * The bytes come from outside. All of them are checked before any of them is
 * used, and nesting has a ceiling, so that recursion has one too: here, in
 * tree.c, in decode.c and in json-c.
 */
#include "json/check.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "json/scan.h"
#include "json/walk.h"
#include "text.h"

#include "banned.h"

struct check {
	const char *end;	/* a NUL stands there */
	const char *error;
	const char *wrong;	/* the place of the error */
	unsigned int depth;
	struct json_member *members;	/* of the outermost object */
	size_t n_members;
};

static const char *
check_refuse(struct check *check, const char *at, const char *reason)
{
	check->error = reason;
	check->wrong = at;
	return NULL;
}

/* The four digits after \u, or -1. */
static int
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

/* At a backslash. The functions below return the place behind, or NULL. */
static const char *
check_escape(struct check *check, const char *at)
{
	if (++at == check->end)
		return check_refuse(check, at, "unfinished escape");
	if (*at == 'u')
		return json_hex4(at + 1, check->end) != -1 ? at + 5 :
		    check_refuse(check, at, "bad \\u escape");
	if (*at == '\0' || strchr("\"\\/bfnrt", *at) == NULL)
		return check_refuse(check, at, "unknown escape");
	return at + 1;
}

/* A character of more than two bytes, or none. */
static const char *
check_utf8(struct check *check, const char *at)
{
	size_t size = utf8_length(at, (size_t)(check->end - at));

	return size > 0 ? at + size : check_refuse(check, at, "bad UTF-8");
}

/* In a string, at what is not plain. */
static const char *
check_text(struct check *check, const char *at)
{
	for (;;) {
		if (*at == '"')
			return at + 1;
		if (at == check->end)
			return check_refuse(check, at, "unfinished string");
		if ((unsigned char)*at < 0x20)
			return check_refuse(check, at,
			    "control character in a string");
		at = *at == '\\' ? check_escape(check, at) :
		    check_utf8(check, at);
		if (at == NULL)
			return NULL;
		at = scan_plain(at, check->end);
	}
}

static inline const char *
check_string(struct check *check, const char *at)
{
	if (*at != '"')
		return check_refuse(check, at, "a string was expected");
	at = scan_plain(at + 1, check->end);
	return *at == '"' ? at + 1 : check_text(check, at);
}

/* Moves *at behind some digits; false: there are none. */
static inline bool
check_digits(const char **at)
{
	const char *start = *at;

	while (**at >= '0' && **at <= '9')
		++*at;
	return *at > start;
}

/* Ends at a byte that no number has. */
static inline bool
check_number(const char **at)
{
	*at += **at == '-';
	if (**at == '0')
		++*at;
	else if (!check_digits(at))
		return false;
	if (**at == '.' && (++*at, !check_digits(at)))
		return false;
	if (**at != 'e' && **at != 'E')
		return true;
	++*at;
	*at += **at == '+' || **at == '-';
	return check_digits(at);
}

static const char *
check_word(struct check *check, const char *at, const char *word, size_t len)
{
	/* Behind the end stands a NUL, which ends a comparison. */
	return strncmp(at, word, len) == 0 ? at + len :
	    check_refuse(check, at, "unknown word");
}

static const char *check_container(struct check *, const char *);

static const char *
check_value(struct check *check, const char *at)
{
	switch (*at) {
	case '{':
	case '[':
		return check_container(check, at);
	case '"':
		return check_string(check, at);
	case 't':
		return check_word(check, at, "true", 4);
	case 'f':
		return check_word(check, at, "false", 5);
	case 'n':
		return check_word(check, at, "null", 4);
	default:
		if (at == check->end)
			return check_refuse(check, at, "a value was expected");
		return check_number(&at) ? at :
		    check_refuse(check, at, "bad number");
	}
}

static void
check_member(struct check *check, const struct json_value *key,
    const struct json_value *value)
{
	struct json_member *member;
	size_t i;

	for (i = 0; i < check->n_members; i++) {
		member = &check->members[i];
		if (json_spells(key, member->name, member->len)) {
			member->value = *value;
			member->times++;
			return;
		}
	}
}

static const char *
check_pair(struct check *check, const char *at)
{
	const char *key = at, *key_end = check_string(check, at), *value;

	if (key_end == NULL)
		return NULL;
	at = json_space(key_end);
	if (*at != ':')
		return check_refuse(check, at, "expected : after a key");
	value = json_space(at + 1);
	at = check_value(check, value);
	if (at != NULL && check->depth == 1)
		check_member(check, &(struct json_value){ JSON_STRING,
		    (char *)key, (size_t)(key_end - key) },
		    &(struct json_value){ json_kind_of(*value), (char *)value,
		    (size_t)(at - value) });
	return at;
}

/* At the brace or bracket that opens it. */
static const char *
check_container(struct check *check, const char *at)
{
	bool is_object = *at == '{';

	if (++check->depth > JSON_DEPTH_MAX)
		return check_refuse(check, at + 1, "nested too deep");
	at = json_space(at + 1);
	if (*at != (is_object ? '}' : ']')) {
		for (;;) {
			at = is_object ? check_pair(check, at) :
			    check_value(check, at);
			if (at == NULL)
				return NULL;
			at = json_space(at);
			if (*at != ',')
				break;
			at = json_space(at + 1);
		}
		if (*at != (is_object ? '}' : ']'))
			return check_refuse(check, at, is_object ?
			    "expected , or } in an object" :
			    "expected , or ] in an array");
	}
	check->depth--;
	return at + 1;
}

enum json_kind
json_kind_of(char first)
{
	static const unsigned char kinds[256] = {
		['{'] = JSON_OBJECT, ['['] = JSON_ARRAY, ['"'] = JSON_STRING,
		['t'] = JSON_TRUE, ['f'] = JSON_FALSE, ['n'] = JSON_NULL,
	};
	unsigned char kind = kinds[(unsigned char)first];

	return kind != JSON_ABSENT ? kind : JSON_NUMBER;
}

/* `at` is behind the value, or NULL. */
static const char *
check_end(struct check *check, const char *at, const char *text,
    const char *reason, size_t *where)
{
	if (at != NULL) {
		at = json_space(at);
		if (at != check->end)
			check_refuse(check, at, reason);
	}
	*where = (size_t)((check->error != NULL ? check->wrong : at) - text);
	return check->error;
}

const char *
json_check(char *text, size_t len, struct json_member *members, size_t n,
    size_t *where)
{
	struct check check = { .end = text + len, .members = members,
	    .n_members = n };
	const char *at = json_space(text);

	at = *at == '{' ? check_container(&check, at) :
	    check_refuse(&check, at, "not a JSON object");
	return check_end(&check, at, text, "bytes after the object", where);
}

const char *
json_check_value(char *text, size_t len, struct json_value *value,
    size_t *where)
{
	struct check check = { .end = text + len };
	const char *at = json_space(text), *end = check_value(&check, at);

	if (end != NULL)
		*value = (struct json_value){ json_kind_of(*at), (char *)at,
		    (size_t)(end - at) };
	return check_end(&check, end, text, "bytes after the value", where);
}

bool
json_is_number(const char *text, size_t len)
{
	const char *at = text;

	return check_number(&at) && at == text + len;
}

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

/*
 * The character of a checked \u escape; *in is at its digits, then after it.
 * Surrogates come in pairs. An unpaired one becomes U+FFFD, and so does a NUL,
 * at which a C string would end: the text around it is kept.
 */
static uint32_t
escape_unit(const char **in, const char *end)
{
	uint32_t unit = (uint32_t)json_hex4(*in, end);
	int low;

	*in += 4;
	if (unit < 0xd800 || unit > 0xdfff)
		return unit != 0 ? unit : 0xfffd;
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

/* An escape is never shorter than its character. */
char *
json_unescape_into(char *out, const char *in, const char *end)
{
	const char *slash;
	size_t len;

	for (;;) {
		slash = memchr(in, '\\', (size_t)(end - in));
		len = (size_t)((slash != NULL ? slash : end) - in);
		memmove(out, in, len);
		out += len;
		if (slash == NULL)
			return out;
		in = slash;
		out = utf8_write(out, escape_read(&in, end));
	}
}

char *
json_unescape(struct json_value *string, size_t *len)
{
	char *start = string->at + 1;
	char *end = json_unescape_into(start, start,
	    string->at + string->len - 1);

	*end = '\0';
	*len = (size_t)(end - start);
	return start;
}

bool
json_spells(const struct json_value *string, const char *name, size_t len)
{
	const char *in = string->at + 1, *end = string->at + string->len - 1;
	size_t i;

	if ((size_t)(end - in) <= len)
		return (size_t)(end - in) == len && memcmp(in, name, len) == 0;
	for (i = 0; i < len && in < end; i++) {
		uint32_t c = *in == '\\' ? escape_read(&in, end) :
		    (unsigned char)*in++;

		if (c != (unsigned char)name[i])
			return false;
	}
	return i == len && in == end;
}
