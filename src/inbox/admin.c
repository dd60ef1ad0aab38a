/*
 * admin.c - the SQLite store's side for operators: what is in it, how it
 * goes, and retrying parked events.
 */
#include "inbox/store.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "banned.h"

#define SECOND INT64_C(1000)
#define STEP 100		/* events in one transaction */

/*
 * The first id that was received at that time or later, by bisection: ids are
 * given in order of arrival. If the clock was set back, the id is a near one.
 */
static int
id_since(struct store *store, int64_t since, int64_t *id)
{
	int64_t low, high, middle;
	int early;

	if (store_run(store, "SELECT (SELECT min(id) FROM event), "
	    "(SELECT max(id) + 1 FROM event)", ">ii", &low, &high) == -1)
		return -1;
	while (low < high) {
		middle = low + (high - low) / 2;
		early = 0;
		if (store_run(store, "SELECT received < ? FROM event WHERE "
		    "id >= ? ORDER BY id LIMIT 1", "ii>d", since, middle,
		    &early) == -1)
			return -1;
		if (early)
			low = middle + 1;
		else
			high = middle;
	}
	*id = low;
	return 0;
}

/* Parameters: ids from and upto, group, type, since, limit. */
#define SELECTED(from, where) "SELECT DISTINCT q.event AS event FROM " from \
	" AS q LEFT JOIN event AS e ON e.id = q.event WHERE q.event " \
	"BETWEEN ?1 AND ?2 AND (?3 = 0 OR e.group_id = ?3) AND (?4 IS NULL " \
	"OR e.type = ?4) AND (?5 = 0 OR e.received >= ?5) " where \
	" ORDER BY q.event "
#define SELECTION(from, where) { SELECTED(from, where) "LIMIT ?6", \
	"SELECT min(event) FROM (" SELECTED(from, where) "DESC LIMIT ?6)" }

/* An event without tasks was dropped. */
static const struct selection {
	const char *next;
	const char *first;	/* of the newest */
} selections[] = {
	[INBOX_UNFINISHED + 2] = SELECTION("queue", ""),
	[INBOX_ANY + 2] = SELECTION("task", ""),
	[INBOX_WAITING + 2] = SELECTION("queue", "AND EXISTS (SELECT 1 FROM "
	    "task WHERE event = q.event AND state = 0)"),
	[INBOX_DONE + 2] = SELECTION("task", "AND state = 2"),
	[INBOX_FAILED + 2] = SELECTION("task", "AND state = 3"),
};

/* The events of a filter, by steps. */
struct walk {
	const struct inbox_filter *filter;
	const struct selection *selection;
	int64_t from;
	int64_t upto;		/* later events are left out */
	int64_t ids[STEP];
	int n;
};

static int
walk_begin(struct store *store, struct walk *walk,
    const struct inbox_filter *filter)
{
	int64_t since = 0;

	walk->filter = filter;
	walk->selection = &selections[filter->state + 2];
	walk->from = filter->id != 0 ? filter->id : filter->after + 1;
	walk->upto = filter->id;
	if (store_ready(store) == -1 || (filter->id == 0 && store_run(store,
	    "SELECT max(id) FROM event", ">i", &walk->upto) == -1) ||
	    (filter->since != 0 && id_since(store, filter->since,
	    &since) == -1))
		return -1;
	if (since > walk->from)
		walk->from = since;
	return filter->limit == 0 ? 0 : store_run(store,
	    walk->selection->first, "iiitii>i", walk->from, walk->upto,
	    filter->group_id, filter->type, filter->since, filter->limit,
	    &walk->from);
}

/* How many ids; or -1. */
static int
walk_on(struct store *store, struct walk *walk)
{
	const struct inbox_filter *filter = walk->filter;
	struct sqlite3_stmt *stmt = store_query(store, walk->selection->next,
	    "iiitid", walk->from, walk->upto, filter->group_id, filter->type,
	    filter->since, STEP);
	int row;

	walk->n = 0;
	while ((row = store_row(store, stmt, "i", &walk->ids[walk->n])) == 1)
		walk->from = walk->ids[walk->n++] + 1;
	return row == -1 ? -1 : walk->n;
}

/* 1: go on; 0: the caller has seen enough; -1. */
static int
admin_show(struct store *store, int64_t id, inbox_list_fn *look, void *arg)
{
	struct inbox_task tasks[INBOX_TASKS_MAX + 1], *task = tasks;
	struct inbox_event event;
	struct sqlite3_stmt *stmt;
	int row;

	if (row_event(store, id, &event) == -1)
		return -1;
	stmt = row_tasks(store, id);
	while ((row = row_task(store, stmt, task)) == 1 &&
	    task < tasks + INBOX_TASKS_MAX)
		event.damaged |= task++->damaged;
	if (row == -1)
		return -1;
	store_reset(store, stmt);
	/* No statement is open now: the caller may take its time. */
	return task == tasks || look(arg, &event, tasks,
	    (size_t)(task - tasks));
}

int
admin_list(struct inbox *inbox, const struct inbox_filter *filter,
    inbox_list_fn *look, void *arg)
{
	struct store *store = store_of(inbox);
	struct walk walk;
	int n, i, more = walk_begin(store, &walk, filter) == -1 ? -1 : 1;

	while (more == 1 && (n = walk_on(store, &walk)) != 0) {
		if (n == -1)
			return -1;
		for (i = 0; more == 1 && i < n; i++)
			more = filter->ids_only ? look(arg,
			    &(struct inbox_event){ .id = walk.ids[i] }, NULL,
			    0) : admin_show(store, walk.ids[i], look, arg);
	}
	return more == -1 ? -1 : 0;
}

/* On disk, with its log. */
static int64_t
count_bytes(const struct store *store)
{
	static const char *const files[] = { "", "-wal", "-shm" };
	char path[PATH_MAX];
	int64_t bytes = 0;
	struct stat st;
	size_t i;

	if (store->in_memory)
		return 0;
	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		snprintf(path, sizeof(path), "%s%s", store->path, files[i]);
		if (stat(path, &st) == 0)
			bytes += st.st_size;
	}
	return bytes;
}

static int
count_queue(struct store *store, int64_t now, struct inbox_status *status)
{
	status->bytes = count_bytes(store);
	return store_run(store, "SELECT count(*) FILTER (WHERE worker = 0), "
	    "count(*) FILTER (WHERE worker = 0 AND due > ?), "
	    "count(*) FILTER (WHERE worker > 0), "
	    "(SELECT count(*) FROM task WHERE state = 3), "
	    "(SELECT received FROM event WHERE id = (SELECT min(event) FROM "
	    "queue WHERE worker = 0)) FROM queue", "i>iiiii", now,
	    &status->waiting, &status->retrying, &status->running,
	    &status->parked, &status->oldest) == 1 ? 0 : -1;
}

/* No seconds of the future count: the clock may have been set back. */
static int
count_rates(struct store *store, int64_t now, struct inbox_status *status)
{
	static const int64_t spans[] = { 60 * SECOND, 3600 * SECOND };
	int64_t from, upto;
	int i;

	if (store_run(store, "SELECT max(id) FROM event", ">i", &upto) == -1)
		return -1;
	for (i = 0; i < 2; i++) {
		if (id_since(store, now - spans[i], &from) == -1 ||
		    store_run(store, "SELECT sum(n * (kind = ?1)), "
		    "sum(n * (kind = ?2)) FROM stat WHERE handler = '' AND "
		    "sum BETWEEN ?3 AND ?4 AND n BETWEEN 0 AND 1e9",
		    "ddii>ii", STAT_SECOND_DONE, STAT_SECOND_FAILED,
		    (now - spans[i]) / SECOND, now / SECOND,
		    &status->done_rate[i],
		    &status->failed_rate[i]) == -1)
			return -1;
		status->stored_rate[i] = upto == 0 ? 0 : upto - from + 1;
	}
	return 0;
}

static void
admin_add_stat(struct inbox_handler_status *handler, int kind, int bucket,
    int64_t n, int64_t sum)
{
	int64_t *const counts[] = {
		[STAT_DONE] = &handler->done,
		[STAT_FAILED] = &handler->failed,
		[STAT_PARKED] = &handler->parked,
	};
	struct inbox_histogram *histogram = kind == STAT_WAIT ?
	    &handler->wait : &handler->run;

	if (kind <= STAT_PARKED) {
		*counts[kind] = n;
		return;
	}
	histogram->n[bucket] = n;
	histogram->sum += sum;
}

/* The handler's row, at the end. NULL: out of memory. */
static struct inbox_handler_status *
admin_handler(struct inbox_status *status, const char *name)
{
	struct inbox_handler_status *rows = status->handlers;
	size_t n = status->n_handlers;

	if (n > 0 && strcmp(rows[n - 1].name, name) == 0)
		return &rows[n - 1];
	rows = realloc(rows, (n + 1) * sizeof(*rows));
	if (rows == NULL)
		return NULL;
	status->handlers = rows;
	status->n_handlers++;
	rows[n] = (struct inbox_handler_status){ .done = 0 };
	snprintf(rows[n].name, sizeof(rows[n].name), "%s", name);
	return &rows[n];
}

static int
count_handlers(struct store *store, struct inbox_status *status)
{
	struct sqlite3_stmt *stmt = store_query(store, "SELECT handler, kind, "
	    "bucket, n, sum FROM stat WHERE handler > '' AND handler NOT GLOB "
	    "'*[^-0-9A-Z_a-z]*' AND kind BETWEEN 0 AND ? AND bucket BETWEEN 0 "
	    "AND ? AND max(n, sum) < 1e16 ORDER BY handler", "dd", STAT_RUN,
	    INBOX_BUCKETS - 1);
	struct inbox_handler_status *handler;
	int row, kind, bucket;
	int64_t n, sum;
	const char *name;

	arena_reset(&store->arena);
	while ((row = store_row(store, stmt, "tddii", &name, &kind, &bucket,
	    &n, &sum)) == 1) {
		if (store->damaged)
			continue;
		handler = admin_handler(status, name);
		if (handler == NULL) {
			store_reset(store, stmt);
			return store_fail(store, SQL_NOMEM);
		}
		admin_add_stat(handler, kind, bucket, n, sum);
	}
	return row;
}

int
admin_status(struct inbox *inbox, struct inbox_status *status)
{
	struct store *store = store_of(inbox);
	int64_t now = inbox_now(inbox);

	*status = (struct inbox_status){ .bytes = 0 };
	if (store_ready(store) == 0 &&
	    count_queue(store, now, status) == 0 &&
	    count_rates(store, now, status) == 0 &&
	    count_handlers(store, status) == 0)
		return 0;
	free(status->handlers);
	status->handlers = NULL;
	return -1;
}

int
admin_wake_fd(struct inbox *inbox)
{
	struct store *store = store_of(inbox);

	if (store->inotify == -1)
		store->inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	/*
	 * Watching a watched file changes nothing. IN_ATTRIB tells of the
	 * file's removal, so that the pool leaves.
	 */
	return inotify_add_watch(store->inotify, store->lock, IN_ACCESS |
	    IN_ATTRIB | IN_DONT_FOLLOW) == -1 ? -1 : store->inotify;
}

void
admin_drain_wakes(struct inbox *inbox)
{
	char events[4096];

	while (read(store_of(inbox)->inotify, events, sizeof(events)) > 0)
		continue;
}

int
admin_wake(struct inbox *inbox)
{
	const char *path = store_of(inbox)->lock;
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	int result;
	char byte;

	if (fd == -1 && errno == ENOENT)
		return 0;
	result = fd != -1 && read(fd, &byte, 1) != -1 ? 1 : -1;
	if (result == -1)
		snprintf(inbox->error, INBOX_ERROR_MAX, "cannot read %.256s: "
		    "%s", path, strerror(errno));
	if (fd != -1)
		close(fd);
	return result;
}

/* How many tasks of the event wait now that were parked; or -1. */
static int
wait_again(struct store *store, int64_t id)
{
	struct inbox_event event;
	struct inbox_task task;
	struct sqlite3_stmt *stmt;
	int tasks = 0, row = row_event(store, id, &event);

	stmt = row == -1 ? NULL : row_tasks(store, id);
	while ((row = row_task(store, stmt, &task)) == 1) {
		if (task.state != INBOX_FAILED)
			continue;
		tasks++;
		if (store_run(store, ROW_SET_TASK ", due = 0" ROW_TASK,
		    ROW_TYPES, id, task.place, task.handler, INBOX_WAITING, 0,
		    task.started, task.damaged) == -1) {
			store_reset(store, stmt);
			return -1;
		}
	}
	/* The event may have left the queue. */
	if (row == -1 || (tasks > 0 && (queue_add(store, id,
	    event.conversation, event.type) == -1 ||
	    queue_elect(store, id) == -1)))
		return -1;
	return tasks;
}

/* A step of a few events, so that others get their turn. */
static int
some_again(struct store *store, const int64_t *ids, int n)
{
	int tasks = 0, more = 0, i;

	if (store_begin(store, STORE_PATIENCE) == -1)
		return -1;
	for (i = 0; more != -1 && i < n; i++) {
		more = wait_again(store, ids[i]);
		tasks += more;
	}
	return store_end(store, more == -1 ? -1 : tasks);
}

int
admin_retry(struct inbox *inbox, const struct inbox_filter *filter)
{
	struct store *store = store_of(inbox);
	struct inbox_filter failed = *filter;
	int tasks = 0, more = 0, n;
	struct walk walk;

	failed.state = INBOX_FAILED;
	if (walk_begin(store, &walk, &failed) == -1)
		return -1;
	while ((n = walk_on(store, &walk)) > 0 && more != -1) {
		more = some_again(store, walk.ids, n);
		tasks += more;
	}
	return n == -1 || more == -1 || store_flush(inbox) == -1 ? -1 : tasks;
}

static int
drop_event(struct store *store, int64_t id)
{
	int dropped, running;

	if (store_run(store, "SELECT count(*) FROM queue WHERE event = ? AND "
	    "worker > 0", "i>d", id, &running) == -1)
		return -1;
	if (running) {
		snprintf(store->inbox.error, INBOX_ERROR_MAX, "event %lld is "
		    "being handled: try again later", (long long)id);
		return -1;
	}
	if (store_run(store, "DELETE FROM queue WHERE event = ?", "i",
	    id) == -1 || queue_elect(store, id) == -1 ||
	    store_run(store, "DELETE FROM task WHERE event = ?", "i",
	    id) == -1)
		return -1;
	dropped = store->sql->changes(store->db) > 0;
	/* The event's row stays, so that its id and key stay taken. */
	return store_run(store, "UPDATE event SET object = NULL, "
	    "conversation = NULL WHERE id = ?", "i", id) == 0 ? dropped : -1;
}

int
admin_drop(struct inbox *inbox, int64_t id)
{
	struct store *store = store_of(inbox);
	int dropped;

	do {
		dropped = store_begin(store, STORE_PATIENCE);
		if (dropped == 0)
			dropped = store_end(store, drop_event(store, id));
	} while (dropped == -1 && store_may_find_room(store));
	return dropped == -1 || store_flush(inbox) == -1 ? -1 : dropped;
}
