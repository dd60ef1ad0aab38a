/*
 * inbox.h - where events wait for their handlers: one interface, several
 * stores.
 *
 * A store is a struct of functions and a constructor. There is one in SQLite
 * (inbox/store.c: one machine) and, for tests, one in memory
 * (tests/inbox_memory.c); tests/unit/inbox.c holds both to the same sentences.
 *
 * An event is kept once, however often VK sends it. Each handler that wants it,
 * and there is one, is a task of its own: done, waiting for another attempt, or
 * parked as failed. An event that was dropped has no task left, and is not
 * shown.
 * Events with the same lane are handed out one at a time, in the order in
 * which they came; urgent ones go before the others of their lane, and of all.
 *
 * Functions return 0, or -1 and one line in inbox->error that says what is
 * wrong and what to do, unless said otherwise. After -1 nothing was changed, or
 * it was and a power cut may still undo it: the call may be made again.
 */
#ifndef INBOX_H
#define INBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "event/handler_table.h"

#define INBOX_ERROR_MAX 512
#define INBOX_REASON_MAX 256		/* why a task failed; longer is cut */
#define INBOX_TASKS_MAX 256		/* handlers of one event */
#define INBOX_DUE_MAX (INT64_C(25) * 3600 * 1000)	/* over any back-off */
#define INBOX_BUCKETS 22		/* of a histogram */

/* Of a task. Kept in files: numbers stay as they are. */
enum inbox_state {
	INBOX_WAITING = 0,	/* for its first attempt, or another one */
	INBOX_RUNNING = 1,
	INBOX_DONE = 2,
	INBOX_FAILED = 3,	/* parked until somebody sends it round again */
};

#define INBOX_ANY (-1)

struct inbox_event {
	int64_t id;		/* the store's number, in order of arrival */
	int64_t group_id;
	const char *event_id;	/* "": VK sent none, the content is the key */
	const char *type;
	const char *version;
	int retry_counter;
	int64_t received;	/* milliseconds since 1970 */
	const char *lane;	/* NULL: in no order */
	const char *object;	/* JSON; no secret is ever stored */
	size_t object_len;	/* 0: the event has no object */
};

/* A handler that wants the event. */
struct inbox_target {
	const char *handler;
	const char *reason;	/* set: parked at once, and why */
};

struct inbox_task {
	const char *handler;
	enum inbox_state state;
	int attempts;		/* begun */
	int64_t due;		/* of the next one; 0: at once */
	int64_t started;	/* the last one; 0: never */
	int64_t ended;
	const char *reason;	/* of the last failure; "" */
};

/* What the next answer to VK for a group shall be instead of ok. */
struct inbox_command {
	bool remove;
	char version[16];	/* ""; set_version */
};

/* A task handed to a worker; good until the worker's next call. */
struct inbox_claim {
	struct inbox_event event;
	const char *handler;
	int attempt;		/* this one: 1, 2, ... */
	int64_t started;
};

/* How an attempt ended. */
struct inbox_end {
	enum inbox_state state;	/* DONE, WAITING or FAILED */
	int64_t due;		/* of WAITING */
	bool untried;		/* WAITING: it never began, so counts as none */
	const char *reason;	/* "" for DONE */
	struct inbox_command command;
};

enum inbox_put {
	INBOX_STORED,
	INBOX_REPEATED,		/* it was there already */
};

/* Which events to look at. */
struct inbox_filter {
	int64_t id;		/* this one; 0: all */
	int64_t after;		/* those with a greater id */
	int state;		/* with a task in this state, or INBOX_ANY */
	int64_t group_id;	/* 0: all */
	const char *type;	/* NULL: all */
	int64_t since;		/* received then or later */
	int64_t limit;		/* at most so many, the newest; 0: all */
};

/* Oldest first. Returns false to be told no more. */
typedef bool inbox_look_fn(void *arg, const struct inbox_event *,
    const struct inbox_task *, size_t n_tasks);

/* Times by the bucket they fall into, see inbox_bucket(). */
struct inbox_histogram {
	int64_t n[INBOX_BUCKETS];
	int64_t sum;		/* milliseconds */
};

struct inbox_handler_status {
	char name[HANDLER_NAME_MAX + 1];
	int64_t done;		/* ever, as all that follows */
	int64_t failed;		/* attempts that did not succeed */
	int64_t parked;
	struct inbox_histogram wait;	/* stored to first started */
	struct inbox_histogram run;	/* started to done */
};

struct inbox_status {
	int64_t bytes;		/* that the store takes on disk; 0: unknown */
	int64_t waiting;	/* events with something to do, not running */
	int64_t retrying;	/* of these, those whose time is to come */
	int64_t running;	/* tasks, now */
	int64_t parked;		/* tasks, now */
	int64_t oldest;		/* received, of the waiting; 0: none */
	int64_t stored_rate[2];	/* events in the last minute, hour */
	int64_t done_rate[2];	/* tasks done in the last minute, hour */
	int64_t failed_rate[2];	/* attempts that did not succeed */
	struct inbox_handler_status *handlers;	/* by name */
	size_t n_handlers;
};

struct inbox;

struct inbox_store {
	/*
	 * Keeps an event with its tasks. Durable when it returns, a repeat too:
	 * then the answer may be ok. After -1 it may be there, and a repeat
	 * finds it. A command that waits for the group is taken along, as by
	 * take(), if that succeeds.
	 */
	int (*put)(struct inbox *, const struct inbox_event *,
	    const struct inbox_target *, size_t n, enum inbox_put *,
	    struct inbox_command *);

	/*
	 * Hands out what waits for this group's next answer: once, but for a
	 * power cut; after -1 it waits on.
	 */
	int (*take)(struct inbox *, int64_t group_id, struct inbox_command *);

	/*
	 * The next task for a worker (1, 2, ...), its attempt counted, durably,
	 * before this returns. 1: here it is. 0: nothing now, *due is when
	 * something will be (0: nothing waits at all, INT64_MAX: only what
	 * other workers hold). A worker holds one at a time: after -1 the next
	 * call may hand out what this one had counted.
	 */
	int (*claim)(struct inbox *, int worker, struct inbox_claim *,
	    int64_t *due);

	/* The end of an attempt. Durable with the next claim() or flush(). */
	int (*finish)(struct inbox *, const struct inbox_claim *,
	    const struct inbox_end *);

	/*
	 * A task that a worker of from..to held when it died. 1: here it is, to
	 * be given to finish(). 0: none.
	 */
	int (*held)(struct inbox *, int from, int to, struct inbox_claim *);

	int (*flush)(struct inbox *);

	/*
	 * The clock was set: moves what waits by that much. What waits for a
	 * time that is over INBOX_DUE_MAX ahead waits no more, also with 0.
	 */
	int (*shift)(struct inbox *, int64_t milliseconds);

	/*
	 * Forgets events received before this, if all is done, a few at a
	 * time. The newest event stays: no id is given twice. How many it
	 * looked at, 0: there are no more; or -1.
	 */
	int (*purge)(struct inbox *, int64_t before);

	/* What an operator does. */
	int (*look)(struct inbox *, const struct inbox_filter *,
	    inbox_look_fn *, void *arg);
	int (*status)(struct inbox *, struct inbox_status *);

	/*
	 * Waits until something changes, at most so many milliseconds. What
	 * changed before the first call, or while the store was replaced, is
	 * noticed at once or when the time is over.
	 */
	void (*wait)(struct inbox *, int milliseconds);

	/*
	 * What is parked of these events, whatever state they are to be in,
	 * waits anew. How many tasks, or -1.
	 */
	int (*again)(struct inbox *, const struct inbox_filter *);

	/*
	 * Forgets an event, its object and tasks. Its id and key stay until it
	 * would have been purged: a repeat is not stored anew, unless the
	 * object was the key. 1; 0: no such event; -1, also when it runs now.
	 */
	int (*drop)(struct inbox *, int64_t id);

	void (*close)(struct inbox *);
};

/* The first member of every store's own struct. */
struct inbox {
	const struct inbox_store *store;
	int64_t (*now)(void);	/* milliseconds since 1970; tests have theirs */
	char error[INBOX_ERROR_MAX];
};

/* NULL, and one line in error: there is no SQLite, or no memory. */
struct inbox *inbox_sqlite(const char *path, bool create,
    char error[INBOX_ERROR_MAX]);

/*
 * The store that the configuration names: a path. create: make it where there
 * is none. NULL, and one line in error.
 */
struct inbox *inbox_open(const char *where, bool create,
    char error[INBOX_ERROR_MAX]) __attribute__((warn_unused_result));
void inbox_close(struct inbox *);

/* Is there what an inbox needs of this machine? 0, or -1 and a line. */
int inbox_check(char error[INBOX_ERROR_MAX]);

/*
 * May this user read and write all that there is of an inbox? 0, or -1 and a
 * line that says whose file it is.
 */
int inbox_allows(const char *where, char error[INBOX_ERROR_MAX]);

/* Why an attempt ended of whose worker nothing is known. */
#define INBOX_KILLED "the workers were killed"

/*
 * The end of an attempt that failed: another one after `wait`, but parked if it
 * was the last of so many. The log is told.
 */
void inbox_try_again(const struct inbox *, const struct inbox_claim *,
    int64_t attempts, const char *reason, int64_t wait, struct inbox_end *);

/* Parked at once: another attempt would not help. The log is told. */
void inbox_give_up(const struct inbox_claim *, const char *reason,
    struct inbox_end *);

/* The histograms' buckets: 0 is up to 1 ms, then 2, 5, 10, 20, ... */
int inbox_bucket(int64_t milliseconds);
int64_t inbox_bucket_end(int bucket);	/* INT64_MAX for the last */

/* A time that this share (0.5, 0.99) of them did not exceed; -1: none. */
int64_t inbox_percentile(const struct inbox_histogram *, double share);

const char *inbox_state_name(enum inbox_state);

/* Does VK wait only seconds for what a handler makes of this type? */
bool inbox_is_urgent(const char *type);

void inbox_status_free(struct inbox_status *);

/* The handler's row, made if need be; NULL: out of memory. For stores. */
struct inbox_handler_status *inbox_status_handler(struct inbox_status *,
    const char *name);

#endif
