/*
 * json_text.c - writes JSON.
 *
 * json-c's own writer passes over what it has no memory for, and gives a text
 * with holes. Here such a text is marked as failed. It is as deep as the tree,
 * which handlers make.
 */
#include "json/json_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "banned.h"

static void
json_text_put(struct json_text *text, const char *bytes, size_t len)
{
	size_t size = text->size == 0 ? 256 : text->size;
	char *grown;

	if (text->failed || len > JSON_TEXT_MAX - text->len) {
		text->failed = true;
		return;
	}
	while (size < text->len + len)
		size *= 2;
	if (size > text->size) {
		grown = realloc(text->at, size);
		if (grown == NULL) {
			text->failed = true;
			return;
		}
		text->at = grown;
		text->size = size;
	}
	memcpy(text->at + text->len, bytes, len);
	text->len += len;
}

static void
json_text_put_string(struct json_text *text, const char *at, size_t len)
{
	static const char escapes[] = "\"\"\\\\\bb\ff\nn\rr\tt";
	char code[8];
	size_t i, k;

	json_text_put(text, "\"", 1);
	for (i = 0; i < len && !text->failed; i++) {
		if ((unsigned char)at[i] >= ' ' && at[i] != '"' &&
		    at[i] != '\\') {
			json_text_put(text, at + i, 1);
			continue;
		}
		snprintf(code, sizeof(code), "\\u%04x", at[i] & 0xff);
		for (k = 0; k < sizeof(escapes) - 1; k += 2)
			if (escapes[k] == at[i])
				snprintf(code, sizeof(code), "\\%c",
				    escapes[k + 1]);
		json_text_put(text, code, strlen(code));
	}
	json_text_put(text, "\"", 1);
}

/* As short as it can be and still be the same number. */
static void
put_double(struct json_text *text, double number)
{
	char digits[40];
	int precision;

	for (precision = 15; precision <= 17; precision++) {
		snprintf(digits, sizeof(digits), "%.*g", precision, number);
		if (strtod(digits, NULL) >= number &&
		    strtod(digits, NULL) <= number)
			break;
	}
	json_text_put(text, digits, strlen(digits));
}

static void
put_int(struct json_text *text, struct json_object *value)
{
	int64_t number = json_object_get_int64(value);
	char digits[24];

	/* json-c keeps numbers above 2^63-1 apart, and clamps them here. */
	if (number == INT64_MAX)
		snprintf(digits, sizeof(digits), "%" PRIu64,
		    json_object_get_uint64(value));
	else
		snprintf(digits, sizeof(digits), "%" PRId64, number);
	json_text_put(text, digits, strlen(digits));
}

static void
put_object(struct json_text *text, struct json_object *object)
{
	const char *before = "{";

	json_object_object_foreach(object, name, value) {
		json_text_put(text, before, 1);
		json_text_put_string(text, name, strlen(name));
		json_text_put(text, ":", 1);
		json_text_add(text, value);
		before = ",";
	}
	json_text_put(text, *before == '{' ? "{}" : "}",
	    *before == '{' ? 2 : 1);
}

static void
put_array(struct json_text *text, struct json_object *array)
{
	size_t i, n = json_object_array_length(array);

	json_text_put(text, "[", 1);
	for (i = 0; i < n; i++) {
		if (i > 0)
			json_text_put(text, ",", 1);
		json_text_add(text, json_object_array_get_idx(array, i));
	}
	json_text_put(text, "]", 1);
}

void
json_text_add(struct json_text *text, struct json_object *value)
{
	switch (json_object_get_type(value)) {
	case json_type_null:
		json_text_put(text, "null", 4);
		break;
	case json_type_boolean:
		json_text_put(text,
		    json_object_get_boolean(value) ? "true" : "false",
		    json_object_get_boolean(value) ? 4 : 5);
		break;
	case json_type_double:
		put_double(text, json_object_get_double(value));
		break;
	case json_type_int:
		put_int(text, value);
		break;
	case json_type_string:
		json_text_put_string(text, json_object_get_string(value),
		    (size_t)json_object_get_string_len(value));
		break;
	case json_type_object:
		put_object(text, value);
		break;
	case json_type_array:
		put_array(text, value);
		break;
	}
}
