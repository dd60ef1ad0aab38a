/* params.h - parameters that could not be made, and why. */
#ifndef PARAMS_H
#define PARAMS_H

struct json_object;

/* Takes note that there was no memory for this, if it is NULL; returns it. */
struct json_object *params_made(struct json_object *);

/* A NULL that a handler wrote: says what to write. */
void params_mistake(const char *words);

/* Takes the value over. -1: it is NULL, or there was no memory; noted. */
int params_add(struct json_object *params, const char *name,
    struct json_object *value);

/*
 * What the handler should have written if a call's params are NULL; NULL: there
 * was no memory. To be asked at each call: it forgets.
 */
const char *params_why_none(void);

#endif
