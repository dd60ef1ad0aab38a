/* setup.h - a group's callback server at VK, brought to what it should be. */
#ifndef SETUP_H
#define SETUP_H

#include <stdbool.h>
#include <stdint.h>

#include "vk/api.h"
#include "conf/keys.h"

struct conf;
struct conf_group;

struct setup {
	const struct conf *conf;
	const struct conf_group *group;
	const char *url;
	bool dry_run;		/* tells what it would do, does nothing */
	struct keys *keys;
	struct api api;
	int64_t server_id;	/* at VK; 0: none yet */
	int changes;		/* made, or that would be */
};

/*
 * Finds or makes the server and ticks its events. The exit status; what was
 * done and what went wrong is printed, with what to do about it.
 */
int setup_group(struct setup *);

/* Takes the server with this URL away from the group. */
int setup_remove(struct setup *);

#endif
