/* setup.h - a group's callback server at VK, brought to what it should be. */
#ifndef SETUP_H
#define SETUP_H

#include <stdbool.h>
#include <stdint.h>

#include "conf/keys.h"
#include "setup/group_api.h"

struct setup {
	struct group_api vk;
	const char *url;
	bool dry_run;		/* tells what it would do, does nothing */
	bool remove;		/* takes the servers with this URL away */
	int64_t group_id;	/* this group alone; 0: all with a token */
	struct keys keys;
	int64_t server_id;	/* at VK; 0: none yet */
	int changes;		/* made, or that would be */
};

/*
 * Finds or makes the group's server and ticks its events, or removes it, and
 * prints each change. 0, or -1 and vk.error says what went wrong and what to
 * do.
 */
int setup_group(struct setup *, const struct conf_group *);

/*
 * online.c: prints each finding with what to do about it. 0, or -1: something
 * keeps events from arriving.
 */
int online_check(const struct conf *, const struct conf_group *);

#endif
