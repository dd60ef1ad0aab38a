/*
 * walk.c - reads along checked JSON.
 *
 * A string ends at a quote, a number before a byte that no number has, and all
 * brackets have a partner: the check has seen to that.
 */
#include "json/walk.h"

#include "json/scan.h"

#include "banned.h"

const char *
json_string_end(const char *at, const char *end)
{
	while (*(at = scan_quote(at, end)) != '"')
		at += 2;
	return at;
}

static const char *
walk_container(const char *at, const char *end)
{
	unsigned int depth = 0;

	do {
		switch (*at) {
		case '"':
			at = json_string_end(at + 1, end);
			break;
		case '{':
		case '[':
			depth++;
			break;
		case '}':
		case ']':
			depth--;
			break;
		default:
			break;
		}
		at++;
	} while (depth > 0);
	return at;
}

const char *
json_skip(const char *at, const char *end)
{
	switch (*at) {
	case '{':
	case '[':
		return walk_container(at, end);
	case '"':
		return json_string_end(at + 1, end) + 1;
	case 't':
	case 'n':
		return at + 4;
	case 'f':
		return at + 5;
	default:
		return json_number_end(at);
	}
}

bool
json_walk(const char **at, const char *end, struct json_value *key,
    struct json_value *value)
{
	const char *behind;

	if (!json_goes_on(at, '}'))
		return false;
	behind = json_skip(*at, end);
	*key = (struct json_value){ JSON_STRING, (char *)*at,
	    (size_t)(behind - *at) };
	*at = json_space(json_space(behind) + 1);
	*value = (struct json_value){ json_kind_of(**at), (char *)*at, 0 };
	*at = json_skip(*at, end);
	value->len = (size_t)(*at - value->at);
	return true;
}
