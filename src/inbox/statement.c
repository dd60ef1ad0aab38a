/*
 * statement.c - the SQLite store's statements.
 *
 * A statement is prepared once and kept. Texts and blobs that are read are
 * copies in the store's arena: an open statement would keep the log from being
 * emptied.
 */
#include "inbox/store.h"

#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "hash.h"
#include "text.h"

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
statement_bind(struct store *store, struct sqlite3_stmt *stmt, int at,
    char type, va_list *args)
{
	const void *bytes;
	int64_t number;
	size_t len;

	if (type == 's')
		return store->sql->bind_int64(stmt, at, (int64_t)store->sum);
	if (type == 'i' || type == 'd') {
		number = type == 'i' ? va_arg(*args, int64_t) :
		    va_arg(*args, int);
		store->sum = hash_word(store->sum, (uint64_t)number);
		return store->sql->bind_int64(stmt, at, number);
	}
	bytes = va_arg(*args, const void *);
	len = type == 'b' ? va_arg(*args, size_t) :
	    bytes != NULL ? strlen(bytes) : 0;
	store->sum = hash_words(store->sum, bytes, len);
	return type == 't' ?
	    store->sql->bind_text(stmt, at, bytes, (int)len, NULL) :
	    store->sql->bind_blob(stmt, at, len > 0 ? bytes : NULL, (int)len,
	    NULL);
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
	store->sum = HASH_START;
	for (; code == SQL_OK && **types != '\0' && **types != '>'; (*types)++)
		code = statement_bind(store, stmt, i++, **types, args);
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

static const char *
statement_copy(struct store *store, struct sqlite3_stmt *stmt, int column,
    char type, size_t *len)
{
	int kind = store->sql->column_type(stmt, column);
	const void *bytes = store->sql->column_blob(stmt, column);
	char *copy;

	*len = bytes == NULL ? 0 :
	    (size_t)store->sql->column_bytes(stmt, column);
	store->sum = hash_words(store->sum, bytes, *len);
	if (kind == SQL_NULL && (type == 'n' || type == 'b'))
		return type == 'n' ? NULL : "";
	copy = arena_alloc(&store->arena, *len + 1);
	if (copy == NULL)
		return "";
	if (*len > 0)
		memcpy(copy, bytes, *len);
	copy[*len] = '\0';
	if (type == 'b' ? kind == SQL_BLOB :
	    kind == SQL_TEXT && utf8_span(copy) == *len)
		return copy;
	store->damaged = true;
	return type == 'b' ? copy : "(damaged)";
}

static int64_t
statement_number(struct store *store, struct sqlite3_stmt *stmt, int column,
    int64_t min, int64_t max)
{
	int kind = store->sql->column_type(stmt, column);
	int64_t number = store->sql->column_int64(stmt, column);

	store->sum = hash_word(store->sum, (uint64_t)number);
	if ((kind == SQL_INTEGER || kind == SQL_NULL) && number >= min &&
	    number <= max)
		return number;
	store->damaged = true;
	return 0;
}

static void
statement_read(struct store *store, struct sqlite3_stmt *stmt, int column,
    char type, va_list *args)
{
	const char **text;
	size_t len;

	switch (type) {
	case 'i':
	case 'x':
		*va_arg(*args, int64_t *) = statement_number(store, stmt,
		    column, type == 'i' ? 0 : INT64_MIN, INT64_MAX);
		break;
	case 'd':
		*va_arg(*args, int *) = (int)statement_number(store, stmt,
		    column, 0, INT_MAX - 1);
		break;
	case 's':
		store->unsummed = store->sql->column_type(stmt, column) ==
		    SQL_NULL;
		store->damaged |= !store->unsummed && (int64_t)store->sum !=
		    store->sql->column_int64(stmt, column);
		break;
	default:
		text = va_arg(*args, const char **);
		*text = statement_copy(store, stmt, column, type, &len);
		if (type == 'b')
			*va_arg(*args, size_t *) = len;
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
	store->damaged = false;
	store->sum = HASH_START;
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
