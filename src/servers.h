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
 * Do both lead to one place, although spelt differently? VK may not give a URL
 * back as it got it.
 */
bool servers_same_url(const char *, const char *);

/* Is it one for this URL? key: what is kept of the group; NULL: nothing. */
bool servers_is_ours(struct json_object *server, const char *url,
    const struct key *key);

/*
 * The one to keep of those for this URL: one that is ok rather than one that VK
 * still checks, and that rather than a broken one; of equals the one that
 * is kept. NULL: there is none.
 */
struct json_object *servers_best(struct json_object *servers, const char *url,
    const struct key *key);

bool servers_is_ok(struct json_object *server);

/* Has VK still to check it? */
bool servers_is_waiting(struct json_object *server);

#endif
