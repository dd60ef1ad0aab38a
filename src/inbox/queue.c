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

#include "banned.h"

#define PURGE_LOOK 500		/* events looked at in one step */
#define PURGE_DROP 25		/* of which so many are deleted */
#define SHIFT_STEP 500
#define RETRY_TURN 4		/* see pick_of() */

/* A row of the table queue. */
struct queued {
	int64_t event;		/* 0: there is none */
	int64_t urgent;
	int64_t worker;
};

static int
find_queued(struct store *store, struct sqlite3_stmt *stmt,
    struct queued *queued)
{
	int row = stmt != NULL ? store_row(store, stmt) : -1;

	*queued = (struct queued){ .event = 0 };
	if (row != 1)
		return row;
	queued->event = store_int(store, stmt, 0);
	queued->urgent = store_int(store, stmt, 1);
	queued->worker = store_int(store, stmt, 2);
	store_reset(store, stmt);
	return 0;
}

/* A running head stays: the others wait for it. */
static bool
stays_head(const struct queued *head, const struct queued *next)
{
	if (head->worker != 0)
		return true;
	return head->urgent != next->urgent ? head->urgent > next->urgent :
	    head->event < next->event;
}

int
queue_elect(struct store *store, int64_t id)
{
	struct queued head, next;

	if (find_queued(store, store_query(store, "SELECT event, urgent, "
	    "worker FROM queue WHERE conversation = (SELECT conversation FROM "
	    "event WHERE id = ?) AND head = 1", "i", id), &head) == -1 ||
	    find_queued(store, store_query(store, "SELECT event, urgent, "
	    "worker FROM queue WHERE conversation = (SELECT conversation FROM "
	    "event WHERE id = ?) AND head = 0 ORDER BY urgent DESC, event "
	    "LIMIT 1", "i", id), &next) == -1)
		return -1;
	if (next.event == 0 || (head.event != 0 && stays_head(&head, &next)))
		return 0;
	if (head.event != 0 && store_run(store, "UPDATE queue SET head = 0 "
	    "WHERE event = ?", "i", head.event) == -1)
		return -1;
	return store_run(store, "UPDATE queue SET head = 1 WHERE event = ?",
	    "i", next.event);
}

int
queue_add(struct store *store, int64_t id, const char *conversation,
    const char *type)
{
	bool urgent = inbox_is_urgent(type);

	if (store_run(store, "INSERT INTO queue VALUES (?1, ?2, ?3, 0, "
	    "?2 IS NULL OR NOT EXISTS (SELECT 1 FROM queue WHERE "
	    "conversation = ?2), 0) ON CONFLICT DO UPDATE SET due = 0", "iti",
	    id, conversation, (int64_t)urgent) == -1)
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
static int
pick_of(struct store *store, int64_t urgent, int64_t now, int64_t *id)
{
	*id = 0;
	if (store->claims % RETRY_TURN == 0 && store_number(store, id,
	    "SELECT event FROM queue WHERE head = 1 AND worker = 0 AND "
	    "urgent = ? AND due > 0 AND due <= ? ORDER BY due, event LIMIT 1",
	    "ii", urgent, now) == -1)
		return -1;
	if (*id == 0 && store_number(store, id, "SELECT event FROM queue "
	    "WHERE head = 1 AND worker = 0 AND urgent = ? AND due <= ? "
	    "ORDER BY due, event LIMIT 1", "ii", urgent, now) == -1)
		return -1;
	if (*id != 0)
		return 0;
	return store_number(store, id, "SELECT event FROM queue WHERE "
	    "head = 1 AND worker = 0 AND urgent = ? AND due > ? LIMIT 1", "ii",
	    urgent, now + INBOX_DUE_MAX);
}

static int
pick(struct store *store, int64_t now, int64_t *id)
{
	if (pick_of(store, 1, now, id) == -1)
		return -1;
	return *id != 0 ? 0 : pick_of(store, 0, now, id);
}

/* When there will be something to pick. */
static int
next_due(struct store *store, int64_t *due)
{
	int64_t open;

	if (store_number(store, due, "SELECT min(due) FROM ("
	    "SELECT * FROM (SELECT due FROM queue WHERE head = 1 AND "
	    "worker = 0 AND urgent = 1 ORDER BY due LIMIT 1) UNION ALL "
	    "SELECT * FROM (SELECT due FROM queue WHERE head = 1 AND "
	    "worker = 0 AND urgent = 0 ORDER BY due LIMIT 1))", "") == -1)
		return -1;
	if (*due != 0)
		return 0;
	if (store_number(store, &open, "SELECT EXISTS (SELECT 1 FROM queue)",
	    "") == -1)
		return -1;
	*due = open ? INT64_MAX : 0;
	return 0;
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

/* 1: claimed; 0: the queue was wrong about the event. */
static int
claim_event(struct store *store, int worker, int64_t now, int64_t id,
    struct inbox_claim *claim)
{
	int row = store_load(store, id, INBOX_WAITING, now, claim);

	if (row == 0)
		return queue_leave(store, id);
	if (row == -1)
		return -1;
	if (claim->started == 0 && count_time(store, claim, STAT_WAIT,
	    claim->event.received, now) == -1)
		return -1;
	claim->worker = worker;
	claim->attempt++;
	claim->started = now;
	if (store_run(store, "UPDATE task SET state = ?, attempts = ?, "
	    "started = ? WHERE event = ? AND handler = ?", "iiiit",
	    (int64_t)INBOX_RUNNING, (int64_t)claim->attempt, now, id,
	    claim->handler) == -1 ||
	    store_run(store, "UPDATE queue SET worker = ? WHERE event = ?",
	    "ii", (int64_t)worker, id) == -1)
		return -1;
	return 1;
}

static int
find_held(struct store *store, int from, int to, struct inbox_claim *claim)
{
	struct queued held;

	if (find_queued(store, store_query(store, "SELECT event, urgent, "
	    "worker FROM queue WHERE worker > 0 AND worker BETWEEN ? AND ? "
	    "LIMIT 1", "ii", (int64_t)from, (int64_t)to), &held) == -1)
		return -1;
	claim->worker = (int)held.worker;
	return held.event == 0 ? 0 : store_load(store, held.event,
	    INBOX_RUNNING, INT64_MAX, claim);
}

/* Another worker may have been faster since the first look. */
static int
claim_next(struct store *store, int worker, int64_t now,
    struct inbox_claim *claim, int64_t *due)
{
	int64_t id;

	if (pick(store, now, &id) == -1)
		return -1;
	if (id == 0)
		return next_due(store, due);
	*due = now;	/* if the event turns out to have no task */
	return claim_event(store, worker, now, id, claim);
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
	if (result == 0)
		result = claim_next(store, worker, now, claim, due);
	return store_end(store, result == -1 ? -1 : 0) == -1 ? -1 : result;
}

int
queue_claim(struct inbox *inbox, int worker, const char *const *names,
    size_t n_names, struct inbox_claim *claim, int64_t *due)
{
	struct store *store = store_of(inbox);
	int64_t now = inbox_now(inbox), id;
	int result;

	store->works = true;
	store->claims++;
	*due = 0;
	if (store_ready(store) == -1 || pick(store, now, &id) == -1)
		return -1;
	if (id == 0 && !store->claimed_unsure)
		return next_due(store, due);
	result = claim_once(store, worker, now, claim, due);
	while (result == -1 && store_may_find_room(store))
		result = claim_once(store, worker, now, claim, due);
	if (result != 1)
		return result;
	backend_check_name(claim, names, n_names);
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
	    "ELSE 1 END, sum = ?2", "iii", (int64_t)(done ?
	    STAT_SECOND_DONE : STAT_SECOND_FAILED), now / 1000,
	    (int64_t)STORE_SECONDS);
}

static int
end_event(struct store *store, int64_t id, int64_t now)
{
	int64_t waits, due;

	if (store_number(store, &waits, "SELECT count(*) FROM task WHERE "
	    "event = ? AND state < 2", "i", id) == -1)
		return -1;
	if (waits == 0)
		return queue_leave(store, id);
	if (store_number(store, &due, "SELECT min(CASE WHEN due > ? THEN 0 "
	    "ELSE due END) FROM task WHERE event = ? AND state = 0", "ii",
	    now + INBOX_DUE_MAX, id) == -1 ||
	    store_run(store, "UPDATE queue SET worker = 0, due = ? "
	    "WHERE event = ?", "ii", due, id) == -1)
		return -1;
	return queue_elect(store, id);
}

/* 1: ended; 0: the claim no longer holds the task. */
static int
end_task(struct store *store, const struct inbox_claim *claim,
    const struct inbox_end *end, int64_t now)
{
	if (store_run(store, "UPDATE task SET state = ?, due = ?, ended = ?, "
	    "reason = ?, attempts = attempts - ? WHERE event = ? AND "
	    "handler = ? AND state = ? AND attempts = ? AND started = ? AND "
	    "EXISTS (SELECT 1 FROM queue WHERE event = task.event AND "
	    "worker = ?)", "iiitiitiiii", (int64_t)end->state,
	    end->state == INBOX_WAITING ? end->due : (int64_t)0, now,
	    end->reason, (int64_t)end->untried, claim->event.id,
	    claim->handler, (int64_t)INBOX_RUNNING, (int64_t)claim->attempt,
	    claim->started, (int64_t)claim->worker) == -1)
		return -1;
	if (store->sql->changes(store->db) == 0)
		return 0;
	if (!end->untried && (put_command(store, claim->event.group_id,
	    &end->command) == -1 || count_end(store, claim, end, now) == -1))
		return -1;
	return end_event(store, claim->event.id, now) == -1 ? -1 : 1;
}

static int
finish_once(struct store *store, const struct inbox_claim *claim,
    const struct inbox_end *end)
{
	bool doubtful = store->doubtful;
	int result;

	/* An untried end loses nothing: it need not wait for a sound disk. */
	if (end->untried)
		store->doubtful = false;
	result = store_begin(store, STORE_PATIENCE);
	if (end->untried)
		store->doubtful = doubtful;
	if (result == -1)
		return -1;
	result = end_task(store, claim, end, inbox_now(&store->inbox));
	return store_end(store, result == -1 ? -1 : 0) == -1 ? -1 : result;
}

int
queue_finish(struct inbox *inbox, const struct inbox_claim *claim,
    const struct inbox_end *end)
{
	struct store *store = store_of(inbox);
	int result;

	do
		result = finish_once(store, claim, end);
	while (result == -1 && store_may_find_room(store));
	return result;
}

int
queue_orphaned(struct inbox *inbox, int from, int to,
    struct inbox_claim *claim)
{
	struct store *store = store_of(inbox);

	store->works = true;
	return store_ready(store) == -1 ? -1 :
	    find_held(store, from, to, claim);
}

int
queue_next_due(struct inbox *inbox, int64_t *due)
{
	struct store *store = store_of(inbox);
	int64_t now = inbox_now(inbox), id;

	if (store_ready(store) == -1 || pick(store, now, &id) == -1)
		return -1;
	*due = now;
	return id != 0 ? 0 : next_due(store, due);
}

/* The unfinished events after this one, up to that one. */
#define SHIFTED "due > 0 AND state = 0 AND event IN (SELECT event FROM queue " \
	"WHERE event > ?1 AND event <= ?2)"

static int
shift_some(struct store *store, int64_t by, int64_t after, int64_t upto)
{
	int result;

	if (store_begin(store, STORE_PATIENCE) == -1)
		return -1;
	result = store_run(store, "UPDATE task SET due = due + ?3 WHERE "
	    SHIFTED, "iii", after, upto, by);
	if (result == 0)
		result = store_run(store, "UPDATE queue SET due = due + ?3 "
		    "WHERE due > 0 AND event > ?1 AND event <= ?2", "iii",
		    after, upto, by);
	return store_end(store, result);
}

/* After an error the next call goes on from where this one was. */
int
queue_shift_due(struct inbox *inbox, int64_t milliseconds)
{
	struct store *store = store_of(inbox);
	int64_t *after = &store->shifted_upto, upto, any;

	if (store_ready(store) == -1)
		return -1;
	do {
		if (store_number(store, &upto, "SELECT max(event) FROM "
		    "(SELECT event FROM queue WHERE event > ? ORDER BY event "
		    "LIMIT ?)", "ii", *after, (int64_t)SHIFT_STEP) == -1 ||
		    store_number(store, &any, "SELECT EXISTS (SELECT 1 FROM "
		    "task WHERE " SHIFTED ")", "ii", *after, upto) == -1 ||
		    (any && shift_some(store, milliseconds, *after,
		    upto) == -1))
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
	"EXISTS (SELECT 1 FROM task WHERE event = id AND state = 3)"

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
	    "id < (SELECT max(id) FROM event) ORDER BY id LIMIT ?4", "iiii",
	    store->purged_upto, before, inbox_now(&store->inbox),
	    (int64_t)PURGE_LOOK);
	int64_t past = 0;
	int row = -1;

	while (stmt != NULL && (row = store_row(store, stmt)) == 1) {
		old->looked++;
		if (store_int(store, stmt, 1))
			past = store_int(store, stmt, 0);
		if (store_int(store, stmt, 2))
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
	int result = 0;
	size_t i;

	if (store_ready(store) == -1 || find_old(store, before, &old) == -1)
		return -1;
	if (old.n == 0)
		return old.at_end ? 0 : old.looked;
	if (store_begin(store, STORE_PATIENCE) == -1)
		return -1;
	for (i = 0; result == 0 && i < old.n; i++)
		result = delete_event(store, old.ids[i]);
	return store_end(store, result) == -1 ? -1 : old.looked;
}
