/*
 * queue.c - the SQLite store's side for workers: whose turn it is,
 * handing tasks out, taking their ends, forgetting what is old.
 *
 * Every call is one transaction of short statements, each by an index on what
 * is still to be done: events that are done cost nothing here, and a caller
 * that finds nothing to do takes no lock.
 */
#include "inbox/store.h"

#include <stdlib.h>
#include <string.h>

#include "banned.h"

#define PURGE_LOOK 500			/* events looked at in one step */
#define PURGE_DROP 100			/* of which so many are dropped */
#define SECOND 1000
#define SECONDS_KEPT 7200
#define RETRY_TURN 4			/* every so many claims, see pick() */

struct place {
	int64_t event;		/* 0: there is none */
	int64_t urgent;
	int64_t worker;
};

static int
find_place(struct store *store, struct sqlite3_stmt *stmt,
    struct place *place)
{
	int row = stmt != NULL ? store_row(store, stmt) : -1;

	*place = (struct place){ .event = 0 };
	if (row != 1)
		return row;
	place->event = store_int(store, stmt, 0);
	place->urgent = store_int(store, stmt, 1);
	place->worker = store_int(store, stmt, 2);
	store_reset(store, stmt);
	return 0;
}

/* A head that is running stays: it is what the others wait for. */
static bool
keeps_turn(const struct place *head, const struct place *next)
{
	if (head->worker != 0)
		return true;
	return head->urgent != next->urgent ? head->urgent > next->urgent :
	    head->event < next->event;
}

int
queue_elect(struct store *store, const char *lane)
{
	struct place head, next;

	if (lane == NULL)
		return 0;
	if (find_place(store, store_query(store, "SELECT event, urgent, "
	    "worker FROM queue WHERE lane = ? AND head = 1", "t", lane),
	    &head) == -1 ||
	    find_place(store, store_query(store, "SELECT event, urgent, "
	    "worker FROM queue WHERE lane = ? AND head = 0 "
	    "ORDER BY urgent DESC, event LIMIT 1", "t", lane), &next) == -1)
		return -1;
	if (next.event == 0 || (head.event != 0 && keeps_turn(&head, &next)))
		return 0;
	if (head.event != 0 && store_run(store, "UPDATE queue SET head = 0 "
	    "WHERE event = ?", "i", head.event) == -1)
		return -1;
	return store_run(store, "UPDATE queue SET head = 1 WHERE event = ?",
	    "i", next.event);
}

int
queue_add(struct store *store, int64_t id, const char *lane, const char *type)
{
	bool urgent = inbox_is_urgent(type);

	if (store_run(store, "INSERT INTO queue VALUES (?1, ?2, ?3, 0, "
	    "?2 IS NULL OR NOT EXISTS (SELECT 1 FROM queue WHERE lane = ?2), "
	    "0) ON CONFLICT DO UPDATE SET due = 0", "iti", id, lane,
	    (int64_t)urgent) == -1)
		return -1;
	return urgent ? queue_elect(store, lane) : 0;
}

/*
 * New events first, in their order; but each fourth time one whose back-off is
 * over, so that a rush of new ones does not put it off for ever.
 */
static int
pick_of(struct store *store, int64_t urgent, int64_t now, int64_t *id)
{
	bool retries = store->claims % RETRY_TURN == 0;

	if (retries && store_number(store, id, "SELECT event FROM queue "
	    "WHERE head = 1 AND worker = 0 AND urgent = ? AND due > 0 AND "
	    "due <= ? ORDER BY due, event LIMIT 1", "ii", urgent, now) == -1)
		return -1;
	if (retries && *id != 0)
		return 0;
	return store_number(store, id, "SELECT event FROM queue "
	    "WHERE head = 1 AND worker = 0 AND urgent = ? AND due <= ? "
	    "ORDER BY due, event LIMIT 1", "ii", urgent, now);
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

int
queue_leave(struct store *store, int64_t id)
{
	struct sqlite3_stmt *stmt = store_query(store, "SELECT lane FROM queue "
	    "WHERE event = ? AND lane IS NOT NULL", "i", id);
	int row = stmt != NULL ? store_row(store, stmt) : -1, result;
	char *lane = NULL;

	if (row == -1)
		return -1;
	if (row == 1) {
		lane = strdup(store_text(store, stmt, 0));
		store_reset(store, stmt);
		if (lane == NULL)
			return store_fail(store, SQL_NOMEM);
	}
	result = store_run(store, "DELETE FROM queue WHERE event = ?", "i",
	    id);
	if (result == 0)
		result = queue_elect(store, lane);
	free(lane);
	return result;
}

/* A task starts for the first time. */
static int
count_start(struct store *store, const struct inbox_claim *claim, int64_t now)
{
	int64_t wait = now - claim->event.received;

	/* The clock may have been set back in between. */
	if (wait < 0)
		wait = 0;
	return store_count(store, claim->handler, STAT_WAIT,
	    inbox_bucket(wait), wait);
}

static int
claim_event(struct store *store, int worker, int64_t now, int64_t id,
    struct inbox_claim *claim)
{
	int row = store_load(store, id, INBOX_WAITING, now, claim);

	/* The queue is wrong about it. */
	if (row == 0)
		return queue_leave(store, id);
	if (row == -1)
		return -1;
	if (claim->started == 0 && count_start(store, claim, now) == -1)
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

/* What a worker of from..to has in hand. */
static int
held(struct store *store, int from, int to, struct inbox_claim *claim)
{
	int64_t id, worker;

	if (store_number(store, &id, "SELECT event FROM queue WHERE "
	    "worker > 0 AND worker BETWEEN ? AND ? LIMIT 1", "ii",
	    (int64_t)from, (int64_t)to) == -1 ||
	    store_number(store, &worker, "SELECT worker FROM queue WHERE "
	    "event = ?", "i", id) == -1)
		return -1;
	if (id == 0)
		return 0;
	claim->worker = (int)worker;
	return store_load(store, id, INBOX_RUNNING, INT64_MAX, claim);
}

/* The next event, if another worker was not quicker, or what is due then. */
static int
claim_next(struct store *store, int worker, int64_t now,
    struct inbox_claim *claim, int64_t *due)
{
	int64_t id;

	if (pick(store, now, &id) == -1)
		return -1;
	if (id == 0)
		return next_due(store, due);
	*due = now;	/* should there be no task for it: there may be more */
	return claim_event(store, worker, now, id, claim);
}

int
queue_claim(struct inbox *inbox, int worker, const char *const *names,
    size_t n_names, struct inbox_claim *claim, int64_t *due)
{
	struct store *store = store_of(inbox);
	int64_t now = inbox_now(inbox), id;
	int result = 0;

	store->works = true;
	store->claims++;
	*due = 0;
	if (store_ready(store) == -1 || pick(store, now, &id) == -1)
		return -1;
	if (id == 0 && !store->claimed_unsure)
		return next_due(store, due);
	if (store_begin(store, STORE_PATIENCE) == -1)
		return -1;
	if (store->claimed_unsure)
		result = held(store, worker, worker, claim);
	if (result == 0)
		result = claim_next(store, worker, now, claim, due);
	if (store_end(store, result == -1 ? -1 : 0) == -1)
		return -1;
	/* Until it is on disk it does not begin, nor is it lost. */
	store->claimed_unsure = result == 1 && store_flush(inbox) == -1;
	if (result == 1)
		backend_check_name(claim, names, n_names);
	return store->claimed_unsure ? -1 : result;
}

static int
count_end(struct store *store, const struct inbox_claim *claim,
    const struct inbox_end *end, int64_t now)
{
	int64_t run = now - claim->started;
	bool done = end->state == INBOX_DONE;

	/* The clock may have been set back in between. */
	if (run < 0)
		run = 0;
	if (done && store_count(store, claim->handler, STAT_RUN,
	    inbox_bucket(run), run) == -1)
		return -1;
	if (store_count(store, claim->handler, done ? STAT_DONE : STAT_FAILED,
	    0, 0) == -1)
		return -1;
	if (end->state == INBOX_FAILED && store_count(store, claim->handler,
	    STAT_PARKED, 0, 0) == -1)
		return -1;
	return store_count(store, "", done ? STAT_SECOND_DONE :
	    STAT_SECOND_FAILED, now / SECOND, 0);
}

static int
end_event(struct store *store, const struct inbox_event *event)
{
	int64_t waits, due;

	if (store_number(store, &waits, "SELECT count(*) FROM task WHERE "
	    "event = ? AND state < 2", "i", event->id) == -1)
		return -1;
	if (waits == 0)
		return queue_leave(store, event->id);
	if (store_number(store, &due, "SELECT min(due) FROM task WHERE "
	    "event = ? AND state = 0", "i", event->id) == -1 ||
	    store_run(store, "UPDATE queue SET worker = 0, due = ? "
	    "WHERE event = ?", "ii", due, event->id) == -1)
		return -1;
	return queue_elect(store, event->conversation);
}

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
	return end_event(store, &claim->event) == -1 ? -1 : 1;
}

int
queue_finish(struct inbox *inbox, const struct inbox_claim *claim,
    const struct inbox_end *end)
{
	struct store *store = store_of(inbox);
	bool doubtful = store->doubtful;
	int result;

	/* Nothing is lost with it: it need not wait for a disk that works. */
	if (end->untried)
		store->doubtful = false;
	result = store_begin(store, STORE_PATIENCE);
	if (end->untried)
		store->doubtful = doubtful;
	if (result == -1)
		return -1;
	result = end_task(store, claim, end, inbox_now(inbox));
	if (store_end(store, result == -1 ? -1 : 0) == -1)
		return -1;
	return result;
}

int
queue_orphaned(struct inbox *inbox, int from, int to, struct inbox_claim *claim)
{
	struct store *store = store_of(inbox);

	store->works = true;
	return store_ready(store) == -1 ? -1 : held(store, from, to, claim);
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

static int
shift(struct store *store, int64_t by, int64_t latest)
{
	if (by != 0 && (store_run(store, "UPDATE task SET due = due + ?1 "
	    "WHERE due > 0 AND state = 0 AND event IN (SELECT event FROM "
	    "queue)", "i", by) == -1 ||
	    store_run(store, "UPDATE queue SET due = due + ?1 WHERE due > 0",
	    "i", by) == -1))
		return -1;
	if (store_run(store, "UPDATE queue SET due = 0 WHERE due > 0 AND "
	    "EXISTS (SELECT 1 FROM task WHERE event = queue.event AND "
	    "due > ?)", "i", latest) == -1)
		return -1;
	return store_run(store, "UPDATE task SET due = 0 WHERE due > ? AND "
	    "event IN (SELECT event FROM queue)", "i", latest);
}

int
queue_shift_due(struct inbox *inbox, int64_t milliseconds)
{
	struct store *store = store_of(inbox);

	if (store_begin(store, STORE_PATIENCE) == -1)
		return -1;
	return store_end(store, shift(store, milliseconds, inbox_now(inbox) +
	    INBOX_DUE_MAX));
}

static int
queue_forget(struct store *store, int64_t id)
{
	if (store_run(store, "DELETE FROM task WHERE event = ?", "i",
	    id) == -1)
		return -1;
	return store_run(store, "DELETE FROM event WHERE id = ?", "i", id);
}

/*
 * The next one that is old, but for the newest of all, whose id must not be
 * given again. One from the future, when the clock was ahead, is gone past, and
 * so are a few that are neither: it was set, and they are not in order of time.
 */
static int
next_old(struct store *store, int64_t before, int64_t *id)
{
	return store_number(store, id, "SELECT id FROM ("
	    "SELECT id, received FROM event WHERE id > ?1 AND "
	    "id < (SELECT max(id) FROM event) ORDER BY id LIMIT ?2) "
	    "WHERE received < ?3 OR received > ?4 LIMIT 1", "iiii",
	    store->purged_upto, (int64_t)PURGE_LOOK, before,
	    inbox_now(&store->inbox));
}

/* 1: looked at one and went past it; 0: no more that is old enough. */
static int
purge_next(struct store *store, int64_t before, int *dropped)
{
	int64_t id, kept;

	if (next_old(store, before, &id) == -1)
		return -1;
	if (id == 0)
		return 0;
	store->purged_upto = id;
	if (store_number(store, &kept, "SELECT (SELECT received >= ?2 FROM "
	    "event WHERE id = ?1) OR EXISTS (SELECT 1 FROM queue "
	    "WHERE event = ?1) OR EXISTS (SELECT 1 FROM task "
	    "WHERE event = ?1 AND state = 3)", "ii", id, before) == -1)
		return -1;
	if (kept)
		return 1;
	(*dropped)++;
	return queue_forget(store, id) == -1 ? -1 : 1;
}

static int
queue_purge_some(struct store *store, int64_t before)
{
	int looked = 0, dropped = 0, more = 1;

	while (more == 1 && looked < PURGE_LOOK && dropped < PURGE_DROP) {
		more = purge_next(store, before, &dropped);
		looked += more == 1;
	}
	if (more == -1)
		return -1;
	if (more == 0)
		store->purged_upto = 0;
	return more == 0 && dropped == 0 ? 0 : looked;
}

/* Is there anything old? Asked without a lock. */
static int
is_purge_due(struct store *store, int64_t before, int64_t seconds,
    int64_t *due)
{
	if (next_old(store, before, due) == -1)
		return -1;
	if (*due != 0)
		return 0;
	return store_number(store, due, "SELECT EXISTS (SELECT 1 FROM stat "
	    "WHERE handler = '' AND kind IN (?, ?) AND bucket < ?)", "iii",
	    (int64_t)STAT_SECOND_DONE, (int64_t)STAT_SECOND_FAILED, seconds);
}

int
queue_purge(struct inbox *inbox, int64_t before)
{
	struct store *store = store_of(inbox);
	int64_t seconds = inbox_now(inbox) / SECOND - SECONDS_KEPT, due;
	int looked;

	if (store_ready(store) == -1 ||
	    is_purge_due(store, before, seconds, &due) == -1)
		return -1;
	if (due == 0) {
		store->purged_upto = 0;
		return 0;
	}
	if (store_begin(store, STORE_PATIENCE) == -1)
		return -1;
	looked = queue_purge_some(store, before);
	if (looked != -1 && store_run(store, "DELETE FROM stat WHERE "
	    "handler = '' AND bucket < ?", "i", seconds) == -1)
		looked = -1;
	if (store_end(store, looked == -1 ? -1 : 0) == -1)
		return -1;
	return looked;
}
