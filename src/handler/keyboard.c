/*
 * keyboard.c - keyboards, as VK's JSON.
 *
 * VK checks the number of buttons and the length of labels. Out of memory makes
 * the whole keyboard NULL, and the parameters with it: no button is ever
 * missing.
 * https://dev.vk.com/ru/api/bots/development/keyboard
 */
#include <stdarg.h>

#include "json/tree.h"
#include "vk/params.h"
#include "vkcb.h"

#include "banned.h"

static struct json_object *
keyboard_list(struct json_object *item, va_list args)
{
	struct json_object *list = params_made(json_object_new_array());

	/* Goes on after a failure: the items that follow must be freed. */
	for (; item != VK_END; item = va_arg(args, struct json_object *)) {
		if (item == NULL)
			params_mistake("a button or row of a keyboard is NULL: "
			    "leave it out");
		else if (list != NULL && json_object_array_add(list, item) == 0)
			continue;
		else if (list != NULL)
			(void)params_made(NULL);
		json_object_put(item);
		json_object_put(list);
		list = NULL;
	}
	return list;
}

struct json_object *
vk_row(struct json_object *button, ...)
{
	struct json_object *row;
	va_list args;

	va_start(args, button);
	row = keyboard_list(button, args);
	va_end(args);
	return row;
}

struct json_object *
vk_keyboard(unsigned int flags, ...)
{
	struct json_object *rows;
	va_list args;

	va_start(args, flags);
	rows = va_arg(args, struct json_object *);
	rows = keyboard_list(rows, args);
	va_end(args);
	/* VK refuses one_time in an inline keyboard, even if it is false. */
	if ((flags & VK_INLINE) != 0)
		return VK_PARAMS("inline", VK_BOOL(true), "buttons", rows);
	return VK_PARAMS("one_time", VK_BOOL((flags & VK_ONE_TIME) != 0),
	    "buttons", rows);
}

/* Takes the payload over, and makes a string of its JSON, as VK wants it. */
static struct json_object *
payload_text(struct json_object *payload)
{
	struct json_object *result = NULL;
	const char *text;
	size_t len;

	if (payload == NULL) {
		params_mistake("a button's payload is NULL: write "
		    "VK_NO_PARAMS for none");
		return NULL;
	}
	text = json_write(payload, &len);
	if (text != NULL)
		result = json_object_new_string_len(text, (int)len);
	json_object_put(payload);
	return params_made(result);
}

static struct json_object *
button(const char *type, const char *label, enum vk_color color,
    struct json_object *payload)
{
	static const char *const colors[] = {
		[VK_SECONDARY] = "secondary", [VK_PRIMARY] = "primary",
		[VK_POSITIVE] = "positive", [VK_NEGATIVE] = "negative",
	};

	return VK_PARAMS("action", VK_PARAMS("type", VK_STR(type),
	    "label", VK_STR(label), "payload", payload_text(payload)),
	    "color", VK_STR(colors[color <= VK_NEGATIVE ? color :
	    VK_SECONDARY]));
}

struct json_object *
vk_button(const char *label, enum vk_color color, struct json_object *payload)
{
	return button("text", label, color, payload);
}

struct json_object *
vk_callback_button(const char *label, enum vk_color color,
    struct json_object *payload)
{
	return button("callback", label, color, payload);
}

struct json_object *
vk_link_button(const char *label, const char *url)
{
	return VK_PARAMS("action", VK_PARAMS("type", VK_STR("open_link"),
	    "label", VK_STR(label), "link", VK_STR(url)));
}
