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

#include "log.h"

#include "banned.h"

#define PURGE_LOOK 500		/* events looked at in one step */
#define PURGE_DROP 25		/* of which so many are deleted */
#define SHIFT_STEP 500
#define QUEUE_LOOK 500		/* rows looked at before a purge */
#define MEND_EVERY 30000	/* milliseconds */
#define HELD_WRONGLY 2
#define RETRY_TURN 4		/* see pick_of() */

/* A row of the table queue. */
struct queued {
	int64_t event;		/* 0: there is none */
	int urgent;
	int worker;
};

/* A running head stays: the others wait for it. */
static bool
stays_head(const struct queued *head, const struct queued *next)
{
	if (head->worker != 0)
		return true;
	return head->urgent != next->urgent ? head->urgent > next->urgent :
	    head->event < next->event;
}

#define OF_CONVERSATION "SELECT event, urgent, worker FROM queue WHERE " \
	"conversation = (SELECT conversation FROM event WHERE id = ?) AND "

int
queue_elect(struct store *store, int64_t id)
{
	struct queued head = { .event = 0 }, next = { .event = 0 };

	if (store_run(store, OF_CONVERSATION "head = 1", "i>idd", id,
	    &head.event, &head.urgent, &head.worker) == -1 ||
	    store_run(store, OF_CONVERSATION "head = 0 ORDER BY urgent DESC, "
	    "event LIMIT 1", "i>idd", id, &next.event, &next.urgent,
	    &next.worker) == -1)
		return -1;
	if (next.event == 0 || (head.event != 0 && stays_head(&head, &next)))
		return 0;
	/* Without a head, event 0 is set, which there is not. */
	return store_run(store, "UPDATE queue SET head = event = ?1 WHERE "
	    "event IN (?1, ?2)", "ii", next.event, head.event);
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

int
queue_leave(struct store *store, int64_t id)
{
	if (store_run(store, "DELETE FROM queue WHERE event = ?", "i",
	    id) == -1)
		return -1;
	return queue_elect(store, id);
}

/*
 * New events first, in their order; but each fourth claim prefers an event
 * whose back-off is over, so that a rush of new events does not put it off for
 * ever. Last come times too far ahead, see inbox_claim().
 */
#define READY "SELECT event FROM queue WHERE head = 1 AND worker = 0 AND " \
	"urgent = ? AND "

static int
pick_of(struct store *store, int urgent, int64_t now, int64_t *id)
{
	int row = 0;

	if (store->claims % RETRY_TURN == 0)
		row = store_run(store, READY "due > 0 AND due <= ? "
		    "ORDER BY due, event LIMIT 1", "di>x", urgent, now, id);
	if (row == 0)
		row = store_run(store, READY "due <= ? ORDER BY due, event "
		    "LIMIT 1", "di>x", urgent, now, id);
	if (row == 0)
		row = store_run(store, READY "due > ? LIMIT 1", "di>x", urgent,
		    now + INBOX_DUE_MAX, id);
	return row;
}

/* 1: *id may begin; 0: none; -1. */
static int
pick(struct store *store, int64_t now, int64_t *id)
{
	int row = pick_of(store, 1, now, id);

	return row != 0 ? row : pick_of(store, 0, now, id);
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

/* An attempt ended: does the event wait, or leave? */
static int
end_event(struct store *store, int64_t id, int64_t now)
{
	int64_t waits, due;

	if (store_run(store, "SELECT count(*), min(CASE WHEN state = 1 THEN "
	    "NULL WHEN due > ? THEN 0 ELSE due END) FROM task WHERE event = ? "
	    "AND state < 2", "ii>ii", now + INBOX_DUE_MAX, id, &waits,
	    &due) == -1)
		return -1;
	if (waits == 0)
		return queue_leave(store, id);
	if (store_run(store, "UPDATE queue SET worker = 0, due = ? "
	    "WHERE event = ?", "ii", due, id) == -1)
		return -1;
	return queue_elect(store, id);
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
	/* An index that differs from its table. */
	return tasks == 1 && store->sql->changes(store->db) == 1 ? 1 :
	    store_fail(store, SQL_CORRUPT);
}

/* 1: *claim is held; 0: nothing is; HELD_WRONGLY: an event without a task. */
static int
find_held(struct store *store, int from, int to, struct inbox_claim *claim)
{
	int64_t id;
	int row = store_run(store, "SELECT event, worker FROM queue WHERE "
	    "worker > 0 AND worker BETWEEN ? AND ? LIMIT 1", "dd>xd", from, to,
	    &id, &claim->worker);

	if (row != 1)
		return row;
	row = row_claim(store, id, INBOX_RUNNING, 0, claim);
	return row == 0 ? HELD_WRONGLY : row;
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
 * The queue follows from the other tables. What stands in it against them is
 * damaged: a bit that flipped there must not hold up an event, or a
 * conversation, for ever. What a worker holds is left to its end.
 */
#define WRONG " FROM queue WHERE worker NOT BETWEEN 1 AND 2147483646 AND " \
	"(worker <> 0 OR urgent NOT IN (0, 1) OR head NOT IN (0, 1) OR " \
	"conversation IS NOT (SELECT conversation FROM event WHERE " \
	"id = queue.event) OR (head = 0 AND NOT EXISTS (SELECT 1 FROM " \
	"queue AS q WHERE q.conversation = queue.conversation AND " \
	"q.head = 1)))"

/* Goes through all tasks under the lock: it is not for a sound inbox. */
static int
mend(struct store *store)
{
	int64_t now = inbox_now(&store->inbox);

	if (now / MEND_EVERY == store->mended)
		return 0;
	store->mended = now / MEND_EVERY;
	store->queue_is_wrong = false;
	log_msg(LOG_LEVEL_ERROR, "the inbox's queue is damaged: it is made "
	    "anew");
	if (store_begin(store, STORE_PATIENCE) == -1)
		return -1;
	return store_end(store, store_run(store, "DELETE" WRONG, "") == -1 ||
	    store_run(store, "INSERT INTO queue SELECT task.event, "
	    "conversation, ifnull(type = 'message_event', 0), min(due), "
	    "conversation IS NULL, 0 FROM task LEFT JOIN event ON id = "
	    "task.event WHERE state NOT IN (2, 3) AND task.event NOT IN "
	    "(SELECT event FROM queue) GROUP BY task.event", "") == -1 ||
	    store_run(store, "UPDATE queue SET head = 1 WHERE event IN "
	    "(SELECT min(event) FROM queue WHERE conversation IS NOT NULL "
	    "GROUP BY conversation HAVING max(head) = 0)", "") == -1 ? -1 : 0);
}

static int
claim_once(struct store *store, int worker, int64_t now,
    struct inbox_claim *claim, int64_t *due)
{
	int result = 0;

	if (store_begin(store, STORE_PATIENCE) == -1)
		return -1;
	if (store->claimed_unsure)
		result = find_held(store, worker, worker, claim);
	if (result == 0 || result == HELD_WRONGLY)
		result = claim_next(store, worker, now, claim, due);
	return store_end(store, result);
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
	if (result == -1)
		return -1;
	if (result == 0 && !store->claimed_unsure)
		return next_due(store, due);
	do
		result = claim_once(store, worker, now, claim, due);
	while (result == -1 && store_may_find_room(store));
	if (result == 0 && store->queue_is_wrong)
		return mend(store);
	if (result != 1)
		return result;
	/* The attempt begins only when it is on disk. */
	store->claimed_unsure = store_flush(inbox) == -1;
	return store->claimed_unsure ? -1 : 1;
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
 * 1: ended; 0: the claim no longer holds the task. The numbers of a damaged one
 * may not be those of its row.
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

/* An untried end loses nothing: it need not wait for a sound disk. */
static int
finish_begin(struct store *store, const struct inbox_end *end)
{
	bool doubtful = store->doubtful;
	int result;

	store->doubtful = doubtful && !end->untried;
	result = store_begin(store, STORE_PATIENCE);
	store->doubtful |= doubtful && end->untried;
	return result;
}

int
queue_finish(struct inbox *inbox, const struct inbox_claim *claim,
    const struct inbox_end *end)
{
	struct store *store = store_of(inbox);
	int result;

	do {
		result = finish_begin(store, end);
		if (result == 0)
			result = store_end(store, end_task(store, claim, end,
			    inbox_now(inbox)));
	} while (result == -1 && store_may_find_room(store));
	return result;
}

int
queue_orphaned(struct inbox *inbox, int from, int to,
    struct inbox_claim *claim)
{
	struct store *store = store_of(inbox);
	int row;

	store->works = true;
	if (store_ready(store) == -1)
		return -1;
	/* An event that is held without a reason is let go. */
	while ((row = find_held(store, from, to, claim)) == HELD_WRONGLY)
		if (store_begin(store, STORE_PATIENCE) == -1 ||
		    store_end(store, end_event(store, claim->event.id,
		    inbox_now(inbox))) == -1 || mend(store) == -1)
			return -1;
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

/* The unfinished events after one, up to another. */
static int
shift_some(struct store *store, int64_t by, int64_t since, int64_t after,
    int64_t upto)
{
	int result;

	if (store_begin(store, STORE_PATIENCE) == -1)
		return -1;
	result = store_run(store, "UPDATE task SET due = due + ?3 WHERE "
	    "due > 0 AND state = 0 AND ended NOT BETWEEN ?4 AND ?5 AND "
	    "event IN (SELECT event FROM queue WHERE event > ?1 AND "
	    "event <= ?2)", "iiiii", after, upto, by, since,
	    inbox_now(&store->inbox));
	if (result == 0)
		result = store_run(store, "UPDATE queue SET due = ifnull(("
		    "SELECT min(due) FROM task WHERE event = queue.event AND "
		    "state = 0), due) WHERE due > 0 AND event > ?1 AND "
		    "event <= ?2", "ii", after, upto);
	return store_end(store, result);
}

/* After an error the next call goes on from where this one was. */
int
queue_shift_due(struct inbox *inbox, int64_t milliseconds, int64_t since)
{
	struct store *store = store_of(inbox);
	int64_t *after = &store->shifted_upto, upto;

	if (store_ready(store) == -1)
		return -1;
	do {
		if (store_run(store, "SELECT max(event) FROM (SELECT event "
		    "FROM queue WHERE event > ? ORDER BY event LIMIT ?)",
		    "id>i", *after, SHIFT_STEP, &upto) == -1 ||
		    (upto != 0 && shift_some(store, milliseconds, since,
		    *after, upto) == -1))
			return -1;
		*after = upto;
	} while (upto != 0);
	return 0;
}

struct old {
	int64_t ids[PURGE_DROP];
	size_t n;
	int looked;
	bool at_end;
};

#define UNFINISHED "EXISTS (SELECT 1 FROM queue WHERE event = id) OR " \
	"EXISTS (SELECT 1 FROM task WHERE event = id AND state <> 2)"

/*
 * Finds events to delete, but never the newest one. Events are not strictly
 * ordered by time if the clock was set: skip events dated in the future, and
 * look past a few recent ones.
 */
static int
find_old(struct store *store, int64_t before, struct old *old)
{
	struct sqlite3_stmt *stmt = store_query(store, "SELECT id, "
	    "received < ?2 OR received > ?3, received < ?2 AND NOT ("
	    UNFINISHED ") FROM event WHERE id > ?1 AND "
	    "id < (SELECT max(id) FROM event) ORDER BY id LIMIT ?4", "iiid",
	    store->purged_upto, before, inbox_now(&store->inbox), PURGE_LOOK);
	int64_t past = 0, id;
	int row, odd, over;

	while ((row = store_row(store, stmt, "idd", &id, &odd, &over)) == 1) {
		old->looked++;
		if (odd)
			past = id;
		if (over)
			old->ids[old->n++] = past;
		if (old->n == PURGE_DROP) {
			store_reset(store, stmt);
			break;
		}
	}
	old->at_end = past == 0 || (row == 0 && old->looked < PURGE_LOOK);
	store->purged_upto = old->at_end ? 0 : past;
	return row == -1 ? -1 : 0;
}

/* An operator may have made it wait again since it was found. */
static int
delete_event(struct store *store, int64_t id)
{
	if (store_run(store, "DELETE FROM event WHERE id = ? AND NOT ("
	    UNFINISHED ")", "i", id) == -1)
		return -1;
	return store->sql->changes(store->db) == 0 ? 0 : store_run(store,
	    "DELETE FROM task WHERE event = ?", "i", id);
}

int
queue_purge(struct inbox *inbox, int64_t before)
{
	struct store *store = store_of(inbox);
	struct old old = { .n = 0 };
	int result = 0, wrong;
	size_t i;

	if (store_ready(store) == -1)
		return -1;
	store_shrink_log(store);
	/* What is stuck becomes the oldest. */
	if (store_run(store, "SELECT EXISTS ("
	    "SELECT 1" WRONG " AND event <= (SELECT max(event) FROM (SELECT "
	    "event FROM queue ORDER BY event LIMIT ?)))", "d>d", QUEUE_LOOK,
	    &wrong) == -1)
		return -1;
	wrong |= store->queue_is_wrong;
	if ((wrong && mend(store) == -1) ||
	    find_old(store, before, &old) == -1)
		return -1;
	if (old.n == 0)
		return old.at_end ? 0 : old.looked;
	if (store_begin(store, STORE_PATIENCE) == -1)
		return -1;
	for (i = 0; result == 0 && i < old.n; i++)
		result = delete_event(store, old.ids[i]);
	return store_end(store, result) == -1 ? -1 : old.looked;
}
