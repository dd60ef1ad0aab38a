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

#include "text.h"

#include "banned.h"

struct check {
	const char *at;
	const char *end;
	const char *error;
	unsigned int depth;
	struct json_member *members;	/* of the outermost object */
	size_t n_members;
};

static bool check_value(struct check *, struct json_value *);

static bool
check_refuse(struct check *check, const char *reason)
{
	if (check->error == NULL)
		check->error = reason;
	return false;
}

static void
check_space(struct check *check)
{
	while (check->at < check->end && (*check->at == ' ' ||
	    *check->at == '\t' || *check->at == '\n' || *check->at == '\r'))
		check->at++;
}

static bool
check_take(struct check *check, char c)
{
	if (check->at == check->end || *check->at != c)
		return false;
	check->at++;
	return true;
}

/*
 * Steps over 8 bytes at a time while they are plain: ASCII, printable, and
 * neither quote nor backslash.
 */
static const char *
check_plain_words(const char *at, const char *end)
{
	const uint64_t ones = UINT64_C(0x0101010101010101);
	const uint64_t highs = UINT64_C(0x8080808080808080);
	uint64_t word, quote, slash, odd;

	while (end - at >= 8) {
		memcpy(&word, at, sizeof(word));
		quote = word ^ ones * '"';
		slash = word ^ ones * '\\';
		odd = word | (word - ones * 0x20) | (quote - ones) |
		    (slash - ones);
		if ((odd & highs) != 0)
			break;
		at += 8;
	}
	return at;
}

/* A character of more than one byte. */
static bool
check_utf8(struct check *check)
{
	size_t size = utf8_length(check->at, (size_t)(check->end - check->at));

	check->at += size;
	return size > 0 || check_refuse(check, "bad UTF-8");
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

/* At a backslash. */
static bool
check_escape(struct check *check)
{
	check->at++;
	if (check->at == check->end)
		return check_refuse(check, "unfinished escape");
	if (*check->at == 'u') {
		if (json_hex4(check->at + 1, check->end) == -1)
			return check_refuse(check, "bad \\u escape");
		check->at += 5;
		return true;
	}
	if (*check->at == '\0' || strchr("\"\\/bfnrt", *check->at) == NULL)
		return check_refuse(check, "unknown escape");
	check->at++;
	return true;
}

/* Printable ASCII but for quote and backslash. */
static const unsigned char plain[256] = {
	[' '] = 1, 1, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
	['0'] = 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
	['@'] = 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
	['P'] = 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 1, 1,
	['`'] = 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
	['p'] = 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
};

/* Ends at the NUL behind the text at the latest. */
static const char *
check_plain(const char *at, const char *end)
{
	const unsigned char *s;

	s = (const unsigned char *)check_plain_words(at, end);
	for (;;) {
		while (plain[*s])
			s++;
		/* Characters of two bytes, such as Cyrillic. */
		if (*s < 0xc2 || *s > 0xdf || (s[1] & 0xc0) != 0x80)
			return (const char *)s;
		s += 2;
	}
}

static bool
check_string(struct check *check)
{
	unsigned char c;

	if (!check_take(check, '"'))
		return check_refuse(check, "a string was expected");
	for (;;) {
		check->at = check_plain(check->at, check->end);
		if (check->at == check->end)
			return check_refuse(check, "unfinished string");
		c = (unsigned char)*check->at;
		if (c == '"') {
			check->at++;
			return true;
		}
		if (c < 0x20)
			return check_refuse(check,
			    "control character in a string");
		if (c == '\\' ? !check_escape(check) : !check_utf8(check))
			return false;
	}
}

static bool
check_digits(struct check *check)
{
	const char *start = check->at;

	while (check->at < check->end && *check->at >= '0' &&
	    *check->at <= '9')
		check->at++;
	return check->at > start || check_refuse(check, "bad number");
}

static bool
check_number(struct check *check)
{
	check_take(check, '-');
	if (!check_take(check, '0') && !check_digits(check))
		return false;
	if (check_take(check, '.') && !check_digits(check))
		return false;
	if (check_take(check, 'e') || check_take(check, 'E')) {
		if (!check_take(check, '+'))
			check_take(check, '-');
		return check_digits(check);
	}
	return true;
}

static bool
check_word(struct check *check, const char *word)
{
	size_t len = strlen(word);

	if ((size_t)(check->end - check->at) < len ||
	    memcmp(check->at, word, len) != 0)
		return check_refuse(check, "unknown word");
	check->at += len;
	return true;
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

static bool
check_pair(struct check *check)
{
	struct json_value key = { .kind = JSON_STRING }, value;

	check_space(check);
	key.at = (char *)check->at;
	if (!check_string(check))
		return false;
	key.len = (size_t)(check->at - key.at);
	check_space(check);
	if (!check_take(check, ':'))
		return check_refuse(check, "expected : after a key");
	if (!check_value(check, &value))
		return false;
	if (check->depth == 1)
		check_member(check, &key, &value);
	return true;
}

/* At the brace or bracket that opens it. */
static bool
check_container(struct check *check)
{
	bool is_object = *check->at++ == '{';
	char closing = is_object ? '}' : ']';
	struct json_value element;

	if (++check->depth > JSON_DEPTH_MAX)
		return check_refuse(check, "nested too deep");
	check_space(check);
	if (!check_take(check, closing)) {
		do {
			if (!(is_object ? check_pair(check) :
			    check_value(check, &element)))
				return false;
			check_space(check);
		} while (check_take(check, ','));
		if (!check_take(check, closing))
			return check_refuse(check, is_object ?
			    "expected , or } in an object" :
			    "expected , or ] in an array");
	}
	check->depth--;
	return true;
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

static bool
check_value(struct check *check, struct json_value *value)
{
	static const char *const words[JSON_OBJECT + 1] = {
		[JSON_NULL] = "null", [JSON_FALSE] = "false",
		[JSON_TRUE] = "true",
	};
	bool good;

	check_space(check);
	if (check->at == check->end)
		return check_refuse(check, "a value was expected");
	value->kind = json_kind_of(*check->at);
	value->at = (char *)check->at;
	good = words[value->kind] != NULL ?
	    check_word(check, words[value->kind]) :
	    value->kind == JSON_STRING ? check_string(check) :
	    value->kind == JSON_NUMBER ? check_number(check) :
	    check_container(check);
	value->len = (size_t)(check->at - value->at);
	return good;
}

static const char *
check_end(struct check *check, const char *text, const char *reason,
    size_t *where)
{
	if (check->error == NULL)
		check_space(check);
	if (check->at != check->end)
		check_refuse(check, reason);
	*where = (size_t)(check->at - text);
	return check->error;
}

const char *
json_check(char *text, size_t len, struct json_member *members, size_t n,
    size_t *where)
{
	struct check check = { .at = text, .end = text + len,
	    .members = members, .n_members = n };

	check_space(&check);
	if (check.at == check.end || *check.at != '{')
		check_refuse(&check, "not a JSON object");
	else
		check_container(&check);
	return check_end(&check, text, "bytes after the object", where);
}

const char *
json_check_value(char *text, size_t len, struct json_value *value,
    size_t *where)
{
	struct check check = { .at = text, .end = text + len };

	check_value(&check, value);
	return check_end(&check, text, "bytes after the value", where);
}

bool
json_is_number(const char *text, size_t len)
{
	struct check check = { .at = text, .end = text + len };

	return check_number(&check) && check.at == check.end;
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
