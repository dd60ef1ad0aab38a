/*
 * walk.h - checked JSON, read along in place: nothing is checked again, nothing
 * is changed, and no memory is taken. `end` is behind the text; what is not
 * checked must not get here.
 */
#ifndef JSON_WALK_H
#define JSON_WALK_H

#include <stdbool.h>

#include "json/check.h"

static inline const char *
json_space(const char *at)
{
	while (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t')
		at++;
	return at;
}

/* The quote that closes a string; `at` is in its text, not in an escape. */
const char *json_string_end(const char *at, const char *end);

/* The byte behind a number. */
static inline const char *
json_number_end(const char *at)
{
	while ((*at >= '0' && *at <= '9') || *at == '-' || *at == '.' ||
	    *at == '+' || (*at | 0x20) == 'e')
		at++;
	return at;
}

/* The byte behind a value of any kind. */
const char *json_skip(const char *at, const char *end);

/*
 * Is there one more element or member? *at is behind the bracket that opened
 * the container, or behind a value; then at the next one, or behind `closing`.
 */
static inline bool
json_goes_on(const char **at, char closing)
{
	const char *next = json_space(*at);

	*at = next + 1;
	if (*next == closing)
		return false;
	*at = *next == ',' ? json_space(next + 1) : next;
	return true;
}

/*
 * The next member of an object, until false; *at is behind the brace that
 * opens the object at first.
 */
bool json_walk(const char **at, const char *end, struct json_value *key,
    struct json_value *value);

#endif
