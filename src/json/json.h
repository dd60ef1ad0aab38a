/*
 * json.h - strict JSON, as RFC 8259 has it, in two steps: json_check() finds
 * out whether bytes are one JSON object and where its members stand, without
 * taking memory; json_tree() makes a tree of json-c's objects of a value that
 * passed, for those who want one.
 *
 * json-c's own parser is not asked: in 0.16 it takes NaN, raw control
 * characters, bad UTF-8 and text after a NUL, clamps numbers in silence, and
 * out of memory it may cut a string.
 */
#ifndef VKCB_JSON_H
#define VKCB_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json_object;

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

/*
 * Called by json_check() for each member of the outermost object, in order.
 * The key still has its quotes and escapes.
 */
typedef void json_member_fn(void *arg, const struct json_value *key,
    const struct json_value *value);

/*
 * Are these bytes one JSON object in UTF-8, with nothing but white space
 * around it, and no deeper than JSON_DEPTH_MAX? text[len] must be a NUL. NULL:
 * yes; else the reason why not, and *where is the offset.
 */
const char *json_check(char *text, size_t len, json_member_fn *, void *arg,
    size_t *where) __attribute__((warn_unused_result));

/* The same of one value of any kind, which is then in *value. */
const char *json_check_value(char *text, size_t len, struct json_value *value,
    size_t *where) __attribute__((warn_unused_result));

bool json_is_utf8(const char *text, size_t len);

/*
 * Takes escapes out of a checked string, in place, and ends it with a NUL
 * where its closing quote was. Returns its first byte; *len counts bytes.
 */
char *json_unescape(struct json_value *, size_t *len);

/* Does a checked string, escapes and all, spell this ASCII name? */
bool json_spells(const struct json_value *, const char *name, size_t len);

/*
 * A checked value as json-c's tree. The text is changed on the way, and keys
 * point into it: it must outlive the tree. A number that is no 64-bit integer
 * is a double that keeps its text. Of equal keys the last one counts.
 *
 * 0, and the caller puts *tree (NULL for null); -1 out of memory.
 */
int json_tree(const struct json_value *, struct json_object **tree)
    __attribute__((warn_unused_result));

/*
 * A tree as text, without spaces; it lives until the tree is changed or put.
 * NULL: out of memory.
 */
const char *json_write(struct json_object *, size_t *len)
    __attribute__((warn_unused_result));

/* The kind of a checked value, by its first byte. */
enum json_kind json_kind_of(char first);

/* Is this text a number, as JSON writes them? */
bool json_is_number(const char *text, size_t len);

/*
 * Is this number (JSON's grammar) exactly a 64-bit integer? 12, 12.0 and
 * 1.2e1 are 12. Never rounds, never clamps.
 */
bool json_integer(const char *text, size_t len, int64_t *out);

/* Has this number (JSON's grammar) no fraction? 12.0 and 1e300 have none. */
bool json_is_whole(const char *text, size_t len);

#endif
