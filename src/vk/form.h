/* form.h - parameters as application/x-www-form-urlencoded. */
#ifndef FORM_H
#define FORM_H

#include <stdbool.h>
#include <stddef.h>

struct json_object;

#define FORM_MAX ((size_t)8 * 1024 * 1024)

struct form {
	char *at;		/* no NUL at its end */
	size_t len;
	size_t size;
	bool failed;		/* out of memory, or over FORM_MAX */
};

/* All start with a form of zeros; form_wipe() ends it. */
void form_text(struct form *, const char *name, const char *text, size_t len);

/*
 * Every member of an object: text as it is, numbers, 1 or 0 for a boolean,
 * lists and objects as JSON; null is left out.
 */
void form_object(struct form *, struct json_object *);

/* Frees it, and leaves no copy of what was in it. */
void form_wipe(struct form *);

#endif
