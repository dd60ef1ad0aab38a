/* ticked.h - which events VK should send: those that somebody takes. */
#ifndef TICKED_H
#define TICKED_H

#include <stdbool.h>

struct conf_group;
struct json_object;

/* Is this event wanted: by the group's `events`, else by a handler? */
bool ticked_wants(const struct conf_group *, const char *event);

/*
 * Compares VK's settings of a server (groups.getCallbackSettings) with what is
 * wanted and adds a 0 or 1 to params for each event that differs. Returns how
 * many, -1 out of memory.
 */
int ticked_changes(const struct conf_group *, struct json_object *settings,
    struct json_object *params);

/* Calls back for each event that VK sends in vain, or that it should send. */
typedef void ticked_fn(void *arg, const char *event, bool wanted);
void ticked_compare(const struct conf_group *, struct json_object *settings,
    ticked_fn *, void *arg);

#endif
