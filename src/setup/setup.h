/* setup.h - a group's callback server at VK, brought to what it should be. */
#ifndef SETUP_H
#define SETUP_H

#include <stdbool.h>
#include <stdint.h>

#include "conf/keys.h"
#include "setup/group_api.h"
#include "setup/servers.h"

struct setup {
	struct group_api vk;
	const char *url;
	bool dry_run;		/* tells what it would do, does nothing */
	struct keys *keys;
	int64_t server_id;	/* at VK; 0: none yet */
	int changes;		/* made, or that would be */
};

/*
 * Finds or makes the server and ticks its events, and prints each change. 0,
 * or -1 and vk.error says what went wrong and what to do.
 */
int setup_group(struct setup *);

/* Removes the servers with this URL from the group. 0, or -1 as above. */
int setup_remove(struct setup *);

/*
 * The steps of setup, for src/setup/setup*.c alone; they return as above. In a
 * dry run they announce what they would do.
 */

/*
 * Prints a line. A change is counted, and stands after "would: " in a dry run;
 * false: it is not to be made.
 */
bool setup_print(struct setup *, bool change, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
#define setup_note(setup, ...) ((void)setup_print(setup, false, __VA_ARGS__))
#define setup_announce(setup, ...) setup_print(setup, true, __VA_ARGS__)

/* setup_server.c: finds, mends or adds the server. */
int setup_bring_server(struct setup *);

/* Removes our servers in this state or a worse one, called `which`. */
int setup_remove_servers(struct setup *, enum server_state, const char *which);

/* setup_events.c: ticks the wanted events, and no others. */
int setup_tick_events(struct setup *);

#define SETUP_SECRET_MAX 33

/* setup_key.c: the group's part of the keys file; NULL: none. */
const struct key *setup_key(const struct setup *);

/* The secret in force: vkcb.conf's, else the stored one, else "". */
const char *setup_secret(const struct setup *);
bool setup_secret_is_from_conf(const struct setup *);

/*
 * The secret in force, or else a new one in `fresh`; "" if the group has
 * `secret = none`. NULL for -1 above.
 */
const char *setup_choose_secret(struct setup *, char fresh[SETUP_SECRET_MAX]);

/* Stores these, where not NULL, and the server's id and URL. */
int setup_store(struct setup *, const char *secret, const char *confirmation);

/*
 * Stores VK's confirmation string and this secret (NULL: as it is), so that a
 * responder finds both before VK asks. A configuration with another string is
 * an error before anything is changed.
 */
int setup_store_confirmation(struct setup *, const char *secret);

#endif
