/*
 * subscriptions.c - events wanted, events listed and events ticked.
 *
 * VK's list has the last word: an event that it lists can be ticked, also one
 * that the catalogue lacks or calls not settable. An event that it does not
 * list may still be one of VK's.
 */
#include "setup/subscriptions.h"

#include <stdio.h>
#include <string.h>

#include <json-c/json.h>

#include "event/catalogue.h"

#include "banned.h"

static bool
is_handled(const char *event)
{
	enum vkcb_event_type type = catalogue_type(event, strlen(event));
	const struct handler *handler;

	for (handler = handlers; handler->name != NULL; handler++)
		if (handler_takes(handler, type, event))
			return true;
	return false;
}

/* The event's place, a new one if it has none yet. */
static struct subscription *
subscriptions_add(struct subscriptions *subs, const char *name, bool wanted)
{
	struct subscription *sub;

	for (sub = subs->at; sub < subs->at + subs->n; sub++)
		if (strcmp(sub->name, name) == 0)
			return sub;
	*sub = (struct subscription){ .name = name, .wanted = wanted,
	    .handled = is_handled(name) };
	if (subs->n < SUBSCRIPTIONS_MAX)
		subs->n++;
	return sub;
}

/* The words of `events`. true: `all` is among them, which is no event. */
static bool
add_words(struct subscriptions *subs, const char *events)
{
	char *word, *rest;
	bool all = false;

	snprintf(subs->words, sizeof(subs->words), "%s", events);
	for (word = strtok_r(subs->words, ", \t", &rest); word != NULL;
	    word = strtok_r(NULL, ", \t", &rest))
		if (strcmp(word, "all") == 0)
			all = true;
		else
			(void)subscriptions_add(subs, word, true);
	return all;
}

static void
add_catalogue(struct subscriptions *subs, bool all)
{
	const struct event_info *info;

	for (info = event_infos; info->name != NULL; info++)
		if (info->settable && (all || is_handled(info->name)))
			(void)subscriptions_add(subs, info->name, true);
}

static void
add_listed(struct subscriptions *subs, struct json_object *flags, bool all,
    bool by_handlers)
{
	const struct event_info *info;
	struct subscription *sub;

	json_object_object_foreach(flags, name, value) {
		info = event_info(name);
		if (info != NULL && !info->has_handlers)
			continue;
		sub = subscriptions_add(subs, name, all);
		sub->wanted = sub->wanted || (by_handlers && sub->handled);
		sub->listed = true;
		sub->ticked = json_object_get_int(value) == 1;
	}
}

void
subscriptions_init(struct subscriptions *subs, const struct conf_group *group,
    struct json_object *settings)
{
	bool by_handlers = group->events == NULL, all = false;
	struct json_object *flags = json_object_object_get(settings, "events");
	const struct handler *handler;

	subs->n = 0;
	if (!by_handlers)
		all = add_words(subs, group->events);
	if (all || by_handlers)
		add_catalogue(subs, all);
	for (handler = handlers; by_handlers && handler->name != NULL;
	    handler++)
		if (handler_names_new(handler))
			(void)subscriptions_add(subs, handler->def->type, true);
	if (json_object_is_type(flags, json_type_object))
		add_listed(subs, flags, all, by_handlers);
}

void
subscriptions_append(char list[SUBSCRIPTIONS_LIST_MAX], const char *name)
{
	size_t len = strlen(list), room = SUBSCRIPTIONS_LIST_MAX - len;

	if (len > 0 && list[len - 1] == '.')
		return;
	if (room < strlen(name) + sizeof(", , ..."))
		name = "...";
	snprintf(list + len, room, "%s%s", len > 0 ? ", " : "", name);
}
