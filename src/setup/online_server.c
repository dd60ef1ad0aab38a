/*
 * online_server.c - one callback server: does its URL lead here, is its secret
 * ours, are the right events ticked?
 */
#include "setup/online.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "conf/conf.h"
#include "event/catalogue.h"
#include "json/tree.h"
#include "number.h"
#include "setup/subscriptions.h"
#include "vk/http_post.h"

#include "banned.h"

#define PROBE_MS 10000

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
	enum online_advice advice;
} findings[FINDING_MAX] = {
	[FINDING_MISSED] = { "error", "not ticked, so that their handlers get "
	    "none", ONLINE_SETUP },
	[FINDING_NOT_TICKED] = { "warning", "named by `events`, not ticked",
	    ONLINE_SETUP },
	[FINDING_UNWANTED] = { "warning", "ticked, but not wanted by `events` "
	    "or a handler", ONLINE_SETUP },
	[FINDING_LEFT_OUT] = { "warning", "`events` leaves out what handlers "
	    "take, so that they get none", ONLINE_SAID },
	[FINDING_UNLISTED] = { "warning", "not listed by VK, so that it is not "
	    "known whether they are ticked", ONLINE_SETUP },
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
			online_say(online, findings[i].kind,
			    findings[i].advice, "%s: %s", findings[i].text,
			    names[i]);
	if (!arriving && unlisted)
		online->unknown = true;
	else if (!arriving && handled)
		online_say(online, "error", ONLINE_SAID, "no event that a "
		    "handler takes is ticked%s",
		    online->vk.group->events != NULL ? ": see `events`" : "");
}

/* VK sends whole events from version 5.81 on. */
static bool
is_outdated(const char *text)
{
	int64_t version = number_version(text);

	return version != 0 && version < 5 * NUMBER_VERSION_MAJOR + 81;
}

static void
check_settings(struct online *online)
{
	struct json_object *settings;
	struct subscriptions subs;
	const char *version;

	if (group_api_settings(&online->vk, online->server_id,
	    &settings) == -1) {
		online_say(online, "error", ONLINE_SAID, "%s",
		    online->vk.error);
		return;
	}
	version = json_get_string(settings, "api_version");
	if (is_outdated(version))
		online_say(online, "error", ONLINE_SETUP, "events come in "
		    "version %.16s of the API, and VK sends a warning in "
		    "place of their object", version);
	else if (strcmp(version, API_VERSION) != 0)
		online_say(online, "warning", ONLINE_SETUP, "events come in "
		    "version %.16s of the API, not %s", version, API_VERSION);
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
	online_say(online, "error", ONLINE_SAID, "%.200s %s (status %ld)",
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
	online_say(online, "error", ONLINE_SAID, "%.200s does not answer: %s%s",
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
		online_say(online, "error", ONLINE_SETUP, "there is no secret "
		    "here yet: each event is refused");
	else if (group->old_secret != NULL &&
	    strcmp(group->old_secret, theirs) == 0)
		online_say(online, "warning", ONLINE_SETUP, "VK still "
		    "has old_secret");
	else
		online_say(online, "error", ONLINE_SETUP, "VK has %s secret: "
		    "each event is refused", *theirs != '\0' ? "another" :
		    "no");
}

void
online_check_server(struct online *online, struct json_object *server)
{
	const char *status = json_get_string(server, "status");

	if (strcmp(status, "ok") != 0) {
		online_say(online, "error", ONLINE_SETUP, "has the status "
		    "%.40s: VK sends it nothing", status);
		return;
	}
	probe(online);
	online_check_secret(online, json_get_string(server, "secret_key"));
	check_settings(online);
}
