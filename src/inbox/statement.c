/*
 * statement.c - the SQLite store's statements.
 *
 * A statement is prepared once and kept. Texts and blobs that are read are
 * copies in the store's arena: an open statement would keep the log from being
 * emptied.
 */
#include "inbox/store.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "banned.h"

static struct sqlite3_stmt *
statement_prepare(struct store *store, const char *text)
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

static int
statement_bind(const struct sqlite *sql, struct sqlite3_stmt *stmt, int at,
    char type, va_list *args)
{
	const void *bytes;
	size_t len;

	switch (type) {
	case 'i':
		return sql->bind_int64(stmt, at, va_arg(*args, int64_t));
	case 't':
		return sql->bind_text(stmt, at, va_arg(*args, const char *), -1,
		    NULL);
	case 'd':
		return sql->bind_int64(stmt, at, va_arg(*args, int));
	default:
		bytes = va_arg(*args, const void *);
		len = va_arg(*args, size_t);
		return sql->bind_blob(stmt, at, len > 0 ? bytes : NULL,
		    (int)len, NULL);
	}
}

/* Binds the types before '>', and leaves *types there. NULL: error. */
static struct sqlite3_stmt *
statement_query(struct store *store, const char *text, const char **types,
    va_list *args)
{
	struct sqlite3_stmt *stmt = statement_prepare(store, text);
	int code = SQL_OK, i = 1;

	if (stmt == NULL)
		return NULL;
	for (; code == SQL_OK && **types != '\0' && **types != '>'; (*types)++)
		code = statement_bind(store->sql, stmt, i++, **types, args);
	if (code == SQL_OK)
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
	stmt = statement_query(store, text, &types, &args);
	va_end(args);
	return stmt;
}

static char *
statement_copy(struct store *store, struct sqlite3_stmt *stmt, int column)
{
	const void *bytes = store->sql->column_blob(stmt, column);
	size_t len = bytes == NULL ? 0 :
	    (size_t)store->sql->column_bytes(stmt, column);
	char *copy = arena_alloc(&store->arena, len + 1);

	if (copy == NULL)
		return NULL;
	if (len > 0)
		memcpy(copy, bytes, len);
	copy[len] = '\0';
	return copy;
}

static void
statement_read(struct store *store, struct sqlite3_stmt *stmt, int column,
    char type, va_list *args)
{
	const struct sqlite *sql = store->sql;

	switch (type) {
	case 'i':
		*va_arg(*args, int64_t *) = sql->column_int64(stmt, column);
		break;
	case 'd':
		*va_arg(*args, int *) = (int)sql->column_int64(stmt, column);
		break;
	case 't':
		*va_arg(*args, const char **) =
		    sql->column_type(stmt, column) == SQL_NULL ? NULL :
		    statement_copy(store, stmt, column);
		break;
	default:
		*va_arg(*args, const char **) =
		    statement_copy(store, stmt, column);
		*va_arg(*args, size_t *) =
		    (size_t)sql->column_bytes(stmt, column);
		break;
	}
}

static int
statement_step(struct store *store, struct sqlite3_stmt *stmt,
    const char *types, va_list *args)
{
	int code, i;

	if (stmt == NULL)
		return -1;
	code = store->sql->step(stmt);
	for (i = 0; code == SQL_ROW && types[i] != '\0'; i++)
		statement_read(store, stmt, i, types[i], args);
	if (store->arena.failed)
		code = SQL_NOMEM;
	store->arena.failed = false;
	if (code == SQL_ROW)
		return 1;
	if (code != SQL_DONE)
		store_fail(store, code);
	store_reset(store, stmt);
	return code == SQL_DONE ? 0 : -1;
}

int
store_row(struct store *store, struct sqlite3_stmt *stmt, const char *types,
    ...)
{
	va_list args;
	int row;

	va_start(args, types);
	row = statement_step(store, stmt, types, &args);
	va_end(args);
	return row;
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
	int row;

	va_start(args, types);
	stmt = statement_query(store, text, &types, &args);
	row = statement_step(store, stmt, *types == '>' ? types + 1 : types,
	    &args);
	va_end(args);
	if (row == 1)
		store_reset(store, stmt);
	return row;
}

int
store_count(struct store *store, const char *handler, enum store_stat kind,
    int bucket, int64_t sum)
{
	return store_run(store, "INSERT INTO stat VALUES (?1, ?2, ?3, 1, ?4) "
	    "ON CONFLICT DO UPDATE SET n = n + 1, sum = sum + ?4", "tddi",
	    handler, (int)kind, bucket, sum);
}

int
store_event(struct store *store, int64_t id, struct inbox_event *event)
{
	arena_reset(&store->arena);
	*event = (struct inbox_event){ .id = id };
	return store_run(store, "SELECT group_id, event_id, type, version, "
	    "retry_counter, received, conversation, object FROM event "
	    "WHERE id = ?", "i>itttditb", id, &event->group_id,
	    &event->event_id, &event->type, &event->version,
	    &event->retry_counter, &event->received, &event->conversation,
	    &event->object, &event->object_len);
}

int
store_load(struct store *store, int64_t id, enum inbox_state state, int64_t now,
    struct inbox_claim *claim)
{
	int row = store_event(store, id, &claim->event);

	return row != 1 ? row : store_run(store, "SELECT handler, attempts, "
	    "started FROM task WHERE event = ?1 AND state = ?2 AND "
	    "(due <= ?3 OR due > ?3 + ?4) ORDER BY place LIMIT 1", "idii>tdi",
	    id, (int)state, now, INBOX_DUE_MAX, &claim->handler,
	    &claim->attempt, &claim->started);
}
