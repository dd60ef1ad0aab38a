/*
 * payload.c - trees of an event's JSON, and of its button's payload.
 */
#include <string.h>

#include "event/event.h"

#include "banned.h"

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
