/* subscriptions.h - the events that VK should send, and those that it sends. */
#ifndef SUBSCRIPTIONS_H
#define SUBSCRIPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "conf/conf.h"
#include "conf/ini.h"

#define SUBSCRIPTIONS_MAX 512	/* VK has some 70 events */
#define SUBSCRIPTIONS_LIST_MAX 2048	/* their names fit in */

struct json_object;

struct subscription {
	const char *name;
	bool listed;	/* in VK's settings of the server */
	bool ticked;	/* there; false: not, or not listed */
	bool wanted;	/* by the group's `events`, else by a handler */
	bool handled;	/* by a handler, whatever `events` says */
};

struct subscriptions {
	struct subscription at[SUBSCRIPTIONS_MAX + 1];
	size_t n;
	char words[INI_LINE_MAX];	/* of `events`: names point here */
};

/*
 * All events that are wanted, and the others that VK's settings of a server
 * (groups.getCallbackSettings) list; names live as long as the settings.
 * settings: NULL if there is no server yet.
 */
void subscriptions_init(struct subscriptions *, const struct conf_group *,
    struct json_object *settings);

/* Appends a name to a list of names; a full list ends with "...". */
void subscriptions_append(char list[SUBSCRIPTIONS_LIST_MAX], const char *name);

#endif
