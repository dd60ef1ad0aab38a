/* online.h - `vkcb check --online`: what VK says of a group and its servers. */
#ifndef ONLINE_H
#define ONLINE_H

#include <stdbool.h>
#include <stdint.h>

#include "setup/group_api.h"

/*
 * Prints each finding with what to do about it. 0, or -1: something keeps
 * events from arriving.
 */
int online_check(const struct conf *, const struct conf_group *);

/* For src/setup/online*.c alone: a group under check. */
struct online {
	struct group_api vk;
	int64_t server_id;	/* the server that is checked; 0: none */
	const char *url;	/* of that server */
	bool unknown;		/* whether events can arrive */
	int result;		/* -1: they cannot */
};

/*
 * Prints a finding on the group, or on the server that is checked. An "error"
 * makes the result -1. With ONLINE_SETUP the advice is to run setup.
 */
enum online_advice { ONLINE_SAID, ONLINE_SETUP };
void online_say(struct online *, const char *kind, enum online_advice,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* Checks a server: where its URL leads, its secret, its events. */
void online_check_server(struct online *, struct json_object *server);

#endif
