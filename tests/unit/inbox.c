/* inbox.c - the promises of the inbox, tested with each store. */
#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>
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

#include "conf/conf.h"
#include "inbox/inbox.h"
#include "inbox/store.h"
#include "inbox/sqlite.h"

#define DAY (INT64_C(24) * 3600 * 1000)

static const char *const names[] = {
	"a", "b", "greet", "one", "press", "three",
};
#define SQL_OPEN_CREATE 0x4	/* SQLITE_OPEN_CREATE */
#define N_NAMES (sizeof(names) / sizeof(names[0]))

static int64_t clock_now;		/* what the stores take for the time */
static char folder[] = "/tmp/vkcb-inbox.XXXXXX";
static char path[64];			/* of the last one opened */

static int64_t
fake_now(void)
{
	return clock_now;
}

static int
open_memory(void **state)
{
	char error[INBOX_ERROR_MAX];
	struct inbox *inbox = inbox_in_memory(error);

	assert_non_null(inbox);
	*path = '\0';
	inbox->clock = fake_now;
	clock_now = 1000000000;
	*state = inbox;
	return 0;
}

static int
open_sqlite(void **state)
{
	static int count;
	char error[INBOX_ERROR_MAX];
	struct inbox *inbox;

	snprintf(path, sizeof(path), "%s/inbox-%d", folder, count++);
	inbox = inbox_open(path, INBOX_CREATE, error);
	assert_non_null(inbox);
	inbox->clock = fake_now;
	clock_now = 1000000000;
	*state = inbox;
	return 0;
}

static int
close_store(void **state)
{
	inbox_close(*state);
	return 0;
}

static enum inbox_put
put_for(struct inbox *inbox, const char *event_id, const char *lane,
    const char *type, const struct inbox_target *wanted, size_t n)
{
	const struct inbox_event event = {
		.group_id = 7, .event_id = event_id, .type = type,
		.version = "5.199", .retry_counter = 2, .received = clock_now,
		.conversation = lane, .object = "{\"a\":1}", .object_len = 7,
	};
	struct inbox_command command;
	enum inbox_put put;

	if (inbox_put(inbox, &event, wanted, n, &put, &command) == -1)
		fail_msg("%s", inbox->error);
	assert_false(command.remove);
	return put;
}

static enum inbox_put
put(struct inbox *inbox, const char *event_id, const char *lane)
{
	const struct inbox_target wanted[] = { { "greet", NULL } };

	return put_for(inbox, event_id, lane, "message_new", wanted, 1);
}

/*
 * A claim is valid until the worker's next call; all workers share one inbox
 * here.
 */
static void
keep(struct inbox_claim *claimed)
{
	static char texts[8][4][64];
	static unsigned int next;
	char (*text)[64] = texts[next++ % 8];

	snprintf(text[0], 64, "%s", claimed->event.event_id);
	snprintf(text[1], 64, "%s", claimed->handler);
	claimed->event.event_id = text[0];
	claimed->handler = text[1];
	if (claimed->event.conversation == NULL)
		return;
	snprintf(text[2], 64, "%s", claimed->event.conversation);
	claimed->event.conversation = text[2];
}

/* The id of the event that a worker claims; "" for none. */
static const char *
claim(struct inbox *inbox, int worker, struct inbox_claim *claimed)
{
	int64_t due;
	int result = inbox_claim(inbox, worker, names, N_NAMES, claimed, &due);

	if (result == -1)
		fail_msg("%s", inbox->error);
	if (result == 0)
		return "";
	keep(claimed);
	return claimed->event.event_id;
}

static void
finish(struct inbox *inbox, const struct inbox_claim *claimed,
    enum inbox_state state, int64_t due)
{
	const struct inbox_end end = {
		.state = state, .due = due,
		.reason = state == INBOX_DONE ? "" : "it failed",
	};

	if (inbox_finish(inbox, claimed, &end) != 1)
		fail_msg("%s", inbox->error);
}

static int64_t
due(struct inbox *inbox)
{
	struct inbox_claim claimed;
	int64_t due;

	assert_int_equal(inbox_claim(inbox, 9, names, N_NAMES, &claimed, &due),
	    0);
	return due;
}

static void
an_event_is_kept_once_and_handed_out_once(void **state)
{
	struct inbox *inbox = *state;
	struct inbox_claim claimed;

	assert_int_equal(put(inbox, "e1", "a"), INBOX_STORED);
	assert_int_equal(put(inbox, "e1", "a"), INBOX_REPEATED);
	assert_string_equal(claim(inbox, 1, &claimed), "e1");
	assert_string_equal(claimed.event.type, "message_new");
	assert_string_equal(claimed.event.version, "5.199");
	assert_int_equal(claimed.event.retry_counter, 2);
	assert_int_equal(claimed.event.received, clock_now);
	assert_int_equal(claimed.event.object_len, 7);
	assert_memory_equal(claimed.event.object, "{\"a\":1}", 8);
	assert_string_equal(claimed.handler, "greet");
	assert_int_equal(claimed.attempt, 1);
	assert_int_equal(put(inbox, "e1", "a"), INBOX_REPEATED);
	assert_true(due(inbox) == INT64_MAX);
	finish(inbox, &claimed, INBOX_DONE, 0);
	assert_int_equal(put(inbox, "e1", "a"), INBOX_REPEATED);
	assert_true(due(inbox) == 0);
}

static void
without_an_id_the_content_is_the_key(void **state)
{
	const struct inbox_target wanted[] = { { "greet", NULL } };
	struct inbox *inbox = *state;

	assert_int_equal(put(inbox, "", "a"), INBOX_STORED);
	assert_int_equal(put(inbox, "", "a"), INBOX_REPEATED);
	assert_int_equal(put_for(inbox, "", "a", "message_edit", wanted, 1),
	    INBOX_STORED);
}

static void
a_lane_is_handed_out_in_order_one_at_a_time(void **state)
{
	struct inbox *inbox = *state;
	struct inbox_claim first, second;

	put(inbox, "a1", "a");
	put(inbox, "a2", "a");
	put(inbox, "b1", "b");
	assert_string_equal(claim(inbox, 1, &first), "a1");
	finish(inbox, &first, INBOX_WAITING, clock_now + 10000);
	assert_string_equal(claim(inbox, 2, &second), "b1");
	finish(inbox, &second, INBOX_DONE, 0);
	assert_true(due(inbox) == clock_now + 10000);
	clock_now += 10000;
	assert_string_equal(claim(inbox, 1, &first), "a1");
	assert_int_equal(first.attempt, 2);
	assert_true(due(inbox) == INT64_MAX);
	finish(inbox, &first, INBOX_FAILED, 0);
	assert_string_equal(claim(inbox, 1, &first), "a2");
	finish(inbox, &first, INBOX_DONE, 0);
	assert_true(due(inbox) == 0);
}

static void
without_a_lane_nothing_waits_for_another(void **state)
{
	struct inbox *inbox = *state;
	struct inbox_claim claimed;

	put(inbox, "1", NULL);
	put(inbox, "2", NULL);
	assert_string_equal(claim(inbox, 1, &claimed), "1");
	assert_string_equal(claim(inbox, 2, &claimed), "2");
}

static void
urgent_events_go_first_but_never_beside_their_lane(void **state)
{
	const struct inbox_target wanted[] = { { "press", NULL } };
	struct inbox *inbox = *state;
	struct inbox_claim claimed, other;

	put(inbox, "a1", "a");
	put(inbox, "a2", "a");
	put(inbox, "b1", "b");
	put_for(inbox, "press a", "a", "message_event", wanted, 1);
	put_for(inbox, "press c", "c", "message_event", wanted, 1);
	assert_string_equal(claim(inbox, 1, &claimed), "press a");
	assert_string_equal(claim(inbox, 2, &other), "press c");
	finish(inbox, &claimed, INBOX_DONE, 0);
	assert_string_equal(claim(inbox, 1, &claimed), "a1");
	put_for(inbox, "press a again", "a", "message_event", wanted, 1);
	assert_string_equal(claim(inbox, 3, &other), "b1");
	assert_true(due(inbox) == INT64_MAX);
	finish(inbox, &claimed, INBOX_WAITING, clock_now + 5000);
	assert_string_equal(claim(inbox, 1, &claimed), "press a again");
	finish(inbox, &claimed, INBOX_DONE, 0);
	assert_true(due(inbox) == clock_now + 5000);
}

static void
each_handler_is_a_task_of_its_own(void **state)
{
	const struct inbox_target wanted[] = {
		{ "one", NULL }, { "two", "no object" }, { "three", NULL },
	};
	struct inbox *inbox = *state;
	struct inbox_claim claimed;

	put_for(inbox, "e", "a", "message_new", wanted, 3);
	put(inbox, "later", "a");
	claim(inbox, 1, &claimed);
	assert_string_equal(claimed.handler, "one");
	finish(inbox, &claimed, INBOX_WAITING, clock_now + 1000);
	claim(inbox, 1, &claimed);
	assert_string_equal(claimed.handler, "three");
	finish(inbox, &claimed, INBOX_DONE, 0);
	assert_string_equal(claim(inbox, 1, &claimed), "");
	clock_now += 1000;
	assert_string_equal(claim(inbox, 1, &claimed), "e");
	assert_string_equal(claimed.handler, "one");
	finish(inbox, &claimed, INBOX_DONE, 0);
	assert_string_equal(claim(inbox, 1, &claimed), "later");
}

static void
what_a_dead_worker_held_is_found_and_ended(void **state)
{
	const struct inbox_end done = { .state = INBOX_DONE, .reason = "" };
	struct inbox *inbox = *state;
	struct inbox_claim claimed, held;

	put(inbox, "a1", "a");
	put(inbox, "b1", "b");
	claim(inbox, 1, &claimed);
	claim(inbox, 2, &claimed);
	assert_int_equal(inbox_orphaned(inbox, 1, 1, &held), 1);
	assert_string_equal(held.event.event_id, "a1");
	assert_int_equal(held.attempt, 1);
	finish(inbox, &held, INBOX_WAITING, clock_now);
	assert_int_equal(inbox_orphaned(inbox, 1, 1, &held), 0);
	assert_int_equal(inbox_orphaned(inbox, 2, 1000, &held), 1);
	assert_string_equal(held.event.event_id, "b1");
	/* The worker was alive after all: the first end counts. */
	finish(inbox, &held, INBOX_FAILED, 0);
	assert_int_equal(inbox_finish(inbox, &claimed, &done), 0);
	assert_string_equal(claim(inbox, 1, &claimed), "a1");
	assert_int_equal(claimed.attempt, 2);
}

/*
 * The task timed out, the worker was killed, and so on: another worker has the
 * task by now.
 */
static void
an_end_counts_only_for_the_attempt_that_holds_the_task(void **state)
{
	const struct inbox_end gone = {
		.state = INBOX_FAILED, .reason = "too late",
		.command = { .remove = true },
	};
	struct inbox *inbox = *state;
	struct inbox_claim first, other, held;
	struct inbox_command command;
	struct inbox_status status;

	put(inbox, "e", "a");
	claim(inbox, 1, &first);
	assert_int_equal(first.worker, 1);
	other = first;
	other.worker = 2;
	assert_int_equal(inbox_finish(inbox, &other, &gone), 0);
	finish(inbox, &first, INBOX_WAITING, clock_now);
	clock_now += 10;
	assert_string_equal(claim(inbox, 1, &other), "e");
	assert_int_equal(other.attempt, 2);
	assert_int_equal(inbox_finish(inbox, &first, &gone), 0);
	assert_int_equal(inbox_orphaned(inbox, 1, 1, &held), 1);
	assert_int_equal(held.worker, 1);
	assert_int_equal(held.attempt, 2);
	finish(inbox, &other, INBOX_DONE, 0);
	assert_int_equal(inbox_finish(inbox, &other, &gone), 0);
	assert_int_equal(inbox_take_command(inbox, 7, &command), 0);
	assert_false(command.remove);
	assert_int_equal(inbox_status(inbox, &status), 0);
	assert_int_equal(status.parked, 0);
	assert_int_equal(status.handlers[0].failed, 1);
	free(status.handlers);
}

static void
a_task_for_a_handler_without_a_name_is_marked(void **state)
{
	const struct inbox_target targets[] = {
		{ "other", NULL }, { "greet", NULL },
	};
	struct inbox *inbox = *state;
	struct inbox_claim claimed;
	int64_t due;

	put_for(inbox, "e", "a", "message_new", targets, 2);
	assert_string_equal(claim(inbox, 1, &claimed), "e");
	assert_string_equal(claimed.handler, "other");
	assert_true(claimed.unknown);
	finish(inbox, &claimed, INBOX_FAILED, 0);
	assert_string_equal(claim(inbox, 1, &claimed), "e");
	assert_string_equal(claimed.handler, "greet");
	assert_false(claimed.unknown);
	finish(inbox, &claimed, INBOX_WAITING, 0);
	assert_int_equal(inbox_claim(inbox, 1, NULL, 0, &claimed, &due), 1);
	assert_true(claimed.unknown);
}

static void
all_times_are_of_the_inbox_s_clock(void **state)
{
	struct inbox *inbox = *state;
	struct inbox_claim claimed;
	int64_t now = clock_now;

	assert_true(inbox_now(inbox) == now);
	put(inbox, "e", NULL);
	clock_now += 5;
	claim(inbox, 1, &claimed);
	assert_true(claimed.started == now + 5);
	finish(inbox, &claimed, INBOX_WAITING, now + 10);
	assert_string_equal(claim(inbox, 1, &claimed), "");
	clock_now += 5;
	assert_string_equal(claim(inbox, 1, &claimed), "e");
}

static bool
is_awake(struct inbox *inbox)
{
	struct pollfd fd = { .fd = inbox_wake_fd(inbox), .events = POLLIN };

	assert_true(fd.fd != -1);
	return poll(&fd, 1, 0) == 1;
}

/* The pool makes the file that is watched, and may make it anew. */
static void
make_lock_file(void)
{
	char name[96];
	int fd;

	snprintf(name, sizeof(name), "%s-lock", path);
	(void)unlink(name);
	fd = open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
	assert_true(fd != -1 && write(fd, "", 1) == 1);
	close(fd);
}

static void
a_wake_is_seen_until_it_is_drained(void **state)
{
	struct inbox *inbox = *state;
	int i;

	for (i = 0; i < 2; i++) {
		make_lock_file();
		inbox_drain_wakes(inbox);
		assert_false(is_awake(inbox));
		assert_int_equal(inbox_wake(inbox), 1);
		assert_int_equal(inbox_wake(inbox), 1);
		assert_true(is_awake(inbox));
		assert_true(is_awake(inbox));
		inbox_drain_wakes(inbox);
		assert_false(is_awake(inbox));
		assert_int_equal(inbox_wake(inbox), 1);
		inbox_wait(inbox, 60000);
		assert_false(is_awake(inbox));
	}
}

static void
nobody_is_woken_where_no_pool_was(void **state)
{
	struct inbox *inbox = *state;
	char name[96];

	snprintf(name, sizeof(name), "%s-lock", path);
	assert_int_equal(inbox_wake_fd(inbox), -1);
	assert_int_equal(inbox_wake(inbox), 0);
	assert_int_equal(access(name, F_OK), -1);
	assert_int_equal(symlink("/etc/passwd", name), 0);
	assert_int_equal(inbox_wake(inbox), -1);
	assert_non_null(strstr(inbox->error, name));
}

static void
command(struct inbox *inbox, const char *event_id, bool remove,
    const char *version)
{
	struct inbox_end end = { .state = INBOX_DONE, .reason = "" };
	struct inbox_claim claimed;

	put(inbox, event_id, NULL);
	claim(inbox, 1, &claimed);
	end.command.remove = remove;
	snprintf(end.command.version, sizeof(end.command.version), "%s",
	    version);
	assert_int_equal(inbox_finish(inbox, &claimed, &end), 1);
}

static void
what_was_not_tried_counts_for_nothing(void **state)
{
	const struct inbox_end end = {
		.state = INBOX_WAITING, .untried = true, .reason = "not yet",
	};
	struct inbox *inbox = *state;
	struct inbox_claim claimed;
	struct inbox_status status;

	put(inbox, "e", NULL);
	claim(inbox, 1, &claimed);
	assert_int_equal(inbox_finish(inbox, &claimed, &end), 1);
	assert_int_equal(inbox_status(inbox, &status), 0);
	assert_int_equal(status.handlers[0].failed, 0);
	free(status.handlers);
	assert_string_equal(claim(inbox, 1, &claimed), "e");
	assert_int_equal(claimed.attempt, 1);
}

static void
a_command_is_taken_once_by_its_group(void **state)
{
	struct inbox *inbox = *state;
	struct inbox_command taken;

	command(inbox, "1", false, "5.199");
	assert_int_equal(inbox_take_command(inbox, 8, &taken), 0);
	assert_string_equal(taken.version, "");
	assert_int_equal(inbox_take_command(inbox, 7, &taken), 0);
	assert_string_equal(taken.version, "5.199");
	assert_false(taken.remove);
	assert_int_equal(inbox_take_command(inbox, 7, &taken), 0);
	assert_string_equal(taken.version, "");
	command(inbox, "2", true, "");
	assert_int_equal(inbox_take_command(inbox, 7, &taken), 0);
	assert_true(taken.remove);
}

static bool
count_them(void *arg, const struct inbox_event *event,
    const struct inbox_task *tasks, size_t n)
{
	int *count = arg;

	assert_int_equal(event->group_id, 7);
	assert_true(n > 0 && tasks[0].handler[0] != '\0');
	(*count)++;
	return true;
}

static int
count(struct inbox *inbox, struct inbox_filter filter)
{
	int count = 0;

	if (inbox_list(inbox, &filter, count_them, &count) == -1)
		fail_msg("%s", inbox->error);
	return count;
}

static void
old_events_are_forgotten_if_nothing_is_left_to_do(void **state)
{
	struct inbox *inbox = *state;
	struct inbox_claim claimed;

	put(inbox, "done", NULL);
	claim(inbox, 1, &claimed);
	finish(inbox, &claimed, INBOX_DONE, 0);
	put(inbox, "parked", NULL);
	claim(inbox, 1, &claimed);
	finish(inbox, &claimed, INBOX_FAILED, 0);
	put(inbox, "waiting", NULL);
	clock_now += 1000;
	put(inbox, "young", NULL);
	assert_int_equal(inbox_purge(inbox, clock_now - 1000), 0);
	assert_true(inbox_purge(inbox, clock_now) > 0);
	assert_int_equal(inbox_purge(inbox, clock_now), 0);
	assert_int_equal(count(inbox, (struct inbox_filter){
	    .state = INBOX_ANY }), 3);
	assert_int_equal(put(inbox, "parked", NULL), INBOX_REPEATED);
	assert_int_equal(put(inbox, "waiting", NULL), INBOX_REPEATED);
	assert_int_equal(put(inbox, "done", NULL), INBOX_STORED);
}

static int
again(struct inbox *inbox, int64_t id)
{
	return inbox_retry(inbox, &(struct inbox_filter){
	    .id = id, .state = INBOX_ANY });
}

static void
only_what_is_looked_for_is_sent_round_again(void **state)
{
	struct inbox *inbox = *state;
	struct inbox_claim claimed;
	const struct inbox_filter filters[] = {
		{ .group_id = 8 }, { .type = "group_join" },
		{ .since = clock_now + 1 },
	};
	size_t i;

	put(inbox, "1", NULL);
	claim(inbox, 1, &claimed);
	finish(inbox, &claimed, INBOX_FAILED, 0);
	for (i = 0; i < 3; i++)
		assert_int_equal(inbox_retry(inbox, &filters[i]), 0);
	assert_int_equal(inbox_retry(inbox, &(struct inbox_filter){
	    .group_id = 7, .type = "message_new", .since = clock_now }), 1);
}

static void
parked_events_are_sent_round_again_in_their_place(void **state)
{
	struct inbox *inbox = *state;
	struct inbox_claim claimed;

	put(inbox, "a1", "a");
	put(inbox, "a2", "a");
	claim(inbox, 1, &claimed);
	finish(inbox, &claimed, INBOX_FAILED, 0);
	assert_int_equal(again(inbox, 99), 0);
	assert_int_equal(again(inbox, claimed.event.id), 1);
	assert_int_equal(again(inbox, 0), 0);
	assert_string_equal(claim(inbox, 1, &claimed), "a1");
	assert_int_equal(claimed.attempt, 1);
	finish(inbox, &claimed, INBOX_FAILED, 0);
	assert_int_equal(again(inbox, 0), 1);
	assert_string_equal(claim(inbox, 1, &claimed), "a1");
}

static void
a_dropped_event_lets_its_lane_go_on(void **state)
{
	struct inbox *inbox = *state;
	struct inbox_claim claimed;
	int64_t first;

	put(inbox, "a1", "a");
	put(inbox, "a2", "a");
	claim(inbox, 1, &claimed);
	first = claimed.event.id;
	assert_int_equal(inbox_drop(inbox, first), -1);
	assert_non_null(strstr(inbox->error, "being handled"));
	finish(inbox, &claimed, INBOX_WAITING, clock_now + 1000);
	assert_int_equal(inbox_drop(inbox, first), 1);
	assert_int_equal(inbox_drop(inbox, first), 0);
	assert_string_equal(claim(inbox, 1, &claimed), "a2");
}

static void
events_from_the_future_hold_no_others_back(void **state)
{
	struct inbox *inbox = *state;
	struct inbox_claim claimed;

	clock_now += 30 * DAY;
	put(inbox, "future", NULL);
	clock_now -= 30 * DAY;
	put(inbox, "now", NULL);
	while (*claim(inbox, 1, &claimed) != '\0')
		finish(inbox, &claimed, INBOX_DONE, 0);
	clock_now += 1000;
	put(inbox, "newest", NULL);
	while (inbox_purge(inbox, clock_now) > 0)
		continue;
	assert_int_equal(put(inbox, "now", NULL), INBOX_STORED);
	assert_int_equal(put(inbox, "future", NULL), INBOX_REPEATED);
	while (*claim(inbox, 1, &claimed) != '\0')
		finish(inbox, &claimed, INBOX_DONE, 0);
	/* At this time the event is still young. */
	clock_now += 30 * DAY;
	put(inbox, "later", NULL);
	while (inbox_purge(inbox, clock_now - 2 * DAY) > 0)
		continue;
	assert_int_equal(put(inbox, "now", NULL), INBOX_STORED);
	assert_int_equal(put(inbox, "future", NULL), INBOX_REPEATED);
}

static void
a_dropped_event_is_known_until_it_is_old(void **state)
{
	struct inbox *inbox = *state;
	struct inbox_claim claimed;

	put(inbox, "e", "a");
	claim(inbox, 1, &claimed);
	finish(inbox, &claimed, INBOX_FAILED, 0);
	assert_int_equal(inbox_drop(inbox, claimed.event.id), 1);
	assert_int_equal(inbox_drop(inbox, claimed.event.id), 0);
	assert_int_equal(again(inbox, 0), 0);
	assert_int_equal(count(inbox, (struct inbox_filter){
	    .state = INBOX_ANY }), 0);
	assert_int_equal(put(inbox, "e", "a"), INBOX_REPEATED);
	assert_string_equal(claim(inbox, 1, &claimed), "");
	assert_true(due(inbox) == 0);
	put(inbox, "newest", NULL);
	assert_int_equal(inbox_purge(inbox, clock_now), 0);
	assert_true(inbox_purge(inbox, clock_now + 1) > 0);
	assert_int_equal(put(inbox, "e", "a"), INBOX_STORED);
}

static void
no_id_is_given_twice(void **state)
{
	struct inbox *inbox = *state;
	struct inbox_claim first, second, third;

	put(inbox, "1", NULL);
	claim(inbox, 1, &first);
	finish(inbox, &first, INBOX_DONE, 0);
	while (inbox_purge(inbox, clock_now + 1) > 0)
		continue;
	put(inbox, "2", NULL);
	claim(inbox, 1, &second);
	assert_true(second.event.id > first.event.id);
	finish(inbox, &second, INBOX_FAILED, 0);
	assert_int_equal(inbox_drop(inbox, second.event.id), 1);
	while (inbox_purge(inbox, clock_now + 1) > 0)
		continue;
	put(inbox, "3", NULL);
	claim(inbox, 1, &third);
	assert_true(third.event.id > second.event.id);
}

static void
a_clock_set_back_delays_nothing(void **state)
{
	struct inbox *inbox = *state;
	struct inbox_claim claimed;

	put(inbox, "fresh", NULL);
	put(inbox, "retry", NULL);
	claim(inbox, 1, &claimed);
	claim(inbox, 2, &claimed);
	finish(inbox, &claimed, INBOX_WAITING, clock_now + 10000);
	clock_now -= 3600000;
	put(inbox, "new", NULL);
	assert_int_equal(inbox->backend->shift_due(inbox, -3600000,
	    INT64_MAX), 0);
	assert_string_equal(claim(inbox, 2, &claimed), "new");
	assert_true(due(inbox) == clock_now + 10000);
	clock_now -= 30 * INT64_C(3600000);
	assert_string_equal(claim(inbox, 2, &claimed), "retry");
}

/* Other workers go by the new clock before the first has seen it. */
static void
a_clock_set_is_not_counted_twice(void **state)
{
	static const int64_t jumps[] = { 3600000, -3600000 };
	struct inbox *inbox = *state;
	struct inbox_claim before, after;
	size_t i;

	for (i = 0; i < 2; i++) {
		assert_int_equal(inbox_watch_clock(inbox), 0);
		put(inbox, i == 0 ? "1" : "3", "a");
		put(inbox, i == 0 ? "2" : "4", "b");
		claim(inbox, 1, &before);
		claim(inbox, 2, &after);
		finish(inbox, &before, INBOX_WAITING, clock_now + 5000);
		clock_now += jumps[i];
		finish(inbox, &after, INBOX_WAITING, clock_now + 9000);
		assert_int_equal(inbox_watch_clock(inbox), 0);
		assert_in_range(due(inbox), clock_now + 4000, clock_now + 5000);
		clock_now += 5000;
		claim(inbox, 1, &before);
		assert_int_equal(due(inbox), clock_now + 4000);
		finish(inbox, &before, INBOX_DONE, 0);
		clock_now += 4000;
		claim(inbox, 1, &after);
		finish(inbox, &after, INBOX_DONE, 0);
	}
}

/* Every task of an event counts, not only the first one. */
static void
a_clock_set_moves_each_task(void **state)
{
	const struct inbox_target wanted[] = { { "a", NULL }, { "b", NULL } };
	struct inbox *inbox = *state;
	struct inbox_claim claimed;

	put_for(inbox, "e", NULL, "message_new", wanted, 2);
	claim(inbox, 1, &claimed);
	finish(inbox, &claimed, INBOX_WAITING, clock_now + 10000);
	assert_int_equal(inbox->backend->shift_due(inbox, 5000, INT64_MAX),
	    0);
	claim(inbox, 1, &claimed);
	assert_string_equal(claimed.handler, "b");
	finish(inbox, &claimed, INBOX_WAITING, clock_now + 3650 * DAY);
	/* So far ahead: the clock was wrong when that was set. */
	assert_string_equal(claim(inbox, 1, &claimed), "e");
	assert_string_equal(claimed.handler, "b");
	finish(inbox, &claimed, INBOX_DONE, 0);
	assert_true(due(inbox) == clock_now + 15000);
}

static void
filters_find_what_they_say(void **state)
{
	const struct inbox_target wanted[] = { { "greet", NULL } };
	struct inbox *inbox = *state;
	struct inbox_claim claimed;

	put(inbox, "1", NULL);
	claim(inbox, 1, &claimed);
	finish(inbox, &claimed, INBOX_DONE, 0);
	clock_now += 1000;
	put(inbox, "2", NULL);
	claim(inbox, 1, &claimed);
	finish(inbox, &claimed, INBOX_FAILED, 0);
	clock_now += 1000;
	put_for(inbox, "3", NULL, "group_join", wanted, 1);
#define COUNT(...) count(inbox, (struct inbox_filter){ __VA_ARGS__ })
	assert_int_equal(COUNT(.state = INBOX_ANY), 3);
	assert_int_equal(COUNT(.state = INBOX_DONE), 1);
	assert_int_equal(COUNT(.state = INBOX_FAILED), 1);
	assert_int_equal(COUNT(.state = INBOX_WAITING), 1);
	assert_int_equal(COUNT(.state = INBOX_UNFINISHED), 1);
	assert_int_equal(COUNT(.state = INBOX_ANY, .limit = 2), 2);
	assert_int_equal(COUNT(.state = INBOX_ANY, .type = "group_join"), 1);
	assert_int_equal(COUNT(.state = INBOX_ANY, .group_id = 8), 0);
	assert_int_equal(COUNT(.state = INBOX_ANY, .since = clock_now - 1000),
	    2);
	assert_int_equal(COUNT(.state = INBOX_ANY, .after = claimed.event.id),
	    1);
	assert_int_equal(COUNT(.state = INBOX_ANY, .id = claimed.event.id), 1);
#undef COUNT
}

static void
a_queue_that_is_wrong_holds_back_no_lane(void **state)
{
	const struct sqlite *sql = sqlite_load(NULL, 0);
	struct inbox *inbox = *state;
	struct inbox_claim claimed;
	struct sqlite3 *db;

	put(inbox, "1", "a");
	put(inbox, "2", "a");
	assert_int_equal(sql->open_v2(path, &db, SQL_OPEN_READWRITE, NULL),
	    SQL_OK);
	assert_int_equal(sql->exec(db, "DELETE FROM task WHERE event = 1",
	    NULL, NULL, NULL), SQL_OK);
	(void)sql->close_v2(db);
	assert_true(due(inbox) == clock_now);
	assert_string_equal(claim(inbox, 1, &claimed), "2");
}

/* Events are stored while a reader is looking. */
static bool
empty_the_log(void *arg, const struct inbox_event *event,
    const struct inbox_task *tasks, size_t n)
{
	const struct sqlite *sql = sqlite_load(NULL, 0);
	struct sqlite3 *db;

	assert_int_equal(sql->open_v2(arg, &db, SQL_OPEN_READWRITE, NULL),
	    SQL_OK);
	/* A reader finds the log when it reads. */
	assert_int_equal(sql->exec(db, "PRAGMA user_version", NULL, NULL, NULL),
	    SQL_OK);
	assert_int_equal(sql->wal_checkpoint_v2(db, NULL,
	    SQL_CHECKPOINT_TRUNCATE, NULL, NULL), SQL_OK);
	(void)sql->close_v2(db);
	assert_string_equal(event->event_id, "1");
	assert_string_equal(event->conversation, "a");
	assert_memory_equal(event->object, "{\"a\":1}", 8);
	assert_int_equal(n, 1);
	assert_string_equal(tasks[0].handler, "greet");
	return true;
}

/* `vkcb inbox list | less` may wait for days. */
static void
who_looks_keeps_nobody_waiting(void **state)
{
	const struct inbox_filter all = { .state = INBOX_ANY };
	struct inbox *inbox = *state;

	put(inbox, "1", "a");
	assert_int_equal(inbox_list(inbox, &all, empty_the_log, path),
	    0);
}

static int flushes_fail;		/* so many next flushes fail */

static int
flush_fails(struct sqlite3 *db, const char *name, int what, void *arg)
{
	if (what == SQL_FCNTL_JOURNAL_POINTER && flushes_fail > 0) {
		flushes_fail--;
		return SQL_IOERR;
	}
	return sqlite_load(NULL, 0)->file_control(db, name, what, arg);
}

static int step_fails;			/* the nth next one fails; 0: none */

static int
step(struct sqlite3_stmt *stmt)
{
	if (step_fails > 0 && --step_fails == 0)
		return SQL_NOMEM;
	return sqlite_load(NULL, 0)->step(stmt);
}

static int
open_failing_sqlite(void **state)
{
	static struct sqlite failing;
	int result = open_sqlite(state);

	flushes_fail = 0;
	failing = *sqlite_load(NULL, 0);
	failing.file_control = flush_fails;
	failing.step = step;
	store_of(*state)->sql = &failing;
	return result;
}

static void
a_claim_that_cannot_be_flushed_is_handed_out_later(void **state)
{
	const struct inbox_end untried = {
		.state = INBOX_WAITING, .untried = true, .reason = "no flush",
	};
	struct inbox *inbox = *state;
	struct inbox_claim claimed, other;
	int64_t due;

	put(inbox, "a1", "a");
	put(inbox, "b1", "b");
	flushes_fail = 1;
	assert_int_equal(inbox_claim(inbox, 1, names, N_NAMES, &claimed, &due),
	    -1);
	assert_int_equal(inbox_orphaned(inbox, 1, 1, &claimed), 1);
	assert_int_equal(inbox_finish(inbox, &claimed, &untried), 1);
	assert_int_equal(inbox_orphaned(inbox, 1, 1, &claimed), 0);
	assert_string_equal(claim(inbox, 1, &claimed), "a1");
	assert_int_equal(claimed.attempt, 1);
	finish(inbox, &claimed, INBOX_DONE, 0);
	assert_string_equal(claim(inbox, 1, &other), "b1");
}

static void
a_command_survives_an_answer_that_is_not_given(void **state)
{
	const struct inbox_target wanted[] = { { "greet", NULL } };
	const struct inbox_event event = {
		.group_id = 7, .event_id = "2", .type = "message_new",
		.version = "5.199", .object = "{}", .object_len = 2,
	};
	struct inbox *inbox = *state;
	struct inbox_command taken;
	enum inbox_put put;

	command(inbox, "1", true, "");
	flushes_fail = 1;
	assert_int_equal(inbox_put(inbox, &event, wanted, 1, &put,
	    &taken), -1);
	assert_int_equal(inbox_put(inbox, &event, wanted, 1, &put,
	    &taken), 0);
	assert_int_equal(put, INBOX_REPEATED);
	assert_true(taken.remove);
	assert_int_equal(inbox_take_command(inbox, 7, &taken), 0);
	assert_false(taken.remove);
	command(inbox, "3", true, "");
	flushes_fail = 1;
	if (inbox_take_command(inbox, 7, &taken) == -1)
		assert_int_equal(inbox_take_command(inbox, 7, &taken), 0);
	assert_true(taken.remove);
}

static void
a_drop_that_fails_leaves_the_lane_as_it_was(void **state)
{
	struct inbox *inbox = *state;
	struct inbox_claim claimed;
	int fails = 0;

	put(inbox, "a1", "a");
	put(inbox, "a2", "a");
	claim(inbox, 1, &claimed);
	finish(inbox, &claimed, INBOX_WAITING, clock_now + 1000);
	do
		step_fails = ++fails;
	while (inbox_drop(inbox, claimed.event.id) == -1);
	assert_true(fails > 4);
	step_fails = 0;
	assert_string_equal(claim(inbox, 1, &claimed), "a2");
}

static void
run_sql(const char *text)
{
	const struct sqlite *sql = sqlite_load(NULL, 0);
	struct sqlite3 *db;

	assert_int_equal(sql->open_v2(path, &db, SQL_OPEN_READWRITE |
	    SQL_OPEN_CREATE, NULL),
	    SQL_OK);
	assert_int_equal(sql->exec(db, text, NULL, NULL, NULL), SQL_OK);
	(void)sql->close_v2(db);
}

/* A handler after the first is not forgotten, even if it seems to be done. */
static void
each_damaged_task_is_handed_out(void **state)
{
	const struct inbox_target wanted[] = { { "a", NULL }, { "b", NULL } };
	static const char *const changes[] = {
		"UPDATE task SET state = 2 WHERE place = 1",
		"UPDATE task SET state = 4 WHERE place = 1",
	};
	struct inbox *inbox = *state;
	struct inbox_claim claimed;
	size_t i;

	for (i = 0; i < 2; i++) {
		put_for(inbox, i == 0 ? "1" : "2", "a", "message_new", wanted,
		    2);
		run_sql(changes[i]);
		claim(inbox, 1, &claimed);
		assert_string_equal(claimed.handler, "a");
		assert_false(claimed.event.damaged);
		finish(inbox, &claimed, INBOX_DONE, 0);
		claim(inbox, 1, &claimed);
		assert_true(claimed.event.damaged);
		finish(inbox, &claimed, INBOX_FAILED, 0);
		assert_true(due(inbox) == 0);
	}
}

static bool
has_row(const char *where)
{
	const struct sqlite *sql = sqlite_load(NULL, 0);
	struct sqlite3_stmt *stmt;
	struct sqlite3 *db;
	char text[160];
	int row;

	snprintf(text, sizeof(text), "SELECT 1 FROM %s", where);
	assert_int_equal(sql->open_v2(path, &db, SQL_OPEN_READWRITE, NULL),
	    SQL_OK);
	assert_int_equal(sql->prepare_v3(db, text, -1, 0, &stmt, NULL), SQL_OK);
	row = sql->step(stmt);
	(void)sql->finalize(stmt);
	(void)sql->close_v2(db);
	return row == SQL_ROW;
}

/* Inboxes of the two schemas before this one, with one event. */
#define OLD_INBOX(version, lane, object) \
	"CREATE TABLE event (id INTEGER PRIMARY KEY, hash INTEGER NOT NULL, " \
	"group_id INTEGER NOT NULL, event_id TEXT NOT NULL, " \
	"type TEXT NOT NULL, version TEXT NOT NULL, " \
	"retry_counter INTEGER NOT NULL, received INTEGER NOT NULL, " \
	lane " TEXT, object BLOB);" \
	"CREATE INDEX event_hash ON event (hash);" \
	"CREATE TABLE task (event INTEGER NOT NULL, place INTEGER NOT NULL, " \
	"handler TEXT NOT NULL, state INTEGER NOT NULL, " \
	"attempts INTEGER NOT NULL, due INTEGER NOT NULL, " \
	"started INTEGER NOT NULL, ended INTEGER NOT NULL, " \
	"reason TEXT NOT NULL, PRIMARY KEY (event, place)) WITHOUT ROWID;" \
	"CREATE INDEX task_failed ON task (event) WHERE state = 3;" \
	"CREATE TABLE queue (event INTEGER PRIMARY KEY, " lane " TEXT, " \
	"urgent INTEGER NOT NULL, due INTEGER NOT NULL, " \
	"head INTEGER NOT NULL, worker INTEGER NOT NULL);" \
	"CREATE INDEX queue_conversation ON queue (" lane ", head DESC, " \
	"urgent DESC, event) WHERE " lane " IS NOT NULL;" \
	"CREATE INDEX queue_ready ON queue (urgent, due, event) " \
	"WHERE head = 1 AND worker = 0;" \
	"CREATE INDEX queue_held ON queue (worker) WHERE worker > 0;" \
	"CREATE TABLE command (group_id INTEGER PRIMARY KEY, " \
	"remove INTEGER NOT NULL, version TEXT NOT NULL);" \
	"CREATE TABLE stat (handler TEXT NOT NULL, kind INTEGER NOT NULL, " \
	"bucket INTEGER NOT NULL, n INTEGER NOT NULL, sum INTEGER NOT NULL, " \
	"PRIMARY KEY (handler, kind, bucket)) WITHOUT ROWID;" \
	"PRAGMA application_id = 1447773026;" \
	"PRAGMA user_version = " version ";" \
	"INSERT INTO event VALUES (1, 5, 7, '1', 'message_new', '5.199', 0, " \
	"1000000000, 'a', CAST('" object "' AS BLOB));" \
	"INSERT INTO task VALUES (1, 0, 'greet', 0, 0, 0, 0, 0, '');" \
	"INSERT INTO queue VALUES (1, 'a', 0, 0, 1, 0);" \
	"INSERT INTO command VALUES (7, 0, '5.199')"

/* Old rows have no sum: what is no JSON is damaged. */
static void
an_inbox_of_an_older_schema_is_upgraded(void **state)
{
	static const struct {
		const char *sql;
		bool damaged;
	} olds[] = {
		{ OLD_INBOX("1", "lane", "{\"a\":1}"), false },
		{ OLD_INBOX("2", "conversation", "{\"a\":1}"), false },
		{ OLD_INBOX("2", "conversation", "{\"a\":1"), true },
	};
	char error[INBOX_ERROR_MAX];
	struct inbox_command taken;
	struct inbox_claim claimed;
	struct inbox_status status;
	struct inbox *inbox;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(olds) / sizeof(olds[0]); i++) {
		snprintf(path, sizeof(path), "%s/old-%zu", folder, i);
		run_sql(olds[i].sql);
		inbox = inbox_open(path, INBOX_READ, error);
		assert_non_null(inbox);
		assert_int_equal(inbox_status(inbox, &status), -1);
		assert_non_null(strstr(inbox->error, "made by an older vkcb"));
		inbox_close(inbox);
		inbox = inbox_open(path, INBOX_CREATE, error);
		assert_non_null(inbox);
		inbox->clock = fake_now;
		assert_string_equal(claim(inbox, 1, &claimed), "1");
		assert_string_equal(claimed.event.conversation, "a");
		assert_int_equal(claimed.event.damaged, olds[i].damaged);
		finish(inbox, &claimed, INBOX_DONE, 0);
		assert_int_equal(inbox_take_command(inbox, 7, &taken), 0);
		assert_string_equal(taken.version, "5.199");
		put(inbox, "2", "a");
		assert_string_equal(claim(inbox, 1, &claimed), "2");
		assert_false(claimed.event.damaged);
		inbox_close(inbox);
	}
}

static void
an_inbox_of_a_newer_schema_is_refused(void **state)
{
	char error[INBOX_ERROR_MAX];
	struct inbox_status status;
	struct inbox *again;

	put(*state, "1", "a");
	run_sql("PRAGMA user_version = 99");
	again = inbox_open(path, INBOX_CREATE, error);
	assert_non_null(again);
	assert_int_equal(inbox_status(again, &status), -1);
	assert_non_null(strstr(again->error, "made by a newer vkcb"));
	inbox_close(again);
}

/* The tables may take the older one's rows, with another meaning. */
static void
an_inbox_upgraded_while_in_use_is_refused(void **state)
{
	const struct inbox_target wanted[] = { { "greet", NULL } };
	const struct inbox_event event = {
		.group_id = 7, .event_id = "2", .type = "message_new",
		.version = "5.199", .received = clock_now,
	};
	struct inbox *inbox = *state;
	struct inbox_command command;
	struct inbox_claim claimed;
	enum inbox_put put_as;
	int64_t due;

	put(inbox, "1", "a");
	run_sql("PRAGMA user_version = 99");
	assert_int_equal(inbox_claim(inbox, 1, names, N_NAMES, &claimed, &due),
	    -1);
	assert_non_null(strstr(inbox->error, "made by a newer vkcb"));
	inbox->error[0] = '\0';
	assert_int_equal(inbox_put(inbox, &event, wanted, 1, &put_as, &command),
	    -1);
	assert_non_null(strstr(inbox->error, "made by a newer vkcb"));
}

/* Nothing but the database itself is there after a look, as before it. */
static void
a_look_makes_no_file(void **state)
{
	static const char *const ends[] = {
		"-wal", "-shm", "-lock", "-reserve",
	};
	char error[INBOX_ERROR_MAX], name[96];
	struct inbox_status status;
	struct inbox *inbox;
	size_t i;

	put(*state, "1", "a");
	inbox_close(*state);
	run_sql("PRAGMA wal_checkpoint(TRUNCATE)");
	for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		snprintf(name, sizeof(name), "%s%s", path, ends[i]);
		(void)unlink(name);
	}
	inbox = inbox_open(path, INBOX_READ, error);
	assert_non_null(inbox);
	assert_int_equal(inbox_status(inbox, &status), 0);
	assert_int_equal(status.waiting, 1);
	free(status.handlers);
	for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		snprintf(name, sizeof(name), "%s%s", path, ends[i]);
		assert_int_equal(access(name, F_OK), -1);
	}
	*state = inbox;
}

static void
a_link_beside_the_inbox_is_refused(void **state)
{
	static const char *const ends[] = { "", "-wal", "-shm", "-reserve" };
	char error[INBOX_ERROR_MAX], name[96], victim[96];
	struct inbox_command taken;
	const struct inbox_event event = {
		.group_id = 7, .event_id = "2", .type = "message_new",
		.version = "5.199", .object = "{}", .object_len = 2,
	};
	struct inbox *inbox;
	enum inbox_put put;
	struct stat st;
	size_t i;
	int fd;

	(void)state;
	snprintf(victim, sizeof(victim), "%s/victim", folder);
	for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		fd = open(victim, O_WRONLY | O_CREAT | O_TRUNC, 0600);
		assert_true(fd != -1);
		(void)close(fd);
		snprintf(path, sizeof(path), "%s/linked-%zu", folder, i);
		snprintf(name, sizeof(name), "%s%s", path, ends[i]);
		assert_int_equal(symlink(victim, name), 0);
		inbox = inbox_open(path, INBOX_CREATE, error);
		assert_non_null(inbox);
		assert_int_equal(inbox_put(inbox, &event, NULL, 0, &put,
		    &taken), -1);
		assert_non_null(strstr(inbox->error, "a symbolic link"));
		inbox_close(inbox);
		assert_int_equal(stat(victim, &st), 0);
		assert_int_equal(st.st_size, 0);
	}
}

/* Of the statements since the transaction's begin. */
static int64_t vm_steps, most_vm_steps;
static int (*stmt_status)(struct sqlite3_stmt *, int, int);
static struct sqlite3 *(*sql_db)(struct sqlite3_stmt *);

#define VM_STEP 4		/* SQLITE_STMTSTATUS_VM_STEP */

static int
counted_step(struct sqlite3_stmt *stmt)
{
	const struct sqlite *sql = sqlite_load(NULL, 0);
	int code;

	/* Outside of a transaction each statement is one. */
	if (sql->get_autocommit(sql_db(stmt)))
		vm_steps = 0;
	code = sql->step(stmt);
	vm_steps += stmt_status(stmt, VM_STEP, 1);
	if (vm_steps > most_vm_steps)
		most_vm_steps = vm_steps;
	return code;
}

static int
open_counting_sqlite(void **state)
{
	static struct sqlite counting;
	void *library = dlopen("libsqlite3.so.0", RTLD_NOW);
	int result = open_sqlite(state);

	assert_non_null(library);
	*(void **)&stmt_status = dlsym(library, "sqlite3_stmt_status");
	*(void **)&sql_db = dlsym(library, "sqlite3_db_handle");
	assert_true(stmt_status != NULL && sql_db != NULL);
	counting = *sqlite_load(NULL, 0);
	counting.step = counted_step;
	store_of(*state)->sql = &counting;
	return result;
}

/*
 * Steps of SQLite's machine: fewer than 100 for each of 1,000 rows. A look at
 * all rows takes 400,000 and more.
 */
#define STEPS_MAX 100000

static void
a_large_inbox_is_locked_briefly(void **state)
{
	const struct conf conf = { .attempts = 5 };
	struct inbox *inbox = *state;
	struct inbox_claim claimed;
	int64_t due;
	int i;

	put(inbox, "1", "a");
	run_sql("WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 "
	    "FROM n WHERE i < 100000) INSERT INTO event SELECT i, i, 7, i, "
	    "'message_new', '5.199', 0, 1, 'c' || (i % 1000), "
	    "CAST('{}' AS BLOB), NULL FROM n;"
	    "INSERT INTO task SELECT id, 0, 'greet', 0, 1, 1000000000 + id, 0, "
	    "0, '', NULL FROM event WHERE id > 1;"
	    "INSERT INTO queue SELECT id, conversation, 0, 1000000000 + id, "
	    "id <= 1001, 0 FROM event WHERE id > 1");
#define BRIEFLY(call) do { \
	vm_steps = most_vm_steps = 0; \
	assert_true((call) != -1); \
	if (most_vm_steps > STEPS_MAX) \
		fail_msg(#call ": %lld steps", (long long)most_vm_steps); \
} while (0)
	BRIEFLY(inbox_end_orphans(inbox, &conf));
	BRIEFLY(inbox_next_due(inbox, &due));
	BRIEFLY(inbox_watch_clock(inbox));
	BRIEFLY(inbox_claim(inbox, 1, names, N_NAMES, &claimed, &due));
	keep(&claimed);
	BRIEFLY(inbox_finish(inbox, &claimed, &(struct inbox_end){
	    .state = INBOX_DONE, .reason = "" }));
	BRIEFLY(inbox_purge(inbox, clock_now));
	BRIEFLY(inbox->backend->shift_due(inbox, 5000, INT64_MAX));
	for (i = 0; i < 3; i++)
		BRIEFLY(inbox_purge(inbox, clock_now));
	/* Conversations without a head, and an event that is not queued. */
	run_sql("UPDATE queue SET head = 0 WHERE event IN (2, 1001);"
	    "DELETE FROM queue WHERE event = 99999");
	BRIEFLY(inbox_purge(inbox, clock_now));
	assert_true(has_row("queue WHERE event = 2 AND head = 1"));
	assert_true(has_row("queue WHERE event = 1001 AND head = 1"));
	assert_true(has_row("queue WHERE event = 99999 AND head = 0 AND "
	    "due = 1000104999 AND conversation = 'c999'"));
	assert_false(has_row("queue WHERE event > 1001 AND head = 1"));
#undef BRIEFLY
}

/* The size of the store on disk; 0 for the store in memory. */
static int64_t
bytes_of_files(void)
{
	static const char *const files[] = { "", "-wal", "-shm" };
	char name[96];
	struct stat st;
	int64_t bytes = 0;
	size_t i;

	for (i = 0; *path != '\0' && i < 3; i++) {
		snprintf(name, sizeof(name), "%s%s", path, files[i]);
		if (stat(name, &st) == 0)
			bytes += st.st_size;
	}
	return bytes;
}

static void
what_runs_does_not_wait(void **state)
{
	struct inbox *inbox = *state;
	struct inbox_claim claimed;
	struct inbox_status status;

	put(inbox, "1", NULL);
	claim(inbox, 1, &claimed);
	assert_int_equal(inbox_status(inbox, &status), 0);
	assert_int_equal(status.waiting, 0);
	assert_int_equal(status.running, 1);
	assert_int_equal(status.oldest, 0);
	free(status.handlers);
	clock_now += 1000;
	put(inbox, "2", NULL);
	assert_int_equal(inbox_status(inbox, &status), 0);
	assert_int_equal(status.oldest, clock_now);
	free(status.handlers);
}

static void
status_counts(void **state)
{
	struct inbox *inbox = *state;
	struct inbox_claim claimed;
	struct inbox_status status;

	put(inbox, "1", NULL);
	clock_now += 30;
	claim(inbox, 1, &claimed);
	clock_now += 4;
	finish(inbox, &claimed, INBOX_DONE, 0);
	put(inbox, "2", NULL);
	claim(inbox, 1, &claimed);
	finish(inbox, &claimed, INBOX_FAILED, 0);
	put(inbox, "3", NULL);
	claim(inbox, 1, &claimed);
	finish(inbox, &claimed, INBOX_WAITING, clock_now + 1000);
	put(inbox, "4", NULL);
	claim(inbox, 1, &claimed);
	put(inbox, "5", NULL);
	assert_int_equal(inbox_status(inbox, &status), 0);
	assert_int_equal(status.waiting, 2);
	assert_int_equal(status.retrying, 1);
	assert_int_equal(status.running, 1);
	assert_int_equal(status.parked, 1);
	assert_int_equal(status.oldest, clock_now);
	assert_true(status.bytes == bytes_of_files());
	assert_int_equal(status.stored_rate[0], 5);
	assert_int_equal(status.n_handlers, 1);
	assert_string_equal(status.handlers[0].name, "greet");
	assert_int_equal(status.handlers[0].done, 1);
	assert_int_equal(status.handlers[0].failed, 2);
	assert_int_equal(status.handlers[0].parked, 1);
	assert_int_equal(status.handlers[0].wait.sum, 30);
	assert_int_equal(status.handlers[0].run.sum, 4);
	assert_int_equal(inbox_percentile(&status.handlers[0].run, 0.5), 5);
	assert_int_equal(inbox_percentile(&status.handlers[0].wait, 0.99), 50);
	free(status.handlers);
}

static void
rates_are_of_the_last_minute_and_hour(void **state)
{
	struct inbox *inbox = *state;
	struct inbox_claim claimed;
	struct inbox_status status;

	clock_now = INT64_C(1000000000) * 60 + 59999;
	put(inbox, "1", NULL);
	put(inbox, "2", NULL);
	claim(inbox, 1, &claimed);
	finish(inbox, &claimed, INBOX_DONE, 0);
	claim(inbox, 1, &claimed);
	finish(inbox, &claimed, INBOX_FAILED, 0);
#define RATES(stored, minute, hour) do { \
	assert_int_equal(inbox_status(inbox, &status), 0); \
	assert_int_equal(status.stored_rate[0], stored); \
	assert_int_equal(status.done_rate[0], minute); \
	assert_int_equal(status.failed_rate[0], minute); \
	assert_int_equal(status.done_rate[1], hour); \
	assert_int_equal(status.failed_rate[1], hour); \
	free(status.handlers); \
} while (0)
	clock_now += 2;
	RATES(2, 1, 1);
	clock_now += 59000;
	RATES(2, 1, 1);
	clock_now += 2000;
	RATES(0, 0, 1);
	clock_now += 3600 * 1000;
	RATES(0, 0, 0);
	/* The clock is set back: ended tasks are in the future. */
	clock_now -= 2 * 3600 * 1000;
	assert_int_equal(inbox_status(inbox, &status), 0);
	assert_int_equal(status.done_rate[0], 0);
	assert_int_equal(status.done_rate[1], 0);
	free(status.handlers);
#undef RATES
}

static void
only_the_first_start_is_a_wait(void **state)
{
	struct inbox *inbox = *state;
	struct inbox_claim claimed;
	struct inbox_status status;
	int64_t n = 0;
	int i;

	put(inbox, "e", NULL);
	clock_now += 30;
	for (i = 0; i < 3; i++) {
		claim(inbox, 1, &claimed);
		finish(inbox, &claimed, INBOX_FAILED, 0);
		assert_int_equal(again(inbox, 0), 1);
		clock_now += 5000;
	}
	assert_int_equal(inbox_status(inbox, &status), 0);
	for (i = 0; i < INBOX_BUCKETS; i++)
		n += status.handlers[0].wait.n[i];
	assert_int_equal(n, 1);
	assert_int_equal(status.handlers[0].wait.sum, 30);
	free(status.handlers);
}

static void
what_is_parked_when_stored_counts_for_its_handler(void **state)
{
	const struct inbox_target wanted[] = { { "typed", "no object" } };
	struct inbox *inbox = *state;
	struct inbox_status status;

	put_for(inbox, "e", NULL, "message_new", wanted, 1);
	put_for(inbox, "e", NULL, "message_new", wanted, 1);
	assert_int_equal(inbox_status(inbox, &status), 0);
	assert_int_equal(status.n_handlers, 1);
	assert_string_equal(status.handlers[0].name, "typed");
	assert_int_equal(status.handlers[0].parked, 1);
	assert_int_equal(status.handlers[0].failed, 0);
	free(status.handlers);
}

/* Flips a bit in a column of a row; false: the column has none. */
static bool
flip(struct store *store, const char *table, const char *column,
    const char *where, unsigned int bit)
{
	const struct sqlite *sql = store->sql;
	struct sqlite3_stmt *get, *set;
	char text[160], bytes[128] = "";
	int64_t number;
	int kind, len, code;

	snprintf(text, sizeof(text), "SELECT %s FROM %s WHERE %s LIMIT 1",
	    column, table, where);
	assert_int_equal(sql->prepare_v3(store->db, text, -1, 0, &get, NULL),
	    SQL_OK);
	assert_int_equal(sql->step(get), SQL_ROW);
	kind = sql->column_type(get, 0);
	number = sql->column_int64(get, 0) ^ (int64_t)(UINT64_C(1) << bit % 64);
	len = kind == SQL_INTEGER ? 0 : sql->column_bytes(get, 0);
	if (len > 0)
		memcpy(bytes, sql->column_blob(get, 0), (size_t)len);
	(void)sql->finalize(get);
	if (kind == SQL_INTEGER ? bit >= 64 : bit >= 8 * (unsigned int)len)
		return false;
	bytes[bit / 8] = (char)(bytes[bit / 8] ^ 1 << bit % 8);
	snprintf(text, sizeof(text), "UPDATE OR IGNORE %s SET %s = ? WHERE %s",
	    table, column, where);
	assert_int_equal(sql->prepare_v3(store->db, text, -1, 0, &set, NULL),
	    SQL_OK);
	code = kind == SQL_INTEGER ? sql->bind_int64(set, 1, number) :
	    kind == SQL_TEXT ? sql->bind_text(set, 1, bytes, len, NULL) :
	    sql->bind_blob(set, 1, bytes, len, NULL);
	assert_int_equal(code, SQL_OK);
	assert_int_equal(sql->step(set), SQL_DONE);
	(void)sql->finalize(set);
	return true;
}

/* Each event's tasks: how often one was handed out as it was stored. */
struct flipped {
	const char *what;
	unsigned int bit;
	int right[7];
	int parked;
};

#define FLIPPED_WRONG(flipped) \
	fail_msg("%s, bit %u: line %d", (flipped)->what, (flipped)->bit, \
	    __LINE__)

static void
flipped_take(struct flipped *flipped, const struct inbox_claim *claimed)
{
	const struct inbox_event *event = &claimed->event;
	int n = atoi(event->event_id), again = n == 1 || n == 4;
	const char *lane = n <= 2 ? "a" : n >= 5 ? "b" : "";

	if (event->damaged) {
		flipped->parked++;
		return;
	}
	if (n < 1 || n > 6 || n == 3 || event->id != n ||
	    strcmp(event->type, "message_new") != 0 || event->group_id != 7 ||
	    strcmp(event->version, "5.199") != 0 ||
	    event->retry_counter != 2 || event->received != 1000000000 ||
	    (event->conversation == NULL ? *lane != '\0' :
	    strcmp(event->conversation, lane) != 0) ||
	    event->object_len != 7 ||
	    memcmp(event->object, "{\"a\":1}", 8) != 0 ||
	    strcmp(claimed->handler, "greet") != 0 ||
	    claimed->attempt != 1 + again || flipped->right[n]++ != 0)
		FLIPPED_WRONG(flipped);
}

static bool
flipped_show(void *arg, const struct inbox_event *event,
    const struct inbox_task *tasks, size_t n)
{
	struct flipped *flipped = arg;
	size_t i;

	for (i = 0; i < n; i++) {
		if (tasks[i].damaged &&
		    strstr(tasks[i].reason, "damaged") == NULL)
			FLIPPED_WRONG(flipped);
		flipped->parked += tasks[i].state == INBOX_FAILED;
		if (*tasks[i].handler == '\0' ||
		    strlen(tasks[i].reason) > 200)
			FLIPPED_WRONG(flipped);
	}
	return strlen(event->type) + strlen(event->event_id) +
	    strlen(event->version) < 200;
}

/* What is left in an inbox, by all who read it. */
static void
flipped_drain(struct inbox *inbox, struct flipped *flipped)
{
	const struct conf conf = { .attempts = 5 };
	struct inbox_claim claimed;
	struct inbox_status status;
	struct inbox_command taken;
	int64_t due;
	int idle = 0, n = 0, got;

	if (inbox_end_orphans(inbox, &conf) == -1)
		FLIPPED_WRONG(flipped);
	while (idle < 4) {
		if (inbox_purge(inbox, 0) == -1)
			FLIPPED_WRONG(flipped);
		got = inbox_claim(inbox, 1, names, N_NAMES, &claimed, &due);
		if (got == -1 || n++ > 50)
			FLIPPED_WRONG(flipped);
		idle = got == 1 ? 0 : idle + 1;
		if (got == 1) {
			flipped_take(flipped, &claimed);
			finish(inbox, &claimed, claimed.event.damaged ?
			    INBOX_FAILED : INBOX_DONE, 0);
		} else {
			clock_now += DAY;
		}
	}
	if (inbox_status(inbox, &status) == -1 ||
	    inbox_list(inbox, &(struct inbox_filter){ .state = INBOX_ANY },
	    flipped_show, flipped) == -1 ||
	    inbox_take_command(inbox, 7, &taken) == -1 || taken.remove ||
	    (*taken.version != '\0' && strcmp(taken.version, "5.199") != 0))
		FLIPPED_WRONG(flipped);
	free(status.handlers);
}

/* 1 was tried, and 2 waits behind it; 3 is done, 4 runs, 5 is before 6. */
static void
flipped_fill(struct inbox *inbox)
{
	const struct inbox_end done = { .state = INBOX_DONE, .reason = "",
	    .command = { .version = "5.199" } };
	struct inbox_claim claimed, running;

	put(inbox, "1", "a");
	claim(inbox, 1, &claimed);
	finish(inbox, &claimed, INBOX_WAITING, clock_now + 1000);
	put(inbox, "2", "a");
	put(inbox, "3", NULL);
	claim(inbox, 1, &claimed);
	put(inbox, "4", NULL);
	claim(inbox, 9, &running);
	put(inbox, "5", "b");
	put(inbox, "6", "b");
	/* The command would be taken along by a put. */
	assert_int_equal(inbox_finish(inbox, &claimed, &done), 1);
}

/* The number of a row's bits; each is flipped in an inbox of its own. */
static void
flip_each(const char *table, const char *column, const char *where)
{
	struct flipped flipped;
	char what[64], row[32];
	void *inbox;
	int i, missing;
	unsigned int bit;
	snprintf(what, sizeof(what), "%s.%s", table, column);
	for (bit = 0; bit < 96; bit += getenv("FLIPS") != NULL ? 1 : 5) {
		flipped = (struct flipped){ .what = what, .bit = bit };
		open_memory(&inbox);
		flipped_fill(inbox);
		snprintf(row, sizeof(row), where, 1 + (bit + bit / 6) % 6);
		if (strcmp(row, "event = 3") == 0 && *table == 'q')
			row[8] = '4';
		if (!flip(store_of(inbox), table, column, row, bit)) {
			close_store(&inbox);
			continue;
		}
		flipped_drain(inbox, &flipped);
		for (i = 1, missing = 0; i <= 6; i++)
			missing += i != 3 && flipped.right[i] == 0;
		if (missing > (flipped.parked > 0)) {
			print_message("%d parked, right:", flipped.parked);
			for (i = 1; i <= 6; i++)
				print_message(" %d", flipped.right[i]);
			FLIPPED_WRONG(&flipped);
		}
		close_store(&inbox);
	}
}

static void
a_flipped_bit_is_parked_or_changes_nothing(void **state)
{
	static const struct {
		const char *table;
		const char *columns[10];
		const char *where;
	} rows[] = {
		{ "event", { "id", "hash", "group_id", "event_id", "type",
		    "version", "retry_counter", "received", "object", "sum" },
		    "id = %d" },
		{ "event", { "conversation" }, "id = 1" },
		{ "event", { "conversation" }, "id = 5" },
		{ "task", { "event", "place", "handler", "state", "attempts",
		    "due", "started", "ended", "reason", "sum" },
		    "event = %d" },
		{ "queue", { "event", "urgent", "due", "head", "worker" },
		    "event = %d" },
		{ "queue", { "conversation" }, "event = 1" },
		{ "queue", { "conversation" }, "event = 2" },
		{ "command", { "group_id", "remove", "version", "sum" },
		    "group_id = 7" },
		{ "stat", { "handler", "kind", "bucket", "n", "sum" },
		    "handler = 'greet' AND kind = 0" },
		{ "stat", { "handler", "kind", "bucket", "n", "sum" },
		    "handler = ''" },
	};
	size_t i, j;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (j = 0; j < 10 && rows[i].columns[j] != NULL; j++)
			flip_each(rows[i].table, rows[i].columns[j],
			    rows[i].where);
}

/* Its log grows beside a reader, and is short again without a write. */
static void
a_log_that_a_reader_kept_long_shrinks(void **state)
{
	static char large[100000] = "\"";
	const struct inbox_event event = {
		.group_id = 7, .event_id = "", .type = "message_new",
		.version = "5.199", .object = large,
		.object_len = sizeof(large),
	};
	const struct sqlite *sql = sqlite_load(NULL, 0);
	struct inbox *inbox = *state;
	struct inbox_command taken;
	enum inbox_put put;
	struct sqlite3 *db;
	struct stat st;
	char log[80];
	int i;

	memset(large + 1, 'a', sizeof(large) - 2);
	large[sizeof(large) - 1] = '"';
	snprintf(log, sizeof(log), "%s-wal", path);
	put_for(inbox, "1", NULL, "message_new", NULL, 0);
	assert_int_equal(sql->open_v2(path, &db, SQL_OPEN_READWRITE, NULL),
	    SQL_OK);
	assert_int_equal(sql->exec(db, "BEGIN; SELECT count(*) FROM event",
	    NULL, NULL, NULL), SQL_OK);
	for (i = 0; i < 50; i++) {
		large[1] = (char)('a' + i % 26);
		large[2] = (char)('a' + i / 26);
		assert_int_equal(inbox_put(inbox, &event, NULL, 0, &put,
		    &taken), 0);
	}
	assert_int_equal(stat(log, &st), 0);
	assert_true(st.st_size > 5000000);
	assert_true(inbox_purge(inbox, 0) != -1);
	assert_int_equal(sql->exec(db, "COMMIT", NULL, NULL, NULL), SQL_OK);
	assert_true(inbox_purge(inbox, 0) != -1);
	assert_int_equal(stat(log, &st), 0);
	assert_true(st.st_size <= 4194304);
	/* Without a worker, too, it is bounded. */
	for (i = 0; i < 250; i++) {
		snprintf(large + 1, 8, "%07d", i);
		large[8] = 'a';
		assert_int_equal(inbox_put(inbox, &event, NULL, 0, &put,
		    &taken), 0);
		assert_int_equal(stat(log, &st), 0);
		assert_true(st.st_size <= 64 * 1024 * 1024);
	}
	(void)sql->close_v2(db);
}

static void
buckets_are_counted_right(void **state)
{
	(void)state;
	assert_int_equal(inbox_bucket(0), 0);
	assert_int_equal(inbox_bucket(1), 0);
	assert_int_equal(inbox_bucket(2), 1);
	assert_int_equal(inbox_bucket(3), 2);
	assert_int_equal(inbox_bucket(1000), 9);
	assert_int_equal(inbox_bucket(INT64_MAX), INBOX_BUCKETS - 1);
}

#define EACH(test) \
	{ #test " (memory)", test, open_memory, close_store, NULL }, \
	{ #test " (sqlite)", test, open_sqlite, close_store, NULL }

int
main(void)
{
	const struct CMUnitTest tests[] = {
		EACH(an_event_is_kept_once_and_handed_out_once),
		EACH(without_an_id_the_content_is_the_key),
		EACH(a_lane_is_handed_out_in_order_one_at_a_time),
		EACH(without_a_lane_nothing_waits_for_another),
		EACH(urgent_events_go_first_but_never_beside_their_lane),
		EACH(each_handler_is_a_task_of_its_own),
		EACH(what_a_dead_worker_held_is_found_and_ended),
		EACH(an_end_counts_only_for_the_attempt_that_holds_the_task),
		EACH(a_task_for_a_handler_without_a_name_is_marked),
		EACH(all_times_are_of_the_inbox_s_clock),
		EACH(what_was_not_tried_counts_for_nothing),
		EACH(a_command_is_taken_once_by_its_group),
		EACH(old_events_are_forgotten_if_nothing_is_left_to_do),
		EACH(only_what_is_looked_for_is_sent_round_again),
		EACH(parked_events_are_sent_round_again_in_their_place),
		EACH(a_dropped_event_lets_its_lane_go_on),
		EACH(events_from_the_future_hold_no_others_back),
		EACH(a_dropped_event_is_known_until_it_is_old),
		EACH(no_id_is_given_twice),
		EACH(a_clock_set_back_delays_nothing),
		EACH(a_clock_set_is_not_counted_twice),
		EACH(a_clock_set_moves_each_task),
		EACH(filters_find_what_they_say),
		EACH(status_counts),
		EACH(rates_are_of_the_last_minute_and_hour),
		EACH(what_runs_does_not_wait),
		EACH(only_the_first_start_is_a_wait),
		EACH(what_is_parked_when_stored_counts_for_its_handler),
		cmocka_unit_test_setup_teardown(
		    nobody_is_woken_where_no_pool_was,
		    open_sqlite, close_store),
		cmocka_unit_test_setup_teardown(
		    a_wake_is_seen_until_it_is_drained,
		    open_sqlite, close_store),
		cmocka_unit_test_setup_teardown(
		    a_queue_that_is_wrong_holds_back_no_lane,
		    open_sqlite, close_store),
		cmocka_unit_test_setup_teardown(each_damaged_task_is_handed_out,
		    open_sqlite, close_store),
		cmocka_unit_test_setup_teardown(who_looks_keeps_nobody_waiting,
		    open_sqlite, close_store),
		cmocka_unit_test_setup_teardown(
		    a_claim_that_cannot_be_flushed_is_handed_out_later,
		    open_failing_sqlite, close_store),
		cmocka_unit_test_setup_teardown(
		    a_command_survives_an_answer_that_is_not_given,
		    open_failing_sqlite, close_store),
		cmocka_unit_test_setup_teardown(
		    a_drop_that_fails_leaves_the_lane_as_it_was,
		    open_failing_sqlite, close_store),
		cmocka_unit_test(an_inbox_of_an_older_schema_is_upgraded),
		cmocka_unit_test_setup_teardown(
		    an_inbox_of_a_newer_schema_is_refused,
		    open_sqlite, close_store),
		cmocka_unit_test_setup_teardown(
		    an_inbox_upgraded_while_in_use_is_refused,
		    open_sqlite, close_store),
		cmocka_unit_test_setup_teardown(a_look_makes_no_file,
		    open_sqlite, close_store),
		cmocka_unit_test(a_link_beside_the_inbox_is_refused),
		cmocka_unit_test_setup_teardown(
		    a_large_inbox_is_locked_briefly,
		    open_counting_sqlite, close_store),
		cmocka_unit_test_setup_teardown(
		    a_log_that_a_reader_kept_long_shrinks,
		    open_sqlite, close_store),
		cmocka_unit_test(buckets_are_counted_right),
		cmocka_unit_test(a_flipped_bit_is_parked_or_changes_nothing),
	};
	char command[64];
	int failed;

	if (mkdtemp(folder) == NULL)
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	return system(command) == 0 ? failed : 1;
}
