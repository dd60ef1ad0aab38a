/* body.h - bodies as VK posts them: samples, and changes PATH=VALUE. */
#ifndef COMMAND_BODY_H
#define COMMAND_BODY_H

struct event_info;
struct json_object;

/*
 * The body that VK would post: envelope and object, with a fresh event_id.
 * NULL: out of memory. The caller puts it.
 */
struct json_object *sample_body(const struct event_info *);

/* The object alone; NULL: out of memory. The caller puts it. */
struct json_object *sample_object(const struct event_info *);

#define SAMPLE_ID_MAX 41

/* 40 hex digits, as VK's event_id. */
void sample_event_id(char out[SAMPLE_ID_MAX]);

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
