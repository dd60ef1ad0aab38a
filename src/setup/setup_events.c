/*
 * setup_events.c - ticks the events that are wanted, and no others.
 *
 * Whether an event is ticked that VK does not list is not known: such an event
 * is never unticked. A call of its own ticks a wanted one, since VK refuses a
 * call that has a name unknown to VK.
 */
#include "setup/setup.h"

#include <string.h>

#include <json-c/json.h>

#include "conf/conf.h"
#include "event/catalogue.h"
#include "json/tree.h"
#include "setup/subscriptions.h"
#include "vk/params.h"

#include "banned.h"

#define WRONG_PARAMETER 100	/* VK's error */

static int
set_settings(struct setup *setup, struct json_object *params)
{
	return group_api_call(&setup->vk, "groups.setCallbackSettings", params,
	    NULL);
}

static struct json_object *
settings_params(const struct setup *setup)
{
	return GROUP_PARAMS(&setup->vk, "server_id", VK_INT(setup->server_id),
	    "api_version", VK_STR(API_VERSION));
}

static int
tick_unlisted(struct setup *setup, const char *event)
{
	struct json_object *params = settings_params(setup);

	params = params_add(params, event, VK_INT(true));
	if (setup->dry_run)
		json_object_put(params);
	else if (set_settings(setup, params) == -1) {
		if (setup->vk.api.error.code != WRONG_PARAMETER)
			return -1;
		setup_note(setup, "warning: VK has no event that is called %s",
		    event);
		return 0;
	}
	(void)setup_announce(setup, "tick %s, which VK does not list", event);
	return 0;
}

static bool
announce_changes(struct setup *setup, const char *tick, const char *untick,
    const char *version)
{
	bool make = false;

	if (*tick != '\0')
		make = setup_announce(setup, "tick the events that %s: %s",
		    setup->vk.group->events != NULL ? "`events` names" :
		    "the handlers take", tick);
	if (*untick != '\0')
		make = setup_announce(setup, "untick %s", untick);
	if (strcmp(version, API_VERSION) != 0)
		make = setup_announce(setup, "set the version of events to %s",
		    API_VERSION);
	return make;
}

static int
set_listed(struct setup *setup, const struct subscriptions *subs,
    const char *version)
{
	struct json_object *params = settings_params(setup);
	char tick[SUBSCRIPTIONS_LIST_MAX] = "";
	char untick[SUBSCRIPTIONS_LIST_MAX] = "";
	char left_out[SUBSCRIPTIONS_LIST_MAX] = "";
	const struct subscription *sub;

	for (sub = subs->at; sub < subs->at + subs->n; sub++) {
		if (sub->handled && !sub->wanted)
			subscriptions_append(left_out, sub->name);
		/* Nothing is listed for a server that is still to be made. */
		if ((!sub->listed && setup->server_id != 0) ||
		    sub->wanted == sub->ticked)
			continue;
		subscriptions_append(sub->wanted ? tick : untick, sub->name);
		params = params_add(params, sub->name, VK_INT(sub->wanted));
	}
	if (*left_out != '\0')
		setup_note(setup, "warning: `events` leaves out what handlers "
		    "take: %s", left_out);
	if (announce_changes(setup, tick, untick, version))
		return set_settings(setup, params);
	json_object_put(params);
	return 0;
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
	if (group_api_call(vk, "groups.getCallbackSettings", GROUP_PARAMS(vk,
	    "server_id", VK_INT(setup->server_id)), &settings) == -1)
		return -1;
	subscriptions_init(&subs, vk->group, settings);
	if (vk->group->events != NULL && !names_an_event(&subs))
		return group_api_fail(vk, "`events = %.200s` names no event "
		    "that VK has: all would be unticked, so none is; see vkcb "
		    "events", vk->group->events);
	for (i = 0; i < subs.n; i++)
		if (subs.at[i].wanted && !subs.at[i].listed &&
		    tick_unlisted(setup, subs.at[i].name) == -1)
			return -1;
	return set_listed(setup, &subs,
	    json_get_string(settings, "api_version"));
}
