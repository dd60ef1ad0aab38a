/*
 * rows.c - any bytes in any column of an inbox, through claims to handlers that
 * read every field, and through all that `vkcb inbox` and `vkcb status` ask.
 *
 * An input is a list of changes: a column, a type, a length, and the bytes. A
 * handler must get an event as it was stored, unless its sum is gone: then the
 * object is JSON at least, and texts are UTF-8.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "conf/conf.h"
#include "event/envelope.h"
#include "event/event.h"
#include "inbox/store.h"
#include "json/check.h"
#include "log.h"
#include "tests/fuzz/read-all.h"

int LLVMFuzzerInitialize(int *, char ***);
int LLVMFuzzerTestOneInput(const unsigned char *, size_t);

#define OBJECT "{\"message\":{\"text\":\"hello\",\"peer_id\":5,\"date\":1}}"
#define DAY (INT64_C(24) * 3600 * 1000)

static const char *const columns[] = {
	"event SET group_id", "event SET event_id", "event SET type",
	"event SET version", "event SET retry_counter", "event SET received",
	"event SET conversation", "event SET object", "event SET sum",
	"event SET id", "event SET hash", "task SET event", "task SET place",
	"task SET handler", "task SET state", "task SET attempts",
	"task SET due", "task SET started", "task SET ended",
	"task SET reason", "task SET sum", "queue SET event",
	"queue SET conversation", "queue SET urgent", "queue SET due",
	"queue SET head", "queue SET worker", "command SET group_id",
	"command SET remove", "command SET version", "command SET sum",
	"stat SET handler", "stat SET kind", "stat SET bucket", "stat SET n",
	"stat SET sum",
};
#define N_COLUMNS (sizeof(columns) / sizeof(columns[0]))

static struct inbox *inbox;
static int64_t now;
static bool unsummed;

static int64_t
fake_now(void)
{
	return now;
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	char error[INBOX_ERROR_MAX];

	(void)argc;
	(void)argv;
	inbox = inbox_in_memory(error);
	if (inbox == NULL || log_open("/dev/null", LOG_LEVEL_INFO) == -1)
		abort();
	inbox->clock = fake_now;
	return 0;
}

static void
must(bool right)
{
	if (!right)
		abort();
}

static void
run_sql(const char *sql)
{
	struct store *store = store_of(inbox);

	must(store->sql->exec(store->db, sql, NULL, NULL, NULL) == SQL_OK);
}

/* Three events of a conversation: one done, one that runs, one that waits. */
static void
fill(void)
{
	static const char *const ids[] = { "1", "2", "3" };
	const struct inbox_target targets[] = {
		{ "message_new", NULL }, { "any", NULL },
	};
	struct inbox_event event = {
		.group_id = 7, .type = "message_new", .version = "5.199",
		.received = 1000, .conversation = "a", .object = OBJECT,
		.object_len = sizeof(OBJECT) - 1,
	};
	const struct inbox_end end = { .state = INBOX_DONE, .reason = "",
	    .command = { .version = "5.199" } };
	struct inbox_command command;
	struct inbox_claim claim;
	enum inbox_put put;
	int64_t due;
	int i;

	now = 2000;
	for (i = 0; i < 3; i++) {
		event.event_id = ids[i];
		must(inbox_put(inbox, &event, targets, 2, &put,
		    &command) == 0 && put == INBOX_STORED);
	}
	for (i = 0; i < 3; i++) {
		must(inbox_claim(inbox, 3, handler_names, n_handlers, &claim,
		    &due) == 1);
		must(i == 2 || inbox_finish(inbox, &claim, &end) == 1);
	}
}

/* One change; the number of bytes that it took. */
static size_t
change(const unsigned char *data, size_t size)
{
	const struct sqlite *sql = store_of(inbox)->sql;
	const char *column = columns[data[0] % N_COLUMNS];
	size_t len = data[2] < size - 3 ? data[2] : size - 3;
	struct sqlite3_stmt *stmt;
	int64_t number = 0;
	char text[96];
	int code;

	memcpy(&number, data + 3, len < 8 ? len : 8);
	snprintf(text, sizeof(text), "UPDATE OR IGNORE %s = ?", column);
	must(sql->prepare_v3(store_of(inbox)->db, text, -1, 0, &stmt,
	    NULL) == SQL_OK);
	code = data[1] % 4 == 0 ? sql->bind_int64(stmt, 1, number) :
	    data[1] % 4 == 1 ? sql->bind_text(stmt, 1, (const char *)data + 3,
	    (int)len, NULL) : data[1] % 4 == 2 ? sql->bind_blob(stmt, 1,
	    data + 3, (int)len, NULL) : SQL_OK;	/* null */
	must(code == SQL_OK);
	(void)sql->step(stmt);
	(void)sql->finalize(stmt);
	unsummed |= strstr(column, "sum") != NULL;
	return 3 + len;
}

static void
handle(const struct inbox_claim *claim)
{
	const struct inbox_event *stored = &claim->event;
	const struct handler *handler = handlers;
	static struct arena arena;
	struct envelope envelope;
	struct event_result result;
	struct event event;

	must(unsummed || (stored->group_id == 7 &&
	    strcmp(stored->type, "message_new") == 0 &&
	    stored->object_len == sizeof(OBJECT) - 1 &&
	    memcmp(stored->object, OBJECT, sizeof(OBJECT)) == 0));
	while (strcmp(handler->name, claim->handler) != 0)
		handler++;
	envelope_restore(&envelope, stored->type, stored->group_id,
	    stored->event_id, stored->version,
	    (char *)(uintptr_t)stored->object, stored->object_len);
	event_init(&event, &envelope, &arena, stored->retry_counter);
	event.public.attempt = claim->attempt;
	event.public.received = stored->received;
	(void)event_run(&event, handler, &result);
	event_release(&event);
	arena_reset(&arena);
}

static bool
look(void *arg, const struct inbox_event *event,
    const struct inbox_task *tasks, size_t n)
{
	(void)arg;
	sum += strlen(event->type) + strlen(event->event_id) +
	    strlen(event->version) + event->object_len;
	while (n-- > 0)
		sum += strlen(tasks[n].handler) + strlen(tasks[n].reason);
	return true;
}

static void
read_all(void)
{
	const struct inbox_filter all = { .state = INBOX_ANY };
	struct inbox_command command;
	struct inbox_status status;
	size_t i;

	(void)inbox_list(inbox, &all, look, NULL);
	(void)inbox_take_command(inbox, 7, &command);
	if (inbox_status(inbox, &status) == -1)
		return;
	for (i = 0; i < status.n_handlers; i++)
		sum += (uint64_t)inbox_percentile(&status.handlers[i].run, .5);
	free(status.handlers);
}

static void
drain(void)
{
	static const struct conf conf = { .attempts = 3 };
	struct inbox_end end = { .state = INBOX_DONE, .reason = "" };
	struct inbox_claim claim;
	int64_t due;
	int i, idle = 0;

	(void)inbox_end_orphans(inbox, &conf);
	for (i = 0; i < 20 && idle < 2; i++) {
		(void)inbox_purge(inbox, 0);
		if (inbox_claim(inbox, 1, handler_names, n_handlers, &claim,
		    &due) != 1) {
			now += 2 * DAY;
			idle++;
			continue;
		}
		end.state = claim.event.damaged || claim.unknown ?
		    INBOX_FAILED : INBOX_DONE;
		if (end.state == INBOX_DONE)
			handle(&claim);
		(void)inbox_finish(inbox, &claim, &end);
	}
}

int
LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	size_t taken;

	unsummed = false;
	fill();
	for (; size > 3; data += taken, size -= taken)
		taken = change(data, size);
	read_all();
	drain();
	(void)inbox_retry(inbox, &(struct inbox_filter){ .state = 0 });
	drain();
	(void)inbox_drop(inbox, 2);
	read_all();
	run_sql("DELETE FROM event; DELETE FROM task; DELETE FROM queue;"
	    "DELETE FROM command; DELETE FROM stat");
	return 0;
}
