/*
 * put.c - the SQLite backend for responders: storing an event, and taking the
 * command that is a group's next answer.
 *
 * An event is on disk before put_event() returns 0: see inbox/store.c.
 */
#include "inbox/store.h"

#include <stdio.h>
#include <string.h>

#include "hash.h"
#include "log.h"

#include "banned.h"

/* Finds candidates, which are then compared. */
static int64_t
put_hash(const struct inbox_event *event)
{
	uint64_t start = HASH_START ^ (uint64_t)event->group_id;

	if (*event->event_id != '\0')
		return (int64_t)hash_bytes(start, event->event_id,
		    strlen(event->event_id));
	return (int64_t)hash_bytes(start, event->object, event->object_len);
}

static int
find_event(struct store *store, const struct inbox_event *event, int64_t *id)
{
	return store_run(store, "SELECT id FROM event WHERE hash = ? AND "
	    "group_id = ? AND event_id = ? AND (event_id <> '' OR (type = ? "
	    "AND object IS ?))", "iittb>i", put_hash(event), event->group_id,
	    event->event_id, event->type, event->object,
	    *event->event_id == '\0' ? event->object_len : 0, id);
}

static int
add_task(struct store *store, int64_t id, size_t place,
    const struct inbox_target *target)
{
	bool parked = target->reason != NULL;

	if (store_run(store, "INSERT INTO task VALUES (?1, ?2, ?3, ?4, ?5, 0, "
	    "?6, 0, ?8, ?7)", "iitddist", id, (int64_t)place, target->handler,
	    parked ? INBOX_FAILED : INBOX_WAITING, 0, INT64_C(0),
	    parked ? target->reason : "") == -1)
		return -1;
	return parked ? store_count(store, target->handler, STAT_PARKED, 0,
	    0) : 0;
}

static int
add_event(struct store *store, const struct inbox_event *event,
    const struct inbox_target *targets, size_t n)
{
	bool waits = false;
	int64_t id;
	size_t i;

	if (store_run(store, "INSERT INTO event VALUES (NULL, ?10, ?1, ?2, ?3, "
	    "?4, ?5, ?6, ?7, ?8, ?9)", "itttditbsi", event->group_id,
	    event->event_id, event->type, event->version,
	    event->retry_counter, event->received, event->conversation,
	    event->object, event->object_len, put_hash(event)) == -1)
		return -1;
	id = store->sql->last_insert_rowid(store->db);
	for (i = 0; i < n; i++) {
		waits |= targets[i].reason == NULL;
		if (add_task(store, id, i, &targets[i]) == -1)
			return -1;
	}
	if (waits && queue_add(store, id, event->conversation,
	    event->type) == -1)
		return -1;
	return files_keep_room(store);
}

/* Removing the server outweighs a version, a newer version an older one. */
int
put_command(struct store *store, int64_t group_id,
    const struct inbox_command *command)
{
	if (!command->remove && command->version[0] == '\0')
		return 0;
	return store_run(store, "INSERT INTO command VALUES (?1, ?2, ?3, ?4) "
	    "ON CONFLICT DO UPDATE SET remove = ?2, version = ?3, sum = ?4 "
	    "WHERE NOT remove", "idts", group_id, command->remove,
	    command->version);
}

static int
take_command(struct store *store, int64_t group_id,
    struct inbox_command *command)
{
	const char *version = "";
	int remove = 0;

	arena_reset(&store->arena);
	if (store_run(store, "SELECT group_id, remove, version, sum FROM "
	    "command WHERE group_id = ?", "i>idts", group_id, &group_id,
	    &remove, &version) == -1)
		return -1;
	if (store->damaged)
		log_msg(LOG_LEVEL_ERROR, "a command for VK is damaged: VK is "
		    "answered ok in its place");
	else
		snprintf(command->version, sizeof(command->version), "%s",
		    version);
	command->remove = remove != 0 && !store->damaged;
	return store_run(store, "DELETE FROM command WHERE group_id = ?", "i",
	    group_id);
}

/* Does a command wait for this group's next answer? */
static int
command_waits(struct store *store, int64_t group_id, int64_t *waits)
{
	return store_run(store, "SELECT count(*) FROM command "
	    "WHERE group_id = ?", "i>i", group_id, waits);
}

static int
find_or_add(struct store *store, const struct inbox_event *event,
    const struct inbox_target *targets, size_t n, enum inbox_put *put,
    int64_t *waits)
{
	int64_t id = 0;

	if (find_event(store, event, &id) == -1 ||
	    command_waits(store, event->group_id, waits) == -1)
		return -1;
	*put = id != 0 ? INBOX_REPEATED : INBOX_STORED;
	return id != 0 ? 0 : add_event(store, event, targets, n);
}

/*
 * Taking a command deletes it, so this is the last step. The delete is not
 * flushed: after a power cut the command may be handed out twice, which is
 * better than never.
 */
int
put_take_command(struct inbox *inbox, int64_t group_id,
    struct inbox_command *command)
{
	struct store *store = store_of(inbox);
	int64_t waits;

	*command = (struct inbox_command){ .remove = false };
	if (store_ready(store) == -1 ||
	    command_waits(store, group_id, &waits) == -1)
		return -1;
	if (waits == 0)
		return 0;
	if (store_begin(store, STORE_PATIENCE_ANSWER) == -1)
		return -1;
	if (store_end(store, take_command(store, group_id, command)) == 0)
		return 0;
	*command = (struct inbox_command){ .remove = false };
	return -1;
}

int
put_event(struct inbox *inbox, const struct inbox_event *event,
    const struct inbox_target *targets, size_t n, enum inbox_put *put,
    struct inbox_command *command)
{
	struct store *store = store_of(inbox);
	int64_t waits = 0;
	int result;

	*command = (struct inbox_command){ .remove = false };
	do {
		result = store_begin(store, STORE_PATIENCE_ANSWER);
		if (result == 0)
			result = store_end(store, find_or_add(store, event,
			    targets, n, put, &waits));
	} while (result == -1 && store_may_find_room(store));
	if (result == -1 || store_flush(inbox) == -1 ||
	    store_stays(store) == -1)
		return -1;
	/* The event is stored, whether or not this succeeds. */
	if (waits)
		(void)put_take_command(inbox, event->group_id, command);
	return 0;
}
