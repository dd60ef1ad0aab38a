/* worker.h - a process that runs handlers for events of the inbox. */
#ifndef WORKER_H
#define WORKER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct conf;
struct pool;
struct program;

#define WORKER_REASON_MAX 160

/* What the parent and one worker know of each other, in shared memory. */
struct worker_slot {
	/*
	 * clock_ms() when the running handler was called; 0: none runs. The
	 * parent makes it negative before it kills for taking too long, so that
	 * no other task is blamed.
	 */
	_Atomic int64_t started;
	_Atomic int64_t idle;		/* since when it found nothing; or 0 */
	_Atomic int64_t handled;	/* tasks, by all that had this slot */
	_Atomic bool ready;		/* it has opened the inbox */
	/*
	 * clock_ms() when it began to end because it wants to; 0: it does not.
	 * Functions that handlers have registered may run still, not for ever.
	 */
	_Atomic int64_t left;
	_Atomic bool robbed;		/* a handler closed what it needs */
	char reason[WORKER_REASON_MAX];	/* why the one before died; "" */
};

struct worker_board {
	_Atomic bool stopping;
	_Atomic bool lost;		/* workers leave: the inbox is gone */
	_Atomic bool outdated;		/* they leave: the program is another */
	_Atomic bool asleep;		/* the parent; to be woken by `news` */
	struct worker_slot slots[];
};

struct worker {
	struct conf *conf;		/* taken over */
	struct pool *family;
	const struct program *program;
	struct worker_board *board;
	int number;			/* 1, 2, ... */
	int workers;
	int news;			/* written to when the parent sleeps */
	pid_t parent;
	bool once;			/* leave when nothing is due */
	bool only_cleans;		/* ends what the one before held */
	bool watches_idle;		/* the parent waits for idleness */
};

/* Works until it is told to stop. The exit status of the process. */
int worker_run(struct worker *);

#endif
