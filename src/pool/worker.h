/* worker.h - a process that runs handlers for events of the inbox. */
#ifndef WORKER_H
#define WORKER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* ms of errors, after which only services stay */
#define WORKER_TROUBLE_MAX 30000

/* A status is the worker's own word only if the worker holds no task. */
enum worker_status {
	WORKER_LEFT = 0,
	WORKER_FAILED = 1,
	WORKER_IN_TROUBLE = 120,	/* for WORKER_TROUBLE_MAX */
	WORKER_FDS_CLOSED = 121,	/* the handler closed what it needs */
};

struct conf;
struct pool;
struct program;

struct worker {
	struct conf *conf;		/* taken over */
	struct pool *pool;
	const struct program *program;
	int number;			/* 1, 2, ... */
	pid_t parent;
	bool once;			/* leave when nothing is due */
	bool until_idle;		/* leave when nothing waits */
};

/* Works until it is told to stop. The exit status of the process. */
int worker_run(const struct worker *);

#endif
