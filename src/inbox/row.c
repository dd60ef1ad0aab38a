/*
 * row.c - the SQLite backend's rows, read back: each has a sum of what was
 * stored, so that a flipped bit reaches no handler.
 *
 * Rows that an older vkcb stored have no sum: their objects are checked to be
 * JSON. A task's sum leaves out when it is due, when it ended, and why.
 */
#include "inbox/store.h"

#include "json/check.h"

#include "banned.h"

static bool
is_json(const struct inbox_event *event)
{
	struct json_value value;
	size_t where;

	return event->object_len == 0 ||
	    json_check_value((char *)(uintptr_t)event->object,
	    event->object_len, &value, &where) == NULL;
}

int
row_event(struct store *store, int64_t id, struct inbox_event *event)
{
	int row;

	arena_reset(&store->arena);
	*event = (struct inbox_event){ .id = id, .event_id = "", .type = "",
	    .version = "" };
	row = store_run(store, "SELECT group_id, event_id, type, version, "
	    "retry_counter, received, conversation, object, sum FROM event "
	    "WHERE id = ?", "i>itttdinbs", id, &event->group_id,
	    &event->event_id, &event->type, &event->version,
	    &event->retry_counter, &event->received, &event->conversation,
	    &event->object, &event->object_len);
	event->damaged = row != 1 || store->damaged ||
	    (store->unsummed && !is_json(event));
	return row;
}

struct sqlite3_stmt *
row_tasks(struct store *store, int64_t id)
{
	return store_query(store, "SELECT event, place, handler, state, "
	    "attempts, started, sum, due, ended, reason FROM task WHERE "
	    "event = ? ORDER BY place", "i", id);
}

int
row_task(struct store *store, struct sqlite3_stmt *stmt,
    struct inbox_task *task)
{
	int64_t id;
	int state = INBOX_WAITING, row = store_row(store, stmt, "ixtddisiit",
	    &id, &task->place, &task->handler, &state, &task->attempts,
	    &task->started, &task->due, &task->ended, &task->reason);

	task->state = (enum inbox_state)state;
	task->damaged = store->damaged || state > INBOX_FAILED;
	if (task->damaged)
		task->reason = INBOX_DAMAGED;
	return row;
}

/* A damaged task may never have run. */
bool
row_is_open(const struct inbox_task *task)
{
	return task->damaged ? task->state != INBOX_FAILED :
	    task->state < INBOX_DONE;
}

/* A damaged task is to be parked; a running one's worker is dead. */
static bool
row_is_next(const struct inbox_task *task, enum inbox_state state, int64_t now)
{
	if (task->damaged || task->state == INBOX_RUNNING)
		return row_is_open(task);
	return state == INBOX_WAITING && row_is_open(task) &&
	    (task->due <= now || task->due > now + INBOX_DUE_MAX);
}

int
row_claim(struct store *store, int64_t id, enum inbox_state state, int64_t now,
    struct inbox_claim *claim)
{
	struct inbox_task task;
	struct sqlite3_stmt *stmt;
	int row;

	if (row_event(store, id, &claim->event) == -1)
		return -1;
	stmt = row_tasks(store, id);
	do
		row = row_task(store, stmt, &task);
	while (row == 1 && !row_is_next(&task, state, now));
	if (row != 1)
		return row;
	store_reset(store, stmt);
	claim->event.damaged |= task.damaged;
	claim->handler = task.handler;
	claim->place = task.place;
	claim->damaged = task.damaged;
	claim->attempt = task.attempts;
	claim->started = task.started;
	return 1;
}
