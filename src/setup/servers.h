/* servers.h - a group's callback servers, as VK lists them. */
#ifndef SERVERS_H
#define SERVERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json_object;
struct key;

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
