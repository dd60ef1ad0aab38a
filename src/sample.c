/*
 * sample.c - events made of the examples in objects.def.
 *
 * An object that stands inside itself (a message in a message) is left out the
 * second time. Out of memory: NULL, nothing half made.
 */
#include "sample.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <json-c/json.h>

#include "api.h"
#include "fields.h"

#include "banned.h"

#define SAMPLE_GROUP 219876543

/* The objects being made, outermost last. */
struct inside {
	const struct inside *up;
	const char *tag;
};

static struct json_object *make(const struct object_type *,
    const struct inside *);

static bool
is_inside(const struct inside *inside, const char *tag)
{
	for (; inside != NULL; inside = inside->up)
		if (strcmp(inside->tag, tag) == 0)
			return true;
	return false;
}

/* In an attachment `type` names the one object that is there. */
static const char *
named_by_type(const struct object_type *type)
{
	const struct field *field, *named;

	for (field = type->fields; field->name != NULL; field++) {
		if (field->kind != FIELD_STR ||
		    strcmp(field->name, "type") != 0)
			continue;
		for (named = type->fields; named->name != NULL; named++)
			if (named->kind == FIELD_OBJ &&
			    strcmp(named->name, field->example) == 0)
				return named->name;
	}
	return NULL;
}

static bool
is_left_out(const struct field *field, const char *named,
    const struct inside *inside)
{
	bool scalar = field->kind == FIELD_STR || field->kind == FIELD_INT ||
	    field->kind == FIELD_BOOL || field->kind == FIELD_DOUBLE;

	if (named != NULL && !scalar && strcmp(field->name, named) != 0)
		return true;
	return field->object != NULL && is_inside(inside, field->object);
}

static struct json_object *
make_list(const struct object_type *type, const struct inside *inside)
{
	struct json_object *list = json_object_new_array();
	struct json_object *one = make(type, inside);

	if (list == NULL || one == NULL ||
	    json_object_array_add(list, one) != 0) {
		json_object_put(list);
		json_object_put(one);
		return NULL;
	}
	return list;
}

static struct json_object *
make_value(const struct field *field, const struct inside *inside)
{
	switch (field->kind) {
	case FIELD_STR:
		return json_object_new_string(field->example);
	case FIELD_OBJ:
		return make(object_type(field->object), inside);
	case FIELD_LIST:
		return make_list(object_type(field->object), inside);
	default:
		return json_tokener_parse(field->example);
	}
}

static struct json_object *
make(const struct object_type *type, const struct inside *up)
{
	const struct inside inside = { up, type->tag };
	const char *named = named_by_type(type);
	struct json_object *object = json_object_new_object(), *value;
	const struct field *field;
	char key[64];

	for (field = type->fields; object != NULL && field->name != NULL;
	    field++) {
		if (is_left_out(field, named, &inside))
			continue;
		value = make_value(field, &inside);
		field_key(field, key);
		if (value == NULL ||
		    json_object_object_add(object, key, value) != 0) {
			json_object_put(value);
			json_object_put(object);
			return NULL;
		}
	}
	return object;
}

struct json_object *
sample_object(const char *tag)
{
	return make(object_type(tag), NULL);
}

void
sample_event_id(char out[41])
{
	unsigned char bytes[20];
	size_t i;

	if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
		memset(bytes, 0, sizeof(bytes));
	for (i = 0; i < sizeof(bytes); i++)
		snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

static int
add(struct json_object *body, const char *key, struct json_object *value)
{
	if (value != NULL && json_object_object_add(body, key, value) == 0)
		return 0;
	json_object_put(value);
	return -1;
}

struct json_object *
sample_body(const struct event_info *info)
{
	struct json_object *body = json_object_new_object();
	char event_id[41];

	sample_event_id(event_id);
	if (body == NULL ||
	    add(body, "group_id", json_object_new_int64(SAMPLE_GROUP)) == -1 ||
	    add(body, "type", json_object_new_string(info->name)) == -1 ||
	    add(body, "event_id", json_object_new_string(event_id)) == -1 ||
	    add(body, "v", json_object_new_string(API_VERSION)) == -1)
		goto bad;
	if (info->object != NULL &&
	    add(body, "object", sample_object(info->object)) == -1)
		goto bad;
	if (info->object == NULL && info->has_handlers &&
	    add(body, "object", json_object_new_object()) == -1)
		goto bad;
	return body;
bad:
	json_object_put(body);
	return NULL;
}
