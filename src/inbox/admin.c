/*
 * admin.c - the SQLite store's side for operators: what is in it, how it
 * goes, and sending parked events round again.
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
#define STEP 100		/* events that wait again, at once */

struct ids {
	int64_t *ids;
	size_t n;
	size_t size;
};

/*
 * The first id that was received at that time or later, by bisection: ids are
 * given in order of arrival. A clock that was set back makes it a near guess.
 */
static int
id_since(struct store *store, int64_t since, int64_t *id)
{
	int64_t low, high, middle, early;

	if (store_number(store, &low, "SELECT min(id) FROM event", "") == -1 ||
	    store_number(store, &high, "SELECT max(id) FROM event", "") == -1)
		return -1;
	high++;
	while (low < high) {
		middle = low + (high - low) / 2;
		if (store_number(store, &early, "SELECT received < ? FROM "
		    "event WHERE id >= ? ORDER BY id LIMIT 1", "ii", since,
		    middle) == -1)
			return -1;
		if (early)
			low = middle + 1;
		else
			high = middle;
	}
	*id = low;
	return 0;
}

/* Ids, newest first, of events with a task in that state. */
static struct sqlite3_stmt *
candidates(struct store *store, int state, int64_t from, int64_t upto)
{
	switch (state) {
	case INBOX_WAITING:
		return store_query(store, "SELECT event FROM queue q WHERE "
		    "event BETWEEN ? AND ? AND EXISTS (SELECT 1 FROM task "
		    "WHERE event = q.event AND state = 0) "
		    "ORDER BY event DESC", "ii", from, upto);
	case INBOX_UNFINISHED:
		return store_query(store, "SELECT event FROM queue WHERE "
		    "event BETWEEN ? AND ? ORDER BY event DESC", "ii", from,
		    upto);
	case INBOX_FAILED:
		return store_query(store, "SELECT DISTINCT event FROM task "
		    "WHERE state = 3 AND event BETWEEN ? AND ? "
		    "ORDER BY event DESC", "ii", from, upto);
	case INBOX_DONE:
		return store_query(store, "SELECT DISTINCT event FROM task "
		    "WHERE state = 2 AND event BETWEEN ? AND ? "
		    "ORDER BY event DESC", "ii", from, upto);
	default:
		/* An event without tasks was dropped. */
		return store_query(store, "SELECT id FROM event WHERE id "
		    "BETWEEN ? AND ? AND EXISTS (SELECT 1 FROM task WHERE "
		    "event = id) ORDER BY id DESC", "ii", from, upto);
	}
}

static int
admin_is_looked_for(struct store *store, int64_t id,
    const struct inbox_filter *filter, int64_t *looked_for)
{
	*looked_for = 1;
	if (filter->group_id == 0 && filter->type == NULL &&
	    filter->since == 0)
		return 0;
	return store_number(store, looked_for, "SELECT (?2 = 0 OR "
	    "group_id = ?2) AND (?3 IS NULL OR type = ?3) AND "
	    "received >= ?4 FROM event WHERE id = ?1", "iiti", id,
	    filter->group_id, filter->type, filter->since);
}

static int
admin_add_id(struct store *store, struct ids *ids, int64_t id)
{
	size_t size = ids->size == 0 ? 64 : 2 * ids->size;
	int64_t *grown;

	if (ids->n == ids->size) {
		grown = realloc(ids->ids, size * sizeof(*grown));
		if (grown == NULL)
			return store_fail(store, SQL_NOMEM);
		ids->ids = grown;
		ids->size = size;
	}
	ids->ids[ids->n++] = id;
	return 0;
}

static int
collect(struct store *store, const struct inbox_filter *filter,
    struct ids *ids)
{
	int64_t from = filter->after + 1, upto = INT64_MAX, since, id, wanted;
	struct sqlite3_stmt *stmt;
	int row = -1;

	if (filter->id != 0)
		from = upto = filter->id;
	if (filter->since != 0) {
		if (id_since(store, filter->since, &since) == -1)
			return -1;
		if (since > from)
			from = since;
	}
	stmt = candidates(store, filter->state, from, upto);
	while (stmt != NULL && (row = store_row(store, stmt)) == 1) {
		id = store_int(store, stmt, 0);
		if (admin_is_looked_for(store, id, filter, &wanted) == -1 ||
		    (wanted && admin_add_id(store, ids, id) == -1)) {
			store_reset(store, stmt);
			return -1;
		}
		if (filter->limit != 0 && ids->n == (size_t)filter->limit) {
			store_reset(store, stmt);
			return 0;
		}
	}
	return row;
}

/* Copies: a row's texts go with the row. */
struct shown {
	struct inbox_task tasks[INBOX_TASKS_MAX];
	char handlers[INBOX_TASKS_MAX][HANDLER_NAME_MAX + 1];
	char reasons[INBOX_TASKS_MAX][INBOX_REASON_MAX];
};

static int
load_tasks(struct store *store, int64_t id, struct shown *shown, size_t *n)
{
	struct sqlite3_stmt *stmt = store_query(store, "SELECT handler, state, "
	    "attempts, due, started, ended, reason FROM task WHERE event = ? "
	    "ORDER BY place LIMIT ?", "ii", id, (int64_t)INBOX_TASKS_MAX);
	int row = -1;

	*n = 0;
	while (stmt != NULL && (row = store_row(store, stmt)) == 1) {
		snprintf(shown->handlers[*n], sizeof(shown->handlers[*n]), "%s",
		    store_text(store, stmt, 0));
		snprintf(shown->reasons[*n], sizeof(shown->reasons[*n]), "%s",
		    store_text(store, stmt, 6));
		shown->tasks[*n] = (struct inbox_task){
			.handler = shown->handlers[*n],
			.state = (enum inbox_state)store_int(store, stmt, 1),
			.attempts = (int)store_int(store, stmt, 2),
			.due = store_int(store, stmt, 3),
			.started = store_int(store, stmt, 4),
			.ended = store_int(store, stmt, 5),
			.reason = shown->reasons[*n],
		};
		(*n)++;
	}
	return row;
}

/* 1: go on; 0: the caller has seen enough; -1. */
static int
admin_show(struct store *store, int64_t id, struct shown *shown,
    inbox_list_fn *look, void *arg)
{
	struct inbox_claim copy = { .handler = NULL };
	struct sqlite3_stmt *stmt;
	size_t n;
	int row;

	stmt = store_query(store, "SELECT " STORE_EVENT " FROM event "
	    "WHERE id = ?", "i", id);
	row = stmt != NULL ? store_row(store, stmt) : -1;
	if (row != 1)
		return row == 0 ? 1 : -1;	/* gone by now */
	store_event(store, stmt, &copy.event);
	row = store_copy(store, &copy);
	store_reset(store, stmt);
	if (row == -1 || load_tasks(store, id, shown, &n) == -1)
		return -1;
	/* Nothing is open now: who is told may take its time. */
	return n == 0 || look(arg, &copy.event, shown->tasks, n);
}

int
admin_list(struct inbox *inbox, const struct inbox_filter *filter,
    inbox_list_fn *look, void *arg)
{
	struct store *store = store_of(inbox);
	struct shown *shown = malloc(sizeof(*shown));
	struct ids ids = { .n = 0 };
	int result = -1, more = 1;
	size_t i;

	if (shown == NULL)
		store_fail(store, SQL_NOMEM);
	else if (store_ready(store) == 0)
		result = collect(store, filter, &ids);
	for (i = ids.n; result == 0 && more == 1 && i > 0; i--) {
		more = admin_show(store, ids.ids[i - 1], shown, look, arg);
		if (more == -1)
			result = -1;
	}
	free(ids.ids);
	free(shown);
	return result;
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
	if (store_number(store, &status->running, "SELECT count(*) FROM queue "
	    "WHERE worker > 0", "") == -1 ||
	    store_number(store, &status->waiting, "SELECT count(*) FROM queue",
	    "") == -1 ||
	    store_number(store, &status->retrying, "SELECT count(*) FROM "
	    "queue WHERE worker = 0 AND due > ?", "i", now) == -1 ||
	    store_number(store, &status->parked, "SELECT count(*) FROM task "
	    "WHERE state = 3", "") == -1)
		return -1;
	status->waiting -= status->running;
	return store_number(store, &status->oldest, "SELECT received FROM "
	    "event WHERE id = (SELECT event FROM queue WHERE worker = 0 "
	    "ORDER BY event LIMIT 1)", "");
}

/* Ends of a kind since then, and none of the future: the clock may be set. */
static int
admin_count_ends(struct store *store, enum store_stat kind, int64_t since,
    int64_t now, int64_t *n)
{
	return store_number(store, n, "SELECT sum(n) FROM stat WHERE "
	    "handler = '' AND kind = ? AND sum BETWEEN ? AND ?", "iii",
	    (int64_t)kind, since / SECOND, now / SECOND);
}

static int
count_rates(struct store *store, int64_t now, struct inbox_status *status)
{
	static const int64_t spans[] = { 60 * SECOND, 3600 * SECOND };
	int64_t from, upto, since;
	int i;

	if (store_number(store, &upto, "SELECT max(id) FROM event", "") == -1)
		return -1;
	for (i = 0; i < 2; i++) {
		since = now - spans[i];
		if (id_since(store, since, &from) == -1 ||
		    admin_count_ends(store, STAT_SECOND_DONE, since, now,
		    &status->done_rate[i]) == -1 ||
		    admin_count_ends(store, STAT_SECOND_FAILED, since, now,
		    &status->failed_rate[i]) == -1)
			return -1;
		status->stored_rate[i] = upto == 0 ? 0 : upto - from + 1;
	}
	return 0;
}

static void
admin_add_stat(struct inbox_handler_status *handler, int64_t kind,
    int64_t bucket, int64_t n, int64_t sum)
{
	struct inbox_histogram *histogram;

	switch (kind) {
	case STAT_DONE:
		handler->done = n;
		break;
	case STAT_FAILED:
		handler->failed = n;
		break;
	case STAT_PARKED:
		handler->parked = n;
		break;
	case STAT_WAIT:
	case STAT_RUN:
		if (bucket < 0 || bucket >= INBOX_BUCKETS)
			break;
		histogram = kind == STAT_WAIT ? &handler->wait : &handler->run;
		histogram->n[bucket] = n;
		histogram->sum += sum;
		break;
	}
}

static int
count_handlers(struct store *store, struct inbox_status *status)
{
	struct inbox_handler_status *handler;
	struct sqlite3_stmt *stmt;
	int row = -1;

	stmt = store_query(store, "SELECT handler, kind, bucket, n, sum FROM "
	    "stat WHERE handler > '' ORDER BY handler", "");
	while (stmt != NULL && (row = store_row(store, stmt)) == 1) {
		handler = inbox_status_handler(status, store_text(store, stmt,
		    0));
		if (handler == NULL) {
			store_reset(store, stmt);
			return store_fail(store, SQL_NOMEM);
		}
		admin_add_stat(handler, store_int(store, stmt, 1),
		    store_int(store, stmt, 2), store_int(store, stmt, 3),
		    store_int(store, stmt, 4));
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
	inbox_status_free(status);
	return -1;
}

/* The pool makes and holds this file; reading a byte of it wakes the pool. */
static int
admin_lock_path(const struct store *store, char path[PATH_MAX])
{
	int len = snprintf(path, PATH_MAX, "%s-lock", store->path);

	return !store->in_memory && len > 0 && len < PATH_MAX ? 0 : -1;
}

int
admin_wake_fd(struct inbox *inbox)
{
	struct store *store = store_of(inbox);
	char path[PATH_MAX];

	if (store->inotify == -1)
		store->inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	/*
	 * Watching a file that is watched already changes nothing. IN_ATTRIB
	 * comes when it is removed, so that the pool leaves.
	 */
	if (admin_lock_path(store, path) == -1 || inotify_add_watch(
	    store->inotify, path, IN_ACCESS | IN_ATTRIB | IN_DONT_FOLLOW) == -1)
		return -1;
	return store->inotify;
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
	char path[PATH_MAX], byte;
	int fd, result;

	if (admin_lock_path(store_of(inbox), path) == -1)
		return 0;
	fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
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

/* Puts an event back into the queue that left it. */
static int
queue_again(struct store *store, int64_t id)
{
	struct inbox_event event;
	struct sqlite3_stmt *stmt;
	int row, result;

	stmt = store_query(store, "SELECT " STORE_EVENT " FROM event "
	    "WHERE id = ?", "i", id);
	row = stmt != NULL ? store_row(store, stmt) : -1;
	if (row != 1)
		return row;
	store_event(store, stmt, &event);
	result = queue_add(store, id, event.conversation, event.type);
	if (result == 0)
		result = queue_elect(store, id);
	store_reset(store, stmt);
	return result;
}

/* How many tasks of the event wait now that were parked; or -1. */
static int
wait_again(struct store *store, int64_t id)
{
	int tasks;

	if (store_run(store, "UPDATE task SET state = 0, attempts = 0, "
	    "due = 0 WHERE event = ? AND state = 3", "i", id) == -1)
		return -1;
	tasks = store->sql->changes(store->db);
	if (tasks > 0 && queue_again(store, id) == -1)
		return -1;
	return tasks;
}

/* A step of a few events, so that others get their turn. */
static int
some_again(struct store *store, const int64_t *ids, size_t n)
{
	int tasks = 0, more = 0;
	size_t i;

	if (store_begin(store, STORE_PATIENCE) == -1)
		return -1;
	for (i = 0; more != -1 && i < n; i++) {
		more = wait_again(store, ids[i]);
		tasks += more;
	}
	return store_end(store, more == -1 ? -1 : 0) == -1 ? -1 : tasks;
}

int
admin_retry(struct inbox *inbox, const struct inbox_filter *filter)
{
	struct store *store = store_of(inbox);
	struct inbox_filter failed = *filter;
	struct ids ids = { .n = 0 };
	int tasks = 0, more = -1;
	size_t i, n;

	failed.state = INBOX_FAILED;
	if (store_ready(store) == 0)
		more = collect(store, &failed, &ids);
	for (i = 0; more != -1 && i < ids.n; i += n) {
		n = ids.n - i < STEP ? ids.n - i : STEP;
		more = some_again(store, ids.ids + i, n);
		tasks += more;
	}
	free(ids.ids);
	return more == -1 || store_flush(inbox) == -1 ? -1 : tasks;
}

static int
drop_event(struct store *store, int64_t id)
{
	int64_t running;
	int dropped;

	if (store_number(store, &running, "SELECT count(*) FROM queue WHERE "
	    "event = ? AND worker > 0", "i", id) == -1)
		return -1;
	if (running) {
		snprintf(store->inbox.error, INBOX_ERROR_MAX, "event %lld is "
		    "being handled: try again later", (long long)id);
		return -1;
	}
	if (queue_leave(store, id) == -1 ||
	    store_run(store, "DELETE FROM task WHERE event = ?", "i",
	    id) == -1)
		return -1;
	dropped = store->sql->changes(store->db) > 0;
	/* Its row stays: so do its id, taken, and its key, known. */
	return store_run(store, "UPDATE event SET object = NULL, "
	    "conversation = NULL WHERE id = ?", "i", id) == 0 ? dropped : -1;
}

static int
drop_once(struct store *store, int64_t id)
{
	int dropped;

	if (store_begin(store, STORE_PATIENCE) == -1)
		return -1;
	dropped = drop_event(store, id);
	return store_end(store, dropped == -1 ? -1 : 0) == -1 ? -1 : dropped;
}

int
admin_drop(struct inbox *inbox, int64_t id)
{
	struct store *store = store_of(inbox);
	int dropped;

	do
		dropped = drop_once(store, id);
	while (dropped == -1 && store_may_find_room(store));
	return dropped == -1 || store_flush(inbox) == -1 ? -1 : dropped;
}
