/*
 * setup.c - makes a group's callback server at VK what it should be.
 *
 * Each step looks before it changes anything, so that a second run, or a run
 * after a failure at any point, does just what is left.
 */
#include "setup/setup.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include <json-c/json.h>

#include "conf/conf.h"
#include "json/tree.h"
#include "log.h"
#include "setup/subscriptions.h"

#include "banned.h"

bool
setup_print(struct setup *setup, bool change, const char *fmt, ...)
{
	char text[KEYS_URL_MAX + SUBSCRIPTIONS_LIST_MAX];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	printf("group %" PRId64 ": %s", setup->vk.group->id,
	    change && setup->dry_run ? "would: " : "");
	log_print(stdout, text);
	putchar('\n');
	fflush(stdout);
	setup->changes += change;
	return !setup->dry_run;
}

static int
setup_check_token(struct setup *setup)
{
	struct group_api *vk = &setup->vk;
	struct json_object *response, *groups;
	int64_t id;

	if (group_api_call(vk, "groups.getById", VK_NO_PARAMS,
	    &response) == -1)
		return -1;
	groups = json_get_array(response, "groups");
	if (groups == NULL)
		return group_api_fail(vk, "groups.getById: " API_NOT_VK);
	if (json_length(groups) == 0)
		return group_api_fail(vk, "its token belongs to no community: "
		    "create one in the community's settings (API usage)");
	id = json_get_int64(json_object_array_get_idx(groups, 0), "id");
	return id == vk->group->id ? 0 : group_api_fail(vk, "its token "
	    "belongs to group %" PRId64 ": give each section its own group's "
	    "token", id);
}

int
setup_group(struct setup *setup)
{
	if (setup_check_token(setup) == -1 ||
	    setup_bring_server(setup) == -1 || setup_tick_events(setup) == -1)
		return -1;
	if (setup->changes == 0)
		setup_note(setup, "all is in order: nothing to do");
	return 0;
}

int
setup_remove(struct setup *setup)
{
	if (setup_check_token(setup) == -1 ||
	    setup_remove_servers(setup, SERVER_OK, "server") == -1)
		return -1;
	if (setup->changes == 0)
		setup_note(setup, "has no server with this URL: nothing to do");
	return 0;
}
