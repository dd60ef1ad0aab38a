/*
 * tree.c - json-c's trees: made of checked JSON, read without trust in their
 * types, and written.
 *
 * The JSON was checked, depth included, and nothing of that is checked again.
 */
#include "json/tree.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "text.h"

#include "banned.h"

struct build {
	char *at;
	bool failed;	/* out of memory: the whole tree is put at the end */
};

static struct json_object *build_value(struct build *);

static void
build_skip_space(struct build *build)
{
	while (*build->at == ' ' || *build->at == '\t' ||
	    *build->at == '\n' || *build->at == '\r')
		build->at++;
}

/* Steps over a comma, or the end of the array or object: false. */
static bool
build_goes_on(struct build *build, char closing)
{
	if (build->failed)
		return false;
	build_skip_space(build);
	if (*build->at == closing) {
		build->at++;
		return false;
	}
	if (*build->at == ',')
		build->at++;
	build_skip_space(build);
	return true;
}

static struct json_object *
build_made(struct build *build, struct json_object *object)
{
	if (object == NULL)
		build->failed = true;
	return object;
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

static struct json_object *
build_number(struct build *build)
{
	char *start = build->at, after;
	size_t len = strspn(start, "+-.0123456789Ee");
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

/* A key with a colon, and the spaces around it. */
static char *
build_key(struct build *build)
{
	size_t len;
	char *key = build_text(build, &len);

	build_skip_space(build);
	build->at++;
	build_skip_space(build);
	return key;
}

static struct json_object *
build_container(struct build *build, bool is_object)
{
	struct json_object *container = is_object ? json_object_new_object() :
	    json_object_new_array(), *value;
	char *key = NULL;

	if (build_made(build, container) == NULL)
		return NULL;
	build->at++;
	while (build_goes_on(build, is_object ? '}' : ']')) {
		if (is_object)
			key = build_key(build);
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
	size_t len;
	char *text;

	switch (*build->at) {
	case '{':
	case '[':
		return build_container(build, *build->at == '{');
	case '"':
		text = build_text(build, &len);
		return build_made(build, json_object_new_string_len(text,
		    (int)len));
	case 't':
		build->at += 4;
		return build_made(build, json_object_new_boolean(1));
	case 'f':
		build->at += 5;
		return build_made(build, json_object_new_boolean(0));
	case 'n':
		build->at += 4;
		return NULL;
	default:
		return build_made(build, build_number(build));
	}
}

int
json_tree(const struct json_value *value, struct json_object **tree)
{
	struct build build = { value->at, false };

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

	return json_object_is_type(value, json_type_string) ?
	    json_object_get_string(value) : "";
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
