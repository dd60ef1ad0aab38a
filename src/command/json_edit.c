/*
 * json_edit.c - changes in a JSON body, given in words of a command line.
 *
 * A change that cannot be made leaves the body as it was or with empty objects
 * added on the path, and says why.
 */
#include "command/body.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <json-c/json.h>

#include "json/check.h"
#include "json/tree.h"
#include "report.h"
#include "text.h"

#include "banned.h"

#define PATH_LONGEST 512
#define INDEX_MAX 10000

struct edit {
	char path[PATH_LONGEST];	/* names and numbers between dots */
	const char *value;
	bool is_json;
	char *error;
};

/* Also for a note on a change that is made all the same. */
__attribute__((format(printf, 2, 3)))
static int
json_edit_fail(const struct edit *edit, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(edit->error, JSON_EDIT_ERROR_MAX, fmt, args);
	va_end(args);
	return -1;
}
#define json_edit_fail(...) FAILED(-1, json_edit_fail(__VA_ARGS__))

/* "a[0].b", as the log names a field, is "a.0.b". false: a name is empty. */
static bool
copy_path(char *to, const char *text, size_t len)
{
	const char *path = to;
	size_t i;

	for (i = 0; i < len; i++)
		if (text[i] != ']')
			*to++ = text[i] == '[' ? '.' : text[i];
	*to = '\0';
	return to > path && path[0] != '.' && to[-1] != '.' &&
	    strstr(path, "..") == NULL;
}

static int
split(struct edit *edit, const char *text)
{
	const char *equals = strchr(text, '=');
	size_t len;

	if (equals == NULL || equals == text)
		return json_edit_fail(edit, "%.200s: expected PATH=VALUE",
		    text);
	len = (size_t)(equals - text);
	edit->is_json = text[len - 1] == ':';
	len -= edit->is_json;
	if (len == 0 || len >= sizeof(edit->path))
		return json_edit_fail(edit,
		    "%.40s: the path is empty or too long", text);
	if (!copy_path(edit->path, text, len))
		return json_edit_fail(edit,
		    "%.200s: a name is missing in the path", text);
	if (text[utf8_span(text)] != '\0')
		return json_edit_fail(edit, "%s: the text is not UTF-8",
		    edit->path);
	edit->value = equals + 1;
	return 0;
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

/* NULL: there is none. */
static struct json_object *
child(struct json_object *parent, const char *name)
{
	int64_t i;

	if (!json_object_is_type(parent, json_type_array))
		return json_object_object_get(parent, name);
	return number_read(name, strlen(name), 0, INDEX_MAX, &i) ?
	    json_object_array_get_idx(parent, (size_t)i) : NULL;
}

/* Takes the value over. */
static int
put(const struct edit *edit, struct json_object *parent, const char *name,
    struct json_object *value)
{
	int result = -1;
	int64_t i;
	size_t len;

	if (!json_object_is_type(parent, json_type_array)) {
		result = json_object_object_add(parent, name, value);
	} else if (number_read(name, strlen(name), 0, INDEX_MAX, &i)) {
		len = json_object_array_length(parent);
		result = json_object_array_put_idx(parent, (size_t)i, value);
		if (result == 0 && (size_t)i > len)
			(void)json_edit_fail(edit, "%s: the list had %zu "
			    "elements: the gap is filled with null",
			    edit->path, len);
	}
	if (result == 0)
		return 0;
	json_object_put(value);
	return json_edit_fail(edit, "%s: %s is not an index of a list",
	    edit->path, name);
}

/* The parent of the path's last name, made if it is missing. */
static struct json_object *
descend(const struct edit *edit, struct json_object *here, char **name)
{
	struct json_object *next;
	char *dot;

	for (; (dot = strchr(*name, '.')) != NULL; *name = dot + 1) {
		*dot = '\0';
		next = child(here, *name);
		if (!json_object_is_type(next, json_type_object) &&
		    !json_object_is_type(next, json_type_array)) {
			if (next != NULL)
				(void)json_edit_fail(edit, "%s: an object "
				    "replaces the value of %s", edit->path,
				    *name);
			next = json_object_new_object();
			if (put(edit, here, *name, next) == -1)
				return NULL;
		}
		here = next;
	}
	return here;
}

static int
read_value(const struct edit *edit, struct json_object *before,
    struct json_object **value)
{
	const char *text = edit->value;
	char error[JSON_EDIT_ERROR_MAX];

	if (edit->is_json || (!json_object_is_type(before, json_type_string) &&
	    (strcmp(text, "true") == 0 || strcmp(text, "false") == 0 ||
	    strcmp(text, "null") == 0 || json_is_number(text, strlen(text)))))
		return json_parse(text, strlen(text), value, error,
		    sizeof(error)) == 0 ? 0 :
		    json_edit_fail(edit, "%s: %s", edit->path, error);
	*value = json_object_new_string(text);
	return *value != NULL ? 0 : json_edit_fail(edit, "out of memory");
}

int
json_edit_check(const char *change, char error[JSON_EDIT_ERROR_MAX])
{
	struct edit edit = { .error = error };

	return split(&edit, change);
}

int
json_edit_apply(struct json_object *body, const char *change,
    char error[JSON_EDIT_ERROR_MAX])
{
	struct edit edit = { .error = error };
	char names[PATH_LONGEST], *name = names;
	struct json_object *parent, *value;

	if (split(&edit, change) == -1)
		return -1;
	error[0] = '\0';
	memcpy(names, edit.path, sizeof(names));
	if (!is_of_envelope(edit.path))
		(void)json_edit_fail(&edit, "%s: stands beside object, not in "
		    "it: is object.%s meant?", edit.path, edit.path);
	parent = descend(&edit, body, &name);
	if (parent == NULL ||
	    read_value(&edit, child(parent, name), &value) == -1)
		return -1;
	return put(&edit, parent, name, value);
}
