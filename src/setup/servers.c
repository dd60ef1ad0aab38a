/*
 * servers.c - which of a group's callback servers is ours.
 *
 * VK's answer is not trusted: an answer of another shape taken for "no servers"
 * would add one more. A URL in another spelling may be another program's: its
 * server taken for ours could be removed.
 */
#include "setup/servers.h"

#include <string.h>

#include <json-c/json.h>

#include "conf/keys.h"
#include "json/tree.h"

#include "banned.h"

struct json_object *
servers_of(struct json_object *response)
{
	struct json_object *items = json_get_array(response, "items"), *item;
	size_t i;

	for (i = 0; i < json_length(items); i++) {
		item = json_object_array_get_idx(items, i);
		if (json_get_int64(item, "id") <= 0 ||
		    *json_get_string(item, "url") == '\0' ||
		    *json_get_string(item, "status") == '\0')
			return NULL;
	}
	return items;
}

enum server_state
servers_state(struct json_object *server)
{
	const char *status = json_get_string(server, "status");

	if (strcmp(status, "ok") == 0)
		return SERVER_OK;
	return strcmp(status, "wait") == 0 ||
	    strcmp(status, "unconfigured") == 0 ? SERVER_WAITING :
	    SERVER_BROKEN;
}

struct json_object *
servers_find(struct json_object *servers, int64_t id)
{
	struct json_object *server;
	size_t i;

	for (i = 0; i < json_length(servers); i++) {
		server = json_object_array_get_idx(servers, i);
		if (json_get_int64(server, "id") == id)
			return server;
	}
	return NULL;
}

static bool
is_stored(struct json_object *server, const struct key *key)
{
	return key != NULL && key->server_id != 0 &&
	    json_get_int64(server, "id") == key->server_id;
}

bool
servers_is_ours(struct json_object *server, const char *url,
    const struct key *key)
{
	return strcmp(json_get_string(server, "url"), url) == 0 ||
	    (is_stored(server, key) && strcmp(key->url, url) == 0);
}

struct json_object *
servers_next_ours(struct json_object *servers, const char *url,
    const struct key *key, enum server_state best, size_t *at)
{
	struct json_object *server;

	while (*at < json_length(servers)) {
		server = json_object_array_get_idx(servers, (*at)++);
		if (servers_is_ours(server, url, key) &&
		    servers_state(server) <= best)
			return server;
	}
	return NULL;
}

static int
rank(struct json_object *server, const struct key *key)
{
	return 2 * (int)servers_state(server) + is_stored(server, key);
}

struct json_object *
servers_best(struct json_object *servers, const char *url,
    const struct key *key)
{
	struct json_object *best = NULL, *server;
	size_t at = 0;

	while ((server = servers_next_ours(servers, url, key, SERVER_OK,
	    &at)) != NULL)
		if (best == NULL || rank(server, key) > rank(best, key))
			best = server;
	return best;
}
