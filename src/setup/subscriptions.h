/* subscriptions.h - which events VK should send: those that somebody takes. */
#ifndef SUBSCRIPTIONS_H
#define SUBSCRIPTIONS_H

#include <stdbool.h>

struct conf_group;
struct json_object;

/* One of the events that VK lists for a server, of those that can be ticked. */
struct ticked {
	const char *name;
	bool on;
	bool wanted;	/* by the group's `events`, else by a handler */
	bool handled;	/* by a handler, whatever `events` says */
};

typedef void subscription_fn(void *arg, const struct ticked *);
typedef void subscription_word_fn(void *arg, const char *event);

/*
 * Calls back for each name in a list such as a group's `events`, with commas or
 * blanks between. true: it has the word `all` in it, which is no name.
 */
bool
subscription_each_word(const char *list, subscription_word_fn *, void *arg);

/*
 * Calls back for each event in VK's settings of a server
 * (groups.getCallbackSettings). false: they list no event at all.
 */
bool subscription_each(const struct conf_group *, struct json_object *settings,
    subscription_fn *, void *arg);

/*
 * Calls back for each event that is asked for by its name, in the group's
 * `events` or else by a handler, and is not in VK's list. Of handlers' events
 * only those that can be ticked, by all that is known.
 */
void subscription_unknown_to_vk(const struct conf_group *,
    struct json_object *settings, subscription_word_fn *, void *arg);

/* Calls back for each event of the catalogue to tick for a handler. */
void subscription_handled(subscription_word_fn *, void *arg);

/*
 * Compares VK's settings of a server (groups.getCallbackSettings) with what is
 * wanted and adds a 0 or 1 to params for each event that differs. Returns how
 * many, -1 out of memory.
 */
int subscription_changes(const struct conf_group *,
    struct json_object *settings, struct json_object *params);

#endif
