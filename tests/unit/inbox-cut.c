/*
 * inbox-cut.c - a power failure: the store's log, truncated anywhere, is a
 * shorter history of the same events, never another one. The log is truncated
 * at every byte of its last 64 KiB.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "inbox/inbox.h"
#include "inbox/sqlite.h"

#define EVENTS 8
#define LAST ((size_t)64 * 1024)	/* the part of the log to truncate */

static char folder[64];

struct bytes {
	char *at;
	size_t len;
};

static struct bytes
read_all(const char *path)
{
	struct bytes bytes;
	struct stat st;
	int fd = open(path, O_RDONLY);

	assert_true(fd != -1 && fstat(fd, &st) == 0);
	bytes.len = (size_t)st.st_size;
	bytes.at = malloc(bytes.len + 1);
	assert_non_null(bytes.at);
	assert_int_equal(read(fd, bytes.at, bytes.len), bytes.len);
	close(fd);
	return bytes;
}

static void
write_all(const char *path, const struct bytes *bytes, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd != -1);
	assert_int_equal(write(fd, bytes->at, len), len);
	close(fd);
}

/* Stores an event, and ends every other one. */
static void
add(struct inbox *inbox, int nth)
{
	const struct inbox_target wanted[] = { { "greet", NULL } };
	char id[16], object[700];
	struct inbox_event event = {
		.group_id = 7, .event_id = id, .type = "message_new",
		.version = "5.199", .received = 1000 + nth, .conversation = "a",
		.object = object, .object_len = sizeof(object) - 1,
	};
	struct inbox_command command;
	struct inbox_claim claim;
	struct inbox_end end = { .state = INBOX_DONE, .reason = "" };
	enum inbox_put put;
	int64_t due;

	snprintf(id, sizeof(id), "e%d", nth);
	memset(object, 'x', sizeof(object));
	assert_int_equal(inbox_put(inbox, &event, wanted, 1, &put,
	    &command), 0);
	if (nth % 2 == 0)
		return;
	assert_int_equal(inbox_claim(inbox, 1, NULL, 0, &claim, &due), 1);
	assert_int_equal(inbox_finish(inbox, &claim, &end), 1);
}

static bool
count(void *arg, const struct inbox_event *event,
    const struct inbox_task *tasks, size_t n)
{
	int *seen = arg;
	char id[16];

	/* The events are in order, without a gap, and intact. */
	snprintf(id, sizeof(id), "e%d", (*seen)++);
	assert_string_equal(event->event_id, id);
	assert_int_equal(event->object_len, 699);
	assert_int_equal(n, 1);
	assert_string_equal(tasks[0].handler, "greet");
	return true;
}

/* The number of events after truncation; the store is intact and works. */
static int
events_after(const char *path)
{
	const struct inbox_filter all = { .state = INBOX_ANY };
	char error[INBOX_ERROR_MAX];
	struct inbox *inbox = inbox_open(path, INBOX_CREATE, error);
	int seen = 0;

	assert_non_null(inbox);
	if (inbox_list(inbox, &all, count, &seen) == -1)
		fail_msg("%s", inbox->error);
	inbox_close(inbox);
	return seen;
}

static int
first_column(void *arg, int n, char **texts, char **names)
{
	(void)names;
	assert_int_equal(n, 1);
	snprintf(arg, 32, "%s", texts[0]);
	return 0;
}

static void
assert_sound(const char *path)
{
	const struct sqlite *sql = sqlite_load((char[512]){ "" }, 512);
	struct sqlite3 *db;
	char result[32] = "";

	assert_int_equal(sql->open_v2(path, &db, SQL_OPEN_READWRITE, NULL), 0);
	/* Closing must leave the log as it is. */
	assert_int_equal(sql->db_config(db, SQL_DBCONFIG_NO_CKPT_ON_CLOSE, 1,
	    NULL), 0);
	assert_int_equal(sql->exec(db, "PRAGMA integrity_check", first_column,
	    result, NULL), 0);
	assert_string_equal(result, "ok");
	sql->close_v2(db);
}

struct history {
	char path[96], wal[104], copy[96], copy_wal[104], copy_shm[104];
	struct bytes db;
	struct bytes log;
	size_t known[EVENTS + 1];	/* the log's length with n events */
};

static void
make_history(struct history *history)
{
	char error[INBOX_ERROR_MAX];
	struct inbox *inbox;
	struct stat st;
	int i;

	snprintf(history->path, 96, "%s/inbox", folder);
	snprintf(history->wal, 104, "%s-wal", history->path);
	snprintf(history->copy, 96, "%s/copy", folder);
	snprintf(history->copy_wal, 104, "%s-wal", history->copy);
	snprintf(history->copy_shm, 104, "%s-shm", history->copy);
	inbox = inbox_open(history->path, INBOX_CREATE, error);
	assert_non_null(inbox);
	for (i = 0; i < EVENTS; i++) {
		add(inbox, i);
		assert_int_equal(stat(history->wal, &st), 0);
		history->known[i + 1] = (size_t)st.st_size;
	}
	history->db = read_all(history->path);
	history->log = read_all(history->wal);
	inbox_close(inbox);
	assert_true(history->log.len > LAST);
}

static int
cut_at(struct history *history, size_t len, const struct bytes *log)
{
	write_all(history->copy, &history->db, history->db.len);
	write_all(history->copy_wal, log, len);
	(void)unlink(history->copy_shm);
	return events_after(history->copy);
}

/*
 * Events that were answered ok at this length of the log are there, intact.
 * Reading does not change the log, which gets shorter and shorter.
 */
static void
a_log_cut_anywhere_is_a_shorter_history(void **state)
{
	struct history *history = *state;
	size_t len, n = EVENTS;

	assert_int_equal(cut_at(history, history->log.len, &history->log),
	    EVENTS);
	assert_sound(history->copy);
	write_all(history->copy_wal, &history->log, history->log.len);
	for (len = history->log.len; len > history->log.len - LAST; len--) {
		while (n > 0 && history->known[n] > len)
			n--;
		(void)unlink(history->copy_shm);
		assert_int_equal(truncate(history->copy_wal, (off_t)len), 0);
		/*
		 * The next event may be there too: a worker's commit came after
		 * it.
		 */
		assert_in_range(events_after(history->copy), n, n + 1);
		if (len % 4096 == 0)
			assert_sound(history->copy);
	}
}

/* Pages are missing on disk, and later pages are there. */
static void
a_hole_in_the_log_ends_it(void **state)
{
	struct history *history = *state;
	struct bytes log = history->log;
	size_t at, n = 0, from = log.len - LAST;
	char saved[512];

	for (at = from; at + sizeof(saved) < log.len; at += 1021) {
		while (n < EVENTS && history->known[n + 1] <= at)
			n++;
		memcpy(saved, log.at + at, sizeof(saved));
		memset(log.at + at, 0, sizeof(saved));
		if (memcmp(saved, log.at + at, sizeof(saved)) != 0)
			assert_in_range(cut_at(history, log.len, &log), n,
			    n + 1);
		memcpy(log.at + at, saved, sizeof(saved));
	}
}

static int
set_up(void **state)
{
	static struct history history;

	make_history(&history);
	*state = &history;
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_log_cut_anywhere_is_a_shorter_history),
		cmocka_unit_test(a_hole_in_the_log_ends_it),
	};
	char command[80];
	int failed;

	/*
	 * A folder in memory, if there is one, since no power failure happens
	 * here.
	 */
	snprintf(folder, sizeof(folder), "%s/vkcb-cut.XXXXXX",
	    access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	if (mkdtemp(folder) == NULL)
		return 1;
	failed = cmocka_run_group_tests(tests, set_up, NULL);
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	return system(command) == 0 ? failed : 1;
}
