/*
 * pool.h - the worker pool of an inbox: at most one runs per inbox. Three bytes
 * of PATH-lock are its locks; pool.c says which.
 */
#ifndef POOL_H
#define POOL_H

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

#define POOL_ERROR_MAX 512

struct pool {
	char inbox[PATH_MAX];
	char path[PATH_MAX];	/* the inbox's, with -lock */
	int running;		/* shared by the parent and its workers */
	int accepting;		/* the parent's */
	dev_t device;		/* of the file */
	ino_t inode;
};

enum pool_entry {
	POOL_ENTERED,
	POOL_ALREADY_RUNNING,
	POOL_FAILED,
};

/*
 * Becomes the pool of this inbox. A pool that is leaving is waited for; a
 * service waits also for a pool that an event started, which leaves for it.
 * error says why not, unless ENTERED.
 */
enum pool_entry pool_enter(struct pool *, const char *inbox, bool service,
    char error[POOL_ERROR_MAX]);

/* Responders start another pool from now on: look into the inbox after this. */
void pool_stop_accepting(struct pool *);

/* False: another pool accepts events by now. */
bool pool_accept_again(struct pool *) __attribute__((warn_unused_result));

/* Does a service run or wait? */
bool pool_has_service(const struct pool *);

/* Is the lock still beside the inbox? Else both were moved or deleted. */
bool pool_is_valid(const struct pool *);

/* Makes this process a worker: its children shall not count as workers. */
void pool_begin_worker(struct pool *);

/* Does this worker still have its descriptor of the lock? */
bool pool_is_open(const struct pool *);

/* Does a pool accept events of this inbox? */
bool pool_is_there(const char *inbox);

/*
 * Keeps a pool from beginning until this descriptor is closed; -1: one runs,
 * or none ever did.
 */
int pool_lock_out(const char *inbox);

#endif
