/* event.c - the handlers of an event: selection, order and outcomes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "arena.h"
#include "body.h"
#include "event/catalogue.h"
#include "event/envelope.h"
#include "event/event.h"
#include "log.h"

/* The behaviour of a handler of this test. */
enum act {
	OK, FAIL, RETRY_429, RETRY_503, REMOVE, VERSION,
	RAW_RETRY, RAW_REMOVE, RAW_VERSION, RAW_99, RETRY_BUT_OK,
	REMOVE_BUT_FAIL, REMOVE_BUT_VERSION,
};

static enum act acts[8];
static char called[64];			/* the numbers of the called handlers */
static const void *typed[8];
static struct vkcb_event seen;
static int status, seconds;
static const char *version = "5.199";

static enum vkcb_outcome
act(struct vkcb_event *ev, unsigned int number, const void *object)
{
	size_t len = strlen(called);

	snprintf(called + len, sizeof(called) - len, "%u", number);
	typed[number] = object;
	seen = *ev;
	switch (acts[number]) {
	case OK:
		return VKCB_OK;
	case FAIL:
		return VKCB_FAIL;
	case RETRY_429:
		return vkcb_retry_after(ev, 429, 60);
	case RETRY_503:
		return vkcb_retry_after(ev, status, seconds);
	case REMOVE:
		return vkcb_remove(ev);
	case VERSION:
		return vkcb_set_version(ev, version);
	case RAW_RETRY:
		return VKCB_RETRY_AFTER;
	case RAW_REMOVE:
		return VKCB_REMOVE;
	case RAW_VERSION:
		return VKCB_SET_VERSION;
	case RAW_99:
		return (enum vkcb_outcome)99;
	case RETRY_BUT_OK:
		(void)!vkcb_retry_after(ev, 503, 1);
		return VKCB_OK;
	case REMOVE_BUT_FAIL:
		(void)!vkcb_remove(ev);
		return VKCB_FAIL;
	case REMOVE_BUT_VERSION:
		(void)!vkcb_remove(ev);
		return VKCB_SET_VERSION;
	}
	return VKCB_FAIL;
}

#define HANDLER(number) \
static enum vkcb_outcome \
any_##number(struct vkcb_event *ev) \
{ \
	return act(ev, number, NULL); \
}
HANDLER(0)
HANDLER(3)
HANDLER(5)

#define TYPED(number, object) \
static enum vkcb_outcome \
typed_##number(struct vkcb_event *ev, const struct vk_##object *given) \
{ \
	return act(ev, number, given); \
}
TYPED(1, message_new)
TYPED(2, message_new)
TYPED(4, message)

static const struct vkcb_handler
    handler_0 = { ON(any, any_0) },
    handler_1 = { ON(message_new, typed_1) },
    handler_2 = { ON(message_new, typed_2) },
    handler_3 = { ON_TYPE("brand_new", any_3) },
    handler_4 = { ON(messages_edit, typed_4) },
    handler_5 = { ON(any, any_5) },
    handler_6 = { .summary = "has no ON" };

const struct handler handlers[] = {
	{ "0", &handler_0 }, { "1", &handler_1 }, { "2", &handler_2 },
	{ "3", &handler_3 }, { "4", &handler_4 }, { "5", &handler_5 },
	{ "6", &handler_6 }, { NULL, NULL },
};

static char log_path[] = "/tmp/vkcb-event.XXXXXX";

static int
open_log(void **state)
{
	int fd = mkstemp(log_path);

	(void)state;
	if (fd == -1)
		return -1;
	close(fd);
	return log_open(log_path, LOG_LEVEL_INFO);
}

static int
close_log(void **state)
{
	(void)state;
	return unlink(log_path);
}

/* The log lines since the last call. */
static const char *
logged(void)
{
	static char text[65536];
	FILE *file = fopen(log_path, "r");

	assert_non_null(file);
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	fclose(file);
	assert_int_equal(truncate(log_path, 0), 0);
	return text;
}

static unsigned int
count(const char *text, const char *what)
{
	unsigned int n = 0;

	while ((text = strstr(text, what)) != NULL) {
		n++;
		text += strlen(what);
	}
	return n;
}

static struct event_result result;
static char text[8192];
static struct arena arena;
static struct envelope envelope;

static enum event_status
handle(const char *type, const char *object)
{
	enum event_status end;
	struct event event;
	size_t where;

	snprintf(text, sizeof(text), "{\"type\":\"%s\",\"group_id\":7,"
	    "\"event_id\":\"e1\",\"v\":\"5.199\"%s%s}", type,
	    object != NULL ? ",\"object\":" : "",
	    object != NULL ? object : "");
	assert_null(envelope_read(&envelope, text, strlen(text), &where));
	called[0] = '\0';
	memset(typed, 0, sizeof(typed));
	arena = (struct arena){ .chunks = NULL };
	event_init(&event, &envelope, &arena, 3);
	end = event_handle(&event, &result);
	event_release(&event);
	arena_release(&arena);
	return end;
}

static void
plan(enum act zero, enum act one, enum act two, enum act five)
{
	memset(acts, 0, sizeof(acts));
	acts[0] = zero;
	acts[1] = one;
	acts[2] = two;
	acts[5] = five;
}

static void
those_who_take_it_are_called_in_order(void **state)
{
	static const struct {
		const char *type;
		const char *wanted;
	} rows[] = {
		{ "message_new", "0125" }, { "brand_new", "035" },
		{ "message_edit", "045" }, { "messages_edit", "045" },
		{ "group_join", "05" }, { "unheard_of", "05" },
		{ "any", "05" }, { "unknown", "05" }, { "message_new_", "05" },
	};
	size_t i;

	(void)state;
	plan(OK, OK, OK, OK);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(handle(rows[i].type, "{}"), EVENT_HANDLED);
		assert_string_equal(called, rows[i].wanted);
		assert_int_equal(result.outcome, VKCB_OK);
	}
	assert_int_equal(count(logged(), "outcome=ok"), 23);
}

static void
a_handler_sees_the_event(void **state)
{
	(void)state;
	plan(OK, OK, OK, OK);
	assert_int_equal(handle("unheard_of", "[1]"), EVENT_HANDLED);
	assert_int_equal(seen.group_id, 7);
	assert_int_equal(seen.retry_counter, 3);
	assert_int_equal(seen.attempt, 1);
	assert_ptr_equal(seen.type, envelope.type.at);
	assert_string_equal(seen.type, "unheard_of");
	assert_string_equal(seen.event_id, "e1");
	assert_string_equal(seen.version, "5.199");
	assert_int_equal(seen.object.len, 3);
	assert_memory_equal(seen.object.text, "[1]", 3);
	assert_int_equal(handle("unheard_of", NULL), EVENT_HANDLED);
	assert_null(seen.object.text);
}

static void
it_is_decoded_once_for_all(void **state)
{
	(void)state;
	plan(OK, OK, OK, OK);
	(void)logged();
	assert_int_equal(handle("message_new",
	    "{\"message\":{\"date\":\"x\",\"text\":\"hi\"}}"), EVENT_HANDLED);
	assert_non_null(typed[1]);
	assert_ptr_equal(typed[1], typed[2]);
	/* A mismatch is logged once per event, for any number of handlers. */
	assert_int_equal(count(logged(), "path=object.message.date got=string "
	    "wanted=\"64-bit integer\""), 1);
}

/* Without a handler that takes a struct, nothing can mismatch. */
static void
without_need_it_is_not_decoded(void **state)
{
	(void)state;
	plan(OK, OK, OK, OK);
	(void)logged();
	assert_int_equal(handle("group_join", "{\"user_id\":\"x\"}"),
	    EVENT_HANDLED);
	assert_int_equal(count(logged(), "absent"), 0);
}

static void
odd_fields_are_named_up_to_a_limit(void **state)
{
	char object[4096];
	const char *lines;
	size_t len = (size_t)snprintf(object, sizeof(object),
	    "{\"message\":{\"attachments\":[0");
	int i;

	(void)state;
	for (i = 0; i < 19; i++)
		len += (size_t)snprintf(object + len, sizeof(object) - len,
		    ",0");
	snprintf(object + len, sizeof(object) - len, "]}}");
	(void)logged();
	assert_int_equal(handle("message_new", object), EVENT_HANDLED);
	lines = logged();
	assert_int_equal(count(lines,
	    "msg=\"type mismatch, field left empty\""), 8);
	assert_int_equal(count(lines, "fields=12"), 1);
}

static void
a_broken_object_stops_who_needs_it_only(void **state)
{
	static const char *const objects[] = { "[]", "null", "12", NULL };
	size_t i;

	(void)state;
	plan(OK, OK, OK, OK);
	for (i = 0; i < 4; i++) {
		assert_int_equal(handle("message_new", objects[i]),
		    EVENT_BAD_OBJECT);
		assert_string_equal(called, "05");
		assert_int_equal(handle("brand_new", objects[i]),
		    EVENT_HANDLED);
		assert_string_equal(called, "035");
	}
}

static void
what_is_not_done_counts_most(void **state)
{
	static const struct {
		enum act zero, one, two, five;
		enum vkcb_outcome wanted;
	} rows[] = {
		{ OK, OK, OK, OK, VKCB_OK },
		{ FAIL, OK, OK, OK, VKCB_FAIL },
		{ OK, OK, OK, FAIL, VKCB_FAIL },
		{ OK, REMOVE, OK, OK, VKCB_REMOVE },
		{ OK, VERSION, OK, OK, VKCB_SET_VERSION },
		{ VERSION, REMOVE, OK, OK, VKCB_REMOVE },
		{ REMOVE, VERSION, OK, OK, VKCB_REMOVE },
		{ REMOVE, FAIL, VERSION, OK, VKCB_FAIL },
		{ FAIL, RETRY_429, REMOVE, OK, VKCB_RETRY_AFTER },
		{ OK, OK, RETRY_429, FAIL, VKCB_RETRY_AFTER },
		{ RETRY_BUT_OK, OK, OK, OK, VKCB_OK },
		{ REMOVE_BUT_FAIL, OK, OK, OK, VKCB_FAIL },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		plan(rows[i].zero, rows[i].one, rows[i].two, rows[i].five);
		assert_int_equal(handle("message_new", "{}"), EVENT_HANDLED);
		/* A failure of one handler does not affect the next one. */
		assert_string_equal(called, "0125");
		if (result.outcome != rows[i].wanted)
			fail_msg("row %zu: %d", i, (int)result.outcome);
	}
}

static void
the_first_of_equals_counts(void **state)
{
	(void)state;
	status = 503;
	seconds = 9;
	plan(RETRY_429, RETRY_503, OK, OK);
	(void)handle("message_new", "{}");
	assert_int_equal(result.status, 429);
	assert_int_equal(result.seconds, 60);
	plan(FAIL, OK, RETRY_503, RETRY_429);
	(void)handle("message_new", "{}");
	assert_int_equal(result.status, 503);
	assert_int_equal(result.seconds, 9);
}

static void
a_wrong_delay_is_logged_and_put_right(void **state)
{
	static const struct {
		int status, seconds, wanted_status, wanted_seconds;
		unsigned int errors;
	} rows[] = {
		{ 410, 0, 410, 0, 0 }, { 429, 1, 429, 1, 0 },
		{ 503, 10799, 503, 10799, 0 }, { 503, 10800, 503, 10799, 1 },
		{ 503, -1, 503, 0, 1 }, { 500, 5, 503, 5, 1 },
		{ 200, 5, 503, 5, 1 }, { 0, 2147483647, 503, 10799, 2 },
		{ -1, -2147483647, 503, 0, 2 },
	};
	size_t i;

	(void)state;
	plan(OK, RETRY_503, OK, OK);
	(void)logged();
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		status = rows[i].status;
		seconds = rows[i].seconds;
		(void)handle("message_new", "{}");
		assert_int_equal(result.outcome, VKCB_RETRY_AFTER);
		assert_int_equal(result.status, rows[i].wanted_status);
		assert_int_equal(result.seconds, rows[i].wanted_seconds);
		assert_int_equal(count(logged(), "level=error msg="),
		    rows[i].errors);
	}
}

static void
a_version_is_one_or_changes_nothing(void **state)
{
	static const struct {
		const char *version;
		int good;
	} rows[] = {
		{ "5.199", 1 }, { "5.81", 1 }, { "5.101", 1 }, { "6.0", 1 },
		{ "10.1", 1 }, { "5.80", 0 }, { "5.8", 0 }, { "4.99", 0 },
		{ "5", 0 }, { "5.", 0 }, { ".199", 0 }, { "", 0 },
		{ "5.199.1", 0 }, { "5.199\n", 0 }, { " 5.199", 0 },
		{ "5.19x", 0 }, { "-5.199", 0 }, { "5,199", 0 },
		{ "5.199999", 0 }, { "9999.1", 0 },
		{ "5.0199", 0 }, { "05.199", 0 }, { "5.00", 0 },
		{ "99999999999999999999.99999999999999999999", 0 },
		{ NULL, 0 },
	};
	size_t i;

	(void)state;
	plan(OK, OK, VERSION, OK);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		(void)logged();
		version = rows[i].version;
		(void)handle("message_new", "{}");
		if ((result.outcome == VKCB_SET_VERSION) != rows[i].good)
			fail_msg("%s", version);
		if (rows[i].good)
			assert_string_equal(result.version, version);
		else
			assert_int_equal(result.outcome, VKCB_OK);
		assert_int_equal(count(logged(), "level=error msg="),
		    !rows[i].good);
	}
	version = "5.199";
}

static void
an_outcome_without_its_function_is_a_failure(void **state)
{
	static const enum act rows[] = {
		RAW_RETRY, RAW_REMOVE, RAW_VERSION, RAW_99, REMOVE_BUT_VERSION,
	};
	const char *lines;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		plan(OK, rows[i], OK, OK);
		(void)logged();
		(void)handle("message_new", "{}");
		assert_int_equal(result.outcome, VKCB_FAIL);
		lines = logged();
		assert_int_equal(count(lines, "level=error msg="), 1);
		assert_int_equal(count(lines, "handler=1"), 2);
	}
	/* A request by an earlier handler does not count for a later one. */
	plan(REMOVE, RAW_REMOVE, OK, OK);
	(void)handle("message_new", "{}");
	assert_int_equal(result.outcome, VKCB_FAIL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(those_who_take_it_are_called_in_order),
		cmocka_unit_test(a_handler_sees_the_event),
		cmocka_unit_test(it_is_decoded_once_for_all),
		cmocka_unit_test(without_need_it_is_not_decoded),
		cmocka_unit_test(odd_fields_are_named_up_to_a_limit),
		cmocka_unit_test(a_broken_object_stops_who_needs_it_only),
		cmocka_unit_test(what_is_not_done_counts_most),
		cmocka_unit_test(the_first_of_equals_counts),
		cmocka_unit_test(a_wrong_delay_is_logged_and_put_right),
		cmocka_unit_test(a_version_is_one_or_changes_nothing),
		cmocka_unit_test(an_outcome_without_its_function_is_a_failure),
	};

	return cmocka_run_group_tests(tests, open_log, close_log);
}
