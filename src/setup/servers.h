/* servers.h - a group's callback servers, as VK lists them. */
#ifndef SERVERS_H
#define SERVERS_H

#include <stdbool.h>

struct json_object;
struct key;

/*
 * The servers in an answer of groups.getCallbackServers, each with an id, a URL
 * and a status. NULL: it is no such answer.
 */
struct json_object *servers_of(struct json_object *response);

/*
 * Is it one for this URL, to the letter, or the one that was kept for it? VK
 * may not give a URL back as it got it. key: what is kept of the group; NULL:
 * nothing.
 */
bool servers_is_ours(struct json_object *server, const char *url,
    const struct key *key);

/*
 * The one to keep of those for this URL: one that is ok rather than one that VK
 * still checks, and that rather than a broken one; of equals the one that
 * is kept. NULL: there is none.
 */
struct json_object *servers_best(struct json_object *servers, const char *url,
    const struct key *key);

enum server_state {	/* from bad to good */
	SERVER_BROKEN,
	SERVER_WAITING,	/* VK has still to check it */
	SERVER_OK,
};

enum server_state servers_state(struct json_object *server);

#endif
