/*
 * online.c - asks VK about a group, and its servers about themselves.
 *
 * A question that VK does not answer is a finding of its own; the rest is still
 * asked. Nothing is changed anywhere.
 */
#include "setup/online.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <json-c/json.h>

#include "vk/api.h"
#include "conf/conf.h"
#include "conf/keys.h"
#include "log.h"
#include "report.h"
#include "json/json_get.h"
#include "number.h"
#include "setup/names.h"
#include "vk/http_post.h"
#include "setup/servers.h"
#include "setup/subscriptions.h"

#include "banned.h"

#define CLOCK_OFF_MAX 60	/* seconds */
#define PROBE_MS 10000

struct online {
	const struct conf *conf;
	const struct conf_group *group;
	struct api api;
	int64_t ours;		/* the server that setup made; 0: not known */
	int64_t server_id;	/* the one that is looked at */
	const char *url;	/* of that one */
	bool blind;		/* its servers cannot be asked for */
	int status;
};

static void
online_say(struct online *online, const char *kind, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void
online_say(struct online *online, const char *kind, const char *fmt, ...)
{
	char text[1024];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	printf("%s: group %" PRId64 ": ", kind, online->group->id);
	log_print(stdout, text);
	putchar('\n');
	if (strcmp(kind, "error") == 0)
		online->status = EXIT_ERROR;
}

/* The response, an object; NULL: it was said why there is none. */
static struct json_object *
ask(struct online *online, const char *kind, const char *method,
    struct json_object *params)
{
	struct json_object *response;

	if (api_call(&online->api, method, params, &response) != VKCB_OK) {
		online_say(online, kind, "%s: %s (%d)%s%s", method,
		    online->api.error.message, online->api.error.code,
		    online->api.advice != NULL ? ": " : "",
		    online->api.advice != NULL ? online->api.advice : "");
		return NULL;
	}
	if (json_object_is_type(response, json_type_object))
		return response;
	online_say(online, kind, "%s: " API_NOT_VK, method);
	return NULL;
}

static bool
has_right(struct json_object *permissions, const char *right)
{
	size_t i, n = json_length(permissions);

	for (i = 0; i < n; i++)
		if (strcmp(json_get_string(
			       json_object_array_get_idx(permissions, i),
			       "name"),
			right) == 0)
			return true;
	return false;
}

/* Whether the servers can be asked for. */
static bool
online_check_token(struct online *online)
{
	struct json_object *response, *rights;

	response = ask(online, "error", "groups.getTokenPermissions",
	    VK_NO_PARAMS);
	if (response == NULL)
		return false;
	rights = json_get_array(response, "permissions");
	if (!has_right(rights, "messages"))
		online_say(online, "warning",
		    "the token may not send messages: make "
		    "one with the right to messages, if handlers answer");
	if (has_right(rights, "manage"))
		return true;
	online_say(online, "warning",
	    "the token may not manage the community, so "
	    "whether events can arrive is not known: setup and the checks of "
	    "its servers need a token that may");
	online->blind = true;
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
		online_say(online, "warning", "this machine's clock is %" PRId64
		    " s off VK's: have it set by NTP", off);
}

static void
check_long_poll(struct online *online)
{
	struct json_object *response = ask(online, "warning",
	    "groups.getLongPollSettings", VK_PARAMS("group_id",
	    VK_INT(online->group->id)));

	if (response != NULL && json_object_get_boolean(
	    json_object_object_get(response, "is_enabled")))
		online_say(online, "warning",
		    "Long Poll is switched on too: another "
		    "program may get the same events; switch it off in the "
		    "community's settings unless you use it");
}

/* What a server's flags are like, all in all. */
struct flags {
	struct online *online;
	struct names left_out;	/* that `events` does not name */
	int handled;		/* events that a handler takes */
	int arriving;		/* those of them that are ticked */
};

static void
say_ticked(struct online *online, const struct ticked *event)
{
	bool chosen = online->group->events != NULL;

	if (event->wanted && event->handled)
		online_say(online, "error",
		    "server %" PRId64 ": %s is not ticked: "
		    "its handlers get none; run vkcb setup %.200s",
		    online->server_id, event->name, online->url);
	else if (event->wanted)
		online_say(online, "warning",
		    "server %" PRId64 ": %s is not ticked, "
		    "though `events` names it; run vkcb setup %.200s",
		    online->server_id, event->name, online->url);
	else
		online_say(online, "warning",
		    "server %" PRId64 ": %s is ticked, but "
		    "%s; run vkcb setup %.200s",
		    online->server_id, event->name,
		    chosen ? "`events` does not name it" :
			     "no handler takes it",
		    online->url);
}

static void
check_event(void *arg, const struct ticked *event)
{
	struct flags *flags = arg;

	if (event->on != event->wanted)
		say_ticked(flags->online, event);
	else if (event->handled && !event->on)
		names_add(&flags->left_out, event->name);
	if (event->handled) {
		flags->handled++;
		flags->arriving += event->on;
	}
}

/* A handler's event that VK does not speak of may not be sent. */
static void
online_say_unlisted(void *arg, const char *event)
{
	struct online *online = arg;

	online_say(online, online->group->events != NULL ? "warning" : "error",
	    "server %" PRId64 ": VK lists no event that is called %s%s",
	    online->server_id, event, online->group->events != NULL ?
	    ", which `events` names" : ": its handlers may get none");
}

static void
check_events(struct online *online, struct json_object *settings)
{
	struct flags flags = { .online = online };

	if (!subscription_each(online->group, settings, check_event, &flags)) {
		online_say(online, "error",
		    "server %" PRId64 ": VK lists no events: " API_NOT_VK,
		    online->server_id);
		return;
	}
	subscription_unknown_to_vk(online->group, settings, online_say_unlisted,
	    online);
	if (flags.left_out.n > 0)
		online_say(online, "warning",
		    "server %" PRId64 ": `events` leaves "
		    "out what handlers take, so that they get none: %s",
		    online->server_id, names_text(&flags.left_out));
	if (flags.handled > 0 && flags.arriving == 0)
		online_say(online, "error",
		    "server %" PRId64 ": no event that a "
		    "handler takes is ticked%s",
		    online->server_id,
		    online->group->events != NULL ? ": see `events`" : "");
}

/* Events of versions before 5.81 are not whole. */
static bool
is_outdated(const char *text)
{
	int64_t version = number_version(text);

	return version != 0 && version < 5 * NUMBER_VERSION_MAJOR + 81;
}

static void
check_settings(struct online *online)
{
	struct json_object *response = ask(online, "error",
	    "groups.getCallbackSettings", VK_PARAMS("group_id",
	    VK_INT(online->group->id), "server_id",
	    VK_INT(online->server_id)));
	const char *version;

	if (response == NULL)
		return;
	version = json_get_string(response, "api_version");
	if (is_outdated(version))
		online_say(online, "error",
		    "server %" PRId64 ": events come in "
		    "version %.16s of the API, and VK sends a warning in "
		    "place of their object: run vkcb setup %.200s",
		    online->server_id, version, online->url);
	else if (strcmp(version, API_VERSION) != 0)
		online_say(online, "warning",
		    "server %" PRId64 ": events come in "
		    "version %.16s of the API, not %s: run vkcb setup %.200s",
		    online->server_id, version, API_VERSION, online->url);
	check_events(online, response);
}

static void
judge_answer(struct online *online, const char *url,
    const struct http_post_response *answer)
{
	bool open = online->group->no_secret;

	if (strcmp(answer->body, "Unknown Group") == 0)
		online_say(online, "error",
		    "%.200s is a vkcb that does not know this "
		    "group: it runs with another configuration",
		    url);
	else if (strcmp(answer->body, "Not Configured") == 0)
		online_say(online, "error", "%.200s is a vkcb that has no "
		    "configuration it can read: run vkcb check as the web "
		    "server's user, and see its log", url);
	else if (strcmp(answer->body, "Bad Secret") == 0 && open)
		online_say(online, "error",
		    "%.200s is a vkcb that wants a secret of "
		    "this group: it runs with another configuration",
		    url);
	else if (strcmp(answer->body, open ? "Bad Request" : "Bad Secret") != 0)
		online_say(online, "error",
		    "%.200s answers %ld, and not as a vkcb "
		    "would: the web server does not hand it over",
		    url, answer->status);
}

static const char *
no_answer_words(enum http_post_result result)
{
	return result == POST_NOT_TRUSTED ? ": VK may not trust it either: it "
	    "takes a certificate of a known authority, with those between" :
	    "";
}

/*
 * A vkcb that knows the group refuses this in words that are its own. Of a
 * group without a secret anything whole would be handled: less is posted to it.
 */
static void
probe(struct online *online, const char *url)
{
	struct http_post_response answer;
	enum http_post_result result;
	char body[128];
	struct http_post_request request = {
		.url = url, .body = body, .ca_file = online->conf->ca_file,
		.headers = { "Content-Type: application/json", NULL },
		.connect_ms = PROBE_MS, .total_ms = PROBE_MS,
	};

	request.len = (size_t)snprintf(body, sizeof(body), "{%s\"group_id\":%"
	    PRId64 ",\"secret\":\"-\"}", online->group->no_secret ? "" :
	    "\"type\":\"vkcb_probe\",", online->group->id);
	result = http_post(&request, &answer);
	if (result != POST_ANSWERED) {
		online_say(online, "error", "%.200s does not answer: %s%s", url,
		    answer.why, no_answer_words(result));
		return;
	}
	judge_answer(online, url, &answer);
	free(answer.body);
}

/* Would this secret of VK's be taken here? */
static bool
online_is_secret(const char *ours, const char *theirs)
{
	return ours != NULL && strcmp(ours, theirs) == 0;
}

static void
online_check_secret(struct online *online, struct json_object *server)
{
	const char *theirs = json_get_string(server, "secret_key");
	const struct conf_group *group = online->group;

	if (group->no_secret || online_is_secret(group->secret, theirs))
		return;
	if (group->secret == NULL)
		online_say(online, "error",
		    "server %" PRId64 ": there is no secret "
		    "here yet: each event is refused; run vkcb setup %.200s",
		    online->server_id, online->url);
	else if (online_is_secret(group->old_secret, theirs))
		online_say(online, "warning",
		    "server %" PRId64 ": VK has old_secret "
		    "still: run vkcb setup %.200s",
		    online->server_id, online->url);
	else
		online_say(online, "error",
		    "server %" PRId64 ": VK has %s secret: "
		    "each event is refused; run vkcb setup %.200s",
		    online->server_id, *theirs != '\0' ? "another" : "no",
		    online->url);
}

static void
check_server(struct online *online, struct json_object *server)
{
	const char *status = json_get_string(server, "status");
	const char *url = json_get_string(server, "url");
	char text[256];

	online->server_id = json_get_int64(server, "id");
	online->url = url;
	snprintf(text, sizeof(text), "%.200s: %.40s", url, status);
	printf("server %" PRId64 ": ", online->server_id);
	log_print(stdout, text);
	puts(online->server_id == online->ours ? " (ours)" : "");
	/* What others listen on is their business. */
	if (online->ours != 0 && online->server_id != online->ours)
		return;
	if (strcmp(status, "ok") != 0) {
		online_say(online, "error", "server %" PRId64 " has the status "
		    "%.40s: VK sends it nothing; run vkcb setup %.200s",
		    online->server_id, status, url);
		return;
	}
	probe(online, url);
	online_check_secret(online, server);
	check_settings(online);
}

/* A second server with our URL. One that works setup leaves to people. */
static void
check_others(struct online *online, struct json_object *servers,
    struct json_object *ours, const struct key *key)
{
	const char *url = key != NULL && key->url[0] != '\0' ? key->url :
	    json_get_string(ours, "url");
	size_t i, n = json_length(servers);
	struct json_object *server;

	for (i = 0; i < n; i++) {
		server = json_object_array_get_idx(servers, i);
		if (server == ours || !servers_is_ours(server, url, key))
			continue;
		if (servers_state(server) == SERVER_BROKEN)
			online_say(online, "warning",
			    "server %" PRId64 " has the URL "
			    "of ours too and is broken: run vkcb setup %.200s, "
			    "which removes it",
			    json_get_int64(server, "id"), url);
		else
			online_say(online, "warning",
			    "server %" PRId64 " has the URL "
			    "of ours too: its events come twice or, with "
			    "another secret, are refused: remove it on VK's "
			    "page Settings, API usage, Callback API",
			    json_get_int64(server, "id"));
	}
}

/*
 * Of several servers the one that setup made is meant, or that has our secret.
 * NULL: it cannot be told.
 */
static struct json_object *
our_server(const struct online *online, struct json_object *servers,
    const struct key *key)
{
	size_t i, n = json_length(servers);
	struct json_object *server, *ours = NULL;

	if (key != NULL)
		ours = servers_best(servers, key->url, key);
	for (i = 0; i < n && ours == NULL; i++) {
		server = json_object_array_get_idx(servers, i);
		if (online_is_secret(online->group->secret,
			json_get_string(server, "secret_key")))
			ours = server;
	}
	return ours;
}

static void
check_each(struct online *online, struct json_object *servers,
    const struct key *key)
{
	struct json_object *ours = our_server(online, servers, key);
	size_t i, n = json_length(servers);

	online->ours = ours != NULL ? json_get_int64(ours, "id") : 0;
	if (n == 0)
		online_say(online, "error",
		    "VK has no callback server for it: run "
		    "vkcb setup URL");
	else if (ours == NULL && key != NULL && key->url[0] != '\0') {
		online_say(online, "error",
		    "its callback server at %.200s is gone "
		    "from VK: run vkcb setup %.200s",
		    key->url, key->url);
		online->ours = -1;
	}
	for (i = 0; i < n; i++)
		check_server(online, json_object_array_get_idx(servers, i));
	if (ours != NULL)
		check_others(online, servers, ours, key);
}

static void
check_servers(struct online *online)
{
	struct json_object *response = ask(online, "error",
	    "groups.getCallbackServers", VK_PARAMS("group_id",
	    VK_INT(online->group->id)));
	struct json_object *servers;
	char error[KEYS_ERROR_MAX];
	struct keys keys = { .n = 0 };

	if (response == NULL)
		return;
	servers = servers_of(response);
	if (servers == NULL) {
		online_say(online, "error", "groups.getCallbackServers: "
		    API_NOT_VK);
		return;
	}
	/* One that is none was told of: there would be no configuration. */
	if (online->conf->keys != NULL)
		(void)!keys_read(&keys, online->conf->keys, error);
	check_each(online, servers, keys_find(&keys, online->group->id));
	keys_free(&keys);
}

int
online_check(const struct conf *conf, const struct conf_group *group)
{
	struct online online = { .conf = conf, .group = group };

	api_init(&online.api, conf, group->token, API_PATIENCE_ANSWERING);
	if (online_check_token(&online)) {
		check_servers(&online);
		check_long_poll(&online);
	}
	check_clock(&online);
	api_forget(&online.api);
	if (online.status != EXIT_OK)
		return online.status;
	if (!online.blind)
		online_say(&online, "fine", "events can arrive");
	return EXIT_OK;
}
