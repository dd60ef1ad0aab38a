/*
 * json.c - a strict check of JSON without memory, and a tree where one is
 * wanted.
 *
 * Bytes come from outside: all of it is checked before any of it is used, and
 * nesting has a ceiling, so that the recursion here and in json-c has one too.
 * json_tree() relies on that check and repeats none of it.
 *
 * Out of memory: json_tree() gives back what it made and returns -1.
 */
#include "json/json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "banned.h"

struct check {
	const char *at;
	const char *end;
	const char *error;
	unsigned int depth;
};

static bool check_value(struct check *, struct json_value *);

static bool
json_refuse(struct check *check, const char *reason)
{
	if (check->error == NULL)
		check->error = reason;
	return false;
}

static void
skip_space(struct check *check)
{
	while (check->at < check->end && (*check->at == ' ' ||
	    *check->at == '\t' || *check->at == '\n' || *check->at == '\r'))
		check->at++;
}

static bool
json_take(struct check *check, char c)
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
skip_plain(const char *at, const char *end)
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

/* One character of more than one byte: shortest form, no surrogate. */
static bool
check_utf8(struct check *check)
{
	const unsigned char *s = (const unsigned char *)check->at;
	size_t left = (size_t)(check->end - check->at), more, i;
	unsigned char low = 0x80, high = 0xbf;

	if (s[0] >= 0xc2 && s[0] <= 0xdf) {
		more = 1;
	} else if ((s[0] & 0xf0) == 0xe0) {
		more = 2;
		low = s[0] == 0xe0 ? 0xa0 : 0x80;
		high = s[0] == 0xed ? 0x9f : 0xbf;
	} else if (s[0] >= 0xf0 && s[0] <= 0xf4) {
		more = 3;
		low = s[0] == 0xf0 ? 0x90 : 0x80;
		high = s[0] == 0xf4 ? 0x8f : 0xbf;
	} else {
		return json_refuse(check, "bad UTF-8");
	}
	if (left <= more || s[1] < low || s[1] > high)
		return json_refuse(check, "bad UTF-8");
	for (i = 2; i <= more; i++)
		if (s[i] < 0x80 || s[i] > 0xbf)
			return json_refuse(check, "bad UTF-8");
	check->at += more + 1;
	return true;
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* The four digits after \u, or -1. */
static int
hex4(const char *at, const char *end)
{
	int value = 0, i, digit;

	if (end - at < 4)
		return -1;
	for (i = 0; i < 4; i++) {
		digit = hex_digit(at[i]);
		if (digit == -1)
			return -1;
		value = value << 4 | digit;
	}
	return value;
}

/* At a backslash. */
static bool
check_escape(struct check *check)
{
	check->at++;
	if (check->at == check->end)
		return json_refuse(check, "unfinished escape");
	if (*check->at == 'u') {
		if (hex4(check->at + 1, check->end) == -1)
			return json_refuse(check, "bad \\u escape");
		check->at += 5;
		return true;
	}
	if (*check->at == '\0' || strchr("\"\\/bfnrt", *check->at) == NULL)
		return json_refuse(check, "unknown escape");
	check->at++;
	return true;
}

/* Printable ASCII that means nothing in a string. */
static const unsigned char plain[256] = {
	[' '] = 1, 1, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
	['0'] = 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
	['@'] = 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
	['P'] = 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 1, 1,
	['`'] = 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
	['p'] = 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
};

/* The NUL after the text ends it at the latest. */
static const char *
skip_common(const char *at, const char *end)
{
	const unsigned char *s = (const unsigned char *)skip_plain(at, end);

	for (;;) {
		while (plain[*s])
			s++;
		/* Two bytes: all of Russian. */
		if (*s < 0xc2 || *s > 0xdf || (s[1] & 0xc0) != 0x80)
			return (const char *)s;
		s += 2;
	}
}

static bool
check_string(struct check *check)
{
	unsigned char c;

	if (!json_take(check, '"'))
		return json_refuse(check, "a string was expected");
	for (;;) {
		check->at = skip_common(check->at, check->end);
		if (check->at == check->end)
			return json_refuse(check, "unfinished string");
		c = (unsigned char)*check->at;
		if (c == '"') {
			check->at++;
			return true;
		}
		if (c < 0x20)
			return json_refuse(check,
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
	return check->at > start || json_refuse(check, "bad number");
}

static bool
check_number(struct check *check)
{
	json_take(check, '-');
	if (!json_take(check, '0') && !check_digits(check))
		return false;
	if (json_take(check, '.') && !check_digits(check))
		return false;
	if (json_take(check, 'e') || json_take(check, 'E')) {
		if (!json_take(check, '+'))
			json_take(check, '-');
		return check_digits(check);
	}
	return true;
}

static bool
json_check_word(struct check *check, const char *word, size_t len)
{
	if ((size_t)(check->end - check->at) < len ||
	    memcmp(check->at, word, len) != 0)
		return json_refuse(check, "unknown word");
	check->at += len;
	return true;
}

static bool
check_array(struct check *check)
{
	struct json_value element;

	check->at++;
	skip_space(check);
	if (json_take(check, ']'))
		return true;
	for (;;) {
		if (!check_value(check, &element))
			return false;
		skip_space(check);
		if (json_take(check, ']'))
			return true;
		if (!json_take(check, ','))
			return json_refuse(check,
			    "expected , or ] in an array");
	}
}

static bool
check_object(struct check *check, json_member_fn *member, void *arg)
{
	struct json_value key, value;

	check->at++;
	skip_space(check);
	if (json_take(check, '}'))
		return true;
	for (;;) {
		skip_space(check);
		key.kind = JSON_STRING;
		key.at = (char *)check->at;
		if (!check_string(check))
			return false;
		key.len = (size_t)(check->at - key.at);
		skip_space(check);
		if (!json_take(check, ':'))
			return json_refuse(check, "expected : after a key");
		if (!check_value(check, &value))
			return false;
		if (member != NULL)
			member(arg, &key, &value);
		skip_space(check);
		if (json_take(check, '}'))
			return true;
		if (!json_take(check, ','))
			return json_refuse(check,
			    "expected , or } in an object");
	}
}

static bool
check_container(struct check *check, enum json_kind kind)
{
	bool good;

	if (++check->depth > JSON_DEPTH_MAX)
		return json_refuse(check, "nested too deep");
	good = kind == JSON_OBJECT ? check_object(check, NULL, NULL) :
	    check_array(check);
	check->depth--;
	return good;
}

enum json_kind
json_kind_of(char first)
{
	switch (first) {
	case '{':
		return JSON_OBJECT;
	case '[':
		return JSON_ARRAY;
	case '"':
		return JSON_STRING;
	case 't':
		return JSON_TRUE;
	case 'f':
		return JSON_FALSE;
	case 'n':
		return JSON_NULL;
	default:
		return JSON_NUMBER;
	}
}

static bool
check_value(struct check *check, struct json_value *value)
{
	bool good;

	skip_space(check);
	if (check->at == check->end)
		return json_refuse(check, "a value was expected");
	value->kind = json_kind_of(*check->at);
	value->at = (char *)check->at;
	switch (value->kind) {
	case JSON_STRING:
		good = check_string(check);
		break;
	case JSON_TRUE:
		good = json_check_word(check, "true", 4);
		break;
	case JSON_FALSE:
		good = json_check_word(check, "false", 5);
		break;
	case JSON_NULL:
		good = json_check_word(check, "null", 4);
		break;
	case JSON_NUMBER:
		good = check_number(check);
		break;
	default:
		good = check_container(check, value->kind);
		break;
	}
	value->len = (size_t)(check->at - value->at);
	return good;
}

const char *
json_check(char *text, size_t len, json_member_fn *member, void *arg,
    size_t *where)
{
	struct check check = { .at = text, .end = text + len, .depth = 1 };

	skip_space(&check);
	if (check.at == check.end || *check.at != '{')
		json_refuse(&check, "not a JSON object");
	else if (check_object(&check, member, arg)) {
		skip_space(&check);
		if (check.at != check.end)
			json_refuse(&check, "bytes after the object");
	}
	*where = (size_t)(check.at - text);
	return check.error;
}

const char *
json_check_value(char *text, size_t len, struct json_value *value,
    size_t *where)
{
	struct check check = { .at = text, .end = text + len };

	if (check_value(&check, value)) {
		skip_space(&check);
		if (check.at != check.end)
			check.error = "bytes after the value";
	}
	*where = (size_t)(check.at - text);
	return check.error;
}

bool
json_is_utf8(const char *text, size_t len)
{
	struct check check = { .at = text, .end = text + len };

	while (check.at < check.end) {
		if ((*check.at & 0x80) == 0)
			check.at++;
		else if (!check_utf8(&check))
			return false;
	}
	return true;
}

static char *
put_utf8(char *out, unsigned int c)
{
	if (c < 0x80) {
		*out++ = (char)c;
	} else if (c < 0x800) {
		*out++ = (char)(0xc0 | c >> 6);
		*out++ = (char)(0x80 | (c & 0x3f));
	} else if (c < 0x10000) {
		*out++ = (char)(0xe0 | c >> 12);
		*out++ = (char)(0x80 | (c >> 6 & 0x3f));
		*out++ = (char)(0x80 | (c & 0x3f));
	} else {
		*out++ = (char)(0xf0 | c >> 18);
		*out++ = (char)(0x80 | (c >> 12 & 0x3f));
		*out++ = (char)(0x80 | (c >> 6 & 0x3f));
		*out++ = (char)(0x80 | (c & 0x3f));
	}
	return out;
}

/*
 * The character of a checked \u escape; *in is at its digits, then after it.
 * Surrogates come in pairs. One alone is no character, and no reason to lose
 * the event that somebody wrote it in: U+FFFD stands for it, as elsewhere.
 */
static unsigned int
take_unit(const char **in, const char *end)
{
	unsigned int unit = (unsigned int)hex4(*in, end);
	int low;

	*in += 4;
	if (unit < 0xd800 || unit > 0xdfff)
		return unit;
	if (unit > 0xdbff || end - *in < 6 || (*in)[0] != '\\' ||
	    (*in)[1] != 'u')
		return 0xfffd;
	low = hex4(*in + 2, end);
	if (low < 0xdc00 || low > 0xdfff)
		return 0xfffd;
	*in += 6;
	return 0x10000 + ((unit - 0xd800) << 10) + ((unsigned int)low - 0xdc00);
}

/* What a checked escape stands for; *in is at the backslash, then after it. */
static unsigned int
take_escape(const char **in, const char *end)
{
	static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
	const char *found;
	char c = (*in)[1];

	*in += 2;
	if (c == 'u')
		return take_unit(in, end);
	found = strchr(from, c);
	return (unsigned char)(found != NULL ? to[found - from] : c);
}

/* An escape is never shorter than what it stands for: in place will do. */
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
			out = put_utf8(out, take_escape(&in, end));
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
		unsigned int c = *in == '\\' ? take_escape(&in, end) :
		    (unsigned char)*in++;

		if (c != (unsigned char)name[i])
			return false;
	}
	return i == len && in == end;
}

/*
 * The tree. Input was checked, so there is no error but memory.
 */

struct build {
	char *at;
};

static int build_value(struct build *, struct json_object **);

static void
skip_to_value(struct build *build)
{
	while (*build->at == ' ' || *build->at == '\t' ||
	    *build->at == '\n' || *build->at == '\r')
		build->at++;
}

/* A checked string at `at`, unescaped in place; `at` moves behind it. */
static char *
build_text(struct build *build, size_t *len)
{
	struct json_value string = { JSON_STRING, build->at, 0 };
	char *p = build->at + 1;

	for (;;) {
		p += strcspn(p, "\"\\");
		if (*p == '"')
			break;
		p += 2;
	}
	string.len = (size_t)(p + 1 - build->at);
	build->at = p + 1;
	return json_unescape(&string, len);
}

static bool
append_digit(uint64_t *magnitude, unsigned int digit)
{
	if (*magnitude > (UINT64_MAX - digit) / 10)
		return false;
	*magnitude = *magnitude * 10 + digit;
	return true;
}

static int
build_number(struct build *build, struct json_object **out)
{
	char *start = build->at, *end = start + strspn(start, "-0123456789"),
	    after;
	uint64_t magnitude = 0;
	bool fits = true;
	char *digit;

	for (digit = start + (*start == '-'); fits && digit < end; digit++)
		fits = append_digit(&magnitude, (unsigned int)(*digit - '0'));
	if (*start == '-' && magnitude > (uint64_t)INT64_MAX + 1)
		fits = false;
	if (*end == '.' || *end == 'e' || *end == 'E') {
		fits = false;
		end += strspn(end, ".eE+-0123456789");
	}
	build->at = end;
	if (fits && *start == '-')
		*out = json_object_new_int64(magnitude > INT64_MAX ?
		    INT64_MIN : -(int64_t)magnitude);
	else if (fits && magnitude <= INT64_MAX)
		*out = json_object_new_int64((int64_t)magnitude);
	else if (fits)
		*out = json_object_new_uint64(magnitude);
	else {
		after = *end;
		*end = '\0';
		*out = json_object_new_double_s(strtod(start, NULL), start);
		*end = after;
	}
	return *out == NULL ? -1 : 0;
}

static int
build_array(struct build *build, struct json_object **out)
{
	struct json_object *element;

	*out = json_object_new_array();
	if (*out == NULL)
		return -1;
	build->at++;
	skip_to_value(build);
	while (*build->at != ']') {
		if (build_value(build, &element) == -1)
			return -1;
		if (json_object_array_add(*out, element) != 0) {
			json_object_put(element);
			return -1;
		}
		skip_to_value(build);
		if (*build->at == ',')
			build->at++;
	}
	build->at++;
	return 0;
}

static int
build_object(struct build *build, struct json_object **out)
{
	struct json_object *value;
	size_t len;
	char *key;

	*out = json_object_new_object();
	if (*out == NULL)
		return -1;
	build->at++;
	skip_to_value(build);
	while (*build->at != '}') {
		skip_to_value(build);
		key = build_text(build, &len);
		skip_to_value(build);
		build->at++;
		if (build_value(build, &value) == -1)
			return -1;
		/* A C string cannot tell "text\0x" from "text": left out. */
		if (memchr(key, '\0', len) != NULL)
			json_object_put(value);
		else if (json_object_object_add_ex(*out, key, value,
		    JSON_C_OBJECT_ADD_CONSTANT_KEY) != 0) {
			json_object_put(value);
			return -1;
		}
		skip_to_value(build);
		if (*build->at == ',')
			build->at++;
	}
	build->at++;
	return 0;
}

/* *out is NULL on -1. */
static int
build_value(struct build *build, struct json_object **out)
{
	size_t len;
	char *text;
	int result = 0;

	*out = NULL;
	skip_to_value(build);
	switch (json_kind_of(*build->at)) {
	case JSON_OBJECT:
		result = build_object(build, out);
		break;
	case JSON_ARRAY:
		result = build_array(build, out);
		break;
	case JSON_STRING:
		text = build_text(build, &len);
		*out = json_object_new_string_len(text, (int)len);
		result = *out == NULL ? -1 : 0;
		break;
	case JSON_TRUE:
		build->at += 4;
		*out = json_object_new_boolean(1);
		result = *out == NULL ? -1 : 0;
		break;
	case JSON_FALSE:
		build->at += 5;
		*out = json_object_new_boolean(0);
		result = *out == NULL ? -1 : 0;
		break;
	case JSON_NULL:
		build->at += 4;
		break;
	default:
		result = build_number(build, out);
		break;
	}
	if (result == -1) {
		json_object_put(*out);
		*out = NULL;
	}
	return result;
}

int
json_tree(const struct json_value *value, struct json_object **tree)
{
	struct build build = { value->at };

	*tree = NULL;
	return value->kind == JSON_ABSENT ? 0 : build_value(&build, tree);
}

/* json-c's writer leaves holes where memory ran out: errno tells of one. */
const char *
json_write(struct json_object *tree, size_t *len)
{
	const char *text;

	errno = 0;
	text = json_object_to_json_string_length(tree, JSON_C_TO_STRING_PLAIN |
	    JSON_C_TO_STRING_NOSLASHESCAPE, len);
	return errno == 0 ? text : NULL;
}

/* The exponent of a number, 0 if it has none; beyond any use it is clamped. */
static long
exponent_of(const char *at, const char *end)
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
		if (value < 100000000)
			value = value * 10 + (*at - '0');
	return minus ? -value : value;
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
	const char *end = text + len, *at, *digits_end;
	uint64_t magnitude = 0;
	bool minus, point = false;
	long shift, zeros = 0;

	if (!json_is_number(text, len))
		return false;
	minus = *text == '-';
	for (digits_end = text; digits_end < end && *digits_end != 'e' &&
	    *digits_end != 'E'; digits_end++)
		;
	shift = exponent_of(digits_end, end);
	/* Zeros wait until a digit follows: trailing ones only shift. */
	for (at = text + minus; at < digits_end; at++) {
		if (*at == '.') {
			point = true;
			continue;
		}
		shift -= point;
		if (*at == '0') {
			zeros++;
			continue;
		}
		for (; zeros > 0; zeros--)
			if (!append_digit(&magnitude, 0))
				return false;
		if (!append_digit(&magnitude, (unsigned int)(*at - '0')))
			return false;
	}
	shift += zeros;
	if (magnitude == 0)
		shift = 0;
	if (shift < 0)
		return false;
	for (; shift > 0; shift--)
		if (!append_digit(&magnitude, 0))
			return false;
	if (magnitude > (uint64_t)INT64_MAX + minus)
		return false;
	*out = minus ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
	return true;
}

bool
json_is_whole(const char *text, size_t len)
{
	const char *end = text + len, *at;
	bool point = false, zero = true;
	long shift = 0, zeros = 0;

	for (at = text; at < end && *at != 'e' && *at != 'E'; at++) {
		if (*at == '.')
			point = true;
		if (*at < '0' || *at > '9')
			continue;
		shift -= point;
		zeros = *at == '0' ? zeros + 1 : 0;
		zero = zero && *at == '0';
	}
	return zero || exponent_of(at, end) + shift + zeros >= 0;
}
