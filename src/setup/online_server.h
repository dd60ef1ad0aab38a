/* online_server.h - one server under `vkcb check --online`. */
#ifndef ONLINE_SERVER_H
#define ONLINE_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "setup/group_api.h"

struct online {
	struct group_api vk;
	int64_t ours;		/* the server that setup made; 0: not known */
	int64_t server_id;	/* the one that is checked; 0: none */
	const char *url;	/* of that one */
	bool unknown;		/* whether events can arrive */
	int result;		/* -1: they cannot */
};

/*
 * Prints a finding on the group, or on the server that is checked. An "error"
 * makes the result -1.
 */
void online_say(struct online *, const char *kind, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* The same with the advice to run setup for the server. */
void online_say_setup(struct online *, const char *kind, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Is this secret of VK's our one? */
bool online_is_secret(const char *ours, const char *theirs);

/* Shows a server, and checks it unless it is another program's. */
void online_check_server(struct online *, struct json_object *server);

#endif
