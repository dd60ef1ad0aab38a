/*
 * statement.c - the SQLite store's statements, and its rows as events.
 *
 * A statement is prepared once and kept. Values of a row are valid as
 * long as the row is; store_copy() makes copies.
 */
#include "inbox/store.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "banned.h"

static bool
bind(struct store *store, struct sqlite3_stmt *stmt, const char *types,
    va_list args, int *code)
{
	const struct sqlite *sql = store->sql;
	const char *text;
	const void *bytes;
	size_t len;
	int i;

	for (i = 1; types[i - 1] != '\0'; i++) {
		switch (types[i - 1]) {
		case 'i':
			*code = sql->bind_int64(stmt, i, va_arg(args, int64_t));
			break;
		case 't':
			text = va_arg(args, const char *);
			*code = sql->bind_text(stmt, i, text, -1, NULL);
			break;
		default:
			bytes = va_arg(args, const void *);
			len = va_arg(args, size_t);
			*code = sql->bind_blob(stmt, i, len > 0 ? bytes : NULL,
			    (int)len, NULL);
			break;
		}
		if (*code != SQL_OK)
			return false;
	}
	return true;
}

static struct sqlite3_stmt *
prepare(struct store *store, const char *text)
{
	struct store_statement *statement = store->statements;
	int code;

	while (statement->sql != NULL && statement->sql != text)
		statement++;
	if (statement->sql == text)
		return statement->stmt;
	if (statement == store->statements + STORE_STATEMENTS_MAX - 1)
		abort();	/* a bug: more constants than room for them */
	code = store->sql->prepare_v3(store->db, text, -1,
	    SQL_PREPARE_PERSISTENT, &statement->stmt, NULL);
	if (code != SQL_OK) {
		store_fail(store, code);
		return NULL;
	}
	statement->sql = text;
	return statement->stmt;
}

static struct sqlite3_stmt *
query(struct store *store, const char *text, const char *types, va_list args)
{
	struct sqlite3_stmt *stmt = prepare(store, text);
	int code;

	if (stmt == NULL || bind(store, stmt, types, args, &code))
		return stmt;
	store_fail(store, code);
	return NULL;
}

struct sqlite3_stmt *
store_query(struct store *store, const char *text, const char *types, ...)
{
	struct sqlite3_stmt *stmt;
	va_list args;

	va_start(args, types);
	stmt = query(store, text, types, args);
	va_end(args);
	return stmt;
}

int
store_row(struct store *store, struct sqlite3_stmt *stmt)
{
	int code = store->sql->step(stmt);

	if (code == SQL_ROW)
		return 1;
	if (code != SQL_DONE)
		store_fail(store, code);
	store_reset(store, stmt);
	return code == SQL_DONE ? 0 : -1;
}

void
store_reset(struct store *store, struct sqlite3_stmt *stmt)
{
	(void)store->sql->reset(stmt);
	(void)store->sql->clear_bindings(stmt);
}

int
store_run(struct store *store, const char *text, const char *types, ...)
{
	struct sqlite3_stmt *stmt;
	va_list args;

	va_start(args, types);
	stmt = query(store, text, types, args);
	va_end(args);
	return stmt != NULL ? store_row(store, stmt) : -1;
}

int
store_number(struct store *store, int64_t *number, const char *text,
    const char *types, ...)
{
	struct sqlite3_stmt *stmt;
	va_list args;
	int row;

	va_start(args, types);
	stmt = query(store, text, types, args);
	va_end(args);
	*number = 0;
	row = stmt != NULL ? store_row(store, stmt) : -1;
	if (row == 1) {
		*number = store->sql->column_int64(stmt, 0);
		store_reset(store, stmt);
	}
	return row == -1 ? -1 : 0;
}

int
store_count(struct store *store, const char *handler, enum store_stat kind,
    int64_t bucket, int64_t sum)
{
	return store_run(store, "INSERT INTO stat VALUES (?1, ?2, ?3, 1, ?4) "
	    "ON CONFLICT DO UPDATE SET n = n + 1, sum = sum + ?4", "tiii",
	    handler, (int64_t)kind, bucket, sum);
}

int64_t
store_int(struct store *store, struct sqlite3_stmt *stmt, int column)
{
	return store->sql->column_int64(stmt, column);
}

const char *
store_text(struct store *store, struct sqlite3_stmt *stmt, int column)
{
	const char *text = (const char *)store->sql->column_text(stmt, column);

	return text != NULL ? text : "";
}

void
store_event(struct store *store, struct sqlite3_stmt *stmt,
    struct inbox_event *event)
{
	*event = (struct inbox_event){
		.id = store_int(store, stmt, 0),
		.group_id = store_int(store, stmt, 1),
		.event_id = store_text(store, stmt, 2),
		.type = store_text(store, stmt, 3),
		.version = store_text(store, stmt, 4),
		.retry_counter = (int)store_int(store, stmt, 5),
		.received = store_int(store, stmt, 6),
		.object = store->sql->column_blob(stmt, 8),
	};
	if (store->sql->column_type(stmt, 7) != SQL_NULL)
		event->conversation = store_text(store, stmt, 7);
	event->object_len = (size_t)store->sql->column_bytes(stmt, 8);
}

int
store_copy(struct store *store, struct inbox_claim *claim)
{
	struct inbox_event *event = &claim->event;
	const char **texts[] = { &event->event_id, &event->type,
	    &event->version, &event->conversation, &claim->handler };
	size_t size = event->object_len + 1, len, i;
	char *at;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		size += *texts[i] != NULL ? strlen(*texts[i]) + 1 : 0;
	if (size > store->claimed_size) {
		at = realloc(store->claimed, size);
		if (at == NULL)
			return store_fail(store, SQL_NOMEM);
		store->claimed = at;
		store->claimed_size = size;
	}
	at = store->claimed;
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (*texts[i] == NULL)
			continue;
		len = strlen(*texts[i]) + 1;
		memcpy(at, *texts[i], len);
		*texts[i] = at;
		at += len;
	}
	if (event->object_len > 0)
		memcpy(at, event->object, event->object_len);
	at[event->object_len] = '\0';
	event->object = at;
	return 0;
}

int
store_load(struct store *store, int64_t id, enum inbox_state state, int64_t now,
    struct inbox_claim *claim)
{
	struct sqlite3_stmt *event, *task;
	int row = -1;

	event = store_query(store, "SELECT " STORE_EVENT " FROM event "
	    "WHERE id = ?", "i", id);
	if (event == NULL || (row = store_row(store, event)) != 1)
		return row;
	store_event(store, event, &claim->event);
	task = store_query(store, "SELECT handler, attempts, started FROM task "
	    "WHERE event = ?1 AND state = ?2 AND (due <= ?3 OR due > ?3 + ?4) "
	    "ORDER BY place LIMIT 1", "iiii", id, (int64_t)state, now,
	    INBOX_DUE_MAX);
	row = task != NULL ? store_row(store, task) : -1;
	if (row == 1) {
		claim->handler = store_text(store, task, 0);
		claim->attempt = (int)store_int(store, task, 1);
		claim->started = store_int(store, task, 2);
		if (store_copy(store, claim) == -1)
			row = -1;
		store_reset(store, task);
	}
	store_reset(store, event);
	return row;
}
