/*
 * params.c - the parameters of a call: json-c's objects, then the form that is
 * posted.
 *
 * Out of memory returns NULL, and a call with NULL parameters fails: no
 * parameter is left out silently. A NULL made here is told from a NULL that a
 * handler wrote, which is a mistake that no repeat of the event cures.
 *
 * The reason of the last NULL is a variable of each thread: NULL itself carries
 * none.
 */
#include "vk/params.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buffer.h"
#include "json/tree.h"
#include "vkcb.h"

#include "banned.h"

static const char no_memory[] = "out of memory";

static _Thread_local const char *reason;

struct json_object *
params_made(struct json_object *object)
{
	if (object == NULL)
		reason = no_memory;
	return object;
}

void
params_mistake(const char *words)
{
	if (reason == NULL)
		reason = words;
}

const char *
params_why_none(void)
{
	const char *why = reason;

	reason = NULL;
	if (why == no_memory)
		return NULL;
	return why != NULL ? why :
	    "params is NULL: write VK_NO_PARAMS for none";
}

struct json_object *
params_add(struct json_object *params, const char *name,
    struct json_object *value)
{
	if (params != NULL && value != NULL) {
		if (json_object_object_add(params, name, value) == 0)
			return params;
		(void)params_made(NULL);
	}
	json_object_put(value);
	json_object_put(params);
	return NULL;
}

struct json_object *
vk_int(int64_t number)
{
	return params_made(json_object_new_int64(number));
}

/* With the fewest digits that give the same number back: 0.1. */
struct json_object *
vk_double(double number)
{
	char digits[40];
	int precision;

	for (precision = 15; precision <= 17; precision++) {
		snprintf(digits, sizeof(digits), "%.*g", precision, number);
		if (strtod(digits, NULL) >= number &&
		    strtod(digits, NULL) <= number)
			break;
	}
	return params_made(json_object_new_double_s(number, digits));
}

struct json_object *
vk_bool(bool flag)
{
	return params_made(json_object_new_boolean(flag));
}

struct json_object *
vk_str(const char *text)
{
	return params_made(json_object_new_string(text != NULL ? text : ""));
}

struct json_object *
vk_params(const char *name, ...)
{
	struct json_object *params = params_made(json_object_new_object());
	struct json_object *value;
	va_list args;

	/* Goes on after a failure: the values that follow must be freed. */
	va_start(args, name);
	for (; name != NULL; name = va_arg(args, const char *)) {
		value = va_arg(args, struct json_object *);
		if (value == NULL)
			params_mistake("a value in VK_PARAMS is NULL: leave "
			    "out what is not there");
		params = params_add(params, name, value);
	}
	va_end(args);
	return params;
}

static void
form_encode(struct buffer *form, const char *text, size_t len)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";
	char code[4];

	for (; len > 0 && !form->failed; text++, len--) {
		if (*text != '\0' && strchr(plain, *text) != NULL) {
			buffer_put(form, text, 1);
			continue;
		}
		snprintf(code, sizeof(code), "%%%02X", (unsigned char)*text);
		buffer_put(form, code, 3);
	}
}

void
form_text(struct buffer *form, const char *name, const char *text, size_t len)
{
	if (form->len > 0)
		buffer_put(form, "&", 1);
	form_encode(form, name, strlen(name));
	buffer_put(form, "=", 1);
	form_encode(form, text, len);
}

static void
form_member(struct buffer *form, const char *name, struct json_object *value)
{
	const char *text;
	size_t len;

	switch (json_object_get_type(value)) {
	case json_type_null:
		return;
	case json_type_string:
		text = json_object_get_string(value);
		len = (size_t)json_object_get_string_len(value);
		break;
	case json_type_boolean:
		text = json_object_get_boolean(value) ? "1" : "0";
		len = 1;
		break;
	default:
		text = json_write(value, &len);
		break;
	}
	if (text == NULL)
		form->failed = BUFFER_NO_MEMORY;
	else
		form_text(form, name, text, len);
}

void
form_object(struct buffer *form, struct json_object *object)
{
	json_object_object_foreach(object, name, value)
		form_member(form, name, value);
}
