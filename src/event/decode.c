/*
 * decode.c - decoders, one for each object of objects.def.
 *
 * The values come from outside and are of any type. A value is taken if nothing
 * of it is lost; any other one leaves its field empty and is reported. A field
 * never has a wrong value. Depth was bounded when the JSON was checked.
 *
 * Out of memory: the field stays empty, the arena notes it, and decode_event()
 * looks there at its end.
 */
#include "event/event.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "json/check.h"

#include "banned.h"

#define OBJECT_WANTED "object"
#define LIST_WANTED "array"
#define STRING_WANTED "string"
#define INT_WANTED "64-bit integer"
#define BOOL_WANTED "boolean"
#define DOUBLE_WANTED "number"
#define EXACT_BELOW 0x1p53	/* whole numbers, in a double */

struct decode {
	struct arena *arena;
	decode_mismatch_fn *mismatch;
	void *arg;
};

/* A place in the object: a chain from the field up to "object". */
struct decode_place {
	const struct decode *decode;
	const struct decode_place *up;
	const char *key;	/* NULL: element number `index` */
	size_t index;
};

/* All-zero objects, for absent ones. */

static const int64_t none_integer;
static const char *const none_string = "";

#define OBJECT(tag, text) static const struct vk_##tag none_##tag;
#include "objects.def"

#define OBJECT(tag, text) static const struct vk_##tag none_##tag = {
#define STR(name, example, text) .name = "",
#define OBJ(name, tag, text) .name = &none_##tag,
#define OBJ_TEXT(name, tag, text) .name = &none_##tag,
#define LIST(name, tag, text) .name = &none_##tag,
#define INTS(name, example, text) .name = &none_integer,
#define STRS(name, example, text) .name = &none_string,
#define END(tag) .json = NULL };
#include "objects.def"

void
decode_path(const struct decode_place *place, char out[DECODE_PATH_MAX])
{
	size_t len;

	out[0] = '\0';
	if (place->up != NULL)
		decode_path(place->up, out);
	len = strlen(out);
	if (place->key == NULL)
		snprintf(out + len, DECODE_PATH_MAX - len, "[%zu]",
		    place->index);
	else
		snprintf(out + len, DECODE_PATH_MAX - len, "%s%s",
		    len > 0 ? "." : "", place->key);
}

/*
 * A number's text. json_tree() keeps the text of a number with a point or an
 * exponent; json-c's function to ask for it would take memory for each.
 */
static const char *
number_text(struct json_object *value, char buffer[32])
{
	const char *kept = json_object_is_type(value, json_type_double) ?
	    json_object_get_userdata(value) : NULL;

	if (kept != NULL)
		return kept;
	/* A handler before this one may have put its own number there. */
	if (json_object_is_type(value, json_type_double))
		snprintf(buffer, 32, "%.17g", json_object_get_double(value));
	else if (json_object_get_int64(value) < 0)
		snprintf(buffer, 32, "%" PRId64, json_object_get_int64(value));
	else
		snprintf(buffer, 32, "%" PRIu64, json_object_get_uint64(value));
	return buffer;
}

/* Names what is wrong with a number, if a number is wanted. */
static const char *
number_name(struct json_object *value, const char *wanted)
{
	if (strcmp(wanted, BOOL_WANTED) == 0)
		return "number other than 0 and 1";
	if (strcmp(wanted, DOUBLE_WANTED) == 0)
		return "number out of range";
	if (strcmp(wanted, INT_WANTED) != 0)
		return "number";
	return fabs(json_object_get_double(value)) < EXACT_BELOW ?
	    "number with a fraction" : "integer out of range";
}

static bool
is_number(struct json_object *value)
{
	return json_object_is_type(value, json_type_int) ||
	    json_object_is_type(value, json_type_double);
}

static void
decode_report(const struct decode_place *place, struct json_object *value,
    const char *wanted)
{
	place->decode->mismatch(place->decode->arg, place, is_number(value) ?
	    number_name(value, wanted) :
	    json_type_to_name(json_object_get_type(value)), wanted);
}

/* Absent objects and lists come as null, false or an empty array. */
static bool
is_false_or_empty(struct json_object *value)
{
	if (json_object_is_type(value, json_type_array))
		return json_object_array_length(value) == 0;
	return value == NULL || (json_object_is_type(value,
	    json_type_boolean) && !json_object_get_boolean(value));
}

/*
 * Makes a value, an element of a list or the fields of an object, at `out`;
 * false: not possible, and `out` is as it was.
 */
typedef bool decode_fn(const struct decode_place *, struct json_object *,
    void *out);

static bool
decode_int(const struct decode_place *place, struct json_object *value,
    void *out)
{
	const char *text;
	char buffer[32];

	(void)place;
	if (json_object_is_type(value, json_type_string))
		return json_integer(json_object_get_string(value),
		    (size_t)json_object_get_string_len(value), out);
	if (json_object_is_type(value, json_type_double)) {
		text = number_text(value, buffer);
		return json_integer(text, strlen(text), out);
	}
	if (!json_object_is_type(value, json_type_int) ||
	    json_object_get_uint64(value) > INT64_MAX)
		return false;
	*(int64_t *)out = json_object_get_int64(value);
	return true;
}

static bool
decode_bool(const struct decode_place *place, struct json_object *value,
    void *out)
{
	int64_t number = 2;

	if (json_object_is_type(value, json_type_boolean))
		number = json_object_get_boolean(value);
	else if (!decode_int(place, value, &number))
		return false;
	if (number != 0 && number != 1)
		return false;
	*(bool *)out = number == 1;
	return true;
}

/* A fraction may be rounded, a whole number never. */
static bool
take_double(double number, void *out)
{
	if (!(fabs(number) < EXACT_BELOW))
		return false;
	*(double *)out = number;
	return true;
}

static bool
decode_double(const struct decode_place *place, struct json_object *value,
    void *out)
{
	const char *text;
	size_t len;

	(void)place;
	if (is_number(value))
		return take_double(json_object_get_double(value), out);
	if (!json_object_is_type(value, json_type_string))
		return false;
	text = json_object_get_string(value);
	len = (size_t)json_object_get_string_len(value);
	return json_is_number(text, len) &&
	    take_double(strtod(text, NULL), out);
}

static bool
decode_string(const struct decode_place *place, struct json_object *value,
    void *out)
{
	const char *text;
	char buffer[32], *copy;
	size_t size;

	if (json_object_is_type(value, json_type_string)) {
		*(const char **)out = json_object_get_string(value);
		return true;
	}
	if (!is_number(value))
		return false;
	text = number_text(value, buffer);
	size = strlen(text) + 1;
	copy = arena_alloc(place->decode->arena, size);
	*(const char **)out = copy != NULL ? memcpy(copy, text, size) : "";
	return true;
}

/* NULL: no object. */
static const void *
decode_object(const struct decode_place *place, struct json_object *value,
    size_t size, decode_fn *read, const char *wanted)
{
	void *object = is_false_or_empty(value) ? NULL :
	    arena_alloc(place->decode->arena, size);

	if (object == NULL || read(place, value, object))
		return object;
	decode_report(place, value, wanted);
	return NULL;
}

/* How many elements a list has; 0 if it is absent or not a list. */
static size_t
list_length(const struct decode_place *place, struct json_object *value)
{
	if (json_object_is_type(value, json_type_array))
		return json_object_array_length(value);
	if (!is_false_or_empty(value) &&
	    !(json_object_is_type(value, json_type_object) &&
	    json_object_object_length(value) == 0))
		decode_report(place, value, LIST_WANTED);
	return 0;
}

/* NULL: no element was taken. */
static const void *
decode_list(const struct decode_place *place, struct json_object *value,
    size_t size, decode_fn *read, const char *wanted, size_t *n_out)
{
	struct decode_place here = { place->decode, place, NULL, 0 };
	size_t n = list_length(place, value), taken = 0;
	char *list = n == 0 ? NULL : arena_alloc(place->decode->arena,
	    n <= SIZE_MAX / size ? n * size : SIZE_MAX);
	struct json_object *one;

	for (; list != NULL && here.index < n; here.index++) {
		one = json_object_array_get_idx(value, here.index);
		if (read(&here, one, list + taken * size))
			taken++;
		else
			decode_report(&here, one, wanted);
	}
	*n_out = taken;
	return taken > 0 ? list : NULL;
}

#define OBJECT(tag, text) static decode_fn decode_##tag;
#include "objects.def"

/* Posts have their coordinates as a string: "55.75 37.61". */
static bool
decode_text_coordinates(const struct decode_place *place,
    struct json_object *value, void *made)
{
	struct vk_coordinates *out = made;
	const char *text = json_object_get_string(value);
	size_t len = (size_t)json_object_get_string_len(value);
	size_t first = strcspn(text, " ");

	(void)place;
	*out = none_coordinates;
	out->json = value;
	return first < len && json_is_number(text, first) &&
	    json_is_number(text + first + 1, len - first - 1) &&
	    take_double(strtod(text, NULL), &out->latitude) &&
	    take_double(strtod(text + first + 1, NULL), &out->longitude);
}

/* A row of a keyboard is its list of buttons, or {} if there are none. */
static bool
decode_row(const struct decode_place *up, struct json_object *in, void *made)
{
	struct vk_keyboard_row *out = made;
	const void *buttons;

	if (!json_object_is_type(in, json_type_array))
		return decode_keyboard_row(up, in, made);
	*out = none_keyboard_row;
	out->json = in;
	buttons = decode_list(up, in, sizeof(*out->buttons),
	    decode_keyboard_button, OBJECT_WANTED, &out->n_buttons);
	out->buttons = buttons != NULL ? buttons : out->buttons;
	return true;
}

/* A member's key is the field's name, less the _ of a C keyword. */
#define KEY_LEN(name) \
	(sizeof(#name) - 1 - (#name[sizeof(#name) - 2] == '_'))
#define IS(name) \
	(len == KEY_LEN(name) && memcmp(here.key, #name, KEY_LEN(name)) == 0)

#define OBJECT(tag, text) \
static bool \
decode_##tag(const struct decode_place *up, struct json_object *in, \
    void *made) \
{ \
	struct decode_place here = { up->decode, up, NULL, 0 }; \
	struct vk_##tag *out = made; \
	const struct lh_entry *entry; \
	struct json_object *value; \
	size_t len; \
	\
	if (!json_object_is_type(in, json_type_object)) \
		return false; \
	*out = none_##tag; \
	out->json = in; \
	for (entry = json_object_get_object(in)->head; entry != NULL; \
	    entry = entry->next) { \
		value = lh_entry_v(entry); \
		if (value == NULL) \
			continue; \
		here.key = lh_entry_k(entry); \
		len = strlen(here.key);
#define AKA(name, other) \
		if (strcmp(here.key, other) == 0) { \
			here.key = #name; \
			len = KEY_LEN(name); \
		}
#define TAKE(name, read, wanted) \
		if (!read(&here, value, &out->name)) \
			decode_report(&here, value, wanted)
#define ALSO(name, other) \
		if (strcmp(here.key, other) == 0 && out->name == 0) \
			TAKE(name, decode_int, INT_WANTED);
#define FIELD(name, take) \
		if (IS(name)) { \
			take; \
			continue; \
		}
#define INT(name, example, text) \
	FIELD(name, TAKE(name, decode_int, INT_WANTED))
#define BOOL(name, example, text) \
	FIELD(name, TAKE(name, decode_bool, BOOL_WANTED))
#define DOUBLE(name, example, text) \
	FIELD(name, TAKE(name, decode_double, DOUBLE_WANTED))
#define STR(name, example, text) \
	FIELD(name, TAKE(name, decode_string, STRING_WANTED))
#define JSON(name, example, text) \
	FIELD(name, out->name = value)
#define POINTER(name, made) \
		if (IS(name)) { \
			const void *pointer = made; \
			\
			if (pointer != NULL) \
				out->name = pointer; \
			continue; \
		}
#define ELEMENTS(name, type, read, wanted) \
	POINTER(name, decode_list(&here, value, sizeof(type), read, wanted, \
	    &out->n_##name))
#define INTS(name, example, text) \
	ELEMENTS(name, int64_t, decode_int, INT_WANTED)
#define STRS(name, example, text) \
	ELEMENTS(name, const char *, decode_string, STRING_WANTED)
#define LIST(name, tag, text) \
	ELEMENTS(name, struct vk_##tag, decode_##tag, OBJECT_WANTED)
#define ROWS(name, tag, example, text) \
	ELEMENTS(name, struct vk_##tag, decode_row, LIST_WANTED)
#define OBJECT_BY(name, tag, read, wanted) \
	POINTER(name, decode_object(&here, value, sizeof(struct vk_##tag), \
	    read, wanted))
#define OBJ(name, tag, text) \
	OBJECT_BY(name, tag, decode_##tag, OBJECT_WANTED)
#define OBJ_TEXT(name, tag, text) \
		if (json_object_is_type(value, json_type_string)) \
			OBJECT_BY(name, tag, decode_text_##tag, #tag) \
		OBJ(name, tag, text)
#define END(tag) \
	} \
	return true; \
}
#include "objects.def"

/* Before API 5.103 the object of message_new was the message itself. */
static bool
is_bare_message(struct json_object *object)
{
	return !json_object_object_get_ex(object, "message", NULL) &&
	    (json_object_object_get_ex(object, "from_id", NULL) ||
	    json_object_object_get_ex(object, "peer_id", NULL));
}

const void *
decode_event(enum vkcb_event_type type, struct json_object *object,
    struct arena *arena, decode_mismatch_fn *mismatch, void *arg)
{
	struct decode decode = { arena, mismatch, arg };
	const struct decode_place place = { &decode, NULL, "object", 0 };
	const struct vk_message *message;
	void *typed = NULL;

	switch (type) {
#define EVENT(event, tag, settable, text) \
	case VKCB_EVENT_##event: \
		typed = arena_alloc(arena, sizeof(struct vk_##tag)); \
		if (typed == NULL || !decode_##tag(&place, object, typed)) \
			return NULL; \
		break;
#include "events.def"
	default:
		return NULL;
	}
	if (type == VKCB_EVENT_message_new && is_bare_message(object)) {
		message = decode_object(&place, object, sizeof(*message),
		    decode_message, OBJECT_WANTED);
		if (message != NULL)
			((struct vk_message_new *)typed)->message = message;
	}
	return arena->failed ? NULL : typed;
}
