/*
 * json.c - JSON for handlers: trees of it, and values in a tree.
 *
 * Nothing is trusted: what is not there or of another type is "", 0 or false.
 * Numbers are read as in the structs of vkcb.h.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "event/event.h"
#include "text.h"

#include "banned.h"

#define KEY_LONGEST 256

struct json_object *
vkcb_json(struct vkcb_event *ev, const struct vk_json *json)
{
	return event_tree(event_of(ev), json);
}

/* JSON in a string is what the string is about. */
static struct json_object *
payload_in_text(struct vkcb_event *ev, struct json_object *payload)
{
	struct json_object *inner = NULL;
	const char *text = vk_get_str(payload, "");

	if (*text != '\0')
		inner = vkcb_json(ev, &(struct vk_json){ text, strlen(text) });
	return inner != NULL ? inner : payload;
}

struct json_object *
vkcb_payload_of_message(struct vkcb_event *ev, const struct vk_message *message)
{
	const char *text = message->payload;
	struct json_object *payload;

	if (text == NULL)
		return NULL;
	payload = vkcb_json(ev, &(struct vk_json){ text, strlen(text) });
	if (strcmp(vk_get_str(payload, "command"), "not_supported_button") == 0)
		payload = vk_get(payload, "payload");
	return payload_in_text(ev, payload);
}

struct json_object *
vkcb_payload_of_event(struct vkcb_event *ev,
    const struct vk_message_event *press)
{
	return payload_in_text(ev, vkcb_json(ev, &press->payload));
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
