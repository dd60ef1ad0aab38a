/*
 * form.c - puts parameters into the body of a POST.
 *
 * A form that cannot be made whole is marked as failed and must not be sent.
 * Tokens go through here: memory that is given back is cleared first.
 */
#include "vk/form.h"

#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "json/json_text.h"

#include "banned.h"

static void
grow(struct form *form, size_t more)
{
	size_t size = form->size == 0 ? 1024 : form->size;
	char *at;

	if (form->failed || more > FORM_MAX - form->len) {
		form->failed = true;
		return;
	}
	while (size < form->len + more)
		size *= 2;
	if (size == form->size)
		return;
	/* Not realloc(): it would leave the old bytes behind. */
	at = malloc(size);
	if (at == NULL) {
		form->failed = true;
		return;
	}
	if (form->at != NULL) {
		memcpy(at, form->at, form->len);
		explicit_bzero(form->at, form->size);
		free(form->at);
	}
	form->at = at;
	form->size = size;
}

static void
form_put(struct form *form, const char *bytes, size_t len)
{
	grow(form, len);
	if (form->failed)
		return;
	memcpy(form->at + form->len, bytes, len);
	form->len += len;
}

static void
put_encoded(struct form *form, const char *text, size_t len)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";
	static const char hex[] = "0123456789ABCDEF";
	unsigned char byte;
	char code[3] = "%";

	for (; len > 0 && !form->failed; text++, len--) {
		byte = (unsigned char)*text;
		if (byte != '\0' && strchr(plain, byte) != NULL) {
			form_put(form, text, 1);
			continue;
		}
		code[1] = hex[byte >> 4];
		code[2] = hex[byte & 15];
		form_put(form, code, 3);
	}
}

void
form_text(struct form *form, const char *name, const char *text, size_t len)
{
	if (form->len > 0)
		form_put(form, "&", 1);
	put_encoded(form, name, strlen(name));
	form_put(form, "=", 1);
	put_encoded(form, text, len);
}

static void
form_json(struct form *form, const char *name, struct json_object *value)
{
	struct json_text text = { .at = NULL };

	json_text_add(&text, value);
	if (text.failed)
		form->failed = true;
	else
		form_text(form, name, text.at, text.len);
	free(text.at);
}

static void
form_member(struct form *form, const char *name, struct json_object *value)
{
	switch (json_object_get_type(value)) {
	case json_type_null:
		break;
	case json_type_string:
		form_text(form, name, json_object_get_string(value),
		    (size_t)json_object_get_string_len(value));
		break;
	case json_type_boolean:
		form_text(form, name, json_object_get_boolean(value) ? "1" :
		    "0", 1);
		break;
	default:
		form_json(form, name, value);
		break;
	}
}

void
form_object(struct form *form, struct json_object *object)
{
	json_object_object_foreach(object, name, value)
		form_member(form, name, value);
}

void
form_wipe(struct form *form)
{
	if (form->at != NULL)
		explicit_bzero(form->at, form->size);
	free(form->at);
	*form = (struct form){ .at = NULL };
}
