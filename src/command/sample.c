/*
 * sample.c - events made of the examples in objects.def.
 *
 * A sample has the fields that VK sends with its event, as ONLY says in
 * objects.def. An object that stands inside itself (a message in a message) is
 * left out the second time, unless ONLY names it for this event.
 */
#include "command/body.h"

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include <json-c/json.h>

#include "vk/api.h"
#include "event/catalogue.h"
#include "json/tree.h"

#include "banned.h"

#define SAMPLE_GROUP 219876543

/* The objects being made, outermost last. */
struct inside {
	const struct inside *up;
	const char *tag;	/* of the outermost, the event itself, "" */
	const char *event;
};

static const struct only {
	const char *tag;
	const char *events;
	const char *fields;
} onlys[] = {
#define ONLY(tag, events, fields) { #tag, events, fields },
#include "objects.def"
};

static struct json_object *make(const struct object_type *,
    const struct inside *);

static int
times_inside(const struct inside *inside, const char *tag)
{
	int times = 0;

	for (; inside != NULL; inside = inside->up)
		times += strcmp(inside->tag, tag) == 0;
	return times;
}

/* Is the name one of these words, or as one of them? */
static bool
is_listed(const char *words, const char *name)
{
	char word[64];
	size_t len;

	for (; *words != '\0'; words += len + (words[len] == ' ')) {
		len = strcspn(words, " ");
		snprintf(word, sizeof(word), "%.*s", (int)len, words);
		if (fnmatch(word, name, 0) == 0)
			return true;
	}
	return false;
}

/* The line of objects.def on this field; NULL: every sample has it. */
static const struct only *
find_only(const char *tag, const char *field)
{
	size_t i;

	for (i = 0; i < sizeof(onlys) / sizeof(onlys[0]); i++)
		if (strcmp(onlys[i].tag, tag) == 0 &&
		    is_listed(onlys[i].fields, field))
			return &onlys[i];
	return NULL;
}

/* In an attachment `type` names the one object that is there. */
static const char *
named_by_type(const struct object_type *type)
{
	const struct field *field, *named = type->fields;

	for (field = type->fields; field->name != NULL; field++)
		if (field->kind == FIELD_STR &&
		    strcmp(field->name, "type") == 0)
			for (; named->name != NULL; named++)
				if (named->kind == FIELD_OBJ &&
				    strcmp(named->name, field->example) == 0)
					return named->name;
	return NULL;
}

static bool
is_left_out(const struct field *field, const char *named,
    const struct inside *inside)
{
	const struct only *only = find_only(inside->tag, field->name);

	if ((only != NULL && !is_listed(only->events, inside->event)) ||
	    (named != NULL && field->kind > FIELD_STR &&
	    strcmp(field->name, named) != 0))
		return true;
	return field->object != NULL &&
	    times_inside(inside, field->object) > (only != NULL);
}

static struct json_object *
make_list(const struct object_type *type, const struct inside *inside)
{
	struct json_object *list = json_object_new_array();
	struct json_object *only = make(type, inside);

	if (list == NULL || json_object_array_add(list, only) != 0)
		json_object_put(only);
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
	const struct inside inside = { up, type->tag, up->event };
	const char *named = named_by_type(type);
	struct json_object *object = json_object_new_object();
	const struct field *field;
	char key[64];
	size_t len;

	for (field = type->fields; field->name != NULL; field++) {
		if (is_left_out(field, named, &inside))
			continue;
		/* The key in VK's JSON lacks the _ of a C keyword. */
		len = strlen(field->name);
		len -= field->name[len - 1] == '_';
		snprintf(key, sizeof(key), "%.*s", (int)len, field->name);
		json_put(object, key, make_value(field, &inside));
	}
	return object;
}

struct json_object *
sample_object(const struct event_info *info)
{
	const struct inside event = { NULL, "", info->alias_of != NULL ?
	    info->alias_of : info->name };

	if (info->object == NULL)
		return json_object_new_object();
	return make(object_type(info->object), &event);
}

void
sample_event_id(char out[SAMPLE_ID_MAX])
{
	unsigned char bytes[20];
	size_t i;

	if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
		memset(bytes, 0, sizeof(bytes));
	for (i = 0; i < sizeof(bytes); i++)
		snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

struct json_object *
sample_body(const struct event_info *info)
{
	struct json_object *body = json_object_new_object();
	char event_id[SAMPLE_ID_MAX];

	sample_event_id(event_id);
	json_put_int(body, "group_id", SAMPLE_GROUP);
	json_put_text(body, "type", info->name);
	json_put_text(body, "event_id", event_id);
	json_put_text(body, "v", API_VERSION);
	if (info->has_handlers)
		json_put(body, "object", sample_object(info));
	return body;
}
