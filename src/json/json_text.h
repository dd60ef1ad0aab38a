/* json_text.h - json-c's trees as text, whole or not at all. */
#ifndef JSON_TEXT_H
#define JSON_TEXT_H

#include <stdbool.h>
#include <stddef.h>

struct json_object;

#define JSON_TEXT_MAX ((size_t)2 * 1024 * 1024)

struct json_text {
	char *at;		/* no NUL at its end; to be freed */
	size_t len;
	size_t size;
	bool failed;		/* out of memory, or over JSON_TEXT_MAX */
};

/* Appends a value, without spaces. Starts with zeros. */
void json_text_add(struct json_text *, struct json_object *);

#endif
