/* parent.h - the parent of the workers: keeps them going, and ends them. */
#ifndef PARENT_H
#define PARENT_H

#include "pool/pool.h"

struct conf;

enum work_until {
	WORK_STOPPED,		/* a service: until it is told to stop */
	WORK_ONCE,		/* until nothing is due */
	WORK_IDLE,		/* until the inbox is empty */
};

/*
 * Takes the configuration over. The exit status, with a line in error, or "",
 * that says why there was no pool.
 */
int work_run(struct conf *, enum work_until, char error[POOL_ERROR_MAX]);

#endif
