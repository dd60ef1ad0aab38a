/*
 * sqlite.h - SQLite, loaded when it is first needed.
 *
 * A program linked with it would pay 0.8 ms for it in every process, CGI in
 * every request. The functions in use are declared here, so that building needs
 * no header of SQLite: SQLite promises not to change its ABI, and
 * tests/unit/sqlite.c holds these lines against <sqlite3.h>.
 */
#ifndef SQLITE_H
#define SQLITE_H

#include <stddef.h>

struct sqlite3;
struct sqlite3_stmt;

/* CALL(result, name after sqlite3_, arguments) */
#define SQLITE_CALLS \
	CALL(int, libversion_number, (void)) \
	CALL(int, open_v2, (const char *, struct sqlite3 **, int, \
	    const char *)) \
	CALL(int, close_v2, (struct sqlite3 *)) \
	CALL(const char *, errstr, (int)) \
	CALL(int, extended_result_codes, (struct sqlite3 *, int)) \
	CALL(int, system_errno, (struct sqlite3 *)) \
	CALL(int, exec, (struct sqlite3 *, const char *, \
	    int (*)(void *, int, char **, char **), void *, char **)) \
	CALL(int, prepare_v3, (struct sqlite3 *, const char *, int, \
	    unsigned int, struct sqlite3_stmt **, const char **)) \
	CALL(int, step, (struct sqlite3_stmt *)) \
	CALL(int, reset, (struct sqlite3_stmt *)) \
	CALL(int, finalize, (struct sqlite3_stmt *)) \
	CALL(int, clear_bindings, (struct sqlite3_stmt *)) \
	CALL(int, bind_int64, (struct sqlite3_stmt *, int, long long)) \
	CALL(int, bind_text, (struct sqlite3_stmt *, int, const char *, int, \
	    void (*)(void *))) \
	CALL(int, bind_blob, (struct sqlite3_stmt *, int, const void *, int, \
	    void (*)(void *))) \
	CALL(int, column_type, (struct sqlite3_stmt *, int)) \
	CALL(long long, column_int64, (struct sqlite3_stmt *, int)) \
	CALL(const void *, column_blob, (struct sqlite3_stmt *, int)) \
	CALL(int, column_bytes, (struct sqlite3_stmt *, int)) \
	CALL(int, changes, (struct sqlite3 *)) \
	CALL(long long, last_insert_rowid, (struct sqlite3 *)) \
	CALL(int, get_autocommit, (struct sqlite3 *)) \
	CALL(int, busy_handler, (struct sqlite3 *, int (*)(void *, int), \
	    void *)) \
	CALL(void *, wal_hook, (struct sqlite3 *, int (*)(void *, \
	    struct sqlite3 *, const char *, int), void *)) \
	CALL(int, wal_checkpoint_v2, (struct sqlite3 *, const char *, int, \
	    int *, int *)) \
	CALL(int, file_control, (struct sqlite3 *, const char *, int, \
	    void *)) \
	CALL(int, db_config, (struct sqlite3 *, int, ...))

/* The functions, under their own names. */
struct sqlite {
#define CALL(result, name, arguments) result (*name)arguments;
	SQLITE_CALLS
#undef CALL
};

/* Numbers of <sqlite3.h>: NUMBER(name after SQLITE_, value). */
#define SQLITE_NUMBERS \
	NUMBER(OK, 0) \
	NUMBER(PERM, 3) \
	NUMBER(BUSY, 5) \
	NUMBER(LOCKED, 6) \
	NUMBER(NOMEM, 7) \
	NUMBER(READONLY, 8) \
	NUMBER(IOERR, 10) \
	NUMBER(CORRUPT, 11) \
	NUMBER(FULL, 13) \
	NUMBER(CANTOPEN, 14) \
	NUMBER(PROTOCOL, 15) \
	NUMBER(AUTH, 23) \
	NUMBER(NOTADB, 26) \
	NUMBER(ROW, 100) \
	NUMBER(DONE, 101) \
	NUMBER(INTEGER, 1) \
	NUMBER(TEXT, 3) \
	NUMBER(BLOB, 4) \
	NUMBER(NULL, 5) \
	NUMBER(OPEN_READONLY, 0x1) \
	NUMBER(OPEN_READWRITE, 0x2) \
	NUMBER(OPEN_URI, 0x40) \
	NUMBER(OPEN_NOMUTEX, 0x8000) \
	NUMBER(OPEN_NOFOLLOW, 0x01000000) \
	NUMBER(PREPARE_PERSISTENT, 0x1) \
	NUMBER(CHECKPOINT_PASSIVE, 0) \
	NUMBER(CHECKPOINT_RESTART, 2) \
	NUMBER(CHECKPOINT_TRUNCATE, 3) \
	NUMBER(FCNTL_SIZE_HINT, 5) \
	NUMBER(FCNTL_CHUNK_SIZE, 6) \
	NUMBER(FCNTL_HAS_MOVED, 20) \
	NUMBER(FCNTL_JOURNAL_POINTER, 28) \
	NUMBER(DBCONFIG_NO_CKPT_ON_CLOSE, 1006) \
	NUMBER(SYNC_NORMAL, 0x2) \
	NUMBER(SYNC_DATAONLY, 0x10)

enum {
#define NUMBER(name, value) SQL_##name = value,
	SQLITE_NUMBERS
#undef NUMBER
};

/* The head of struct sqlite3_file: enough to flush an open file. */
struct sqlite_file {
	const struct sqlite_file_methods *methods;
};

struct sqlite_file_methods {
	int version;
	int (*close)(struct sqlite_file *);
	int (*read)(struct sqlite_file *, void *, int, long long);
	int (*write)(struct sqlite_file *, const void *, int, long long);
	int (*truncate)(struct sqlite_file *, long long);
	int (*sync)(struct sqlite_file *, int flags);
	int (*file_size)(struct sqlite_file *, long long *);
};

/* The library; NULL, and one line in error: it is not on this machine. */
const struct sqlite *sqlite_load(char *error, size_t size);

#endif
