/* private.h - shared by the files of the pool. */
#ifndef POOL_PRIVATE_H
#define POOL_PRIVATE_H

#include "pool/pool.h"

/* ms of errors, after which only services stay */
#define TROUBLE_MAX 30000

struct pool {
	enum work_until until;
	struct program program;
	char inbox[PATH_MAX];
	char path[PATH_MAX];	/* the inbox's, with -lock */
	int running;		/* shared by the parent and its workers */
	int accepting;		/* the parent's */
	dev_t device;		/* of the file */
	ino_t inode;
};

/*
 * Becomes the pool of this inbox. A pool that is leaving is waited for; a
 * service waits also for a pool that an event started, which leaves for it.
 * 1; 0: another pool runs; -1, with one line in error.
 */
int pool_enter(struct pool *, const char *inbox, char error[POOL_ERROR_MAX]);

/* Responders start another pool from now on: look into the inbox after this. */
void pool_stop_accepting(struct pool *);

/* Does a service run or wait? */
bool pool_has_service(const struct pool *);

/* Is the lock still beside the inbox? Else both were moved or deleted. */
bool pool_is_valid(const struct pool *);

/* Makes this process a worker: its children shall not count as workers. */
void pool_begin_worker(struct pool *);

/* Does this worker still have its descriptor of the lock? */
bool pool_is_open(const struct pool *);

/* A status is the worker's own word only if the worker holds no task. */
enum worker_status {
	WORKER_LEFT = 0,
	WORKER_IN_TROUBLE = 120,	/* for TROUBLE_MAX */
	WORKER_FDS_CLOSED = 121,	/* the handler closed what it needs */
	WORKER_NOT_BEGUN = 122,		/* out of descriptors, timers, memory */
};

/*
 * Runs handlers for events of the inbox, as worker 1, 2, ..., until it is told
 * to stop; takes the configuration over. The exit status of the process.
 */
int worker_run(struct pool *, struct conf *, int number, pid_t parent);

#endif
