/*
 * subscriptions.c - events wanted and events ticked.
 *
 * What VK lists is compared, but for events of which the catalogue knows that
 * groups.setCallbackSettings does not have them.
 */
#include "setup/subscriptions.h"

#include <stdio.h>
#include <string.h>

#include <json-c/json.h>

#include "event/catalogue.h"
#include "conf/conf.h"
#include "event/fields.h"
#include "event/handler_table.h"

#include "banned.h"

bool
subscription_each_word(const char *list, subscription_word_fn *each, void *arg)
{
	char word[CONF_LINE_MAX];
	bool all = false;
	size_t len;

	for (; *list != '\0'; list += len) {
		list += strspn(list, ", \t");
		len = strcspn(list, ", \t");
		snprintf(word, sizeof(word), "%.*s", (int)len, list);
		if (strcmp(word, "all") == 0)
			all = true;
		else if (len > 0)
			each(arg, word);
	}
	return all;
}

struct search {
	const char *word;
	bool found;
};

static void
compare(void *arg, const char *word)
{
	struct search *search = arg;

	if (strcmp(word, search->word) == 0)
		search->found = true;
}

static bool
lists(const char *list, const char *word)
{
	struct search search = { .word = word };

	return subscription_each_word(list, compare, &search) || search.found;
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
subscription_each(const struct conf_group *group, struct json_object *settings,
    subscription_fn *each, void *arg)
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

struct unlisted {
	struct json_object *events;	/* that VK lists */
	subscription_word_fn *each;
	void *arg;
};

static void
subscription_check_word(void *arg, const char *word)
{
	struct unlisted *unlisted = arg;

	if (!json_object_object_get_ex(unlisted->events, word, NULL))
		unlisted->each(unlisted->arg, word);
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
subscription_unknown_to_vk(const struct conf_group *group,
    struct json_object *settings, subscription_word_fn *each, void *arg)
{
	struct unlisted unlisted = { flags(settings), each, arg };
	const struct handler *handler;
	const char *name;

	if (group->events != NULL) {
		(void)subscription_each_word(group->events,
		    subscription_check_word, &unlisted);
		return;
	}
	for (handler = handlers; handler->name != NULL; handler++) {
		name = handler_event(handler);
		if (event_info(name) != NULL && can_be_ticked(name) &&
		    !is_repeated(handler))
			subscription_check_word(&unlisted, name);
	}
}

void
subscription_handled(subscription_word_fn *each, void *arg)
{
	const struct event_info *info;

	for (info = event_infos; info->name != NULL; info++)
		if (info->settable && is_handled(info->name))
			each(arg, info->name);
}

struct changes {
	struct json_object *params;
	int n;
};

static void
subscription_add(void *arg, const struct ticked *event)
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
subscription_changes(const struct conf_group *group,
    struct json_object *settings, struct json_object *params)
{
	struct changes changes = { .params = params };

	(void)subscription_each(group, settings, subscription_add, &changes);
	return changes.n;
}
