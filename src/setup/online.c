/*
 * online.c - asks VK about a group: its token, servers, Long Poll, the clock.
 *
 * A question that VK does not answer is a finding of its own; the rest is still
 * asked. Nothing is changed anywhere.
 */
#include "setup/online.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <json-c/json.h>

#include "conf/conf.h"
#include "conf/keys.h"
#include "json/json_get.h"
#include "log.h"
#include "setup/online_server.h"
#include "setup/servers.h"

#include "banned.h"

#define CLOCK_OFF_MAX 60	/* seconds */

static void
online_print(struct online *online, const char *kind, bool setup,
    const char *fmt, va_list args)
{
	char text[1024];

	vsnprintf(text, sizeof(text), fmt, args);
	printf("%s: group %" PRId64 ": ", kind, online->vk.group->id);
	if (online->server_id != 0)
		printf("server %" PRId64 ": ", online->server_id);
	log_print(stdout, text);
	if (setup) {
		snprintf(text, sizeof(text), "; run vkcb setup %s",
		    online->url);
		log_print(stdout, text);
	}
	putchar('\n');
	if (strcmp(kind, "error") == 0)
		online->result = -1;
}

void
online_say(struct online *online, const char *kind, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	online_print(online, kind, false, fmt, args);
	va_end(args);
}

void
online_say_setup(struct online *online, const char *kind, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	online_print(online, kind, true, fmt, args);
	va_end(args);
}

bool
online_is_secret(const char *ours, const char *theirs)
{
	return ours != NULL && strcmp(ours, theirs) == 0;
}

static bool
has_right(struct json_object *permissions, const char *right)
{
	struct json_object *permission;
	size_t i;

	for (i = 0; i < json_length(permissions); i++) {
		permission = json_object_array_get_idx(permissions, i);
		if (strcmp(json_get_string(permission, "name"), right) == 0)
			return true;
	}
	return false;
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
	if (!has_right(rights, "messages"))
		online_say(online, "warning", "the token may not send "
		    "messages: make one with the right to messages, if "
		    "handlers answer");
	if (has_right(rights, "manage"))
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
		online_say(online, "warning", "this machine's clock is %" PRId64
		    " s off VK's: have it set by NTP", off);
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

/* Setup removes a broken server with our URL; a working one is for people. */
static void
check_others(struct online *online, struct json_object *servers,
    struct json_object *ours, const struct key *key)
{
	const char *url = key != NULL && key->url[0] != '\0' ? key->url :
	    json_get_string(ours, "url");
	struct json_object *server;
	size_t at = 0;

	while ((server = servers_next_ours(servers, url, key, SERVER_OK,
	    &at)) != NULL) {
		if (server == ours)
			continue;
		online->server_id = json_get_int64(server, "id");
		online->url = url;
		if (servers_state(server) == SERVER_BROKEN)
			online_say_setup(online, "warning", "has the URL of "
			    "ours too and is broken");
		else
			online_say(online, "warning", "has the URL of ours "
			    "too: its events come twice or, with another "
			    "secret, are refused: remove it on VK's page "
			    "Settings, API usage, Callback API");
	}
}

/* The server that setup made, else one with our secret; NULL: not known. */
static struct json_object *
our_server(const struct online *online, struct json_object *servers,
    const struct key *key)
{
	struct json_object *server, *ours = NULL;
	size_t i;

	if (key != NULL)
		ours = servers_best(servers, key->url, key);
	for (i = 0; ours == NULL && i < json_length(servers);
	    i++) {
		server = json_object_array_get_idx(servers, i);
		if (online_is_secret(online->vk.group->secret,
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
		online_say(online, "error", "VK has no callback server for "
		    "it: run vkcb setup URL");
	else if (ours == NULL && key != NULL && key->url[0] != '\0') {
		online_say(online, "error", "its callback server at %.200s is "
		    "gone from VK: run vkcb setup %.200s", key->url, key->url);
		online->ours = -1;
	}
	for (i = 0; i < n; i++)
		online_check_server(online,
		    json_object_array_get_idx(servers, i));
	if (ours != NULL)
		check_others(online, servers, ours, key);
	online->server_id = 0;
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
	struct online online = { .result = 0 };

	group_api_init(&online.vk, conf, group, API_PATIENCE_ANSWERING);
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
