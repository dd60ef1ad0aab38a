/*
 * ticked.c - events wanted and events ticked.
 *
 * What VK lists is compared, but for events of which the catalogue knows that
 * groups.setCallbackSettings does not have them.
 */
#include "ticked.h"

#include <stdio.h>
#include <string.h>

#include <json-c/json.h>

#include "catalogue.h"
#include "conf.h"
#include "fields.h"
#include "handlers.h"

#include "banned.h"

#define EVENT_LONGEST 64

/* Is the word in a list that commas or spaces part? `all` is every word. */
static bool
lists(const char *list, const char *word)
{
	size_t len;

	for (; *list != '\0'; list += len) {
		list += strspn(list, ", \t");
		len = strcspn(list, ", \t");
		if ((len == strlen(word) && memcmp(list, word, len) == 0) ||
		    (len == 3 && memcmp(list, "all", 3) == 0))
			return true;
	}
	return false;
}

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

static bool
is_on(struct json_object *value)
{
	return json_object_get_int(value) == 1;
}

/* VK's flags by their names; NULL: none. */
static struct json_object *
flags(struct json_object *settings)
{
	struct json_object *events = NULL;

	if (json_object_is_type(settings, json_type_object))
		events = json_object_object_get(settings, "events");
	return json_object_is_type(events, json_type_object) &&
	    json_object_object_length(events) > 0 ? events : NULL;
}

/* VK lists none of them that cannot be, but for some new ones. */
static bool
can_be_ticked(const char *event)
{
	const struct event_info *info = event_info(event);

	return info == NULL || info->settable;
}

bool
ticked_each(const struct conf_group *group, struct json_object *settings,
    ticked_fn *each, void *arg)
{
	struct json_object *events = flags(settings);
	struct ticked ticked;

	if (events == NULL)
		return false;
	json_object_object_foreach(events, name, value) {
		if (!can_be_ticked(name))
			continue;
		ticked.name = name;
		ticked.on = is_on(value);
		ticked.handled = is_handled(name);
		ticked.wanted = group->events != NULL ?
		    lists(group->events, name) : ticked.handled;
		each(arg, &ticked);
	}
	return true;
}

static void
each_unlisted_word(const char *list, struct json_object *events,
    ticked_unlisted_fn *each, void *arg)
{
	char word[EVENT_LONGEST];
	size_t len;

	for (; *list != '\0'; list += len) {
		list += strspn(list, ", \t");
		len = strcspn(list, ", \t");
		snprintf(word, sizeof(word), "%.*s", (int)len, list);
		if (len > 0 && strcmp(word, "all") != 0 &&
		    !json_object_object_get_ex(events, word, NULL))
			each(arg, word);
	}
}

/* Does a handler before this one take the same event? */
static bool
is_repeated(const struct handler *handler)
{
	const struct handler *before;

	for (before = handlers; before != handler; before++)
		if (strcmp(handler_event(before), handler_event(handler)) == 0)
			return true;
	return false;
}

void
ticked_unlisted(const struct conf_group *group, struct json_object *settings,
    ticked_unlisted_fn *each, void *arg)
{
	struct json_object *events = flags(settings);
	const struct handler *handler;
	const char *name;

	if (group->events != NULL) {
		each_unlisted_word(group->events, events, each, arg);
		return;
	}
	for (handler = handlers; handler->name != NULL; handler++) {
		name = handler_event(handler);
		if (event_info(name) != NULL && can_be_ticked(name) &&
		    !is_repeated(handler) &&
		    !json_object_object_get_ex(events, name, NULL))
			each(arg, name);
	}
}

struct changes {
	struct json_object *params;
	int n;
};

static void
add(void *arg, const struct ticked *event)
{
	struct changes *changes = arg;
	struct json_object *flag;

	if (event->on == event->wanted)
		return;
	flag = json_object_new_int(event->wanted);
	if (changes->n == -1 || flag == NULL || json_object_object_add(
	    changes->params, event->name, flag) != 0) {
		json_object_put(flag);
		changes->n = -1;
		return;
	}
	changes->n++;
}

int
ticked_changes(const struct conf_group *group, struct json_object *settings,
    struct json_object *params)
{
	struct changes changes = { .params = params };

	(void)ticked_each(group, settings, add, &changes);
	return changes.n;
}
