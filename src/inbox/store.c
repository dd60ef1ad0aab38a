/*
 * store.c - the SQLite backend: opening its file, transactions. put.c stores
 * events, queue.c hands them out, admin.c is for operators, row.c checks what
 * is read, statement.c talks to SQLite, files.c checks the files and keeps a
 * reserve of disk space.
 *
 * Why an event is on disk when put() returns, though SQLite itself, with
 * synchronous=NORMAL, flushes nothing when it commits:
 *
 *  1. In WAL mode a transaction is the frames appended to the log up to a
 *     commit frame. After a power cut SQLite takes from the log the longest
 *     run of frames whose checksums (chained from the header's salt) are right,
 *     up to the last commit frame in it. So a transaction survives if all bytes
 *     of the log up to its commit frame are on disk, in whatever order they got
 *     there, and a torn or missing byte only shortens the run: no event is
 *     ever half there.
 *  2. When COMMIT has returned, these bytes were written to the log, by this
 *     process or by others before it. fdatasync(2) on the log waits for all of
 *     them, whoever wrote them. It is called after the write lock was given up:
 *     others write meanwhile, and the kernel makes one flush of the device of
 *     many that wait. So no flush happens under the lock.
 *  3. The log may be emptied into the database by a checkpoint, and begun anew,
 *     between COMMIT and fdatasync. With synchronous=NORMAL, which every
 *     connection here uses, a checkpoint flushes the log, then writes the
 *     database, then flushes that, and only then lets the log be overwritten
 *     (a new header is flushed before frames follow it). Thus what is no longer
 *     in the log is on disk in the database.
 *  4. The log is the file that our connection holds open: its last user alone
 *     deletes it, and a connection keeps a lock that says that there is one. So
 *     the file flushed is the file that was written. The names of the files are
 *     made durable by flushing their folder when the store is opened.
 *  5. A repeat is answered ok too, and its first copy may have been committed
 *     by another process that did not flush yet: a repeat flushes as well.
 *  6. A flush that fails may leave pages that look clean and are not on disk.
 *     A process that saw that takes on nothing until a checkpoint has written
 *     all of the log into the database and flushed it. (Linux reports a failed
 *     write to every process that has the file open.)
 *
 * After an error of the file the next call opens it anew, so that the store
 * recovers by itself when the cause is gone.
 */
#include "inbox/store.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "file.h"

#include "banned.h"

#define APPLICATION_ID 1447773026	/* "VKcb" */
#define SCHEMA 3
#define CHECKPOINT_WORKER 1000		/* pages in the log */
#define CHECKPOINT_OTHER 4000		/* a web server waits for it */
#define LOG_REST 4194304		/* bytes that the log keeps */
#define FULL_MAX 2		/* then workers give up the reserve */
#define DENIED "it cannot be written: make the file and its folder writable " \
	"for the user that vkcb runs as"
#define LOCKED "another program keeps it locked: fuser(1) on the file names it"
#define DAMAGED "the file is damaged: move it away together with its -wal " \
	"and -shm, a new one is made by itself; sqlite3's .recover reads the " \
	"old one"
#define NEWER "made by a newer vkcb: install that, or name another path"
#define STRING(x) STRING_(x)
#define STRING_(x) #x

static const char schema[] =
    "CREATE TABLE event ("
    " id INTEGER PRIMARY KEY,"
    " hash INTEGER NOT NULL,"	/* of the key; not unique */
    " group_id INTEGER NOT NULL,"
    " event_id TEXT NOT NULL,"
    " type TEXT NOT NULL,"
    " version TEXT NOT NULL,"
    " retry_counter INTEGER NOT NULL,"
    " received INTEGER NOT NULL,"
    " conversation TEXT,"
    " object BLOB,"
    " sum INTEGER);"	/* see row.c */
    "CREATE INDEX event_hash ON event (hash);"

    "CREATE TABLE task ("
    " event INTEGER NOT NULL,"
    " place INTEGER NOT NULL,"	/* in the order of calls */
    " handler TEXT NOT NULL,"
    " state INTEGER NOT NULL,"
    " attempts INTEGER NOT NULL,"
    " due INTEGER NOT NULL,"
    " started INTEGER NOT NULL,"
    " ended INTEGER NOT NULL,"
    " reason TEXT NOT NULL,"
    " sum INTEGER,"
    " PRIMARY KEY (event, place)) WITHOUT ROWID;"
    "CREATE INDEX task_failed ON task (event) WHERE state = 3;"

    /*
     * The events with something to do: finished ones cost a claim nothing.
     * head: 1 for the next event of its conversation, and for each event
     * without one.
     */
    "CREATE TABLE queue ("
    " event INTEGER PRIMARY KEY,"
    " conversation TEXT,"
    " urgent INTEGER NOT NULL,"
    " due INTEGER NOT NULL,"	/* the first of its tasks */
    " head INTEGER NOT NULL,"
    " worker INTEGER NOT NULL);"
    "CREATE INDEX queue_conversation ON queue"
    " (conversation, head DESC, urgent DESC, event)"
    " WHERE conversation IS NOT NULL;"
    "CREATE INDEX queue_ready ON queue (urgent, due, event)"
    " WHERE head = 1 AND worker = 0;"
    "CREATE INDEX queue_held ON queue (worker) WHERE worker > 0;"

    "CREATE TABLE command ("
    " group_id INTEGER PRIMARY KEY,"
    " remove INTEGER NOT NULL,"
    " version TEXT NOT NULL,"
    " sum INTEGER);"

    "CREATE TABLE stat ("
    " handler TEXT NOT NULL,"
    " kind INTEGER NOT NULL,"
    " bucket INTEGER NOT NULL,"
    " n INTEGER NOT NULL,"
    " sum INTEGER NOT NULL,"
    " PRIMARY KEY (handler, kind, bucket)) WITHOUT ROWID;"

    "PRAGMA application_id = " STRING(APPLICATION_ID) ";"
    "PRAGMA user_version = " STRING(SCHEMA);

/*
 * From each schema to the next one. None takes longer for a large file: no row
 * of event or task is read.
 */
static const char *const upgrades[SCHEMA] = {
	schema,
	"ALTER TABLE event RENAME COLUMN lane TO conversation;"
	"ALTER TABLE queue RENAME COLUMN lane TO conversation;"
	"DELETE FROM stat WHERE handler = '';"
	"PRAGMA user_version = 2",
	"ALTER TABLE event ADD COLUMN sum INTEGER;"
	"ALTER TABLE task ADD COLUMN sum INTEGER;"
	"ALTER TABLE command ADD COLUMN sum INTEGER;"
	"PRAGMA user_version = 3",
};

struct store *
store_of(struct inbox *inbox)
{
	return (struct store *)(void *)inbox;
}

/* Errors of SQLite, and the advice for each. */
static const struct trouble {
	int code;
	bool spares_file;	/* the connection is as good as before */
	bool is_denial;		/* it may be about who owns a file */
	const char *advice;
} troubles[] = {
	{ SQL_FULL, true, false, "the disk is full: free some space" },
	{ SQL_READONLY, false, true, DENIED },
	{ SQL_PERM, false, true, DENIED },
	{ SQL_AUTH, false, true, DENIED },
	{ SQL_BUSY, true, false, LOCKED },
	{ SQL_LOCKED, true, false, LOCKED },
	{ SQL_PROTOCOL, false, false, LOCKED },
	{ SQL_CORRUPT, false, false, DAMAGED },
	{ SQL_NOTADB, false, false, DAMAGED },
	{ SQL_CANTOPEN, false, true, "see that its folder exists and is "
	    "writable for the user that vkcb runs as" },
	{ SQL_IOERR, false, false, "the disk gives errors or is full: see "
	    "df(1), dmesg(1)" },
	{ SQL_NOMEM, true, false, "out of memory" },
	{ SQL_OK, false, false, "unexpected; `sqlite3 FILE 'PRAGMA "
	    "integrity_check'` tells whether the file is sound" },
};

static const struct trouble *
trouble_of(int code)
{
	const struct trouble *trouble = troubles;

	while (trouble->code != SQL_OK && trouble->code != (code & 0xff))
		trouble++;
	return trouble;
}

int
store_fail(struct store *store, int code)
{
	int number = store->db != NULL ? store->sql->system_errno(store->db) :
	    0;
	const struct trouble *trouble;
	bool io;

	if ((code & 0xff) == SQL_IOERR && (number == ENOSPC ||
	    number == EDQUOT))
		code = SQL_FULL;
	trouble = trouble_of(code);
	store->is_full = code == SQL_FULL;
	store->full += store->is_full;
	store->must_reopen |= !trouble->spares_file;
	if (trouble->is_denial && files_check(store) == -1)
		return -1;
	io = trouble->code == SQL_IOERR && number != 0;
	snprintf(store->inbox.error, INBOX_ERROR_MAX, "inbox %s: %s%s%s: %s",
	    store->path, store->sql->errstr(code), io ? ": " : "",
	    io ? strerror(number) : "", trouble->advice);
	return -1;
}

/* Waits for another process's lock: briefly, as it is held briefly. */
static int
wait_for_lock(void *arg, int tries)
{
	const struct store *store = arg;

	if (clock_ms() >= store->patience_ends)
		return 0;
	clock_sleep_until(clock_ns() + (tries < 50 ? 100000 : 1000000));
	return 1;
}

/*
 * Called after a commit with the length of the log. Workers empty the log in
 * small steps; other processes only when no worker does. The commit stays one
 * if this fails.
 */
static int
checkpoint(void *arg, struct sqlite3 *db, const char *name, int pages)
{
	struct store *store = arg;
	int at = store->works ? CHECKPOINT_WORKER : CHECKPOINT_OTHER;

	if (pages < at) {
		store->restart_at = 4 * at;
		return SQL_OK;
	}
	(void)store->sql->wal_checkpoint_v2(db, name, SQL_CHECKPOINT_PASSIVE,
	    NULL, NULL);
	if (pages < 4 * at || pages < store->restart_at)
		return SQL_OK;
	/*
	 * Writers kept the log from ever being emptied: hold them for a moment.
	 * Or a long reader does: do not try again with each commit.
	 */
	store->restart_at = pages + at;
	store->patience_ends = clock_ms() + STORE_PATIENCE_READERS;
	(void)store->sql->wal_checkpoint_v2(db, name, SQL_CHECKPOINT_RESTART,
	    NULL, NULL);
	return SQL_OK;
}

static void
close_file(struct store *store)
{
	size_t i;

	for (i = 0; i < STORE_STATEMENTS_MAX; i++) {
		if (store->statements[i].sql != NULL)
			store->sql->finalize(store->statements[i].stmt);
		store->statements[i] = (struct store_statement){ NULL, NULL };
	}
	if (store->db != NULL)
		store->sql->close_v2(store->db);
	if (store->reserve != -1)
		close(store->reserve);
	store->db = NULL;
	store->reserve = -1;
	store->must_reopen = false;
}

/* Readable for its owner only: it holds what people write. */
static int
make_file(struct store *store)
{
	int fd = file_open_private(store->path, O_RDWR | O_CREAT);

	if (fd != -1) {
		close(fd);
		return 0;
	}
	if (errno == EACCES && files_check(store) == -1)
		return -1;
	snprintf(store->inbox.error, INBOX_ERROR_MAX, "inbox %s: %s: %s",
	    store->path, file_error(errno), trouble_of(errno ==
	    ENOSPC ? SQL_FULL : SQL_CANTOPEN)->advice);
	return -1;
}

static int
execute(struct store *store, const char *sql)
{
	int code = store->sql->exec(store->db, sql, NULL, NULL, NULL);

	return code == SQL_OK ? 0 : store_fail(store, code);
}

/*
 * If several processes open a new file at the same time, the first of them
 * changes its mode, and SQLite does not make the others wait for that.
 */
static int
set_mode(struct store *store)
{
	int code, tries = 0;

	do
		code = store->sql->exec(store->db, "PRAGMA journal_mode = WAL;"
		    "PRAGMA synchronous = NORMAL;"
		    "PRAGMA journal_size_limit = " STRING(LOG_REST), NULL,
		    NULL, NULL);
	while (code != SQL_OK && (code & 0xff) == SQL_BUSY &&
	    wait_for_lock(store, tries++));
	return code == SQL_OK ? 0 : store_fail(store, code);
}

/* The schema's version; 0: the database is empty. */
static int
read_version(struct store *store, int64_t *version)
{
	int64_t application, tables;

	if (store_run(store, "PRAGMA application_id", ">i",
	    &application) == -1 ||
	    store_run(store, "PRAGMA user_version", ">i", version) == -1 ||
	    store_run(store, "SELECT count(*) FROM sqlite_master", ">i",
	    &tables) == -1)
		return -1;
	if (application == 0 && *version == 0 && tables == 0)
		return 0;
	if (application != APPLICATION_ID || *version < 1)
		return files_refuse(store, "another program's database: name "
		    "another path");
	if (*version > SCHEMA)
		return files_refuse(store, NEWER);
	return 0;
}

static int
make_tables(struct store *store)
{
	int64_t version;
	int result;

	if (read_version(store, &version) == -1)
		return -1;
	if (version == SCHEMA)
		return 0;
	if (store->access == INBOX_READ)
		return files_refuse(store, version == 0 ? "no event was "
		    "stored yet" : "made by an older vkcb: the next event or "
		    "`vkcb work` upgrades it");
	if (execute(store, "BEGIN IMMEDIATE") == -1)
		return -1;
	/* Another process may have been faster. */
	do
		result = read_version(store, &version);
	while (result == 0 && version != SCHEMA &&
	    (result = execute(store, upgrades[version])) == 0);
	if (result == 0)
		return execute(store, "COMMIT");
	(void)store->sql->exec(store->db, "ROLLBACK", NULL, NULL, NULL);
	return -1;
}

/* Does nobody use the database, and is all of it in its one file? */
static bool
is_at_rest(const char *path)
{
	char wal[PATH_MAX + NAME_MAX + 8], shm[PATH_MAX + NAME_MAX + 8];
	struct stat st;

	snprintf(wal, sizeof(wal), "%s-wal", path);
	snprintf(shm, sizeof(shm), "%s-shm", path);
	return (stat(wal, &st) == -1 || st.st_size == 0) &&
	    access(shm, F_OK) == -1;
}

/*
 * Opens the database for reading alone. SQLite would make a log and its index
 * where there are none, but for a file that is said not to change.
 */
static int
open_to_read(struct store *store, const char *path)
{
	char uri[3 * PATH_MAX + 32] = "file:";
	size_t len = strlen(uri);
	const char *at;

	if (!is_at_rest(path))
		return store->sql->open_v2(path, &store->db, SQL_OPEN_READONLY |
		    SQL_OPEN_NOMUTEX | SQL_OPEN_NOFOLLOW, NULL);
	for (at = path; *at != '\0'; at++)
		len += (size_t)snprintf(uri + len, sizeof(uri) - len,
		    strchr("%?#", *at) != NULL ? "%%%02X" : "%c", *at);
	snprintf(uri + len, sizeof(uri) - len, "?immutable=1");
	return store->sql->open_v2(uri, &store->db, SQL_OPEN_READONLY |
	    SQL_OPEN_NOMUTEX | SQL_OPEN_NOFOLLOW | SQL_OPEN_URI, NULL);
}

/*
 * SQLite is given the folder's real path, as it must follow no link. Looking at
 * the files by opening them would drop SQLite's locks.
 */
static int
open_database(struct store *store)
{
	char folder[PATH_MAX], real[PATH_MAX], path[PATH_MAX + NAME_MAX + 2];
	const char *slash = strrchr(store->path, '/');

	file_folder(store->path, folder);
	if (realpath(folder, real) == NULL)
		return SQL_CANTOPEN;
	snprintf(path, sizeof(path), "%s/%s", real,
	    slash != NULL ? slash + 1 : store->path);
	if (store->access == INBOX_READ)
		return open_to_read(store, path);
	return store->sql->open_v2(path, &store->db, SQL_OPEN_READWRITE |
	    SQL_OPEN_NOMUTEX | SQL_OPEN_NOFOLLOW, NULL);
}

static int
store_open_file(struct store *store)
{
	const struct sqlite *sql = store->sql;
	int code;

	if (store->in_memory) {
		code = sql->open_v2(":memory:", &store->db,
		    SQL_OPEN_READWRITE | SQL_OPEN_NOMUTEX, NULL);
		return code == SQL_OK ? make_tables(store) :
		    store_fail(store, code);
	}
	if (files_check(store) == -1)
		return -1;
	if (store->access != INBOX_CREATE && access(store->path, F_OK) == -1)
		return files_refuse(store, errno == ENOENT ? "not there: no "
		    "event was stored yet" : strerror(errno));
	if (store->access == INBOX_CREATE && make_file(store) == -1)
		return -1;
	store->patience_ends = clock_ms() + STORE_PATIENCE_ANSWER;
	code = open_database(store);
	if (code != SQL_OK)
		return store_fail(store, code);
	(void)sql->extended_result_codes(store->db, 1);
	(void)sql->busy_handler(store->db, wait_for_lock, store);
	if (store->access == INBOX_READ)
		return make_tables(store);
	(void)sql->wal_hook(store->db, checkpoint, store);
	(void)sql->file_control(store->db, "main", SQL_FCNTL_CHUNK_SIZE,
	    &(int){ STORE_CHUNK });
	/* A CGI program ends after each event: that must not flush it all. */
	(void)sql->db_config(store->db, SQL_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	if (set_mode(store) == -1 || make_tables(store) == -1 ||
	    files_check(store) == -1)
		return -1;
	/* The names of a new file and its log must be on disk too. */
	if (file_sync_folder(store->path) == 0)
		return 0;
	return files_refuse(store, strerror(errno));
}

static bool
is_moved(struct store *store)
{
	int moved = 0;

	(void)store->sql->file_control(store->db, "main", SQL_FCNTL_HAS_MOVED,
	    &moved);
	return moved != 0;
}

int
store_stays(struct store *store)
{
	if (!is_moved(store))
		return 0;
	store->must_reopen = true;
	return files_refuse(store, "moved away or deleted while it was in use");
}

int
store_ready(struct store *store)
{
	if (store->db != NULL && (store->must_reopen || is_moved(store)))
		close_file(store);
	if (store->db != NULL || store_open_file(store) == 0)
		return 0;
	close_file(store);
	return -1;
}

/*
 * The disk is full: empties the log. Its blocks are given back to the disk,
 * unless they are all that ends have. If that was not enough for an end, the
 * reserve is given up.
 */
static void
make_room(struct store *store)
{
	int64_t waits = 1;
	bool give_back = files_has_reserve(store) ||
	    (store_run(store, "SELECT EXISTS (SELECT 1 FROM queue)", ">i",
	    &waits) == 1 && waits == 0);

	if (store->full >= FULL_MAX && !store->answers)
		files_give_up_reserve(store);
	store->patience_ends = clock_ms() + STORE_PATIENCE_READERS;
	(void)store->sql->wal_checkpoint_v2(store->db, NULL, give_back ?
	    SQL_CHECKPOINT_TRUNCATE : SQL_CHECKPOINT_RESTART, NULL, NULL);
}

bool
store_may_find_room(const struct store *store)
{
	return store->is_full && (store->full < FULL_MAX ||
	    (store->full == FULL_MAX && !store->answers));
}

static void
roll_back(struct store *store)
{
	char error[INBOX_ERROR_MAX];

	memcpy(error, store->inbox.error, sizeof(error));
	/* Some errors have rolled it back already. */
	if (!store->sql->get_autocommit(store->db))
		(void)store_run(store, "ROLLBACK", "");
	memcpy(store->inbox.error, error, sizeof(error));
}

int
store_end(struct store *store, int result)
{
	if (result != -1 && store_run(store, "COMMIT", "") == -1)
		result = -1;
	if (result == -1)
		roll_back(store);
	else
		store->full = 0;
	return result;
}

/* A newer vkcb may have upgraded the file since it was opened. */
static int
begin(struct store *store)
{
	int64_t version;

	if (store_run(store, "BEGIN IMMEDIATE", "") == -1)
		return -1;
	if (store_run(store, "PRAGMA user_version", ">i", &version) == -1)
		return store_end(store, -1);
	if (version == SCHEMA)
		return 0;
	store->must_reopen = true;
	(void)files_refuse(store, NEWER);
	return store_end(store, -1);
}

int
store_begin(struct store *store, int64_t patience)
{
	int code = SQL_OK;

	store->patience_ends = clock_ms() + patience;
	if (store_ready(store) == -1)
		return -1;
	store->answers = patience == STORE_PATIENCE_ANSWER;
	if (store->full > 0)
		make_room(store);
	store->patience_ends = clock_ms() + patience;
	if (store->doubtful)	/* see the sixth point above */
		code = store->sql->wal_checkpoint_v2(store->db, NULL,
		    SQL_CHECKPOINT_TRUNCATE, NULL, NULL);
	if (code != SQL_OK)
		return store_fail(store, code);
	store->doubtful = false;
	return begin(store);
}

int
store_flush(struct inbox *inbox)
{
	struct store *store = store_of(inbox);
	struct sqlite_file *file = NULL;
	int code;

	if (store->db == NULL)
		return 0;
	code = store->sql->file_control(store->db, "main",
	    SQL_FCNTL_JOURNAL_POINTER, &file);
	if (code == SQL_OK && file != NULL && file->methods != NULL)
		code = file->methods->sync(file, SQL_SYNC_NORMAL |
		    SQL_SYNC_DATAONLY);
	if (code == SQL_OK)
		return 0;
	store->doubtful = true;
	return store_fail(store, code);
}

void
store_shrink_log(struct store *store)
{
	struct sqlite_file *file = NULL;
	long long size = 0;

	(void)store->sql->file_control(store->db, "main",
	    SQL_FCNTL_JOURNAL_POINTER, &file);
	if (file == NULL || file->methods == NULL ||
	    file->methods->file_size(file, &size) != SQL_OK || size <= LOG_REST)
		return;
	/* The first of them lets others write. */
	store->patience_ends = clock_ms() + STORE_PATIENCE_READERS;
	(void)store->sql->wal_checkpoint_v2(store->db, NULL,
	    SQL_CHECKPOINT_PASSIVE, NULL, NULL);
	(void)store->sql->wal_checkpoint_v2(store->db, NULL,
	    SQL_CHECKPOINT_TRUNCATE, NULL, NULL);
}

static void
sqlite_close(struct inbox *inbox)
{
	struct store *store = store_of(inbox);

	close_file(store);
	if (store->inotify != -1)
		close(store->inotify);
	arena_release(&store->arena);
	free(store->lock);
	free(store->path);
	free(store);
}

static const struct inbox_backend sqlite_backend = {
	.put = put_event,
	.take_command = put_take_command,
	.claim = queue_claim,
	.finish = queue_finish,
	.orphaned = queue_orphaned,
	.next_due = queue_next_due,
	.flush = store_flush,
	.shift_due = queue_shift_due,
	.purge = queue_purge,
	.list = admin_list,
	.status = admin_status,
	.retry = admin_retry,
	.drop = admin_drop,
	.wake_fd = admin_wake_fd,
	.drain_wakes = admin_drain_wakes,
	.wake = admin_wake,
	.close = sqlite_close,
};

struct inbox *
inbox_in_memory(char error[INBOX_ERROR_MAX])
{
	struct inbox *inbox = inbox_open("in memory", INBOX_CREATE, error);

	if (inbox == NULL)
		return NULL;
	store_of(inbox)->in_memory = true;
	*store_of(inbox)->lock = '\0';
	return inbox;
}

struct inbox *
inbox_open(const char *path, enum inbox_access access,
    char error[INBOX_ERROR_MAX])
{
	const struct sqlite *sql = sqlite_load(error, INBOX_ERROR_MAX);
	struct store *store;

	if (sql == NULL)
		return NULL;
	store = calloc(1, sizeof(*store));
	if (store == NULL || (store->path = strdup(path)) == NULL ||
	    asprintf(&store->lock, "%s-lock", path) == -1) {
		if (store != NULL)
			free(store->path);
		free(store);
		snprintf(error, INBOX_ERROR_MAX, "out of memory");
		return NULL;
	}
	store->inbox.backend = &sqlite_backend;
	store->inbox.clock = clock_wall_ms;
	store->reserve = -1;
	store->inotify = -1;
	store->sql = sql;
	store->access = access;
	return &store->inbox;
}
