/*
 * servers.c - which of a group's callback servers is ours.
 *
 * Nothing of VK's answer is trusted: one of another shape is none, since to
 * take it for "no servers" would add one more. A URL that is spelt differently
 * may be another program's: to take it for ours could remove its server.
 */
#include "setup/servers.h"

#include <string.h>

#include <json-c/json.h>

#include "conf/keys.h"
#include "json/json_get.h"

#include "banned.h"

struct json_object *
servers_of(struct json_object *response)
{
	struct json_object *items = json_get_array(response, "items"), *item;
	size_t i, n = json_length(items);

	for (i = 0; i < n; i++) {
		item = json_object_array_get_idx(items, i);
		if (json_get_int64(item, "id") <= 0 ||
		    *json_get_string(item, "url") == '\0' ||
		    *json_get_string(item, "status") == '\0')
			return NULL;
	}
	return items;
}

static bool
is_kept(struct json_object *server, const struct key *key)
{
	return key != NULL && key->server_id != 0 &&
	    json_get_int64(server, "id") == key->server_id;
}

bool
servers_is_ours(struct json_object *server, const char *url,
    const struct key *key)
{
	return strcmp(json_get_string(server, "url"), url) == 0 ||
	    (is_kept(server, key) && strcmp(key->url, url) == 0);
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

static int
rank(struct json_object *server, const struct key *key)
{
	return 2 * (int)servers_state(server) + is_kept(server, key);
}

struct json_object *
servers_best(struct json_object *servers, const char *url,
    const struct key *key)
{
	struct json_object *best = NULL, *server;
	size_t i, n = json_length(servers);

	for (i = 0; i < n; i++) {
		server = json_object_array_get_idx(servers, i);
		if (servers_is_ours(server, url, key) && (best == NULL ||
		    rank(server, key) > rank(best, key)))
			best = server;
	}
	return best;
}
