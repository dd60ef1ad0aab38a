/* form.h - parameters as application/x-www-form-urlencoded. */
#ifndef FORM_H
#define FORM_H

#include <stddef.h>

struct buffer;
struct json_object;

#define FORM_MAX ((size_t)8 * 1024 * 1024)	/* the ceiling of its buffer */

/* Appends one parameter. */
void form_text(struct buffer *, const char *name, const char *text,
    size_t len);

/*
 * Appends every member of an object: a string as it is, numbers, 1 or 0 for a
 * boolean, arrays and objects as JSON; null is left out.
 */
void form_object(struct buffer *, struct json_object *);

#endif
