/*
 * json_get.c - reads VK's answers without trusting their types, and makes
 * objects to be printed.
 */
#include "json/json_get.h"

#include <string.h>

#include <json-c/json.h>

#include "banned.h"

static struct json_object *
json_get(struct json_object *object, const char *key)
{
	return json_object_is_type(object, json_type_object) ?
	    json_object_object_get(object, key) : NULL;
}

const char *
json_get_string(struct json_object *object, const char *key)
{
	struct json_object *value = json_get(object, key);
	const char *text;

	if (!json_object_is_type(value, json_type_string))
		return "";
	/* A NUL would cut it short: not the string that was sent. */
	text = json_object_get_string(value);
	return strlen(text) == (size_t)json_object_get_string_len(value) ?
	    text : "";
}

int64_t
json_get_int64(struct json_object *object, const char *key)
{
	struct json_object *value = json_get(object, key);

	return json_object_is_type(value, json_type_int) ?
	    json_object_get_int64(value) : 0;
}

struct json_object *
json_get_array(struct json_object *object, const char *key)
{
	struct json_object *value = json_get(object, key);

	return json_object_is_type(value, json_type_array) ? value : NULL;
}

size_t
json_length(struct json_object *array)
{
	return array == NULL ? 0 : json_object_array_length(array);
}

void
json_put(struct json_object *object, const char *key,
    struct json_object *value)
{
	if (object == NULL || json_object_object_add(object, key, value) != 0)
		json_object_put(value);
}
