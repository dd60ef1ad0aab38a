/* params.h - parameters that could not be made, and the reason. */
#ifndef PARAMS_H
#define PARAMS_H

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

#endif
