/*
 * group_api.c - calls of VK for a group, and which callback server is ours.
 *
 * A call that fails is put into words, with what to do. A response of another
 * shape than VK's is an error, never an empty one: taken for "no servers" it
 * would add one more. A URL in another spelling may be another program's: its
 * server taken for ours could be removed.
 */
#include "setup/group_api.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <json-c/json.h>

#include "conf/conf.h"
#include "conf/keys.h"
#include "json/tree.h"

#include "banned.h"

#undef group_api_fail
int
group_api_fail(struct group_api *vk, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(vk->error, sizeof(vk->error), fmt, args);
	va_end(args);
	return -1;
}
#define group_api_fail(...) FAILED(-1, group_api_fail(__VA_ARGS__))

/* Error 100 (a wrong parameter) means another thing for each method. */
static const char *
advice_on(const struct api *api, const char *method, enum vkcb_outcome outcome)
{
	if (api->advice != NULL)
		return api->advice;
	if (api->error.code == 100 &&
	    (strcmp(method, "groups.addCallbackServer") == 0 ||
	    strcmp(method, "groups.editCallbackServer") == 0))
		return "check that the URL is public and leads to this vkcb";
	if (api->error.code == 100 && strcmp(method, "groups.getById") == 0)
		return "is it a community's token, and not a user's?";
	return outcome == VKCB_FAIL ? "try again later" : NULL;
}

int
group_api_call(struct group_api *vk, const char *method,
    struct json_object *params, struct json_object **response)
{
	const struct api *api = &vk->api;
	enum vkcb_outcome outcome = api_call(&vk->api, method, params,
	    response);
	const char *advice;

	if (outcome != VKCB_OK) {
		advice = advice_on(api, method, outcome);
		return group_api_fail(vk, "%s: %s (%d)%s%s", method,
		    api->error.message, api->error.code,
		    advice != NULL ? ": " : "", advice != NULL ? advice : "");
	}
	if (response == NULL ||
	    json_object_is_type(*response, json_type_object))
		return 0;
	return group_api_fail(vk, "%s: " API_NOT_VK, method);
}

struct json_object *
servers_of(struct json_object *response)
{
	struct json_object *items = json_get_array(response, "items"), *item;
	size_t i;

	for (i = 0; items != NULL && i < json_object_array_length(items); i++) {
		item = json_element(items, i);
		if (vk_get_int(item, "id") <= 0 ||
		    *vk_get_str(item, "url") == '\0' ||
		    *vk_get_str(item, "status") == '\0')
			return NULL;
	}
	return items;
}

int
group_api_servers(struct group_api *vk, struct json_object **servers)
{
	struct json_object *response;

	if (group_api_call(vk, "groups.getCallbackServers", GROUP_ID(vk),
	    &response) == -1)
		return -1;
	*servers = servers_of(response);
	return *servers != NULL ? 0 : group_api_fail(vk,
	    "groups.getCallbackServers: " API_NOT_VK);
}

enum server_state
servers_state(struct json_object *server)
{
	const char *status = vk_get_str(server, "status");

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

	for (i = 0; (server = json_element(servers, i)) != NULL; i++)
		if (vk_get_int(server, "id") == id)
			break;
	return server;
}

static bool
is_stored(struct json_object *server, const struct key *key)
{
	return key != NULL && key->server_id != 0 &&
	    vk_get_int(server, "id") == key->server_id;
}

bool
servers_is_ours(struct json_object *server, const char *url,
    const struct key *key)
{
	return strcmp(vk_get_str(server, "url"), url) == 0 ||
	    (is_stored(server, key) && strcmp(key->url, url) == 0);
}

struct json_object *
servers_next_ours(struct json_object *servers, const char *url,
    const struct key *key, enum server_state best, size_t *at)
{
	struct json_object *server;

	while ((server = json_element(servers, (*at)++)) != NULL)
		if (servers_is_ours(server, url, key) &&
		    servers_state(server) <= best)
			break;
	return server;
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
