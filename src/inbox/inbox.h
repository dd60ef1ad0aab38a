/*
 * inbox.h - the inbox: where events wait for their handlers.
 *
 * An inbox is kept by a backend (inbox/backend.h): SQLite's, for one machine
 * (inbox/store.c), or the same in memory.
 * tests/unit/inbox.c holds every backend to the sentences below.
 *
 * An event is kept once, however often VK sends it. Each handler that wants the
 * event is a task of its own: waiting, running, done, or failed ("parked"). A
 * dropped event has no tasks left and is not listed.
 *
 * Events of one conversation are handed out one at a time, in the order in
 * which they came. Urgent events go first, in their conversation and overall.
 * The ids of a conversation's events grow, but are neither dense nor in the
 * order of commits: an event with a smaller id may appear later.
 *
 * Functions return 0, or -1 with one line in inbox->error that says what is
 * wrong and what to do, unless said otherwise. After -1 either nothing was
 * changed, or a power cut may still undo the change: the call can be repeated.
 */
#ifndef INBOX_H
#define INBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "event/catalogue.h"

#define INBOX_ERROR_MAX 512
#define INBOX_REASON_MAX 256		/* why a task failed; longer is cut */
#define INBOX_TASKS_MAX 256		/* handlers of one event */
#define INBOX_DUE_MAX (INT64_C(25) * 3600 * 1000)	/* over any back-off */
#define INBOX_BUCKETS 22		/* of a histogram */

/* A task's state. The numbers stand in files and must not change. */
enum inbox_state {
	INBOX_WAITING = 0,	/* for its first attempt, or another one */
	INBOX_RUNNING = 1,
	INBOX_DONE = 2,
	INBOX_FAILED = 3,	/* parked until an operator retries it */
};

/* Why a task of a damaged event is parked. */
#define INBOX_DAMAGED "the stored event is damaged, see vkcb inbox show: " \
	"vkcb inbox drop forgets it"

/* For lists, beside the states of a task but for RUNNING. */
#define INBOX_ANY (-1)
#define INBOX_UNFINISHED (-2)	/* a task waits or runs */

struct inbox_event {
	int64_t id;		/* the store's number, in order of arrival */
	int64_t group_id;
	const char *event_id;	/* "": VK sent none, the content is the key */
	const char *type;
	const char *version;
	int retry_counter;
	int64_t received;	/* milliseconds since 1970 */
	const char *conversation;	/* NULL: in no order */
	const char *object;	/* JSON; no secret is ever stored */
	size_t object_len;	/* 0: the event has no object */
	bool damaged;		/* the event or a task is not as stored */
};

/* A handler that wants the event. */
struct inbox_target {
	const char *handler;
	const char *reason;	/* set: why the task is parked at once */
};

struct inbox_task {
	const char *handler;
	int64_t place;		/* among the event's handlers, from 0 */
	enum inbox_state state;
	int attempts;		/* begun */
	int64_t due;		/* of the next one; 0: at once */
	int64_t started;	/* the last one; 0: never */
	int64_t ended;
	const char *reason;	/* of the last failure; "" */
	bool damaged;		/* stays set, whatever becomes of the task */
};

/* The next answer to VK for a group, instead of ok. */
struct inbox_command {
	bool remove;
	char version[16];	/* ""; set_version */
};

/* A task in a worker's hands; its texts last until the inbox's next call. */
struct inbox_claim {
	struct inbox_event event;	/* damaged: to be parked */
	const char *handler;
	int64_t place;		/* the task's */
	bool damaged;		/* the task is */
	int worker;
	int attempt;		/* this one: 1, 2, ... */
	int64_t started;
	bool unknown;		/* see inbox_claim() */
};

/* How an attempt ended. */
struct inbox_end {
	enum inbox_state state;	/* DONE, WAITING or FAILED */
	int64_t due;		/* of WAITING */
	bool untried;		/* WAITING: it never began, so is not counted */
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
	int state;		/* with a task in this state; see INBOX_ANY */
	int64_t group_id;	/* 0: all */
	const char *type;	/* NULL: all */
	int64_t since;		/* received then or later */
	int64_t limit;		/* at most so many, the newest; 0: all */
	bool ids_only;		/* the list has no tasks, of events the id */
};

/* Returns false to end the list. */
typedef bool inbox_list_fn(void *arg, const struct inbox_event *,
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
	struct inbox_handler_status *handlers;	/* by name; to be freed */
	size_t n_handlers;
};

struct conf;

/* The first member of every backend's own struct. */
struct inbox {
	const struct inbox_backend *backend;
	int64_t (*clock)(void);	/* tests set their own; see inbox_now() */
	int64_t clock_offset;	/* to clock_ms(); 0: see inbox_watch_clock() */
	int64_t clock_watched;	/* clock_ms(); the offset was right then */
	char error[INBOX_ERROR_MAX];
};

enum inbox_access {
	INBOX_READ,	/* nothing is made or changed beside the inbox */
	INBOX_CREATE,	/* a missing inbox is made */
	INBOX_WRITE,
};

/* Opens the inbox that the configuration names. NULL with a line in error. */
struct inbox *inbox_open(const char *where, enum inbox_access,
    char error[INBOX_ERROR_MAX]) __attribute__((warn_unused_result));
void inbox_close(struct inbox *);

/* An inbox in this process's memory. NULL with a line in error. */
struct inbox *inbox_in_memory(char error[INBOX_ERROR_MAX]);

/* Milliseconds since 1970 by the backend's clock, which all times are of. */
int64_t inbox_now(struct inbox *);

/*
 * Keeps an event with its tasks. The event is durable on return, a repeat too:
 * then VK may be answered ok. After -1 the event may be there, and a repeat
 * finds it. A command that waits for the group is taken along, as by
 * inbox_take_command(), if that succeeds.
 */
int inbox_put(struct inbox *, const struct inbox_event *,
    const struct inbox_target *, size_t n, enum inbox_put *,
    struct inbox_command *);

/*
 * Takes the command that waits for this group's next answer: at most once, but
 * for a power cut. After -1 the command still waits.
 */
int inbox_take_command(struct inbox *, int64_t group_id,
    struct inbox_command *);

/*
 * Hands a worker (1, 2, ...) its next task. The attempt is counted, durably,
 * before this returns. 1: *claim is the task. 0: nothing now, and *due is when
 * something will be (0: nothing waits at all; INT64_MAX: only tasks that other
 * workers run). A time over INBOX_DUE_MAX ahead counts as now: the clock was
 * ahead when it was set. After -1 the worker may hold a task nevertheless: see
 * inbox_orphaned().
 *
 * names: the handlers that the worker's program has. A task for
 * another handler is handed out with claim->unknown set, for the worker to park
 * (or to give back, when its program was replaced), so that the task does not
 * block its conversation.
 */
int inbox_claim(struct inbox *, int worker, const char *const *names,
    size_t n_names, struct inbox_claim *, int64_t *due);

/*
 * Ends an attempt. 1: ended, and logged unless done; durable after the next
 * inbox_claim() or inbox_flush(). 0: the worker no longer held the task in this
 * attempt, and nothing was changed.
 */
int inbox_finish(struct inbox *, const struct inbox_claim *,
    const struct inbox_end *);

/*
 * Finds a task that a worker numbered from..to holds and does not run. 1:
 * *claim is the task, for inbox_finish(). 0: none.
 */
int inbox_orphaned(struct inbox *, int from, int to, struct inbox_claim *);

/* *due as from inbox_claim(); a time that is over: there is a task now. */
int inbox_next_due(struct inbox *, int64_t *due);

/* Makes durable all that was done. */
int inbox_flush(struct inbox *);

/*
 * Moves the times of waiting tasks if the clock was set since the last call.
 * A single worker calls this before each claim.
 */
int inbox_watch_clock(struct inbox *);

/*
 * Deletes some events received before this time whose tasks are all done. The
 * newest event stays, so that no id is given twice. Returns how many events it
 * looked at, 0 if no more are left, or -1.
 */
int inbox_purge(struct inbox *, int64_t before);

/* Lists events, oldest first. */
int inbox_list(struct inbox *, const struct inbox_filter *, inbox_list_fn *,
    void *arg);

int inbox_status(struct inbox *, struct inbox_status *);

/*
 * Makes the failed tasks of these events wait again. filter->state is not
 * looked at. Returns how many tasks, or -1.
 */
int inbox_retry(struct inbox *, const struct inbox_filter *);

/*
 * Deletes an event's object and tasks. Its id and key stay until it would have
 * been purged: a repeat is not stored anew, unless the object was the key. 1;
 * 0: no such event; -1, also for an event that runs now.
 */
int inbox_drop(struct inbox *, int64_t id);

/*
 * A descriptor that polls readable after inbox_wake(), until
 * inbox_drain_wakes(). Ask for it before each wait, as the file to watch may be
 * a new one. -1: there is none, look again from time to time; an inbox in
 * memory has none, as no other process stores into it.
 */
int inbox_wake_fd(struct inbox *);
void inbox_drain_wakes(struct inbox *);

/* Wakes those who wait for the inbox. 1; 0: nobody has ever waited; or -1. */
int inbox_wake(struct inbox *);

/* Waits until somebody wakes, or at most so many milliseconds. */
void inbox_wait(struct inbox *, int milliseconds);

/* Can this machine have an inbox there? 0, or -1 with a line in error. */
int inbox_check(const char *where, char error[INBOX_ERROR_MAX]);

/*
 * Makes the end of a failed attempt: another one after `wait` (-1: the
 * configuration's back-off), or parked if it was the last attempt.
 */
void inbox_try_again(struct inbox *, const struct inbox_claim *,
    const struct conf *, const char *reason, int64_t wait,
    struct inbox_end *);

/*
 * Ends all tasks of a pool that was killed as a whole: they wait again, or are
 * parked if it was their last attempt. Only while no pool runs.
 */
int inbox_end_orphans(struct inbox *, const struct conf *);

/* Bucket 0 of a histogram is up to 1 ms, then 2, 5, 10, 20, ... */
int inbox_bucket(int64_t milliseconds);
int64_t inbox_bucket_end(int bucket);	/* INT64_MAX for the last */

/* The time that this share (0.5, 0.99) did not exceed; -1: no times. */
int64_t inbox_percentile(const struct inbox_histogram *, double share);

#endif
