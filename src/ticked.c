/*
 * ticked.c - events wanted and events ticked.
 *
 * What VK lists is compared, but for events of which the catalogue knows that
 * groups.setCallbackSettings does not have them.
 */
#include "ticked.h"

#include <string.h>

#include <json-c/json.h>

#include "catalogue.h"
#include "conf.h"
#include "fields.h"
#include "handlers.h"

#include "banned.h"

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

bool
ticked_wants(const struct conf_group *group, const char *event)
{
	enum vkcb_event_type type = catalogue_type(event, strlen(event));
	const struct handler *handler;

	if (group->events != NULL)
		return lists(group->events, event);
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

void
ticked_compare(const struct conf_group *group, struct json_object *settings,
    ticked_fn *differs, void *arg)
{
	struct json_object *events = NULL;
	const struct event_info *info;
	bool wanted;

	if (json_object_is_type(settings, json_type_object))
		events = json_object_object_get(settings, "events");
	if (!json_object_is_type(events, json_type_object))
		return;
	json_object_object_foreach(events, name, value) {
		info = event_info(name);
		wanted = ticked_wants(group, name);
		if ((info == NULL || info->settable) && wanted != is_on(value))
			differs(arg, name, wanted);
	}
}

struct changes {
	struct json_object *params;
	int n;
};

static void
add(void *arg, const char *event, bool wanted)
{
	struct changes *changes = arg;
	struct json_object *flag = json_object_new_int(wanted);

	if (changes->n == -1 || flag == NULL ||
	    json_object_object_add(changes->params, event, flag) != 0) {
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

	ticked_compare(group, settings, add, &changes);
	return changes.n;
}
