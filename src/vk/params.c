/*
 * params.c - the parameters of a call, as json-c's objects.
 *
 * Out of memory returns NULL, and a call with NULL parameters fails: no
 * parameter is left out silently. A NULL made here is told from a NULL that a
 * handler wrote, which is a mistake that no repeat of the event cures.
 *
 * The reason of the last NULL is a variable of each thread: between these
 * functions and the call NULL itself carries no reason.
 */
#include "vk/params.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

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
