/*
 * params.c - what goes into a call: parameters of json-c's objects.
 *
 * Out of memory makes no parameters at all, and a call with none fails: none is
 * ever left out in silence. A NULL that was made here is known as such; any
 * other one is a mistake of who wrote it, which no repeat of the event cures.
 */
#include "vk/params.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "vkcb.h"

#include "banned.h"

static const char no_memory[] = "out of memory";

/*
 * Why the last NULL is one, until the call that it ends up in. Between the two
 * there is nothing but NULL to hand it on with.
 */
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

int
params_add(struct json_object *params, const char *name,
    struct json_object *value)
{
	if (value != NULL && json_object_object_add(params, name, value) == 0)
		return 0;
	json_object_put(value);
	(void)params_made(NULL);
	return -1;
}

struct json_object *
vk_int(int64_t number)
{
	return params_made(json_object_new_int64(number));
}

/* Written with as few digits as name the same number: 0.1. */
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

	/* After a failure too: the values that follow have to be freed. */
	va_start(args, name);
	for (; name != NULL; name = va_arg(args, const char *)) {
		value = va_arg(args, struct json_object *);
		if (value == NULL)
			params_mistake("a value in VK_PARAMS is NULL: leave "
			    "out what is not there");
		else if (params != NULL && params_add(params, name, value) == 0)
			continue;
		else if (params == NULL)
			json_object_put(value);
		json_object_put(params);
		params = NULL;
	}
	va_end(args);
	return params;
}
