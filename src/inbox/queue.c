/*
 * queue.c - the SQLite backend for workers: handing tasks out, taking their
 * ends, deleting old events.
 *
 * Each call is a transaction of short statements, each by an index on the
 * unfinished events: finished events cost nothing here, a backlog costs no more
 * than a single event, and a call that finds nothing to do takes no write lock.
 * Calls that have to go through many events do so in steps, a transaction each.
 */
#include "inbox/store.h"

#include <string.h>

#include "clock.h"
#include "log.h"

#include "banned.h"

#define STEP 500		/* rows looked at in one step */
#define PURGE_LOOK 100		/* events looked at in one step */
#define PURGE_DROP 25		/* of which so many are deleted */
#define MEND_EVERY 30000	/* milliseconds */
#define RETRY_TURN 4		/* see pick() */

#define OF_CONVERSATION "FROM queue WHERE conversation = " \
	"(SELECT conversation FROM event WHERE id = ?1) AND "
#define FIRST "SELECT * FROM (SELECT event, urgent, worker " OF_CONVERSATION

/* Between the head and the first of the others; a running head stays. */
int
queue_elect(struct store *store, int64_t id)
{
	int64_t head;
	int row = store_run(store, "SELECT event FROM (" FIRST "head = 1 "
	    "LIMIT 1) UNION ALL " FIRST "head = 0 ORDER BY urgent DESC, event "
	    "LIMIT 1)) ORDER BY worker > 0 DESC, urgent DESC, event LIMIT 1",
	    "i>x", id, &head);

	return row != 1 ? row : store_run(store, "UPDATE queue SET head = "
	    "event = ?2 WHERE event IN (?2, (SELECT event " OF_CONVERSATION
	    "head = 1)) AND head <> (event = ?2)", "ii", id, head);
}

int
queue_add(struct store *store, int64_t id, const char *conversation,
    const char *type)
{
	/* Its handler must act within seconds. */
	bool urgent = strcmp(type, "message_event") == 0;

	if (store_run(store, "INSERT INTO queue VALUES (?1, ?2, ?3, 0, "
	    "?2 IS NULL OR NOT EXISTS (SELECT 1 FROM queue WHERE "
	    "conversation = ?2), 0) ON CONFLICT DO UPDATE SET due = 0", "itd",
	    id, conversation, urgent) == -1)
		return -1;
	return urgent ? queue_elect(store, id) : 0;
}

/*
 * New events first, in their order; but each fourth claim prefers an event
 * whose back-off is over, so that a rush of new events does not put it off for
 * ever. Times too far ahead come last, see inbox_claim().
 */
#define READY "SELECT event FROM queue WHERE head = 1 AND worker = 0 AND " \
	"urgent = ? AND "

/* 1: *id may begin; 0: none; -1. */
static int
pick(struct store *store, int64_t now, int64_t *id)
{
	int row = 0, urgent;

	for (urgent = 1; row == 0 && urgent >= 0; urgent--) {
		if (store->claims % RETRY_TURN == 0)
			row = store_run(store, READY "due > 0 AND due <= ? "
			    "ORDER BY due, event LIMIT 1", "di>x", urgent, now,
			    id);
		if (row == 0)
			row = store_run(store, READY "due <= ? ORDER BY due, "
			    "event LIMIT 1", "di>x", urgent, now, id);
		if (row == 0)
			row = store_run(store, READY "due > ? LIMIT 1", "di>x",
			    urgent, now + INBOX_DUE_MAX, id);
	}
	return row;
}

/* When there will be something to pick. */
static int
next_due(struct store *store, int64_t *due)
{
	return store_run(store, "SELECT coalesce((SELECT nullif(min(due), 0) "
	    "FROM (SELECT * FROM (SELECT due FROM queue WHERE head = 1 "
	    "AND worker = 0 AND urgent = 1 ORDER BY due LIMIT 1) UNION ALL "
	    "SELECT * FROM (SELECT due FROM queue WHERE head = 1 AND "
	    "worker = 0 AND urgent = 0 ORDER BY due LIMIT 1))), "
	    "(SELECT ? FROM queue LIMIT 1), 0)", "i>i", INT64_MAX, due) == -1 ?
	    -1 : 0;
}

/* The clock may have been set back since `from`. */
static int
count_time(struct store *store, const struct inbox_claim *claim,
    enum store_stat kind, int64_t from, int64_t now)
{
	int64_t time = now > from ? now - from : 0;

	return store_count(store, claim->handler, kind, inbox_bucket(time),
	    time);
}

/* An attempt ended: does the event wait, or leave the queue? */
static int
end_event(struct store *store, int64_t id, int64_t now)
{
	struct sqlite3_stmt *stmt = row_tasks(store, id);
	struct inbox_task task;
	int64_t due = INT64_MAX;
	int row;

	while ((row = row_task(store, stmt, &task)) == 1)
		if (row_is_open(&task) && task.due > now + INBOX_DUE_MAX)
			due = 0;
		else if (row_is_open(&task) && task.due < due)
			due = task.due;
	if (row == -1)
		return -1;
	row = due == INT64_MAX ? store_run(store, "DELETE FROM queue WHERE "
	    "event = ?", "i", id) : store_run(store, "UPDATE queue SET "
	    "worker = 0, due = ? WHERE event = ?", "ii", due, id);
	if (row == -1)
		return -1;
	/* An index may name a row that its table has not. */
	return store->sql->changes(store->db) == 0 ?
	    store_fail(store, SQL_CORRUPT) : queue_elect(store, id);
}

/* 1: claimed; 0: the queue was wrong about the event. */
static int
claim_event(struct store *store, int worker, int64_t now, int64_t id,
    struct inbox_claim *claim)
{
	int row = row_claim(store, id, INBOX_WAITING, now, claim), tasks;

	store->queue_is_wrong |= row == 0;
	if (row != 1)
		return row == 0 ? end_event(store, id, now) : -1;
	if (claim->started == 0 && count_time(store, claim, STAT_WAIT,
	    claim->event.received, now) == -1)
		return -1;
	claim->worker = worker;
	claim->attempt++;
	claim->started = now;
	if (store_run(store, ROW_SET_TASK ROW_TASK, ROW_TYPES, id, claim->place,
	    claim->handler, INBOX_RUNNING, claim->attempt, now,
	    claim->damaged) == -1)
		return -1;
	tasks = store->sql->changes(store->db);
	if (store_run(store, "UPDATE queue SET worker = ? WHERE event = ?",
	    "di", worker, id) == -1)
		return -1;
	/* The index may differ from its table. */
	return tasks == 1 && store->sql->changes(store->db) == 1 ? 1 :
	    store_fail(store, SQL_CORRUPT);
}

/* Another worker may have been faster since the first look. */
static int
claim_next(struct store *store, int worker, int64_t now,
    struct inbox_claim *claim, int64_t *due)
{
	int64_t id;
	int row = pick(store, now, &id);

	if (row != 1)
		return row == 0 ? next_due(store, due) : -1;
	*due = now;	/* if the event turns out to have no task */
	return claim_event(store, worker, now, id, claim);
}

/*
 * All events with tasks, in steps; others get as much time between as a step
 * took. After an error call it again.
 */
static int
queue_in_steps(struct store *store, int (*step)(struct store *, int64_t after,
    int64_t upto, int64_t by, int64_t since), int64_t *after, int64_t by,
    int64_t since)
{
	int64_t upto, start;
	int result;

	do {
		start = clock_ns();
		upto = INT64_MAX;
		result = store_run(store, "SELECT event FROM task WHERE "
		    "event > ? ORDER BY event LIMIT 1 OFFSET ?", "id>x",
		    *after, STEP, &upto);
		if (result != -1)
			result = store_begin(store, STORE_PATIENCE);
		if (result != -1)
			result = store_end(store, step(store, *after, upto, by,
			    since));
		if (result == -1)
			return -1;
		*after = upto;
		clock_sleep_until(clock_ns() + (clock_ns() - start));
	} while (upto != INT64_MAX);
	return 0;
}

/*
 * The queue follows from the other tables. A row against them is damaged: a bit
 * that flipped there must not hold up an event, or a conversation, for ever. A
 * task that a worker runs is left to its end.
 */
#define WRONG "(worker NOT BETWEEN 1 AND 2147483646 OR NOT EXISTS (SELECT 1 " \
	"FROM task WHERE event = queue.event AND state NOT IN (0, 2, 3))) " \
	"AND (worker <> 0 OR urgent NOT IN (0, 1) OR head NOT IN (0, 1) OR " \
	"conversation IS NOT (SELECT conversation FROM event WHERE " \
	"id = queue.event) OR (head = 0 AND NOT EXISTS (SELECT 1 FROM " \
	"queue AS q WHERE q.conversation = queue.conversation AND " \
	"q.head = 1)))"

static int
mend_step(struct store *store, int64_t after, int64_t upto, int64_t by,
    int64_t since)
{
	(void)by;
	(void)since;
	if (store_run(store, "DELETE FROM queue WHERE event > ? AND "
	    "event <= ? AND " WRONG, "ii", after, upto) == -1 ||
	    store_run(store, "INSERT OR IGNORE INTO queue SELECT task.event, "
	    "conversation, ifnull(type = 'message_event', 0), min(due), "
	    "conversation IS NULL, 0 FROM task LEFT JOIN event ON id = "
	    "task.event WHERE task.event > ? AND task.event <= ? AND "
	    "state NOT IN (2, 3) GROUP BY task.event", "ii", after,
	    upto) == -1)
		return -1;
	return store_run(store, "UPDATE queue SET head = 1 WHERE event > ? "
	    "AND event <= ? AND head = 0 AND event = (SELECT q.event FROM "
	    "queue AS q WHERE q.conversation = queue.conversation ORDER BY "
	    "q.head DESC, q.urgent DESC, q.event LIMIT 1)", "ii", after, upto);
}

static int
mend(struct store *store)
{
	int64_t time = inbox_now(&store->inbox) / MEND_EVERY;

	if (!store->queue_is_wrong || time == store->mended)
		return 0;
	store->mended = time;
	store->queue_is_wrong = false;
	log_msg(LOG_LEVEL_ERROR, "the inbox's queue is damaged: it is made "
	    "anew");
	return queue_in_steps(store, mend_step, &(int64_t){ INT64_MIN }, 0, 0);
}

static int
claim_once(struct store *store, int worker, int64_t now,
    struct inbox_claim *claim, int64_t *due)
{
	return store_begin(store, STORE_PATIENCE) == -1 ? -1 :
	    store_end(store, claim_next(store, worker, now, claim, due));
}

int
queue_claim(struct inbox *inbox, int worker, struct inbox_claim *claim,
    int64_t *due)
{
	struct store *store = store_of(inbox);
	int64_t now = inbox_now(inbox), id;
	int result;

	store->works = true;
	store->claims++;
	*due = 0;
	result = store_ready(store) == -1 ? -1 : pick(store, now, &id);
	if (result != 1)
		return result == 0 ? next_due(store, due) : -1;
	do
		result = claim_once(store, worker, now, claim, due);
	while (result == -1 && store_may_find_room(store));
	if (result == 0)
		return mend(store);
	/* The attempt begins only when it is on disk. */
	return result == 1 && store_flush(inbox) == -1 ? -1 : result;
}

static int
count_end(struct store *store, const struct inbox_claim *claim,
    const struct inbox_end *end, int64_t now)
{
	bool done = end->state == INBOX_DONE;

	if (done && count_time(store, claim, STAT_RUN, claim->started,
	    now) == -1)
		return -1;
	if (store_count(store, claim->handler, done ? STAT_DONE : STAT_FAILED,
	    0, 0) == -1)
		return -1;
	if (end->state == INBOX_FAILED && store_count(store, claim->handler,
	    STAT_PARKED, 0, 0) == -1)
		return -1;
	return store_run(store, "INSERT INTO stat VALUES ('', ?1, ?2 % ?3, 1, "
	    "?2) ON CONFLICT DO UPDATE SET n = CASE sum WHEN ?2 THEN n + 1 "
	    "ELSE 1 END, sum = ?2", "did", done ? STAT_SECOND_DONE :
	    STAT_SECOND_FAILED, now / 1000, STORE_SECONDS);
}

/*
 * 1: ended; 0: the claim no longer holds the task. A damaged task's numbers may
 * differ from its row's.
 */
static int
end_task(struct store *store, const struct inbox_claim *claim,
    const struct inbox_end *end, int64_t now)
{
	if (store_run(store, ROW_SET_TASK ", due = ?9, ended = ?10, "
	    "reason = ?11" ROW_TASK " AND (?8 OR (state = 1 AND "
	    "attempts = ?12 AND started = ?6)) AND EXISTS (SELECT 1 FROM "
	    "queue WHERE event = ?1 AND worker = ?13)", ROW_TYPES "iitdd",
	    claim->event.id, claim->place, claim->handler, end->state,
	    claim->attempt - end->untried, claim->started, claim->damaged,
	    end->state == INBOX_WAITING ? end->due : INT64_C(0), now,
	    end->reason, claim->attempt, claim->worker) == -1)
		return -1;
	if (store->sql->changes(store->db) == 0)
		return claim->damaged ? store_fail(store, SQL_CORRUPT) : 0;
	if (!end->untried && (put_command(store, claim->event.group_id,
	    &end->command) == -1 || count_end(store, claim, end, now) == -1))
		return -1;
	return end_event(store, claim->event.id, now) == -1 ? -1 : 1;
}

int
queue_finish(struct inbox *inbox, const struct inbox_claim *claim,
    const struct inbox_end *end)
{
	struct store *store = store_of(inbox);
	bool doubtful = store->doubtful && end->untried;
	int result;

	/* An untried end loses nothing: it need not wait for a sound disk. */
	store->doubtful &= !doubtful;
	do {
		result = store_begin(store, STORE_PATIENCE);
		if (result == 0)
			result = store_end(store, end_task(store, claim, end,
			    inbox_now(inbox)));
	} while (result == -1 && store_may_find_room(store));
	store->doubtful |= doubtful;
	return result;
}

static int
find_held(struct store *store, int from, int to, struct inbox_claim *claim)
{
	int64_t id;
	int row = store_run(store, "SELECT event, worker FROM queue WHERE "
	    "worker > 0 AND worker BETWEEN ? AND ? LIMIT 1", "dd>xd", from, to,
	    &id, &claim->worker);

	if (row == 1) {
		row = row_claim(store, id, INBOX_RUNNING, 0, claim);
		store->queue_is_wrong |= row == 0;
	}
	return row;
}

int
queue_orphaned(struct inbox *inbox, int from, int to,
    struct inbox_claim *claim)
{
	struct store *store = store_of(inbox);
	int row;

	store->works = true;
	row = store_ready(store) == -1 ? -1 :
	    find_held(store, from, to, claim);
	/* A row that names a worker wrongly may hide the right one. */
	if (row == 0 && store->queue_is_wrong)
		row = mend(store) == -1 ? -1 :
		    find_held(store, from, to, claim);
	return row;
}

int
queue_next_due(struct inbox *inbox, int64_t *due)
{
	struct store *store = store_of(inbox);
	int64_t now = inbox_now(inbox), id;
	int row = store_ready(store) == -1 ? -1 : pick(store, now, &id);

	*due = now;
	return row == 0 ? next_due(store, due) : row == 1 ? 0 : -1;
}

static int
shift_step(struct store *store, int64_t after, int64_t upto, int64_t by,
    int64_t since)
{
	if (store_run(store, "UPDATE task SET due = due + ? WHERE due > 0 AND "
	    "state = 0 AND event > ? AND event <= ? AND "
	    "ended NOT BETWEEN ? AND ?", "iiiii", by, after, upto, since,
	    inbox_now(&store->inbox)) == -1)
		return -1;
	return store_run(store, "UPDATE queue SET due = ifnull((SELECT "
	    "min(due) FROM task WHERE event = queue.event AND state = 0), due) "
	    "WHERE due > 0 AND event > ? AND event <= ?", "ii", after, upto);
}

int
queue_shift_due(struct inbox *inbox, int64_t milliseconds, int64_t since)
{
	struct store *store = store_of(inbox);

	if (store_ready(store) == -1 || queue_in_steps(store, shift_step,
	    &store->shifted_upto, milliseconds, since) == -1)
		return -1;
	store->shifted_upto = 0;
	return 0;
}

#define OLD "received < ?2 AND NOT EXISTS (SELECT 1 FROM queue WHERE " \
	"event = id) AND NOT EXISTS (SELECT 1 FROM task WHERE event = id " \
	"AND state <> 2)"
#define SOME_OLD "(SELECT id FROM event WHERE id > ?1 AND id <= ?3 AND " OLD \
	" ORDER BY id LIMIT ?4)"

/* An operator may have made some wait again since they were found. */
static int
drop_old(struct store *store, int64_t before, int64_t upto)
{
	int result;

	if (store_begin(store, STORE_PATIENCE) == -1)
		return -1;
	result = store_run(store, "DELETE FROM task WHERE event IN " SOME_OLD,
	    "iiid", store->purged_upto, before, upto, PURGE_DROP);
	if (result == 0)
		result = store_run(store, "DELETE FROM event WHERE id IN "
		    SOME_OLD, "iiid", store->purged_upto, before, upto,
		    PURGE_DROP);
	return store_end(store, result);
}

/*
 * The newest event stays. Events dated in the future, from before the clock was
 * set, are skipped.
 */
static int
purge_some(struct store *store, int64_t before)
{
	int64_t upto;
	int looked, odd, old;

	if (store_run(store, "SELECT count(*), max(id), sum(received < ?2 OR "
	    "received > ?3), sum(" OLD ") FROM (SELECT id, received FROM event "
	    "WHERE id > ?1 AND id < (SELECT max(id) FROM event) ORDER BY id "
	    "LIMIT ?4)", "iiid>didd", store->purged_upto, before,
	    inbox_now(&store->inbox), PURGE_LOOK, &looked, &upto, &odd,
	    &old) == -1 || (old > 0 && drop_old(store, before, upto) == -1))
		return -1;
	if (old <= PURGE_DROP)
		store->purged_upto = odd == 0 ? 0 : upto;
	return odd == 0 ? 0 : looked;
}

int
queue_purge(struct inbox *inbox, int64_t before)
{
	struct store *store = store_of(inbox);
	int wrong;

	if (store_ready(store) == -1)
		return -1;
	store_shrink_log(store);
	/* Events that the queue holds up become the oldest. */
	if (store_run(store, "SELECT EXISTS (SELECT 1 FROM (SELECT * FROM "
	    "queue ORDER BY event LIMIT ?) AS queue WHERE " WRONG ")", "d>d",
	    STEP, &wrong) == -1)
		return -1;
	store->queue_is_wrong |= wrong;
	return mend(store) == -1 ? -1 : purge_some(store, before);
}
