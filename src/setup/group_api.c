/*
 * group_api.c - a call that fails is put into words, with what to do.
 *
 * A response of another shape than VK's is an error, never an empty one.
 */
#include "setup/group_api.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <json-c/json.h>

#include "conf/conf.h"
#include "setup/servers.h"

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
