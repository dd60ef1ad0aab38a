/*
 * vk-limits.h - VK's limits of messages and callback answers, for those who
 * stand in for VK: a call that VK refuses is refused here, with VK's code and
 * words.
 *
 * https://dev.vk.com/ru/api/bots/development/keyboard, and .../messages for
 * carousels. Whatever VK's pages leave open is taken.
 */
#ifndef LIMITS_H
#define LIMITS_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <json-c/json.h>

#define LIMITS_WORDS 256
#define LIMITS_PLACE 80
#define LIMITS_WRONG "One of the parameters specified was missing or invalid: "
#define LIMITS_KEYBOARD "Keyboard format is invalid: "

/* A refusal in the making. */
struct limits {
	int code;			/* 0: nothing is refused */
	char words[LIMITS_WORDS];
};

/* Only the first refusal counts. */
__attribute__((format(printf, 3, 4)))
static inline bool
limits_refuse(struct limits *limits, int code, const char *fmt, ...)
{
	va_list args;

	if (limits->code != 0)
		return false;
	limits->code = code;
	va_start(args, fmt);
	vsnprintf(limits->words, sizeof(limits->words), fmt, args);
	va_end(args);
	return false;
}

/* The number of UTF-8 characters; -1: invalid UTF-8. */
static inline int
limits_characters(const char *text, bool as_utf16)
{
	const unsigned char *at = (const unsigned char *)text;
	int n = 0, more;

	for (; *at != '\0'; n++) {
		more = *at < 0x80 ? 0 : *at >= 0xf0 && *at < 0xf5 ? 3 :
		    *at >= 0xe0 && *at < 0xf0 ? 2 :
		    *at >= 0xc2 && *at < 0xe0 ? 1 : -1;
		if (more == -1)
			return -1;
		n += as_utf16 && more == 3;
		for (at++; more > 0; more--, at++)
			if ((*at & 0xc0) != 0x80)
				return -1;
	}
	return n;
}

/* A member as text; NULL: it is absent. */
static inline const char *
limits_text(struct json_object *object, const char *name)
{
	struct json_object *value = NULL;

	return json_object_is_type(object, json_type_object) &&
	    json_object_object_get_ex(object, name, &value) && value != NULL ?
	    json_object_get_string(value) : NULL;
}

static inline struct json_object *
limits_list(struct json_object *object, const char *name)
{
	struct json_object *value = NULL;

	return json_object_is_type(object, json_type_object) &&
	    json_object_object_get_ex(object, name, &value) &&
	    json_object_is_type(value, json_type_array) ? value : NULL;
}

static inline bool
limits_is_json(const char *text)
{
	enum json_tokener_error error;

	json_object_put(json_tokener_parse_verbose(text, &error));
	return error == json_tokener_success;
}

static const struct limits_button {
	const char *type;
	bool has_label, has_color;
	const char *needs;		/* a member of its action */
	size_t in_a_row;
} limits_buttons[] = {
	{ "text", true, true, NULL, 5 },
	{ "callback", true, true, NULL, 5 },
	{ "open_link", true, false, "link", 2 },
	{ "open_app", true, false, "app_id", 2 },
	{ "location", false, false, NULL, 2 },
	{ "vkpay", false, false, "hash", 1 },
};

/* NULL: no button of VK's. */
static inline const struct limits_button *
limits_button_of(struct json_object *button)
{
	const char *type = limits_text(json_object_is_type(button,
	    json_type_object) ? json_object_object_get(button, "action") :
	    NULL, "type");
	size_t i;

	for (i = 0; i < sizeof(limits_buttons) / sizeof(limits_buttons[0]); i++)
		if (type != NULL && strcmp(limits_buttons[i].type, type) == 0)
			return &limits_buttons[i];
	return NULL;
}

static inline bool
limits_is_color(const char *color)
{
	return strcmp(color, "primary") == 0 ||
	    strcmp(color, "secondary") == 0 ||
	    strcmp(color, "positive") == 0 || strcmp(color, "negative") == 0;
}

static inline bool
limits_take_button(struct limits *limits, struct json_object *button,
    const char *place)
{
	const struct limits_button *kind = limits_button_of(button);
	struct json_object *action = kind != NULL ?
	    json_object_object_get(button, "action") : NULL;
	const char *label = limits_text(action, "label");
	const char *payload = limits_text(action, "payload");
	const char *color = limits_text(button, "color");
	int length = label != NULL ? limits_characters(label, false) : 0;

	if (kind == NULL)
		return limits_refuse(limits, 911, LIMITS_KEYBOARD
		    "%s action type is invalid", place);
	if (kind->has_label && length < 1)
		return limits_refuse(limits, 911, LIMITS_KEYBOARD
		    "%s label should be at least 1 letters length", place);
	if (kind->has_label && length > 40)
		return limits_refuse(limits, 911, LIMITS_KEYBOARD
		    "%s label should be less or equal than 40 letters length",
		    place);
	if (payload != NULL && strlen(payload) > 255)
		return limits_refuse(limits, 911, LIMITS_KEYBOARD
		    "%s payload should be less or equal than 255 letters "
		    "length", place);
	if (payload != NULL && !limits_is_json(payload))
		return limits_refuse(limits, 911, LIMITS_KEYBOARD
		    "%s payload is not valid JSON", place);
	if (kind->needs != NULL && limits_text(action, kind->needs) == NULL)
		return limits_refuse(limits, 911, LIMITS_KEYBOARD
		    "%s %s is required", place, kind->needs);
	if (kind->has_color && color != NULL && !limits_is_color(color))
		return limits_refuse(limits, 911, LIMITS_KEYBOARD
		    "%s color is invalid", place);
	return true;
}

static inline bool
limits_take_row(struct limits *limits, struct json_object *row, size_t nth)
{
	size_t n, i, k, same;
	const struct limits_button *kind;
	char place[LIMITS_PLACE];

	if (!json_object_is_type(row, json_type_array))
		return limits_refuse(limits, 911, LIMITS_KEYBOARD
		    "row %zu should be array", nth);
	n = json_object_array_length(row);
	if (n == 0 || n > 5)
		return limits_refuse(limits, 911, LIMITS_KEYBOARD "row %zu %s",
		    nth, n == 0 ? "is empty" : "contains too much columns");
	for (i = 0; i < n; i++) {
		snprintf(place, sizeof(place), "button [%zu][%zu]", nth, i);
		if (!limits_take_button(limits,
		    json_object_array_get_idx(row, i), place))
			return false;
		kind = limits_button_of(json_object_array_get_idx(row, i));
		for (same = k = 0; k <= i; k++)
			same += limits_button_of(
			    json_object_array_get_idx(row, k)) == kind;
		if (same > kind->in_a_row)
			return limits_refuse(limits, 911, LIMITS_KEYBOARD
			    "row %zu with button of type %s can contain only "
			    "%zu button(s)", nth, kind->type, kind->in_a_row);
	}
	return true;
}

static inline bool
limits_take_keyboard(struct limits *limits, struct json_object *keyboard)
{
	struct json_object *rows = limits_list(keyboard, "buttons");
	struct json_object *flag = NULL;
	bool is_inline = json_object_is_type(keyboard, json_type_object) &&
	    json_object_object_get_ex(keyboard, "inline", &flag) &&
	    json_object_get_boolean(flag);
	size_t n, i, total = 0;

	if (rows == NULL)
		return limits_refuse(limits, 911, LIMITS_KEYBOARD
		    "buttons should be array");
	if (is_inline && limits_text(keyboard, "one_time") != NULL)
		return limits_refuse(limits, 911, LIMITS_KEYBOARD
		    "one_time is not available for inline keyboard");
	n = json_object_array_length(rows);
	for (i = 0; i < n; i++) {
		if (!limits_take_row(limits,
		    json_object_array_get_idx(rows, i), i))
			return false;
		total += json_object_array_length(
		    json_object_array_get_idx(rows, i));
	}
	if (n > (is_inline ? 6 : 10))
		return limits_refuse(limits, 911, LIMITS_KEYBOARD
		    "buttons contain too much rows");
	return total <= (is_inline ? 10 : 40) || limits_refuse(limits, 911,
	    LIMITS_KEYBOARD "keyboard contains too much buttons");
}

/* Which parts a card has: all cards of a carousel have the same. */
static inline size_t
limits_card_shape(struct json_object *card)
{
	struct json_object *buttons = limits_list(card, "buttons");

	return (limits_text(card, "title") != NULL) * 1u +
	    (limits_text(card, "description") != NULL) * 2u +
	    (limits_text(card, "photo_id") != NULL) * 4u + 8 *
	    (buttons != NULL ? json_object_array_length(buttons) : 0);
}

static inline bool
limits_take_card(struct limits *limits, struct json_object *card, size_t nth)
{
	struct json_object *buttons = limits_list(card, "buttons");
	size_t n = buttons != NULL ? json_object_array_length(buttons) : 0, i;
	const char *title = limits_text(card, "title");
	const char *text = limits_text(card, "description");
	char place[LIMITS_PLACE];

	snprintf(place, sizeof(place), "template['elements'][%zu]", nth);
	if (n < 1 || n > 3)
		return limits_refuse(limits, 911, LIMITS_KEYBOARD
		    "%s['buttons'] should contain 1 to 3 buttons", place);
	if (title == NULL && limits_text(card, "photo_id") == NULL)
		return limits_refuse(limits, 911, LIMITS_KEYBOARD
		    "%s title or photo_id is required", place);
	if ((title != NULL && limits_characters(title, false) > 80) ||
	    (text != NULL && limits_characters(text, false) > 80))
		return limits_refuse(limits, 911, LIMITS_KEYBOARD
		    "%s title and description should be less or equal than 80 "
		    "letters length", place);
	for (i = 0; i < n; i++) {
		snprintf(place, sizeof(place),
		    "template['elements'][%zu]['buttons'][%zu]", nth, i);
		if (!limits_take_button(limits,
		    json_object_array_get_idx(buttons, i), place))
			return false;
	}
	return true;
}

static inline bool
limits_take_template(struct limits *limits, struct json_object *template)
{
	struct json_object *cards = limits_list(template, "elements"), *card;
	size_t n = cards != NULL ? json_object_array_length(cards) : 0, i;
	const char *type = limits_text(template, "type");

	if (type == NULL || strcmp(type, "carousel") != 0)
		return limits_refuse(limits, 911, LIMITS_KEYBOARD
		    "template['type'] is invalid");
	if (n < 1 || n > 10)
		return limits_refuse(limits, 911, LIMITS_KEYBOARD
		    "template['elements'] should contain 1 to 10 elements");
	for (i = 0; i < n; i++) {
		card = json_object_array_get_idx(cards, i);
		if (!limits_take_card(limits, card, i))
			return false;
		if (limits_card_shape(card) != limits_card_shape(
		    json_object_array_get_idx(cards, 0)))
			return limits_refuse(limits, 911, LIMITS_KEYBOARD
			    "template['elements'][%zu] differs from the first",
			    i);
	}
	return true;
}

/*
 * A parameter that is JSON, as an object or as text; absent is taken. The tree
 * is for `take`.
 */
static inline void
limits_take_json(struct limits *limits, struct json_object *params,
    const char *name, bool (*take)(struct limits *, struct json_object *))
{
	const char *text = limits_text(params, name);
	struct json_object *tree = text == NULL || *text == '\0' ? NULL :
	    json_tokener_parse(text);
	bool has_buttons = *name == 'k' || *name == 't';

	if (json_object_is_type(tree, json_type_object))
		(void)take(limits, tree);
	else if (text != NULL && *text != '\0')
		limits_refuse(limits, has_buttons ? 911 : 100,
		    "%s%s should be object", has_buttons ? LIMITS_KEYBOARD :
		    LIMITS_WRONG, name);
	json_object_put(tree);
}

static inline bool
limits_take_forward(struct limits *limits, struct json_object *forward)
{
	return limits_list(forward, "conversation_message_ids") != NULL ||
	    limits_list(forward, "message_ids") != NULL ||
	    limits_refuse(limits, 100, LIMITS_WRONG "forward is invalid");
}

/* What a press of a callback button shows or opens. */
static inline bool
limits_take_answer(struct limits *limits, struct json_object *data)
{
	static const char *const kinds[][2] = {
		{ "show_snackbar", "text" }, { "open_link", "link" },
		{ "open_app", "app_id" },
	};
	const char *type = limits_text(data, "type"), *text;
	size_t i;

	for (i = 0; i < 3; i++) {
		if (type == NULL || strcmp(type, kinds[i][0]) != 0)
			continue;
		text = limits_text(data, kinds[i][1]);
		if (text != NULL && *text != '\0' && (i > 0 ||
		    limits_characters(text, false) <= 90))
			return true;
	}
	return limits_refuse(limits, 100, LIMITS_WRONG "event_data is invalid");
}

static inline void
limits_take_message(struct limits *limits, struct json_object *params)
{
	const char *text = limits_text(params, "message");
	int length = limits_characters(text != NULL ? text : "", true);

	if (length < 0)
		limits_refuse(limits, 100, LIMITS_WRONG "message is not UTF-8");
	else if (length > 9000)
		limits_refuse(limits, 914, "Message is too long");
	else if ((text == NULL || text[strspn(text, " \t\n\r")] == '\0') &&
	    limits_text(params, "attachment") == NULL &&
	    limits_text(params, "sticker_id") == NULL)
		limits_refuse(limits, 100, LIMITS_WRONG
		    "message is empty or invalid");
	limits_take_json(limits, params, "keyboard", limits_take_keyboard);
	limits_take_json(limits, params, "template", limits_take_template);
	limits_take_json(limits, params, "forward", limits_take_forward);
}

/* VK's error code for a call with these parameters, and its words; 0: none. */
static inline int
limits_look(struct limits *limits, const char *method,
    struct json_object *params)
{
	*limits = (struct limits){ .code = 0 };
	if (strcmp(method, "messages.send") == 0 ||
	    strcmp(method, "messages.edit") == 0)
		limits_take_message(limits, params);
	else if (strcmp(method, "messages.sendMessageEventAnswer") == 0)
		limits_take_json(limits, params, "event_data",
		    limits_take_answer);
	return limits->code;
}

#endif
