/*
 * store.h - what the files of the SQLite store share; no one else
 * includes it, but a test that makes its disk fail.
 */
#ifndef STORE_H
#define STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "inbox/backend.h"
#include "inbox/sqlite.h"

#define STORE_STATEMENTS_MAX 64
#define STORE_PAGE 4096
#define STORE_CHUNK (64 * 1024)		/* the database grows by this */

/* How long to wait for another process's lock, milliseconds. */
#define STORE_PATIENCE_ANSWER 700	/* a web server waits for us */
#define STORE_PATIENCE 10000
#define STORE_PATIENCE_READERS 50	/* while nobody can write */

struct store_statement {
	const char *sql;		/* the constant it was made of */
	struct sqlite3_stmt *stmt;
};

struct store {
	struct inbox inbox;		/* first, see store_of() */
	const struct sqlite *sql;
	struct sqlite3 *db;		/* NULL: to be opened */
	char *path;
	char *lock;			/* the pool's file; a read wakes it */
	enum inbox_access access;
	int reserve;			/* -1: not open */
	bool in_memory;			/* no file of any kind */
	bool works;			/* claims; see checkpoint() */
	bool doubtful;			/* a flush failed, see store_begin() */
	bool answers;			/* a web server waits for us */
	bool is_full;			/* the disk, by the last error */
	int full;			/* so often since the last commit */
	bool must_reopen;		/* after an error of the file */
	int64_t patience_ends;
	int restart_at;			/* pages of the log: not before */
	unsigned int claims;
	uint64_t sum;			/* so far, of a statement or row */
	bool damaged;			/* the last row, see store_query() */
	bool unsummed;			/* it has no sum */
	bool queue_is_wrong;		/* see mend() */
	int64_t mended;			/* the time, in MEND_EVERY */
	int64_t purged_upto;		/* an event's id */
	int64_t shifted_upto;
	int inotify;			/* -1: not yet, see admin_wake_fd() */
	struct arena arena;		/* texts that were read */
	struct store_statement statements[STORE_STATEMENTS_MAX];
};

/* Kinds of rows in the table stat. */
enum store_stat {
	STAT_DONE,
	STAT_FAILED,
	STAT_PARKED,
	STAT_WAIT,		/* histograms, by bucket */
	STAT_RUN,
	STAT_SECOND_DONE,	/* of all handlers, see STORE_SECONDS */
	STAT_SECOND_FAILED,
};

/*
 * The rows of the last hour's seconds: bucket is the second modulo this, sum
 * the second itself, n the count.
 */
#define STORE_SECONDS 3601

/* inbox/store.c: the file and its transactions */
struct store *store_of(struct inbox *);

/* Opens what is closed, leaves a file that was moved away. 0, or -1. */
int store_ready(struct store *);

/* Is the file still where it was? 0, or -1: what was written to it is lost. */
int store_stays(struct store *);

/* A write transaction. 0, or -1. */
int store_begin(struct store *, int64_t patience);

/* After -1: can another attempt find room on the full disk? */
bool store_may_find_room(const struct store *);

/* Commits it, or takes it back if result is -1. The result, or -1. */
int store_end(struct store *, int result);

int store_flush(struct inbox *);

/* For a log that a reader kept from being emptied. */
void store_shrink_log(struct store *);

/* Says in inbox.error what SQLite's result code means and what to do. -1. */
int store_fail(struct store *, int code);

/* inbox/files.c */

/* Says in inbox.error why the inbox cannot be used. -1. */
int files_refuse(struct store *, const char *why);

/*
 * Are the files there are plain files of this user's, in a folder in which
 * others cannot replace them? 0, or -1 with one line in error.
 */
int files_check(struct store *);

/*
 * In a put's transaction: sees that there is room for the ends of all events.
 * 0, or -1: the disk is full.
 */
int files_keep_room(struct store *);
bool files_has_reserve(struct store *);
void files_give_up_reserve(struct store *);

/* inbox/statement.c */

/*
 * A statement with its parameters, by their types: i int64_t, d int, t const
 * char * (NULL is null), b const void * and size_t (length 0 is null). sql is a
 * constant, and prepared once. NULL: error.
 *
 * Columns are of the same types: i and d are no less than 0, and 0 for null; x
 * is any int64_t, t text in UTF-8, n that or null. For another value the
 * store's `damaged` is set until the next row, and the column is 0 or
 * "(damaged)".
 *
 * s, which has no argument, is the sum of all before it: stored with a row, and
 * compared when the same columns are read in the same order.
 */
struct sqlite3_stmt *store_query(struct store *, const char *sql,
    const char *types, ...);

/*
 * The next row's columns into pointers to these types. 1: a row; 0: no more;
 * -1: error, or there is no statement. After 0 and -1 the statement is reset.
 */
int store_row(struct store *, struct sqlite3_stmt *, const char *types, ...);
void store_reset(struct store *, struct sqlite3_stmt *);

/*
 * Both at once, "parameters>columns", for a statement that gives one row or
 * none. As store_row(); without a row the pointers' targets stay.
 */
int store_run(struct store *, const char *sql, const char *types, ...);

/* Adds one to a handler's row of stat, and so much to its sum. 0, or -1. */
int store_count(struct store *, const char *handler, enum store_stat,
    int bucket, int64_t sum);

/* inbox/row.c: what comes from the disk is checked as if from outside */

/*
 * The event's texts last until the next call. 1; 0: no such event, so this one
 * is empty and damaged; -1.
 */
int row_event(struct store *, int64_t id, struct inbox_event *);

/* The tasks of an event, one by one. As store_row(). */
struct sqlite3_stmt *row_tasks(struct store *, int64_t id);
int row_task(struct store *, struct sqlite3_stmt *, struct inbox_task *);

/* Is there something to do? A damaged task is to be parked. */
bool row_is_open(const struct inbox_task *);

/*
 * The event, and its first task that is due, for INBOX_WAITING, or that a
 * worker holds. 1; 0: none; -1.
 */
int row_claim(struct store *, int64_t id, enum inbox_state, int64_t now,
    struct inbox_claim *);

/*
 * Statements that set a task's row begin with this; their parameters from the
 * ninth on are free. A damaged row stays damaged.
 */
#define ROW_SET_TASK "UPDATE task SET state = ?4, attempts = ?5, " \
	"started = ?6, sum = ?7 + ?8"
#define ROW_TASK " WHERE event = ?1 AND place = ?2 AND ?3 NOT NULL"
#define ROW_TYPES "iitddisd"

/* inbox/put.c: for responders */
int put_event(struct inbox *, const struct inbox_event *,
    const struct inbox_target *, size_t n, enum inbox_put *,
    struct inbox_command *);
int put_take_command(struct inbox *, int64_t group_id, struct inbox_command *);

/* Adds a command for the group's next answer. 0, or -1. */
int put_command(struct store *, int64_t group_id,
    const struct inbox_command *);

/* inbox/queue.c: for workers */
int queue_claim(struct inbox *, int worker, struct inbox_claim *,
    int64_t *due);
int queue_finish(struct inbox *, const struct inbox_claim *,
    const struct inbox_end *);
int queue_orphaned(struct inbox *, int from, int to, struct inbox_claim *);
int queue_next_due(struct inbox *, int64_t *due);
int queue_shift_due(struct inbox *, int64_t milliseconds, int64_t since);
int queue_purge(struct inbox *, int64_t before);

/* Queues an event that has something to do, due at once. 0, or -1. */
int queue_add(struct store *, int64_t id, const char *conversation,
    const char *type);

/* Makes the first event of this event's conversation its head. 0, or -1. */
int queue_elect(struct store *, int64_t id);

/* inbox/admin.c: for operators */
int admin_list(struct inbox *, const struct inbox_filter *, inbox_list_fn *,
    void *arg);
int admin_status(struct inbox *, struct inbox_status *);
int admin_wake_fd(struct inbox *);
void admin_drain_wakes(struct inbox *);
int admin_wake(struct inbox *);
int admin_retry(struct inbox *, const struct inbox_filter *);
int admin_drop(struct inbox *, int64_t id);

#endif
