/* group_api.h - VK's methods on a group, for setup and `check --online`. */
#ifndef GROUP_API_H
#define GROUP_API_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "report.h"
#include "vk/api.h"

struct conf;
struct conf_group;
struct json_object;
struct key;

struct group_api {
	const struct conf *conf;
	const struct conf_group *group;
	struct api api;
	char error[1024];	/* why the last step failed, and what to do */
};

/* The parameters of a method, with the group's id. */
#define GROUP_PARAMS(vk, ...) \
	VK_PARAMS("group_id", VK_INT((vk)->group->id), __VA_ARGS__)
#define GROUP_ID(vk) VK_PARAMS("group_id", VK_INT((vk)->group->id))

/* Puts the reason of a failure into error; returns -1. */
int group_api_fail(struct group_api *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
#define group_api_fail(...) FAILED(-1, group_api_fail(__VA_ARGS__))

/*
 * Calls a method; params are taken over. *response (may be NULL) is an object
 * and lives until api_forget(). 0, or -1.
 */
int group_api_call(struct group_api *, const char *method,
    struct json_object *params, struct json_object **response)
    __attribute__((warn_unused_result));

/* The group's callback servers, as servers_of() has checked them. */
int group_api_servers(struct group_api *, struct json_object **servers)
    __attribute__((warn_unused_result));

enum server_state {	/* from bad to good */
	SERVER_BROKEN,
	SERVER_WAITING,	/* VK has still to check it */
	SERVER_OK,
};

/*
 * The servers in an answer of groups.getCallbackServers, each with an id, a URL
 * and a status. NULL: the answer has another shape.
 */
struct json_object *servers_of(struct json_object *response);

enum server_state servers_state(struct json_object *server);

/* The server with this id; NULL: none. */
struct json_object *servers_find(struct json_object *servers, int64_t id);

/*
 * A server is ours if it has exactly this URL, or if it is the one stored for
 * this URL: VK may list a URL in another spelling. key: the group's part of the
 * keys file, NULL if it has none.
 */
bool servers_is_ours(struct json_object *server, const char *url,
    const struct key *key);

/* From *at on, our next server in this state or a worse one. NULL: none. */
struct json_object *servers_next_ours(struct json_object *servers,
    const char *url, const struct key *key, enum server_state, size_t *at);

/* The best of our servers: by state, then the stored one. NULL: none. */
struct json_object *servers_best(struct json_object *servers, const char *url,
    const struct key *key);

#endif
