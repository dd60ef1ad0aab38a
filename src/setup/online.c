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
#include "json/tree.h"
#include "log.h"
#include "setup/servers.h"
#include "setup/subscriptions.h"

#include "banned.h"

#define CLOCK_OFF_MAX 60	/* seconds */

void
online_say(struct online *online, const char *kind, enum online_advice advice,
    const char *fmt, ...)
{
	char text[SUBSCRIPTIONS_LIST_MAX + 256];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	printf("%s: group %" PRId64 ": ", kind, online->vk.group->id);
	if (online->server_id != 0)
		printf("server %" PRId64 ": ", online->server_id);
	log_print(stdout, text);
	if (advice == ONLINE_SETUP) {
		printf("; run vkcb setup ");
		log_print(stdout, online->url);
	}
	putchar('\n');
	if (strcmp(kind, "error") == 0)
		online->result = -1;
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
		online_say(online, "error", ONLINE_SAID, "%s",
		    online->vk.error);
		return false;
	}
	rights = json_get_array(response, "permissions");
	if (!has_right(rights, "messages"))
		online_say(online, "warning", ONLINE_SAID, "the token may not "
		    "send messages: make one with the right to messages, if "
		    "handlers answer");
	if (has_right(rights, "manage"))
		return true;
	online_say(online, "warning", ONLINE_SAID, "the token may not manage "
	    "the community, so whether events can arrive is not known: setup "
	    "and the checks of its servers need a token that may");
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
		online_say(online, "warning", ONLINE_SAID, "this machine's "
		    "clock is %" PRId64 " s off VK's: have it set by NTP",
		    off);
}

static void
check_long_poll(struct online *online)
{
	struct json_object *response;

	if (group_api_call(&online->vk, "groups.getLongPollSettings",
	    GROUP_ID(&online->vk), &response) == -1)
		online_say(online, "warning", ONLINE_SAID, "%s",
		    online->vk.error);
	else if (json_object_get_boolean(json_object_object_get(response,
	    "is_enabled")))
		online_say(online, "warning", ONLINE_SAID, "Long Poll is "
		    "switched on too: another program may get the same "
		    "events; switch it off in the community's settings unless "
		    "you use it");
}

/* The server that setup made, else one with our secret; NULL: not known. */
static struct json_object *
our_server(const struct conf_group *group, struct json_object *servers,
    const struct key *key)
{
	struct json_object *server, *ours = NULL;
	size_t i;

	if (key != NULL)
		ours = servers_best(servers, key->url, key);
	for (i = 0; ours == NULL && group->secret != NULL &&
	    i < json_length(servers); i++) {
		server = json_object_array_get_idx(servers, i);
		if (strcmp(json_get_string(server, "secret_key"),
		    group->secret) == 0)
			ours = server;
	}
	return ours;
}

static void
show_server(const struct online *online, struct json_object *server, bool ours)
{
	char text[256];

	snprintf(text, sizeof(text), "%.200s: %.40s", online->url,
	    json_get_string(server, "status"));
	printf("server %" PRId64 ": ", online->server_id);
	log_print(stdout, text);
	puts(ours ? " (ours)" : "");
}

/* Setup removes a broken server with our URL; a working one is for people. */
static void
warn_of_other(struct online *online, struct json_object *server)
{
	if (servers_state(server) == SERVER_BROKEN)
		online_say(online, "warning", ONLINE_SETUP, "has our server's "
		    "URL too and is broken");
	else
		online_say(online, "warning", ONLINE_SAID, "has our server's "
		    "URL too: its events come twice or, with another secret, "
		    "are refused: remove it on VK's page Settings, API usage, "
		    "Callback API");
}

static void
check_each(struct online *online, struct json_object *servers,
    const struct key *key)
{
	const struct conf_group *group = online->vk.group;
	struct json_object *ours = our_server(group, servers, key), *server;
	bool stored = key != NULL && key->url[0] != '\0';
	const char *url = stored ? key->url : json_get_string(ours, "url");
	size_t i;

	if (json_length(servers) == 0)
		online_say(online, "error", ONLINE_SAID, "VK has no callback "
		    "server for it: run vkcb setup URL");
	else if (ours == NULL && stored)
		online_say(online, "error", ONLINE_SAID, "its callback server "
		    "at %.200s is gone from VK: run vkcb setup %.200s", url,
		    url);
	for (i = 0; i < json_length(servers); i++) {
		server = json_object_array_get_idx(servers, i);
		online->server_id = json_get_int64(server, "id");
		online->url = json_get_string(server, "url");
		show_server(online, server, server == ours);
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
		online_say(online, "error", ONLINE_SAID, "%s",
		    online->vk.error);
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
		online_say(&online, "fine", ONLINE_SAID, "events can arrive");
	return online.result;
}
