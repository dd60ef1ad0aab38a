/*
 * setup.c - makes a group's callback server at VK what it should be: finds,
 * adds, edits and removes it.
 *
 * Each step looks before it changes anything, so that a second run, or a run
 * after a failure at any point, does just what is left.
 *
 * The secret and the confirmation string are on disk before VK is told to use
 * them: VK's confirmation request may come while a call is still under way, to
 * a responder in another process. A call that makes VK ask for the string is
 * made only when the stored one is known to be right, and VK's check is waited
 * for.
 *
 * Whether an event is ticked that VK does not list is not known: such an event
 * is never unticked. A call of its own ticks a wanted one, since VK refuses a
 * call that has a name unknown to VK.
 */
#include "setup/setup.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include <json-c/json.h>

#include "clock.h"
#include "conf/conf.h"
#include "event/catalogue.h"
#include "json/tree.h"
#include "log.h"
#include "setup/subscriptions.h"
#include "vk/params.h"

#include "banned.h"

#define SERVER_TITLE "vkcb"
#define WRONG_PARAMETER 100	/* VK's error */
#define WAIT_TRIES 60		/* every half second */
#define BEGIN_TRIES 6		/* for a check that VK should have begun */
#define DESCRIPTION_MAX (KEYS_URL_MAX + 80)
#define BY_HAND "remove it on VK's page Settings, API usage, Callback API"
#define SECRET_SIZE 33		/* of a new secret, with a NUL */

/*
 * Prints a line. A change is counted, and stands after "would: " in a dry run;
 * false: it is not to be made.
 */
__attribute__((format(printf, 3, 4)))
static bool
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
#define setup_note(setup, ...) ((void)setup_print(setup, false, __VA_ARGS__))
#define setup_announce(setup, ...) setup_print(setup, true, __VA_ARGS__)

/* The group's part of the keys file; NULL: none. */
static const struct key *
setup_key(const struct setup *setup)
{
	return keys_find(&setup->keys, setup->vk.group->id);
}

static bool
setup_secret_is_from_conf(const struct setup *setup)
{
	return setup->vk.group->secret != NULL &&
	    !setup->vk.group->secret_from_keys_file;
}

/* The secret in force: vkcb.conf's, else the stored one, else "". */
static const char *
setup_secret(const struct setup *setup)
{
	const struct key *key = setup_key(setup);

	if (setup_secret_is_from_conf(setup))
		return setup->vk.group->secret;
	return key != NULL ? key->secret : "";
}

/*
 * The secret in force, or else a new one in `fresh`; "" if the group has
 * `secret = none`. NULL: failed.
 */
static const char *
setup_choose_secret(struct setup *setup, char fresh[SECRET_SIZE])
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz234567";
	const char *secret = setup_secret(setup);
	unsigned char bytes[SECRET_SIZE - 1];
	size_t i;

	if (*secret != '\0' || setup->vk.group->no_secret)
		return secret;
	if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes)) {
		(void)group_api_fail(&setup->vk, "no new secret: the system "
		    "gives no random bytes");
		return NULL;
	}
	for (i = 0; i < sizeof(bytes); i++)
		fresh[i] = letters[bytes[i] % 32];
	fresh[i] = '\0';
	return fresh;
}

/* True: the text was another one. */
static bool
setup_replace(char text[], size_t size, const char *new)
{
	if (new == NULL || strcmp(new, text) == 0)
		return false;
	snprintf(text, size, "%s", new);
	return true;
}

/* Stores these, where not NULL, and the server's id and URL. */
static int
setup_store(struct setup *setup, const char *secret, const char *confirmation)
{
	struct key *key = keys_get(&setup->keys, setup->vk.group->id);
	char error[KEYS_ERROR_MAX];
	bool changed;

	if (key == NULL)
		return group_api_fail(&setup->vk, "out of memory");
	if (setup->dry_run)
		return 0;
	changed = key->server_id != setup->server_id;
	key->server_id = setup->server_id;
	if (!setup_secret_is_from_conf(setup))
		changed |= setup_replace(key->secret, KEYS_SECRET_MAX, secret);
	changed |= setup_replace(key->confirmation, KEYS_SECRET_MAX,
	    confirmation);
	changed |= setup_replace(key->url, KEYS_URL_MAX, setup->url);
	return !changed ||
	    keys_write(&setup->keys, setup->vk.conf->keys, error) == 0 ? 0 :
	    group_api_fail(&setup->vk, "%s", error);
}

/*
 * Stores VK's confirmation string and this secret (NULL: as it is), so that a
 * responder finds both before VK asks. A configuration with another string is
 * an error before anything is changed.
 */
static int
setup_store_confirmation(struct setup *setup, const char *secret)
{
	struct group_api *vk = &setup->vk;
	struct json_object *response;
	const char *code;

	if (group_api_call(vk, "groups.getCallbackConfirmationCode",
	    GROUP_ID(vk), &response) == -1)
		return -1;
	code = vk_get_str(response, "code");
	if (*code == '\0')
		return group_api_fail(vk, "groups.getCallbackConfirmationCode"
		    ": " API_NOT_VK);
	if (!keys_is_confirmation(code))
		return group_api_fail(vk, "VK's confirmation string cannot be "
		    "stored: it is long, or has more in it than letters, "
		    "digits, _ and -");
	if (vk->group->confirmation != NULL && !vk->group->asks_vk &&
	    strcmp(vk->group->confirmation, code) != 0)
		return group_api_fail(vk, "the configuration's confirmation is "
		    "not the one that VK's API gives: remove that line, setup "
		    "stores the right one");
	return setup_store(setup, secret, code);
}

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
	    vk_get_int(server, "id"), vk_get_str(server, "status"),
	    KEYS_URL_MAX, vk_get_str(server, "url"));
	return out;
}

/* Removes our servers in this state or a worse one, called `which`. */
static int
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
		    GROUP_PARAMS(vk, "server_id", VK_INT(vk_get_int(server,
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
	return strcmp(vk_get_str(server, "status"), "unconfigured") == 0 ?
	    begin_tries : WAIT_TRIES;
}

/* Our server, once VK has checked it or the time for that is over. */
static int
wait_for_check(struct setup *setup, int begin_tries,
    struct json_object **server)
{
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
		if (isatty(STDERR_FILENO))
			fputc('.', stderr);
		clock_sleep_until(clock_ns() + 500000000);
		api_forget(&setup->vk.api);
	}
	if (tries > 0 && isatty(STDERR_FILENO))
		fputc('\n', stderr);
	return 0;
}

static int
setup_judge(struct setup *setup, struct json_object *server)
{
	const char *status = vk_get_str(server, "status");

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

/* A title that somebody gave the server at VK stays, unless one is set here. */
static const char *
title_of(const struct setup *setup, struct json_object *server)
{
	const char *theirs = vk_get_str(server, "title");

	return setup->vk.group->title != NULL ? setup->vk.group->title :
	    *theirs != '\0' ? theirs : SERVER_TITLE;
}

static int
add_server(struct setup *setup, bool replace)
{
	struct group_api *vk = &setup->vk;
	char fresh[SECRET_SIZE];
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
	    "url", VK_STR(setup->url), "title", VK_STR(title_of(setup, NULL)),
	    "secret_key", VK_STR(secret)), &response) == -1)
		return -1;
	setup->server_id = vk_get_int(response, "server_id");
	if (setup->server_id <= 0)
		return group_api_fail(vk,
		    "groups.addCallbackServer: " API_NOT_VK);
	return setup_store(setup, NULL, NULL) == 0 ? wait_for_ok(setup) : -1;
}

/* Editing makes VK ask for the confirmation string again. */
static int
edit_server(struct setup *setup, struct json_object *server,
    const char *secret)
{
	if (group_api_call(&setup->vk, "groups.editCallbackServer",
	    GROUP_PARAMS(&setup->vk, "server_id", VK_INT(setup->server_id),
	    "url", VK_STR(setup->url), "title",
	    VK_STR(title_of(setup, server)), "secret_key", VK_STR(secret)),
	    NULL) == -1)
		return -1;
	return wait_for_ok(setup);
}

static int
give_title(struct setup *setup, struct json_object *server)
{
	const char *title = setup->vk.group->title;

	if (title == NULL ||
	    strcmp(title, vk_get_str(server, "title")) == 0)
		return 0;
	if (setup_store_confirmation(setup, NULL) == -1)
		return -1;
	return !setup_announce(setup, "name the server %s", title) ? 0 :
	    edit_server(setup, server, vk_get_str(server, "secret_key"));
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
	    strcmp(vk_get_str(server, "status"), "wait") == 0)
		return setup_judge(setup, server) == -1 ? -1 :
		    give_title(setup, server);
	return add_server(setup, true);
}

static int
give_secret(struct setup *setup, struct json_object *server)
{
	const char *whose = setup_secret_is_from_conf(setup) ?
	    "the configuration's secret" : *setup_secret(setup) != '\0' ?
	    "the stored secret" : "a new secret";
	char fresh[SECRET_SIZE];
	const char *secret = setup_choose_secret(setup, fresh);

	if (secret == NULL || setup_store_confirmation(setup, secret) == -1)
		return -1;
	return !setup_announce(setup, "give VK %s", whose) ? 0 :
	    edit_server(setup, server, secret);
}

/* The secret of a server in order becomes ours, or ours the server's. */
static int
keep_server(struct setup *setup, struct json_object *server)
{
	const char *theirs = vk_get_str(server, "secret_key");
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
	    await_server(setup) : give_title(setup, server);
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
		    vk_get_int(server, "id") != setup->server_id)
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
		    vk_get_str(former, "url"));
	return add_server(setup, false);
}

static int
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
	setup->server_id = vk_get_int(server, "id");
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

static struct json_object *
settings_params(const struct setup *setup)
{
	return GROUP_PARAMS(&setup->vk, "server_id", VK_INT(setup->server_id),
	    "api_version", VK_STR(API_VERSION));
}

static int
tick_unlisted(struct setup *setup, const char *event)
{
	if (!setup->dry_run && group_api_call(&setup->vk,
	    "groups.setCallbackSettings", params_add(settings_params(setup),
	    event, VK_INT(true)), NULL) == -1) {
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
		return group_api_call(&setup->vk, "groups.setCallbackSettings",
		    params, NULL);
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

static int
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
	    vk_get_str(settings, "api_version"));
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
	if (json_object_array_length(groups) == 0)
		return group_api_fail(vk, "its token belongs to no community: "
		    "create one in the community's settings (API usage)");
	id = vk_get_int(json_object_array_get_idx(groups, 0), "id");
	return id == vk->group->id ? 0 : group_api_fail(vk, "its token "
	    "belongs to group %" PRId64 ": give each section its own group's "
	    "token, or `token = none`", id);
}

int
setup_group(struct setup *setup, const struct conf_group *group)
{
	setup->vk.group = group;
	setup->server_id = 0;
	setup->changes = 0;
	if (setup_check_token(setup) == -1)
		return -1;
	if (setup->remove ?
	    setup_remove_servers(setup, SERVER_OK, "server") == -1 :
	    setup_bring_server(setup) == -1 || setup_tick_events(setup) == -1)
		return -1;
	if (setup->changes == 0)
		setup_note(setup, setup->remove ? "has no server with this "
		    "URL: nothing to do" : "all is in order: nothing to do");
	return 0;
}
