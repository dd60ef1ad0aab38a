/*
 * form.c - puts parameters into the body of a POST.
 *
 * A form that cannot be made whole is marked as failed and must not be sent.
 */
#include "vk/form.h"

#include <string.h>

#include <json-c/json.h>

#include "buffer.h"
#include "json/tree.h"

#include "banned.h"

static void
form_encode(struct buffer *form, const char *text, size_t len)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";
	static const char hex[] = "0123456789ABCDEF";
	unsigned char byte;
	char code[3] = "%";

	for (; len > 0 && !form->failed; text++, len--) {
		byte = (unsigned char)*text;
		if (byte != '\0' && strchr(plain, byte) != NULL) {
			buffer_put(form, text, 1);
			continue;
		}
		code[1] = hex[byte >> 4];
		code[2] = hex[byte & 15];
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
form_json(struct buffer *form, const char *name, struct json_object *value)
{
	size_t len;
	const char *text = json_write(value, &len);

	if (text == NULL)
		form->failed = BUFFER_NO_MEMORY;
	else
		form_text(form, name, text, len);
}

static void
form_member(struct buffer *form, const char *name, struct json_object *value)
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
form_object(struct buffer *form, struct json_object *object)
{
	json_object_object_foreach(object, name, value)
		form_member(form, name, value);
}
