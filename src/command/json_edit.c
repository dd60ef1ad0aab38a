/*
 * json_edit.c - changes in a JSON body, told in words of a command line.
 *
 * A change that cannot be made leaves the body as it was or with empty objects
 * added on the path, and says why.
 */
#include "command/json_edit.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "failed.h"
#include "json/tree.h"

#include "banned.h"

#define PATH_LONGEST 512
#define INDEX_MAX 10000

struct change {
	char path[PATH_LONGEST];
	const char *value;
	bool is_json;
	char *error;
	size_t size;
};

static int json_edit_fail(const struct change *, const char *, ...)
    __attribute__((format(printf, 2, 3)));
static void note(const struct change *, const char *, ...)
    __attribute__((format(printf, 2, 3)));

static int
json_edit_fail(const struct change *change, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(change->error, change->size, fmt, args);
	va_end(args);
	return -1;
}
#define json_edit_fail(...) FAILED(-1, json_edit_fail(__VA_ARGS__))

/* A change that is made, but perhaps not as it was meant. */
static void
note(const struct change *change, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(change->error, change->size, fmt, args);
	va_end(args);
}

/* What the log calls attachments[0].type is attachments.0.type here. */
static void
copy_path(char *path, const char *text, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		if (text[i] == '[')
			*path++ = '.';
		else if (text[i] != ']')
			*path++ = text[i];
	}
	*path = '\0';
}

static bool
has_empty_name(const char *path)
{
	size_t len = strlen(path);

	return len == 0 || path[0] == '.' || path[len - 1] == '.' ||
	    strstr(path, "..") != NULL;
}

static int
split(struct change *change, const char *text)
{
	const char *equals = strchr(text, '=');
	size_t len;

	if (equals == NULL || equals == text)
		return json_edit_fail(change, "%.200s: expected PATH=VALUE",
		    text);
	len = (size_t)(equals - text);
	change->is_json = text[len - 1] == ':';
	len -= change->is_json;
	if (len == 0 || len >= sizeof(change->path))
		return json_edit_fail(change,
		    "%.40s: the path is empty or too long", text);
	copy_path(change->path, text, len);
	if (has_empty_name(change->path))
		return json_edit_fail(change,
		    "%.200s: a name is missing in the path", text);
	if (!json_is_utf8(text, strlen(text)))
		return json_edit_fail(change, "%s: the text is not UTF-8",
		    change->path);
	change->value = equals + 1;
	return 0;
}

static bool
read_index(const char *name, size_t *index)
{
	size_t digits = strspn(name, "0123456789");

	*index = strtoul(name, NULL, 10);
	return digits > 0 && name[digits] == '\0' && *index <= INDEX_MAX;
}

/* NULL: there is none. */
static struct json_object *
child(struct json_object *parent, const char *name)
{
	size_t index;

	if (!json_object_is_type(parent, json_type_array))
		return json_object_object_get(parent, name);
	return read_index(name, &index) ?
	    json_object_array_get_idx(parent, index) : NULL;
}

static int
put_child(const struct change *change, struct json_object *parent,
    const char *name, struct json_object *value)
{
	size_t index, len;
	int result;

	if (!json_object_is_type(parent, json_type_array)) {
		result = json_object_object_add(parent, name, value);
	} else {
		len = json_object_array_length(parent);
		result = read_index(name, &index) ?
		    json_object_array_put_idx(parent, index, value) : -1;
		if (result == 0 && index > len)
			note(change, "%s: the list had %zu: what is between "
			    "is null", change->path, len);
	}
	if (result == 0)
		return 0;
	json_object_put(value);
	return json_edit_fail(change, "%s: %s is no place in a list",
	    change->path, name);
}

static bool
is_of_envelope(const char *path)
{
	static const char *const names[] = { "type", "group_id", "secret",
	    "event_id", "v", "object" };
	size_t len = strcspn(path, "."), i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strncmp(path, names[i], len) == 0 && names[i][len] == '\0')
			return true;
	return false;
}

static bool
is_container(struct json_object *value)
{
	return json_object_is_type(value, json_type_object) ||
	    json_object_is_type(value, json_type_array);
}

/* The parent of the last name of the path, made if it is not there. */
static struct json_object *
descend(const struct change *change, struct json_object *body, char **name)
{
	char *dot;
	struct json_object *here = body, *next;

	while ((dot = strchr(*name, '.')) != NULL) {
		*dot = '\0';
		next = child(here, *name);
		if (!is_container(next)) {
			if (next != NULL)
				note(change, "%s: %s was no object, and is "
				    "one now", change->path, *name);
			next = json_object_new_object();
			if (put_child(change, here, *name, next) == -1)
				return NULL;
		}
		here = next;
		*name = dot + 1;
	}
	return here;
}

/* The tree of a checked value; NULL for null. -1: out of memory. */
static int
copy_tree(struct json_value *value, struct json_object **copy)
{
	/* The tree's keys point into the text: a copy of it has its own. */
	char *own = malloc(value->len + 1);
	struct json_object *tree = NULL;
	int result = -1;

	*copy = NULL;
	if (own == NULL)
		return -1;
	memcpy(own, value->at, value->len);
	own[value->len] = '\0';
	value->at = own;
	if (json_tree(value, &tree) == 0)
		result = tree == NULL ? 0 :
		    json_object_deep_copy(tree, copy, NULL);
	json_object_put(tree);
	free(own);
	return result;
}

static int
parse_json(const struct change *change, struct json_object **value)
{
	struct json_value checked;
	size_t where;
	const char *reason = json_check_value((char *)change->value,
	    strlen(change->value), &checked, &where);

	if (reason != NULL)
		return json_edit_fail(change, "%s: not JSON: %s, at byte %zu",
		    change->path, reason, where + 1);
	if (copy_tree(&checked, value) == -1)
		return json_edit_fail(change, "out of memory");
	return 0;
}

static int
read_value(const struct change *change, struct json_object *before,
    struct json_object **value)
{
	const char *text = change->value;

	if (change->is_json)
		return parse_json(change, value);
	if (!json_object_is_type(before, json_type_string) &&
	    (strcmp(text, "true") == 0 || strcmp(text, "false") == 0 ||
	    strcmp(text, "null") == 0 || json_is_number(text, strlen(text))))
		return parse_json(change, value);
	*value = json_object_new_string(text);
	return *value != NULL ? 0 : json_edit_fail(change, "out of memory");
}

struct json_object *
json_edit_parse(const char *text, size_t len, char *error, size_t size)
{
	struct json_value value;
	struct json_object *tree;
	const char *reason;
	size_t where;

	reason = json_check_value((char *)text, len, &value, &where);
	if (reason == NULL && value.kind != JSON_OBJECT) {
		reason = "not a JSON object";
		where = 0;
	}
	if (reason != NULL)
		snprintf(error, size, "not JSON: %s, at byte %zu", reason,
		    where + 1);
	else if (copy_tree(&value, &tree) == 0)
		return tree;
	else
		snprintf(error, size, "out of memory");
	return NULL;
}

int
json_edit_check(const char *text, char *error, size_t size)
{
	struct change change = { .error = error, .size = size };

	return split(&change, text);
}

int
json_edit_apply(struct json_object *body, const char *text, char *error,
    size_t size)
{
	struct change change = { .error = error, .size = size };
	struct json_object *parent, *value;
	char names[PATH_LONGEST], *name = names;

	if (split(&change, text) == -1)
		return -1;
	error[0] = '\0';
	memcpy(names, change.path, sizeof(names));
	if (!is_of_envelope(change.path))
		note(&change, "%s: stands beside object, not in it: is "
		    "object.%s meant?", change.path, change.path);
	parent = descend(&change, body, &name);
	if (parent == NULL ||
	    read_value(&change, child(parent, name), &value) == -1)
		return -1;
	return put_child(&change, parent, name, value);
}
