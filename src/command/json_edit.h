/* json_edit.h - PATH=VALUE: a change in a JSON body, as for `vkcb trigger`. */
#ifndef JSON_EDIT_H
#define JSON_EDIT_H

#include <stddef.h>

struct json_object;

/*
 * PATH=VALUE or PATH:=JSON. PATH is "object.message.text",
 * "object.message.attachments.0.type" or "...attachments[0].type"; objects
 * that are missing on the way are made. VALUE is a text where a text stood
 * before, else true, false, null, a number or a text, as it looks. 0, and error
 * is "", or a line if it may not be what was meant; -1 and one line in error.
 */
int json_edit_apply(struct json_object *body, const char *change, char *error,
    size_t size);

/* Does it read as one, whatever the body? 0; -1 and one line in error. */
int json_edit_check(const char *change, char *error, size_t size);

/*
 * Strict JSON as json-c's tree, however deep vkcb takes it, its numbers as they
 * are written. NULL and one line in error; the caller puts it. text[len] is a
 * NUL.
 */
struct json_object *json_edit_parse(const char *text, size_t len, char *error,
    size_t size);

#endif
