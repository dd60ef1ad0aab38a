/* worker.h - a process that runs handlers for events of the inbox. */
#ifndef WORKER_H
#define WORKER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct conf;
struct inbox;
struct inbox_claim;
struct inbox_end;
struct pool;
struct program;

/* A status is the worker's own word only if it holds no task. */
enum worker_status {
	WORKER_LEFT = 0,
	WORKER_FAILED = 1,
	WORKER_IN_TROUBLE = 120,	/* the inbox gave errors for too long */
	WORKER_FDS_CLOSED = 121,	/* the handler closed what it needs */
};

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

/* Errors that come again and again. */
struct trouble {
	int64_t since;		/* clock_ms(), as all of these */
	int64_t last;
	int64_t said;
	const char *what;	/* said last */
};

/*
 * Logs it, the same one at most once a minute. False: it has lasted so long
 * that a pool that an event started must leave.
 */
bool trouble_report(struct trouble *, const char *what, const char *why)
    __attribute__((warn_unused_result));

/* A failed attempt's end: another one after `wait` (-1: the usual), or never. */
void worker_plan_retry(struct inbox *, const struct conf *,
    const struct inbox_claim *, const char *reason, int64_t wait,
    struct inbox_end *);

#endif
