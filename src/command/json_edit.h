/* json_edit.h - PATH=VALUE: a change in a JSON body, as for `vkcb trigger`. */
#ifndef JSON_EDIT_H
#define JSON_EDIT_H

struct json_object;

#define JSON_EDIT_ERROR_MAX 640

/*
 * Makes a change: PATH=VALUE or PATH:=JSON. PATH is "object.message.text",
 * "object.message.attachments.0.type" or "...attachments[0].type"; objects
 * missing on the way are made. VALUE stays a string if the old value was one;
 * otherwise it is parsed as true, false, null or a number, else taken as a
 * string.
 *
 * 0, and error is "", or a note that the change may not be what was meant; -1
 * and one line in error.
 */
int json_edit_apply(struct json_object *body, const char *change,
    char error[JSON_EDIT_ERROR_MAX]);

/* Does a change read as one, whatever the body? 0; -1 and a line in error. */
int json_edit_check(const char *change, char error[JSON_EDIT_ERROR_MAX]);

#endif
