/*
 * receive.c - requests that go wrong: hostile bodies, missing bodies and no
 * memory, each followed by a valid event.
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
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "alloc.h"
#include "body.h"
#include "clock.h"
#include "conf/conf.h"
#include "event/catalogue.h"
#include "inbox/backend.h"
#include "web/receive.h"

static unsigned int ran;
static bool wrong;		/* a handler saw data that was not sent */

/* The values are those of tests/bodies/message_new.json, see make_good(). */
static enum vkcb_outcome
look(struct vkcb_event *ev, const struct vk_message_new *new)
{
	const struct vk_message *message = new->message;
	struct json_object *json = vkcb_json(ev, &new->json);

	/* Out of memory, the event is not done, whatever is returned. */
	if (json == NULL)
		return VKCB_OK;
	ran++;
	if (strcmp(ev->event_id, "13eeb4e12f5948aca176e3a950f7dd397b94e846") !=
	    0)
		return VKCB_OK;
	wrong |= vk_get_len(json, "list") != 101 ||
	    message->from_id != 412345678 || message->n_attachments != 2 ||
	    message->attachments[0].photo->n_sizes != 8 ||
	    message->attachments[0].photo->sizes[7].width != 510 ||
	    strcmp(message->attachments[1].doc->ext, "pdf") != 0 ||
	    message->n_fwd_messages != 1 ||
	    message->reply_message->id != 120108 ||
	    message->geo->coordinates->latitude < 56.8587 ||
	    new->client_info->n_button_actions != 9 ||
	    strcmp(message->ref, "promo_june") != 0 || !message->is_cropped;
	return VKCB_OK;
}

static enum vkcb_outcome
look_at_any(struct vkcb_event *ev)
{
	(void)ev;
	return VKCB_OK;
}

static const struct vkcb_handler handler_look = { ON(message_new, look) },
    handler_any = { ON(any, look_at_any) };

const struct handler handlers[] = {
	{ "any", &handler_any }, { "look", &handler_look }, { NULL, NULL },
};
const size_t n_handlers = sizeof(handlers) / sizeof(handlers[0]) - 1;

static char conf_path[] = "/tmp/vkcb-receive.XXXXXX";
static struct receiver receiver;
static char *good;		/* a body */
static size_t good_len;

/*
 * A body of the usual kind, with a long text that fills the arena's first
 * chunk and a list that json-c has to grow, so that more allocations can fail.
 */
static int
make_good(void)
{
	static const char start[] = "\"object\":{";
	char *body = body_read("tests/bodies/message_new.json", &good_len);
	char *object;
	size_t len, size = good_len + 40000, i;

	if (body == NULL || (good = malloc(size)) == NULL ||
	    (object = strstr(body, start)) == NULL)
		return -1;
	object += sizeof(start) - 1;
	len = (size_t)(object - body);
	memcpy(good, body, len);
	len += (size_t)snprintf(good + len, size - len, "\"list\":[0");
	for (i = 0; i < 100; i++)
		len += (size_t)snprintf(good + len, size - len, ",%zu", i);
	len += (size_t)snprintf(good + len, size - len,
	    "],\"long\":\"%028000d\",", 0);
	memcpy(good + len, object, good_len - (size_t)(object - body) + 1);
	good_len = len + good_len - (size_t)(object - body);
	free(body);
	return 0;
}

static int
set_up(void **state)
{
	static const char text[] = "[vkcb]\nlog = /dev/null\nmax_body = 16M\n"
	    "repeats = again\n[group 219876543]\nsecret = Kf7vQ2mXw9aLcR4t\n"
	    "confirmation = 7d1a2b3c\n";
	struct timespec old[2] = { { .tv_sec = 1000 }, { .tv_sec = 1000 } };
	struct conf_refused refused;
	struct conf *conf;
	int fd = mkstemp(conf_path);

	(void)state;
	if (fd == -1 || write(fd, text, sizeof(text) - 1) == -1 ||
	    futimens(fd, old) == -1)
		return -1;
	close(fd);
	conf = conf_read(conf_path, &refused);
	if (conf == NULL || make_good() == -1 ||
	    log_open("/dev/null", LOG_LEVEL_INFO) == -1)
		return -1;
	receiver_init(&receiver, conf);
	return 0;
}

static int
clean_up(void **state)
{
	(void)state;
	receiver_release(&receiver);
	free(good);
	return unlink(conf_path);
}

/* Posts a body, of which `sent` bytes arrive. The status. */
static int
post(const char *body, size_t len, size_t sent, struct http_answer *answer)
{
	struct http_request http;

	http_memory_request(&http, body, len);
	http.left = sent;
	receive(&receiver, &http, answer);
	return answer->status;
}

static void
assert_good_event(void)
{
	struct http_answer answer;
	unsigned int before = ran;

	assert_int_equal(post(good, good_len, good_len, &answer), 200);
	assert_string_equal(answer.body, "ok");
	assert_int_equal(ran, before + 1);
	assert_false(wrong);
	receive_done(&receiver);
}

#define ENVELOPE "{\"type\":\"message_new\",\"group_id\":219876543," \
	"\"secret\":\"Kf7vQ2mXw9aLcR4t\",\"object\":"
#define MIB8 ((size_t)8 << 20)

/* An envelope with a large object: head, n times piece, tail. */
static char *
large(const char *head, const char *piece, size_t n, const char *tail,
    size_t *len)
{
	size_t step = strlen(piece), at, i;
	size_t size = sizeof(ENVELOPE) + strlen(head) + n * step +
	    strlen(tail) + 1;
	char *body = malloc(size);

	assert_non_null(body);
	at = (size_t)snprintf(body, size, "%s%s", ENVELOPE, head);
	for (i = 0; i < n; i++, at += step)
		memcpy(body + at, piece, step);
	at += (size_t)snprintf(body + at, size - at, "%s", tail);
	*len = at;
	return body;
}

static void
hostile_bodies_leave_nothing_behind(void **state)
{
	static const struct {
		const char *head, *piece;
		size_t n;
		const char *tail;
		int status;
	} rows[] = {
		{ "{\"message\":{\"text\":\"", "x", MIB8, "\"}}}", 200 },
		{ "{\"message\":{\"text\":\"", "\\u0416", MIB8 / 6, "\"}}}",
		    200 },
		{ "{\"", "k", MIB8, "\":1}}", 200 },
		{ "{\"message\":{\"text\":\"", "x", MIB8, "", 400 },
		{ "{\"message\":{\"id\":", "9", MIB8, "}}}", 200 },
		{ "{\"message\":{\"id\":1e", "9", MIB8, "}}}", 200 },
		{ "", "[", 1000000, "", 400 },
		{ "", "{\"message\":", 1000000, "", 400 },
		{ "{\"message\":{\"attachments\":[", "{},", 20000, "{}]}}}",
		    200 },
		{ "{\"message\":{\"attachments\":[", "0,", 100000, "0]}}}",
		    200 },
		{ "{\"a\":[", "[],", 100000, "[]]}}", 200 },
		{ "{\"message\":{\"text\":\"", "\xc0\x80", 1000, "\"}}}", 400 },
		{ "{", "\"a\":1,", 100000, "\"b\":1}}", 200 },
		{ "null", " ", MIB8, "}", 400 },
	};
	struct http_answer answer;
	char *body;
	size_t i, len;
	long live;
	int64_t began;

	(void)state;
	assert_good_event();
	live = alloc.live;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		body = large(rows[i].head, rows[i].piece, rows[i].n,
		    rows[i].tail, &len);
		began = clock_ms();
		if (post(body, len, len, &answer) != rows[i].status)
			fail_msg("row %zu: %d", i, answer.status);
		receive_done(&receiver);
		if (clock_ms() - began > 5000)
			fail_msg("row %zu is slow", i);
		free(body);
		assert_int_equal(alloc.live, live);
		assert_good_event();
		assert_int_equal(alloc.live, live);
	}
}

static void
a_body_that_ends_early_is_refused(void **state)
{
	struct http_answer answer;
	size_t sent;

	(void)state;
	for (sent = 0; sent < good_len; sent += 97) {
		assert_int_equal(post(good, good_len, sent, &answer), 400);
		receive_done(&receiver);
	}
	assert_int_equal(post(good, ((size_t)16 << 20) + 1, good_len, &answer),
	    413);
	receive_done(&receiver);
	assert_good_event();
}

/* FastCGI counts from the first byte of the parameters on. */
static void
a_deadline_that_is_given_stays(void **state)
{
	struct http_answer answer;
	struct http_request http;

	(void)state;
	http_memory_request(&http, good, good_len);
	http.deadline = 7;
	receive(&receiver, &http, &answer);
	assert_int_equal(http.deadline, 7);
	receive_done(&receiver);
	http_memory_request(&http, good, good_len);
	receive(&receiver, &http, &answer);
	assert_true(http.deadline > clock_ms());
	receive_done(&receiver);
}

/* The answer is 503 or the right one, and nothing remains in the arena. */
static void
assert_survives(void (*before)(long n))
{
	struct http_answer answer;
	long n, live, unanswered = 0;
	unsigned int ran_before;
	int status, failed;

	assert_good_event();
	arena_release(&receiver.arena);
	live = alloc.live;
	for (n = 1, failed = 1; failed; n++) {
		before(n);
		ran_before = ran;
		alloc_fail_at(n);
		status = post(good, good_len, good_len, &answer);
		failed = alloc.failed;
		alloc_fail_at(0);
		if (status == 503) {
			unanswered++;
			assert_int_equal(answer.retry_after, 10);
			assert_int_equal(ran, ran_before);
		} else {
			assert_int_equal(status, 200);
			assert_string_equal(answer.body, "ok");
			assert_int_equal(ran, ran_before + 1);
		}
		assert_false(wrong);
		receive_done(&receiver);
		arena_release(&receiver.arena);
		if (alloc.live != live)
			fail_msg("%ld not given back after no memory at %ld",
			    alloc.live - live, n);
		assert_good_event();
		arena_release(&receiver.arena);
	}
	assert_true(n > 100);
	assert_true(unanswered > 0);
}

static void
do_nothing(long n)
{
	(void)n;
}

static void
no_memory_at_any_point_is_survived(void **state)
{
	(void)state;
	if (!ALLOC_COUNTS)
		skip();
	assert_survives(do_nothing);
}

/* The configuration is reloaded before each request. */
static void
touch(long n)
{
	struct timespec times[2] = {
		{ .tv_sec = 2000 + n }, { .tv_sec = 2000 + n },
	};

	assert_int_equal(utimensat(AT_FDCWD, conf_path, times, 0), 0);
}

static void
no_memory_for_a_new_configuration_keeps_the_old(void **state)
{
	(void)state;
	if (!ALLOC_COUNTS)
		skip();
	assert_survives(touch);
}

/*
 * The receiver has an inbox in memory from here on. The path is never opened,
 * since an inbox is open already.
 */
static struct inbox *
use_inbox(void)
{
	char why[INBOX_ERROR_MAX];

	if (receiver.inbox == NULL) {
		receiver.conf_fixed = true;
		receiver.conf->inbox = "/nowhere/inbox";
		receiver.inbox = inbox_in_memory(why);
	}
	assert_non_null(receiver.inbox);
	return receiver.inbox;
}

/* The answer to the good event, without waking workers. */
static const char *
answer_when_stored(void)
{
	static char text[sizeof(struct http_answer) + 16];
	struct http_answer answer;
	unsigned int before = ran;

	post(good, good_len, good_len, &answer);
	assert_int_equal(ran, before);
	snprintf(text, sizeof(text), "%d %s", answer.status, answer.body);
	receiver.stored = false;
	receive_done(&receiver);
	return text;
}

static void
claim(struct inbox *inbox, const char *handler, struct inbox_claim *claimed)
{
	int64_t due;

	assert_int_equal(inbox_claim(inbox, 1, NULL, 0, claimed, &due), 1);
	assert_string_equal(claimed->handler, handler);
}

static void
an_event_is_stored_for_each_handler_without_its_secret(void **state)
{
	const struct inbox_end end = { .state = INBOX_DONE, .reason = "",
	    .command = { .version = "5.199" } };
	struct inbox *inbox = use_inbox();
	struct inbox_claim claimed;

	(void)state;
	assert_string_equal(answer_when_stored(), "200 ok");
	claim(inbox, "any", &claimed);
	assert_string_equal(claimed.event.type, "message_new");
	assert_string_equal(claimed.event.conversation, "219876543/412345678");
	assert_true(claimed.event.object_len > 28000);
	assert_null(memmem(claimed.event.object, claimed.event.object_len,
	    "Kf7vQ2mXw9aLcR4t", 16));
	assert_int_equal(inbox_finish(inbox, &claimed, &end), 1);
	assert_string_equal(answer_when_stored(), "200 version 5.199");
	assert_string_equal(answer_when_stored(), "200 ok");
	claim(inbox, "look", &claimed);
}

static int
cannot_put(struct inbox *inbox, const struct inbox_event *event,
    const struct inbox_target *wanted, size_t n, enum inbox_put *put,
    struct inbox_command *command)
{
	(void)event;
	(void)wanted;
	(void)n;
	(void)put;
	(void)command;
	snprintf(inbox->error, INBOX_ERROR_MAX, "this store is full");
	return -1;
}

static void
an_event_that_is_not_stored_is_not_ok(void **state)
{
	struct inbox *inbox = use_inbox();
	const struct inbox_backend *backend = inbox->backend;
	struct inbox_backend full = *backend;

	(void)state;
	full.put = cannot_put;
	inbox->backend = &full;
	assert_string_equal(answer_when_stored(), "503 Inbox Unavailable");
	inbox->backend = backend;
	assert_string_equal(answer_when_stored(), "200 ok");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hostile_bodies_leave_nothing_behind),
		cmocka_unit_test(a_body_that_ends_early_is_refused),
		cmocka_unit_test(a_deadline_that_is_given_stays),
		cmocka_unit_test(no_memory_at_any_point_is_survived),
		cmocka_unit_test(
		    no_memory_for_a_new_configuration_keeps_the_old),
		cmocka_unit_test(
		    an_event_is_stored_for_each_handler_without_its_secret),
		cmocka_unit_test(an_event_that_is_not_stored_is_not_ok),
	};

	return cmocka_run_group_tests(tests, set_up, clean_up);
}
