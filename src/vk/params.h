/* params.h - parameters: the reason if there are none, and their form. */
#ifndef PARAMS_H
#define PARAMS_H

#include <stddef.h>

#define FORM_MAX ((size_t)8 * 1024 * 1024)	/* the ceiling of its buffer */

struct buffer;
struct json_object;

/* Returns the object; if it is NULL, the reason is out of memory. */
struct json_object *params_made(struct json_object *);

/* Keeps the reason of a NULL that a handler wrote, unless there is one. */
void params_mistake(const char *words);

/* Takes both over. NULL: one of them is NULL, or out of memory. */
struct json_object *params_add(struct json_object *params, const char *name,
    struct json_object *value);

/*
 * Returns and forgets the reason of the last NULL: what the handler should have
 * written, or NULL for out of memory. Each call has to ask.
 */
const char *params_why_none(void);

/*
 * Appends to application/x-www-form-urlencoded every member of an object: a
 * string as it is, numbers, 1 or 0 for a boolean, arrays and objects as JSON;
 * null is left out.
 */
void form_object(struct buffer *, struct json_object *);

/* Appends one parameter. */
void form_text(struct buffer *, const char *name, const char *text,
    size_t len);

#endif
