/*
 * tree.c - json-c's trees: made of checked JSON, read without trust in their
 * types, and written.
 *
 * The JSON was checked, depth included, and nothing of that is checked again.
 */
#include "json/tree.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "json/walk.h"
#include "text.h"

#include "banned.h"

#define KEY_LONGEST 256	/* for vk_get() */

struct build {
	const char *at;
	const char *end;
	bool failed;	/* out of memory: the whole tree is put at the end */
};

static struct json_object *build_value(struct build *);

static struct json_object *
build_made(struct build *build, struct json_object *object)
{
	if (object == NULL)
		build->failed = true;
	return object;
}

/* The string at `at`, unescaped in place; `at` moves behind it. */
static char *
build_text(struct build *build, size_t *len)
{
	struct json_value string = { JSON_STRING, (char *)build->at, 0 };

	build->at = json_skip(build->at, build->end);
	string.len = (size_t)(build->at - string.at);
	return json_unescape(&string, len);
}

static struct json_object *
build_number(struct build *build)
{
	char *start = (char *)build->at, after;
	size_t len = (size_t)(json_number_end(start) - start);
	struct json_object *number;
	uint64_t large;
	int64_t integer;

	build->at += len;
	if (number_read(start, len, INT64_MIN, INT64_MAX, &integer))
		return json_object_new_int64(integer);
	if (number_read_digits(start, len, &large))
		return json_object_new_uint64(large);
	after = start[len];
	start[len] = '\0';
	number = json_object_new_double_s(strtod(start, NULL), start);
	start[len] = after;
	return number;
}

static struct json_object *
build_container(struct build *build, bool is_object)
{
	struct json_object *container = is_object ? json_object_new_object() :
	    json_object_new_array(), *value;
	char *key = NULL;
	size_t len;

	if (build_made(build, container) == NULL)
		return NULL;
	build->at++;
	while (!build->failed &&
	    json_goes_on(&build->at, is_object ? '}' : ']')) {
		if (is_object) {
			key = build_text(build, &len);
			build->at = json_space(json_space(build->at) + 1);
		}
		value = build_value(build);
		if ((is_object ? json_object_object_add_ex(container,
		    key, value, JSON_C_OBJECT_ADD_CONSTANT_KEY) :
		    json_object_array_add(container, value)) != 0) {
			build->failed = true;
			json_object_put(value);
		}
	}
	return container;
}

static struct json_object *
build_value(struct build *build)
{
	enum json_kind kind = json_kind_of(*build->at);
	size_t len;
	char *text;

	switch (kind) {
	case JSON_OBJECT:
	case JSON_ARRAY:
		return build_container(build, kind == JSON_OBJECT);
	case JSON_STRING:
		text = build_text(build, &len);
		return build_made(build, json_object_new_string_len(text,
		    (int)len));
	case JSON_NUMBER:
		return build_made(build, build_number(build));
	default:
		build->at = json_skip(build->at, build->end);
		return kind == JSON_NULL ? NULL : build_made(build,
		    json_object_new_boolean(kind == JSON_TRUE));
	}
}

int
json_tree(const struct json_value *value, struct json_object **tree)
{
	struct build build = { value->at, value->at + value->len, false };

	*tree = value->kind == JSON_ABSENT ? NULL : build_value(&build);
	if (!build.failed)
		return 0;
	json_object_put(*tree);
	*tree = NULL;
	return -1;
}

/* Keys of json_tree() point into its text: a copy's do not. */
int
json_parse(const char *text, size_t len, struct json_object **copy,
    char *error, size_t size)
{
	struct json_object *tree = NULL;
	struct json_value value;
	char *bytes = malloc(len + 1);
	const char *reason = NULL;
	size_t where;

	*copy = NULL;
	if (bytes != NULL) {
		memcpy(bytes, text, len);
		bytes[len] = '\0';
		reason = json_check_value(bytes, len, &value, &where);
	}
	if (reason != NULL)
		snprintf(error, size, "not JSON: %s, at byte %zu", reason,
		    where + 1);
	else if (bytes == NULL || json_tree(&value, &tree) == -1 ||
	    (tree != NULL && json_object_deep_copy(tree, copy, NULL) != 0))
		snprintf(error, size, "out of memory");
	else
		error[0] = '\0';
	json_object_put(tree);
	free(bytes);
	return error[0] == '\0' ? 0 : -1;
}

/* Out of memory json-c's writer leaves holes, and errno is set. */
const char *
json_write(struct json_object *tree, size_t *len)
{
	const char *text;

	errno = 0;
	text = json_object_to_json_string_length(tree, JSON_C_TO_STRING_PLAIN |
	    JSON_C_TO_STRING_NOSLASHESCAPE, len);
	return errno == 0 ? text : NULL;
}

struct json_object *
json_get_array(struct json_object *object, const char *key)
{
	struct json_object *value = vk_get(object, key);

	return json_object_is_type(value, json_type_array) ? value : NULL;
}

struct json_object *
json_element(struct json_object *array, size_t index)
{
	return array == NULL ? NULL : json_object_array_get_idx(array, index);
}

void
json_put(struct json_object *object, const char *key,
    struct json_object *value)
{
	if (object == NULL || json_object_object_add(object, key, value) != 0)
		json_object_put(value);
}

void
json_put_text(struct json_object *object, const char *key, const char *text)
{
	json_put(object, key, json_object_new_string(text));
}

void
json_put_int(struct json_object *object, const char *key, int64_t number)
{
	json_put(object, key, json_object_new_int64(number));
}

/* The member or element with this name; NULL: none. */
static struct json_object *
get_one(struct json_object *json, const char *name, size_t len)
{
	char key[KEY_LONGEST];
	uint64_t index;

	if (json_object_is_type(json, json_type_array))
		return number_read_digits(name, len, &index) &&
		    index < json_object_array_length(json) ?
		    json_object_array_get_idx(json, (size_t)index) : NULL;
	if (!json_object_is_type(json, json_type_object) ||
	    len >= sizeof(key))
		return NULL;
	memcpy(key, name, len);
	key[len] = '\0';
	return json_object_object_get(json, key);
}

struct json_object *
vk_get(struct json_object *json, const char *path)
{
	size_t len;

	if (path == NULL)
		return NULL;
	while (json != NULL && *path != '\0') {
		len = strcspn(path, ".");
		json = get_one(json, path, len);
		path += len;
		/* A dot is before a name, if only before "". */
		if (*path == '.' && *++path == '\0')
			return get_one(json, path, 0);
	}
	return json;
}

const char *
vk_get_str(struct json_object *json, const char *path)
{
	json = vk_get(json, path);
	return json_object_is_type(json, json_type_string) ?
	    json_object_get_string(json) : "";
}

/* The text of a number, or of a string that is one; NULL: neither. */
static const char *
text_of_number(struct json_object *json, size_t *len)
{
	const char *text = NULL;

	if (json_object_is_type(json, json_type_string) ||
	    json_object_is_type(json, json_type_int) ||
	    json_object_is_type(json, json_type_double))
		text = json_object_get_string(json);
	*len = text != NULL ? strlen(text) : 0;
	return text != NULL && json_is_number(text, *len) ? text : NULL;
}

int64_t
vk_get_int(struct json_object *json, const char *path)
{
	size_t len;
	const char *text = text_of_number(vk_get(json, path), &len);
	int64_t number;

	return text != NULL && json_integer(text, len, &number) ? number : 0;
}

/* A whole number that a double would round is out of range. */
double
vk_get_double(struct json_object *json, const char *path)
{
	size_t len;
	const char *text = text_of_number(vk_get(json, path), &len);
	double number = text != NULL ? strtod(text, NULL) : 0;

	return fabs(number) < 0x1p53 ? number : 0;
}

bool
vk_get_bool(struct json_object *json, const char *path)
{
	json = vk_get(json, path);
	return json_object_is_type(json, json_type_boolean) ?
	    json_object_get_boolean(json) : vk_get_int(json, "") == 1;
}

size_t
vk_get_len(struct json_object *json, const char *path)
{
	json = vk_get(json, path);
	return json_object_is_type(json, json_type_array) ?
	    json_object_array_length(json) : 0;
}
