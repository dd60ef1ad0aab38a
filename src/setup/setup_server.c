/*
 * setup_server.c - finds, adds, edits and removes callback servers at VK.
 *
 * A call that makes VK ask for the confirmation string is made only when the
 * stored string is known to be right, and VK's check is waited for.
 */
#include "setup/setup.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <json-c/json.h>

#include "conf/conf.h"
#include "json/tree.h"
#include "setup/servers.h"

#include "banned.h"

#define SERVER_TITLE "vkcb"	/* VK takes up to 14 characters */
#define WAIT_TRIES 60		/* every half second */
#define BEGIN_TRIES 6		/* for a check that VK should have begun */
#define DESCRIPTION_MAX (KEYS_URL_MAX + 80)
#define BY_HAND "remove it on VK's page Settings, API usage, Callback API"

static struct json_object *
next_ours(const struct setup *setup, struct json_object *servers,
    enum server_state best, size_t *at)
{
	return servers_next_ours(servers, setup->url, setup_key(setup), best,
	    at);
}

static const char *
describe(struct json_object *server, char out[DESCRIPTION_MAX])
{
	snprintf(out, DESCRIPTION_MAX, "%" PRId64 ", status %.40s: %.*s",
	    json_get_int64(server, "id"), json_get_string(server, "status"),
	    KEYS_URL_MAX, json_get_string(server, "url"));
	return out;
}

int
setup_remove_servers(struct setup *setup, enum server_state best,
    const char *which)
{
	struct group_api *vk = &setup->vk;
	struct json_object *servers, *server;
	char text[DESCRIPTION_MAX];
	bool removed = false;
	size_t at = 0;

	if (group_api_servers(vk, &servers) == -1)
		return -1;
	while ((server = next_ours(setup, servers, best, &at)) != NULL) {
		if (!setup_announce(setup, "remove the %s %s", which,
		    describe(server, text)))
			continue;
		if (group_api_call(vk, "groups.deleteCallbackServer",
		    GROUP_PARAMS(vk, "server_id", VK_INT(json_get_int64(server,
		    "id"))), NULL) == -1)
			return -1;
		removed = true;
	}
	if (!removed)
		return 0;
	if (group_api_servers(vk, &servers) == -1)
		return -1;
	at = 0;
	return next_ours(setup, servers, best, &at) == NULL ? 0 :
	    group_api_fail(vk, "VK still lists a server that was removed: "
	    BY_HAND);
}

/* How often to look at a server in this state: VK may not check it at all. */
static int
tries_for(struct json_object *server, int begin_tries)
{
	if (servers_state(server) != SERVER_WAITING)
		return 0;
	return strcmp(json_get_string(server, "status"), "unconfigured") == 0 ?
	    begin_tries : WAIT_TRIES;
}

static void
setup_show_progress(const char *text)
{
	if (isatty(STDERR_FILENO))
		fputs(text, stderr);
}

/* Our server, once VK has checked it or the time for that is over. */
static int
wait_for_check(struct setup *setup, int begin_tries,
    struct json_object **server)
{
	const struct timespec pause = { 0, 500000000 };
	struct json_object *servers;
	int tries;

	for (tries = 0;; tries++) {
		if (group_api_servers(&setup->vk, &servers) == -1)
			return -1;
		*server = servers_find(servers, setup->server_id);
		if (*server == NULL)
			return group_api_fail(&setup->vk, "VK no longer lists "
			    "the server that was just added");
		if (tries >= tries_for(*server, begin_tries))
			break;
		setup_show_progress(".");
		nanosleep(&pause, NULL);
		api_forget(&setup->vk.api);
	}
	if (tries > 0)
		setup_show_progress("\n");
	return 0;
}

static int
setup_judge(struct setup *setup, struct json_object *server)
{
	const char *status = json_get_string(server, "status");

	if (servers_state(server) != SERVER_OK)
		return group_api_fail(&setup->vk, "status %.40s: %s", status,
		    servers_state(server) == SERVER_WAITING ?
		    "VK has not checked the URL yet: run setup again in a "
		    "minute" : "VK called the URL and did not get the "
		    "confirmation string: does it lead to this vkcb, with "
		    "this configuration? The log says what was asked");
	setup_note(setup, "VK says the server is ok");
	return 0;
}

static int
wait_for_ok(struct setup *setup)
{
	struct json_object *server;

	return wait_for_check(setup, WAIT_TRIES, &server) == 0 ?
	    setup_judge(setup, server) : -1;
}

static int
add_server(struct setup *setup, bool replace)
{
	struct group_api *vk = &setup->vk;
	char fresh[SETUP_SECRET_MAX];
	const char *secret = setup_choose_secret(setup, fresh);
	struct json_object *response;

	if (secret == NULL || setup_store_confirmation(setup, secret) == -1 ||
	    (replace && setup_remove_servers(setup, SERVER_WAITING,
	    "broken server") == -1))
		return -1;
	setup->server_id = 0;
	if (!setup_announce(setup, "add the server %s", setup->url))
		return 0;
	if (group_api_call(vk, "groups.addCallbackServer", GROUP_PARAMS(vk,
	    "url", VK_STR(setup->url), "title", VK_STR(SERVER_TITLE),
	    "secret_key", VK_STR(secret)), &response) == -1)
		return -1;
	setup->server_id = json_get_int64(response, "server_id");
	if (setup->server_id <= 0)
		return group_api_fail(vk,
		    "groups.addCallbackServer: " API_NOT_VK);
	return setup_store(setup, NULL, NULL) == 0 ? wait_for_ok(setup) : -1;
}

/* A server that VK has still to check turns good, or is replaced. */
static int
await_server(struct setup *setup)
{
	struct json_object *server;

	if (setup_store_confirmation(setup, NULL) == -1)
		return -1;
	if (!setup_announce(setup, "wait for VK to check the server"))
		return 0;
	if (wait_for_check(setup, BEGIN_TRIES, &server) == -1)
		return -1;
	if (servers_state(server) == SERVER_OK ||
	    strcmp(json_get_string(server, "status"), "wait") == 0)
		return setup_judge(setup, server);
	return add_server(setup, true);
}

/* Editing makes VK ask for the confirmation string again. */
static int
give_secret(struct setup *setup, struct json_object *server)
{
	const char *whose = setup_secret_is_from_conf(setup) ?
	    "the configuration's secret" : *setup_secret(setup) != '\0' ?
	    "the stored secret" : "a new secret";
	const char *title = json_get_string(server, "title");
	char fresh[SETUP_SECRET_MAX];
	const char *secret = setup_choose_secret(setup, fresh);

	if (secret == NULL || setup_store_confirmation(setup, secret) == -1)
		return -1;
	if (!setup_announce(setup, "give VK %s", whose))
		return 0;
	/* A title that somebody gave the server at VK stays. */
	if (group_api_call(&setup->vk, "groups.editCallbackServer",
	    GROUP_PARAMS(&setup->vk, "server_id", VK_INT(setup->server_id),
	    "url", VK_STR(setup->url), "title",
	    VK_STR(*title != '\0' ? title : SERVER_TITLE), "secret_key",
	    VK_STR(secret)), NULL) == -1)
		return -1;
	return wait_for_ok(setup);
}

/* The secret of a server in order becomes ours, or ours the server's. */
static int
keep_server(struct setup *setup, struct json_object *server)
{
	const char *theirs = json_get_string(server, "secret_key");
	bool same = setup->vk.group->no_secret || (*theirs != '\0' &&
	    strcmp(theirs, setup_secret(setup)) == 0);

	if (!same && (*theirs == '\0' || setup_secret_is_from_conf(setup)))
		return give_secret(setup, server);
	if (!same && !keys_can_hold(theirs)) {
		setup_note(setup, "VK's secret cannot be stored in a file: it "
		    "is long, or has blanks or controls in it");
		return give_secret(setup, server);
	}
	if (!same && setup_announce(setup, "take over VK's secret") &&
	    setup_store(setup, theirs, NULL) == -1)
		return -1;
	return servers_state(server) == SERVER_WAITING ?
	    await_server(setup) : 0;
}

/* A second server of ours that works, or may, is for people to remove. */
static void
warn_of_others(struct setup *setup, struct json_object *servers)
{
	struct json_object *server;
	char text[DESCRIPTION_MAX];
	size_t at = 0;

	while ((server = next_ours(setup, servers, SERVER_OK, &at)) != NULL)
		if (servers_state(server) != SERVER_BROKEN &&
		    json_get_int64(server, "id") != setup->server_id)
			setup_note(setup, "warning: another server leads here "
			    "too: its events come twice or, with another "
			    "secret, are refused: " BY_HAND ": %s",
			    describe(server, text));
}

/* The server of a former URL goes on getting the same events. */
static int
add_first_server(struct setup *setup, struct json_object *servers)
{
	const struct key *key = setup_key(setup);
	struct json_object *former = key == NULL ? NULL :
	    servers_find(servers, key->server_id);

	if (former != NULL)
		setup_note(setup, "the server of the former URL gets the "
		    "events too: to remove it, run vkcb setup --remove %s",
		    json_get_string(former, "url"));
	return add_server(setup, false);
}

int
setup_bring_server(struct setup *setup)
{
	struct json_object *servers, *server;
	bool broken;
	size_t at = 0;

	if (group_api_servers(&setup->vk, &servers) == -1)
		return -1;
	server = servers_best(servers, setup->url, setup_key(setup));
	if (server == NULL)
		return add_first_server(setup, servers);
	setup->server_id = json_get_int64(server, "id");
	if (servers_state(server) == SERVER_BROKEN)
		return add_server(setup, true);
	warn_of_others(setup, servers);
	broken = next_ours(setup, servers, SERVER_BROKEN, &at) != NULL;
	if (setup_store(setup, NULL, NULL) == -1 ||
	    keep_server(setup, server) == -1)
		return -1;
	return !broken ? 0 :
	    setup_remove_servers(setup, SERVER_BROKEN, "broken server");
}
