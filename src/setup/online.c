/*
 * online.c - asks VK about a group: its token, servers, Long Poll, the clock.
 *
 * A question that VK does not answer is a finding of its own; the rest is still
 * asked. Nothing is changed anywhere.
 */
#include "setup/setup.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <json-c/json.h>

#include "conf/conf.h"
#include "event/catalogue.h"
#include "json/tree.h"
#include "log.h"
#include "setup/subscriptions.h"
#include "text.h"
#include "vk/http_post.h"

#include "banned.h"

#define CLOCK_OFF_MAX 60	/* seconds */
#define PROBE_MS 10000
#define RUN_SETUP "; run vkcb setup %s"	/* with the server's URL */

/* A group under check. */
struct online {
	struct group_api vk;
	int64_t server_id;	/* the server that is checked; 0: none */
	const char *url;	/* of that server */
	bool unknown;		/* whether events can arrive */
	int result;		/* -1: they cannot */
};

/*
 * Prints a finding on the group, or on the server that is checked. An "error"
 * makes the result -1.
 */
__attribute__((format(printf, 3, 4)))
static void
online_say(struct online *online, const char *kind, const char *fmt, ...)
{
	char text[SUBSCRIPTIONS_LIST_MAX + KEYS_URL_MAX + 256];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	printf("%s: group %" PRId64 ": ", kind, online->vk.group->id);
	if (online->server_id != 0)
		printf("server %" PRId64 ": ", online->server_id);
	log_print(stdout, text);
	putchar('\n');
	if (strcmp(kind, "error") == 0)
		online->result = -1;
}

/* The first object of a list with this text as a member; NULL: none. */
static struct json_object *
online_find(struct json_object *list, const char *key, const char *text)
{
	struct json_object *object;
	size_t i;

	for (i = 0; (object = json_element(list, i)) != NULL; i++)
		if (strcmp(vk_get_str(object, key), text) == 0)
			break;
	return object;
}

/* Can the servers be asked for? */
static bool
online_check_token(struct online *online)
{
	struct json_object *response, *rights;

	if (group_api_call(&online->vk, "groups.getTokenPermissions",
	    VK_NO_PARAMS, &response) == -1) {
		online_say(online, "error", "%s", online->vk.error);
		return false;
	}
	rights = json_get_array(response, "permissions");
	if (online_find(rights, "name", "messages") == NULL)
		online_say(online, "warning", "the token may not send "
		    "messages: make one with the right to messages, if "
		    "handlers answer");
	if (online_find(rights, "name", "manage") != NULL)
		return true;
	online_say(online, "warning", "the token may not manage the "
	    "community, so whether events can arrive is not known: setup and "
	    "the checks of its servers need a token that may");
	online->unknown = true;
	return false;
}

static void
check_clock(struct online *online)
{
	struct json_object *response;
	int64_t off;

	if (api_call(&online->vk.api, "utils.getServerTime", VK_NO_PARAMS,
	    &response) != VKCB_OK ||
	    !json_object_is_type(response, json_type_int))
		return;
	off = (int64_t)time(NULL) - json_object_get_int64(response);
	if (off > CLOCK_OFF_MAX || off < -CLOCK_OFF_MAX)
		online_say(online, "warning", "this machine's clock is %"
		    PRId64 " s off VK's: have it set by NTP", off);
}

static void
check_long_poll(struct online *online)
{
	struct json_object *response;

	if (group_api_call(&online->vk, "groups.getLongPollSettings",
	    GROUP_ID(&online->vk), &response) == -1)
		online_say(online, "warning", "%s", online->vk.error);
	else if (json_object_get_boolean(json_object_object_get(response,
	    "is_enabled")))
		online_say(online, "warning", "Long Poll is switched on too: "
		    "another program may get the same events; switch it off "
		    "in the community's settings unless you use it");
}

enum finding {
	FINDING_NONE,
	FINDING_MISSED,		/* wanted and handled, not ticked */
	FINDING_NOT_TICKED,	/* wanted, not ticked */
	FINDING_UNWANTED,	/* ticked, not wanted */
	FINDING_LEFT_OUT,	/* handled, not wanted, not ticked */
	FINDING_UNLISTED,	/* wanted, but VK does not list it */
	FINDING_MAX,
};

static const struct {
	const char *kind;
	const char *text;
} findings[FINDING_MAX] = {
	[FINDING_MISSED] = { "error", "not ticked, so that their handlers get "
	    "none" },
	[FINDING_NOT_TICKED] = { "warning", "named by `events`, not ticked" },
	[FINDING_UNWANTED] = { "warning", "ticked, but not wanted by `events` "
	    "or a handler" },
	[FINDING_LEFT_OUT] = { "warning", "`events` leaves out what handlers "
	    "take, so that they get none" },
	[FINDING_UNLISTED] = { "warning", "not listed by VK, so that it is not "
	    "known whether they are ticked" },
};

static enum finding
classify(const struct subscription *sub)
{
	if (sub->wanted && !sub->listed)
		return FINDING_UNLISTED;
	if (sub->wanted && !sub->ticked)
		return sub->handled ? FINDING_MISSED : FINDING_NOT_TICKED;
	if (sub->ticked && !sub->wanted)
		return FINDING_UNWANTED;
	return sub->handled && !sub->ticked ? FINDING_LEFT_OUT : FINDING_NONE;
}

/* An event that VK does not list may be ticked, or not, if VK has it. */
static void
check_events(struct online *online, const struct subscriptions *subs)
{
	char names[FINDING_MAX][SUBSCRIPTIONS_LIST_MAX] = { "" };
	bool handled = false, arriving = false, unlisted = false;
	const struct subscription *sub;
	size_t i;

	for (sub = subs->at; sub < subs->at + subs->n; sub++) {
		subscriptions_append(names[classify(sub)], sub->name);
		handled = handled || sub->handled;
		arriving = arriving || (sub->handled && sub->ticked);
		unlisted = unlisted || (sub->handled && !sub->listed &&
		    event_info(sub->name) != NULL);
	}
	for (i = FINDING_NONE + 1; i < FINDING_MAX; i++)
		if (names[i][0] != '\0')
			online_say(online, findings[i].kind, "%s: %s%s%s",
			    findings[i].text, names[i],
			    i != FINDING_LEFT_OUT ? "; run vkcb setup " : "",
			    i != FINDING_LEFT_OUT ? online->url : "");
	if (!arriving && unlisted)
		online->unknown = true;
	else if (!arriving && handled)
		online_say(online, "error", "no event that a "
		    "handler takes is ticked%s",
		    online->vk.group->events != NULL ? ": see `events`" : "");
}

static void
check_settings(struct online *online)
{
	struct json_object *settings;
	struct subscriptions subs;
	const char *version;
	int64_t number;

	if (group_api_call(&online->vk, "groups.getCallbackSettings",
	    GROUP_PARAMS(&online->vk, "server_id", VK_INT(online->server_id)),
	    &settings) == -1) {
		online_say(online, "error", "%s", online->vk.error);
		return;
	}
	version = vk_get_str(settings, "api_version");
	number = number_version(version);
	if (number != 0 && number < NUMBER_VERSION_MIN)
		online_say(online, "error", "events come in version %.16s of "
		    "the API, and VK sends a warning in place of their object"
		    RUN_SETUP, version, online->url);
	else if (strcmp(version, API_VERSION) != 0)
		online_say(online, "warning", "events come in version %.16s "
		    "of the API, not %s" RUN_SETUP, version, API_VERSION,
		    online->url);
	subscriptions_init(&subs, online->vk.group, settings);
	check_events(online, &subs);
}

static void
judge_answer(struct online *online, const struct http_post_response *answer)
{
	bool open = online->vk.group->no_secret;
	const char *words;

	if (strcmp(answer->body, "Unknown Group") == 0)
		words = "is a vkcb that does not know this group: it runs "
		    "with another configuration";
	else if (strcmp(answer->body, "Not Configured") == 0)
		words = "is a vkcb that has no configuration it can read: run "
		    "vkcb check as the web server's user, and see its log";
	else if (strcmp(answer->body, "Bad Secret") == 0 && open)
		words = "is a vkcb that wants a secret of this group: it runs "
		    "with another configuration";
	else if (strcmp(answer->body, open ? "Bad Request" : "Bad Secret") != 0)
		words = "does not answer like vkcb: the web server does not "
		    "pass the request on";
	else
		return;
	online_say(online, "error", "%.200s %s (status %ld)",
	    online->url, words, answer->status);
}

/*
 * A vkcb that knows the group refuses this body in words of its own. A group
 * with `secret = none` takes any whole event, so its body lacks a type.
 */
static void
probe(struct online *online)
{
	const struct conf_group *group = online->vk.group;
	struct http_post_response answer;
	enum http_post_result result;
	char body[128];
	struct http_post_request request = {
		.url = online->url, .body = body,
		.ca_file = online->vk.conf->ca_file,
		.headers = { "Content-Type: application/json", NULL },
		.connect_ms = PROBE_MS, .total_ms = PROBE_MS,
	};

	request.len = (size_t)snprintf(body, sizeof(body), "{%s\"group_id\":%"
	    PRId64 ",\"secret\":\"-\"}", group->no_secret ? "" :
	    "\"type\":\"vkcb_probe\",", group->id);
	result = http_post(&request, &answer);
	if (result == POST_ANSWERED) {
		judge_answer(online, &answer);
		free(answer.body);
		return;
	}
	online_say(online, "error", "%.200s does not answer: %s%s",
	    online->url, answer.why, result != POST_NOT_TRUSTED ? "" :
	    ": VK may not trust it either: it takes a certificate of a known "
	    "authority, with those between");
}

static void
online_check_secret(struct online *online, const char *theirs)
{
	const struct conf_group *group = online->vk.group;

	if (group->no_secret ||
	    (group->secret != NULL && strcmp(group->secret, theirs) == 0))
		return;
	if (group->secret == NULL)
		online_say(online, "error", "there is no secret here yet: "
		    "each event is refused" RUN_SETUP, online->url);
	else if (group->old_secret != NULL &&
	    strcmp(group->old_secret, theirs) == 0)
		online_say(online, "warning", "VK still has old_secret"
		    RUN_SETUP, online->url);
	else
		online_say(online, "error", "VK has %s secret: each event is "
		    "refused" RUN_SETUP, *theirs != '\0' ? "another" : "no",
		    online->url);
}

static void
online_check_server(struct online *online, struct json_object *server)
{
	const char *status = vk_get_str(server, "status");

	if (strcmp(status, "ok") != 0) {
		online_say(online, "error", "has the status %.40s: VK sends "
		    "it nothing" RUN_SETUP, status, online->url);
		return;
	}
	probe(online);
	online_check_secret(online, vk_get_str(server, "secret_key"));
	check_settings(online);
}

/* Setup removes a broken server with our URL; a working one is for people. */
static void
warn_of_other(struct online *online, struct json_object *server)
{
	if (servers_state(server) == SERVER_BROKEN)
		online_say(online, "warning", "has our server's URL too and is "
		    "broken" RUN_SETUP, online->url);
	else
		online_say(online, "warning", "has our server's URL too: its "
		    "events come twice or, with another secret, are refused: "
		    "remove it on VK's page Settings, API usage, Callback API");
}

static void
check_each(struct online *online, struct json_object *servers,
    const struct key *key)
{
	const char *secret = online->vk.group->secret, *url;
	struct json_object *ours = NULL, *server;
	bool stored = key != NULL && key->url[0] != '\0';
	size_t i;

	/* The server that setup made, else one with our secret. */
	if (key != NULL)
		ours = servers_best(servers, key->url, key);
	if (ours == NULL && secret != NULL)
		ours = online_find(servers, "secret_key", secret);
	url = stored ? key->url : vk_get_str(ours, "url");
	if (json_element(servers, 0) == NULL)
		online_say(online, "error", "VK has no callback "
		    "server for it: run vkcb setup URL");
	else if (ours == NULL && stored)
		online_say(online, "error", "its callback server "
		    "at %.200s is gone from VK: run vkcb setup %.200s", url,
		    url);
	for (i = 0; (server = json_element(servers, i)) != NULL; i++) {
		online->server_id = vk_get_int(server, "id");
		online->url = vk_get_str(server, "url");
		printf("server %" PRId64 ": ", online->server_id);
		log_print(stdout, online->url);
		fputs(": ", stdout);
		log_print(stdout, vk_get_str(server, "status"));
		puts(server == ours ? " (ours)" : "");
		if (server == ours || (ours == NULL && !stored))
			online_check_server(online, server);
		else if (servers_is_ours(server, url, key))
			warn_of_other(online, server);
	}
	online->server_id = 0;
	online->url = NULL;
}

static void
check_servers(struct online *online)
{
	const char *path = online->vk.conf->keys;
	struct json_object *servers;
	char error[KEYS_ERROR_MAX];
	struct keys keys = { .n = 0 };

	if (group_api_servers(&online->vk, &servers) == -1) {
		online_say(online, "error", "%s", online->vk.error);
		return;
	}
	/* The configuration is read, so this file was just found good. */
	if (path != NULL)
		(void)!keys_read(&keys, path, error);
	check_each(online, servers, keys_find(&keys, online->vk.group->id));
	keys_free(&keys);
}

int
online_check(const struct conf *conf, const struct conf_group *group)
{
	struct online online = { .vk = { .conf = conf, .group = group } };

	api_init(&online.vk.api, conf, group->token, API_PATIENCE_ANSWERING);
	if (online_check_token(&online)) {
		check_servers(&online);
		check_long_poll(&online);
	}
	check_clock(&online);
	api_forget(&online.vk.api);
	if (online.result == 0 && !online.unknown)
		online_say(&online, "fine", "events can arrive");
	return online.result;
}
