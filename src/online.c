/*
 * online.c - asks VK about a group, and its servers about themselves.
 *
 * A question that VK does not answer is a finding of its own; the rest is still
 * asked. Nothing is changed anywhere.
 */
#include "online.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <json-c/json.h>

#include "api.h"
#include "command.h"
#include "conf.h"
#include "keys.h"
#include "log.h"
#include "member.h"
#include "post.h"
#include "ticked.h"

#include "banned.h"

#define CLOCK_OFF_MAX 60	/* seconds */
#define PROBE_MS 10000

struct online {
	const struct conf *conf;
	const struct conf_group *group;
	struct api api;
	int64_t ours;		/* the server that setup made; 0: not known */
	int64_t server_id;	/* the one that is looked at */
	int status;
};

static void
say(struct online *online, const char *kind, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void
say(struct online *online, const char *kind, const char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	printf("%s: group %" PRId64 ": ", kind, online->group->id);
	log_print(stdout, text);
	putchar('\n');
	if (strcmp(kind, "error") == 0)
		online->status = EXIT_PROBLEM;
}

/* The response, an object; NULL: it was said why there is none. */
static struct json_object *
ask(struct online *online, const char *method, struct json_object *params)
{
	struct json_object *response;

	if (api_call(&online->api, method, params, &response) != VKCB_OK) {
		say(online, "error", "%s: %s (%d)%s%s", method,
		    online->api.error.message, online->api.error.code,
		    online->api.advice != NULL ? ": " : "",
		    online->api.advice != NULL ? online->api.advice : "");
		return NULL;
	}
	if (json_object_is_type(response, json_type_object))
		return response;
	say(online, "error", "%s: an answer that is not VK's: check api_url",
	    method);
	return NULL;
}

static bool
has_right(struct json_object *permissions, const char *right)
{
	size_t i, n = member_count(permissions);

	for (i = 0; i < n; i++)
		if (strcmp(member_text(json_object_array_get_idx(permissions,
		    i), "name"), right) == 0)
			return true;
	return false;
}

/* Whether the token is good at all: without that, nothing more is asked. */
static bool
check_token(struct online *online)
{
	struct json_object *response, *rights;

	response = ask(online, "groups.getTokenPermissions", VK_NO_PARAMS);
	if (response == NULL)
		return false;
	rights = member_list(response, "permissions");
	if (!has_right(rights, "messages"))
		say(online, "warning", "the token may not send messages: make "
		    "one with the right to messages, if handlers answer");
	if (has_right(rights, "manage"))
		return true;
	say(online, "warning", "the token may not manage the community: setup "
	    "and the checks of its servers need a token that may");
	return false;
}

static void
check_clock(struct online *online)
{
	struct json_object *response;
	int64_t off;

	if (api_call(&online->api, "utils.getServerTime", VK_NO_PARAMS,
	    &response) != VKCB_OK ||
	    !json_object_is_type(response, json_type_int))
		return;
	off = (int64_t)time(NULL) - json_object_get_int64(response);
	if (off > CLOCK_OFF_MAX || off < -CLOCK_OFF_MAX)
		say(online, "warning", "this machine's clock is %" PRId64
		    " s off VK's: have it set by NTP", off);
}

static void
check_long_poll(struct online *online)
{
	struct json_object *response = ask(online, "groups.getLongPollSettings",
	    VK_PARAMS("group_id", VK_INT(online->group->id)));

	if (response != NULL && json_object_get_boolean(
	    json_object_object_get(response, "is_enabled")))
		say(online, "warning", "Long Poll is switched on too: another "
		    "program may get the same events; switch it off in the "
		    "community's settings unless you use it");
}

static void
say_ticked(void *arg, const char *event, bool wanted)
{
	struct online *online = arg;

	if (wanted)
		say(online, "error", "server %" PRId64 ": %s is not ticked: "
		    "its handlers get none; run vkcb setup", online->server_id,
		    event);
	else
		say(online, "warning", "server %" PRId64 ": %s is ticked, but "
		    "no handler takes it; run vkcb setup", online->server_id,
		    event);
}

static void
check_settings(struct online *online)
{
	struct json_object *response = ask(online, "groups.getCallbackSettings",
	    VK_PARAMS("group_id", VK_INT(online->group->id), "server_id",
	    VK_INT(online->server_id)));

	if (response == NULL)
		return;
	if (strcmp(member_text(response, "api_version"), API_VERSION) != 0)
		say(online, "warning", "server %" PRId64 ": events come in "
		    "version %.16s of the API, not %s: run vkcb setup",
		    online->server_id, member_text(response, "api_version"),
		    API_VERSION);
	ticked_compare(online->group, response, say_ticked, online);
}

/*
 * A vkcb that knows the group refuses this in words that are its own. Of a
 * group without a secret anything whole would be handled: less is posted to it.
 */
static void
probe(struct online *online, const char *url)
{
	bool open = online->group->open;
	struct post_answer answer;
	char body[128];
	struct post_request request = {
		.url = url, .body = body, .ca_file = online->conf->ca_file,
		.headers = { "Content-Type: application/json", NULL },
		.connect_ms = PROBE_MS, .total_ms = PROBE_MS,
	};

	request.len = (size_t)snprintf(body, sizeof(body), "{%s\"group_id\":%"
	    PRId64 ",\"secret\":\"-\"}", open ? "" :
	    "\"type\":\"vkcb_probe\",", online->group->id);
	if (post(&request, &answer) != POST_ANSWERED) {
		say(online, "error", "%.200s does not answer: %s", url,
		    answer.why);
		return;
	}
	if (strcmp(answer.body, "Unknown Group") == 0)
		say(online, "error", "%.200s is a vkcb that does not know this "
		    "group: it runs with another configuration", url);
	else if (strcmp(answer.body, open ? "Bad Request" : "Bad Secret") != 0)
		say(online, "error", "%.200s answers %ld, and not as a vkcb "
		    "would: the web server does not hand it over", url,
		    answer.status);
	free(answer.body);
}

static void
check_server(struct online *online, struct json_object *server)
{
	const char *status = member_text(server, "status");
	const char *url = member_text(server, "url");
	char text[256];

	online->server_id = member_int(server, "id");
	snprintf(text, sizeof(text), "%.200s: %.40s", url, status);
	printf("server %" PRId64 ": ", online->server_id);
	log_print(stdout, text);
	puts(online->server_id == online->ours ? " (ours)" : "");
	/* What others listen on is their business. */
	if (online->ours != 0 && online->server_id != online->ours)
		return;
	if (strcmp(status, "ok") != 0) {
		say(online, "error", "server %" PRId64 " has the status "
		    "%.40s: VK sends it nothing; run vkcb setup %.200s",
		    online->server_id, status, url);
		return;
	}
	probe(online, url);
	check_settings(online);
}

static bool
has_server(struct json_object *items, int64_t id)
{
	size_t i, n = member_count(items);

	for (i = 0; i < n; i++)
		if (member_int(json_object_array_get_idx(items, i), "id") ==
		    id)
			return true;
	return false;
}

/* Of several servers, the one that setup made is meant. */
static int64_t
our_server(const struct online *online, struct json_object *items)
{
	char error[KEYS_ERROR_MAX];
	const struct key *key;
	struct keys keys;
	int64_t id = 0;

	if (online->conf->keys == NULL ||
	    keys_read(&keys, online->conf->keys, error) == -1)
		return 0;
	key = keys_find(&keys, online->group->id);
	if (key != NULL && has_server(items, key->server_id))
		id = key->server_id;
	keys_free(&keys);
	return id;
}

static void
check_servers(struct online *online)
{
	struct json_object *response = ask(online, "groups.getCallbackServers",
	    VK_PARAMS("group_id", VK_INT(online->group->id)));
	struct json_object *items, *item;
	size_t i, n;

	if (response == NULL)
		return;
	items = member_list(response, "items");
	n = member_count(items);
	online->ours = our_server(online, items);
	if (n == 0)
		say(online, "error", "VK has no callback server for it: run "
		    "vkcb setup URL");
	for (i = 0; i < n; i++) {
		item = json_object_array_get_idx(items, i);
		if (json_object_is_type(item, json_type_object))
			check_server(online, item);
	}
}

int
online_check(const struct conf *conf, const struct conf_group *group)
{
	struct online online = { .conf = conf, .group = group };

	api_init(&online.api, conf, group->token, API_PATIENCE_ANSWERING);
	if (check_token(&online)) {
		check_servers(&online);
		check_long_poll(&online);
	}
	check_clock(&online);
	api_forget(&online.api);
	if (online.status == EXIT_FINE)
		say(&online, "fine", "events can arrive");
	return online.status;
}
