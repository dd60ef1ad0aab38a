/*
 * check.h - strict JSON, as RFC 8259 has it: are these bytes JSON, and where
 * do its members stand? Nothing is made of it here; tree.h makes a tree of a
 * value that passed.
 *
 * json-c's parser is not used: version 0.16 takes NaN, raw control characters,
 * bad UTF-8 and text after a NUL, clamps numbers without an error, and may cut
 * a string when out of memory.
 */
#ifndef JSON_CHECK_H
#define JSON_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JSON_DEPTH_MAX 256	/* objects and arrays open at once */

enum json_kind {
	JSON_ABSENT,
	JSON_NULL,
	JSON_FALSE,
	JSON_TRUE,
	JSON_NUMBER,
	JSON_STRING,
	JSON_ARRAY,
	JSON_OBJECT,
};

/* A value in checked JSON: its bytes, quotes and brackets included. */
struct json_value {
	enum json_kind kind;
	char *at;
	size_t len;
};

/* A member to be found in an object, by its name in ASCII. */
struct json_member {
	const char *name;
	size_t len;
	unsigned int times;		/* 0: it is absent */
	struct json_value value;	/* the last one, JSON_ABSENT if none */
};

#define JSON_MEMBER(text) { .name = (text), .len = sizeof(text) - 1 }

/*
 * Are these bytes one JSON object in UTF-8, with nothing but white space
 * around it, and no deeper than JSON_DEPTH_MAX? text[len] must be a NUL. NULL:
 * yes; else the reason why not, and *where is the offset. The n members are
 * found in the outermost object on the way, with or without escapes in a key.
 */
const char *json_check(char *text, size_t len, struct json_member *members,
    size_t n, size_t *where) __attribute__((warn_unused_result));

/* The same for one value of any kind, which is then in *value. */
const char *json_check_value(char *text, size_t len, struct json_value *value,
    size_t *where) __attribute__((warn_unused_result));

/* The kind of a checked value, by its first byte. */
enum json_kind json_kind_of(char first);

/* Is this text a number, as JSON writes them? */
bool json_is_number(const char *text, size_t len);

/*
 * Is this text a number that is exactly a 64-bit integer? 12, 12.0 and 1.2e1
 * are 12; with a point or exponent only below 2^53. Never clamped. Behind the
 * text stands a byte that no number has.
 */
bool json_integer(const char *text, size_t len, int64_t *out);

/*
 * Writes the text of a checked string, from behind its opening quote to the
 * closing one, without escapes; in place, too. Returns the end, without a NUL.
 */
char *json_unescape_into(char *out, const char *in, const char *end);

/*
 * Takes escapes out of a checked string, in place, and ends it with a NUL
 * where its closing quote was; no other NUL is in it. Returns its first byte;
 * *len counts bytes.
 */
char *json_unescape(struct json_value *, size_t *len);

/* Does a checked string, escapes and all, spell this ASCII name? */
bool json_spells(const struct json_value *, const char *name, size_t len);

#endif
