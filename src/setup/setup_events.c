/*
 * setup_events.c - ticks the events that are wanted, and no others.
 *
 * An event that VK does not list is not known to be ticked or not: it is never
 * unticked, and a call of its own ticks it if it is wanted, since VK refuses
 * the whole call for a name it does not know.
 */
#include "setup/setup.h"

#include <string.h>

#include <json-c/json.h>

#include "conf/conf.h"
#include "event/catalogue.h"
#include "json/json_get.h"
#include "setup/names.h"
#include "setup/subscriptions.h"
#include "vk/params.h"

#include "banned.h"

#define WRONG_PARAMETER 100	/* VK's error */

static struct json_object *
settings_params(const struct setup *setup)
{
	return GROUP_PARAMS(&setup->vk, "server_id", VK_INT(setup->server_id),
	    "api_version", VK_STR(API_VERSION));
}

static int
set_settings(struct setup *setup, struct json_object *params)
{
	return group_api_call(&setup->vk, "groups.setCallbackSettings", params,
	    NULL);
}

static int
tick_unlisted(struct setup *setup, const char *event)
{
	struct json_object *params = settings_params(setup);

	if (setup->dry_run) {
		json_object_put(params);
	} else if (params == NULL ||
	    params_add(params, event, VK_INT(1)) == -1) {
		json_object_put(params);
		return group_api_fail(&setup->vk, "out of memory");
	} else if (set_settings(setup, params) == -1) {
		if (setup->vk.api.error.code != WRONG_PARAMETER)
			return -1;
		setup_say(setup, "warning: VK has no event that is called %s",
		    event);
		return 0;
	}
	(void)setup_announce(setup, "tick %s, which VK does not list", event);
	return 0;
}

/* The changes of what VK lists, and their names. NULL: out of memory. */
static struct json_object *
listed_changes(struct setup *setup, const struct subscriptions *subs,
    struct names *tick, struct names *untick)
{
	struct json_object *params = settings_params(setup);
	const struct subscription *sub;

	for (sub = subs->at; sub < subs->at + subs->n && params != NULL;
	    sub++) {
		/* Nothing is listed for a server that is still to be made. */
		if ((!sub->listed && setup->server_id != 0) ||
		    sub->wanted == sub->ticked)
			continue;
		names_add(sub->wanted ? tick : untick, sub->name);
		if (params_add(params, sub->name, VK_INT(sub->wanted)) == -1) {
			json_object_put(params);
			params = NULL;
		}
	}
	return params;
}

static int
set_listed(struct setup *setup, const struct subscriptions *subs,
    const char *version)
{
	struct names tick = { .n = 0 }, untick = { .n = 0 };
	struct json_object *params = listed_changes(setup, subs, &tick,
	    &untick);
	bool make = false;

	if (tick.n > 0)
		make = setup_announce(setup, "tick the events that %s: %s",
		    setup->vk.group->events != NULL ? "`events` names" :
		    "the handlers take", names_text(&tick));
	if (untick.n > 0)
		make = setup_announce(setup, "untick %s", names_text(&untick));
	if (strcmp(version, API_VERSION) != 0)
		make = setup_announce(setup, "set the version of events to %s",
		    API_VERSION);
	if (make)
		return set_settings(setup, params);
	json_object_put(params);
	return 0;
}

static void
warn_left_out(struct setup *setup, const struct subscriptions *subs)
{
	const struct subscription *sub;
	struct names names = { .n = 0 };

	for (sub = subs->at; sub < subs->at + subs->n; sub++)
		if (sub->handled && !sub->wanted)
			names_add(&names, sub->name);
	if (names.n > 0)
		setup_say(setup, "warning: `events` leaves out what handlers "
		    "take: %s", names_text(&names));
}

/* A typo such as `events = ALL` would untick everything. */
static bool
names_an_event(const struct subscriptions *subs)
{
	const struct subscription *sub;
	const struct event_info *info;

	for (sub = subs->at; sub < subs->at + subs->n; sub++) {
		info = event_info(sub->name);
		if (sub->wanted &&
		    (sub->listed || (info != NULL && info->settable)))
			return true;
	}
	return false;
}

int
setup_tick_events(struct setup *setup)
{
	struct group_api *vk = &setup->vk;
	struct json_object *settings;
	struct subscriptions subs;
	size_t i;

	if (setup->server_id == 0) {
		subscriptions_init(&subs, vk->group, NULL);
		return set_listed(setup, &subs, API_VERSION);
	}
	if (group_api_settings(vk, setup->server_id, &settings) == -1)
		return -1;
	subscriptions_init(&subs, vk->group, settings);
	if (vk->group->events != NULL && !names_an_event(&subs))
		return group_api_fail(vk, "`events = %.200s` names no event "
		    "that VK has: all would be unticked, so none is; see vkcb "
		    "events", vk->group->events);
	warn_left_out(setup, &subs);
	for (i = 0; i < subs.n; i++)
		if (subs.at[i].wanted && !subs.at[i].listed &&
		    tick_unlisted(setup, subs.at[i].name) == -1)
			return -1;
	return set_listed(setup, &subs,
	    json_get_string(settings, "api_version"));
}
