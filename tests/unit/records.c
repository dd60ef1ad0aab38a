/* records.c - a request is read from its records, however they are cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "buffer.h"
#include "clock.h"
#include "web/records.h"

enum { BEGIN = 1, ABORT = 2, PARAMS = 4, STDIN = 5, GET_VALUES = 9 };

#define MAX (1 << 20)
#define NOW 0		/* a deadline that is over */

/* A name of the web server's own has a value that is longer than any kept. */
static const char params[] =
    "\016\004REQUEST_METHODPOST"
    "\004\200\000\000\206NAMEvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv"
    "vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv"
    "vvvvvvvvvvvvvvv"
    "\024\001HTTP_X_RETRY_COUNTER3"
    "\000\000"
    "\016\001CONTENT_LENGTH5";
#define PARAMS_LEN (sizeof(params) - 1)

static struct records records;
static int peer = -1;
static char body[300000], got[300000];

static void
put_record(struct buffer *out, int type, const void *content, size_t len,
    size_t padding)
{
	static const char zeros[256];
	const char header[8] = { 1, (char)type, 0, 7, (char)(len >> 8),
	    (char)len, (char)padding };

	buffer_put(out, header, sizeof(header));
	buffer_put(out, content, len);
	buffer_put(out, zeros, padding);
}

static void
put_begin(struct buffer *out, int role, int flags)
{
	const char begin[8] = { 0, (char)role, (char)flags };

	put_record(out, BEGIN, begin, sizeof(begin), 0);
}

/* The parameters are cut in two; the body is in pieces. */
static void
put_request(struct buffer *out, size_t cut, size_t piece, size_t len,
    size_t padding)
{
	size_t at;

	put_begin(out, 1, 1);
	put_record(out, PARAMS, params, cut, padding);
	if (cut < PARAMS_LEN)
		put_record(out, PARAMS, params + cut, PARAMS_LEN - cut,
		    padding);
	put_record(out, PARAMS, "", 0, padding);
	for (at = 0; at < len; at += piece)
		put_record(out, STDIN, body + at, len - at < piece ?
		    len - at : piece, padding);
	put_record(out, STDIN, "", 0, padding);
}

static void
connect_peer(void)
{
	int pair[2];

	if (peer != -1) {
		close(peer);
		close(records.fd);
	}
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	peer = pair[0];
	assert_int_equal(records_open(&records, pair[1]), 0);
}

static void
give(const char *bytes, size_t len)
{
	assert_int_equal(send(peer, bytes, len, 0), len);
}

static void
same_params(void)
{
	assert_int_equal(records.state, RECORDS_STDIN);
	assert_string_equal(records.method, "POST");
	assert_string_equal(records.length, "5");
	assert_string_equal(records.retry_counter, "3");
}

static void
same_body(size_t len)
{
	memset(got, 0, len);
	assert_int_equal(records_body(&records, got, len, NOW), len);
	assert_memory_equal(got, body, len);
	assert_int_equal(records.state, RECORDS_WHOLE);
}

static void
parameters_are_cut_anywhere(void **state)
{
	struct buffer out = { .max = MAX };
	size_t cut;

	(void)state;
	for (cut = 1; cut <= PARAMS_LEN; cut++) {
		connect_peer();
		put_request(&out, cut, 5, 5, cut % 256);
		give(out.at, out.len);
		assert_true(records_begin(&records, NOW));
		same_params();
		same_body(5);
		assert_true(records.keep);
		assert_false(records_next(&records));
		buffer_free(&out);
	}
}

static void
bytes_come_one_by_one(void **state)
{
	struct buffer out = { .max = MAX };
	size_t i;

	(void)state;
	connect_peer();
	put_request(&out, 30, 2, 5, 3);
	for (i = 0; !records_begin(&records, NOW); i++)
		give(out.at + i, 1);
	same_params();
	give(out.at + i, out.len - i - 1);
	assert_int_equal(records_body(&records, got, 5, NOW), 5);
	assert_int_equal(records.state, RECORDS_STDIN);
	give(out.at + out.len - 1, 1);
	(void)records_body(&records, got, 0, NOW);
	assert_int_equal(records.state, RECORDS_WHOLE);
	buffer_free(&out);
}

/* The body is longer than the memory for it, and than its socket takes. */
static void
a_long_body_comes_in_pieces(void **state)
{
	static const size_t pieces[] = { 1000, 8184, 65535 };
	struct buffer out = { .max = MAX };
	size_t i;
	pid_t pid;

	(void)state;
	for (i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		connect_peer();
		put_request(&out, 20, pieces[i], sizeof(body), 255);
		pid = fork();
		if (pid == 0) {
			give(out.at, out.len);
			_exit(0);
		}
		assert_true(records_begin(&records, clock_ms() + 9000));
		memset(got, 0, sizeof(got));
		assert_int_equal(records_body(&records, got, sizeof(got),
		    clock_ms() + 9000), sizeof(got));
		assert_memory_equal(got, body, sizeof(got));
		assert_int_equal(records.state, RECORDS_WHOLE);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		assert_false(records_next(&records));
		buffer_free(&out);
	}
}

static void
requests_follow_one_another(void **state)
{
	struct buffer out = { .max = MAX };
	size_t left;

	(void)state;
	connect_peer();
	put_request(&out, 20, 5, 5, 0);
	put_request(&out, 40, 1, 5, 7);
	left = 11;
	buffer_put(&out, out.at, left);
	give(out.at, out.len);
	assert_true(records_begin(&records, NOW));
	same_params();
	same_body(5);
	assert_true(records_next(&records));
	assert_true(records_begin(&records, NOW));
	same_params();
	same_body(5);
	assert_true(records_next(&records));
	assert_int_equal(records.len, left);
	assert_false(records_begin(&records, NOW));
	buffer_free(&out);
}

static void
a_body_that_was_read_is_wiped(void **state)
{
	struct buffer out = { .max = MAX };
	size_t len;

	(void)state;
	snprintf(body, sizeof(body), "Kf7vQ2mXw9aLcR4t");
	connect_peer();
	put_request(&out, 20, 16, 16, 0);
	give(out.at, out.len);
	assert_true(records_begin(&records, NOW));
	same_params();
	len = records.len;
	assert_non_null(memmem(records.at, len, "Kf7vQ2mX", 8));
	same_body(16);
	assert_null(memmem(records.at, len, "Kf7vQ2mX", 8));
	/* A part of a record is moved. */
	assert_false(records_next(&records));
	give(out.at, out.len - 9);
	assert_true(records_begin(&records, NOW));
	same_params();
	(void)records_body(&records, got, 16, NOW);
	assert_null(memmem(records.at + records.len, len, "Kf7vQ2mX", 8));
	/* A refused request has a body that nobody read. */
	assert_false(records_next(&records));
	give(out.at, out.len - 9);
	assert_true(records_begin(&records, NOW));
	same_params();
	assert_false(records_next(&records));
	assert_null(memmem(records.at, len, "Kf7vQ2mX", 8));
	buffer_free(&out);
}

static void
odd(const struct buffer *out)
{
	connect_peer();
	give(out->at, out->len);
	assert_true(records_begin(&records, NOW));
	assert_int_equal(records.state, RECORDS_ODD);
}

static void
anything_else_is_odd(void **state)
{
	static const char places[] = { 0, 1, 4, 5 };
	struct buffer out = { .max = MAX };
	size_t i, len;

	(void)state;
	put_record(&out, GET_VALUES, "", 0, 0);
	odd(&out);
	buffer_free(&out);
	put_begin(&out, 2, 0);
	odd(&out);
	buffer_free(&out);
	put_begin(&out, 1, 0);
	len = out.len;
	put_record(&out, ABORT, "", 0, 0);
	odd(&out);
	out.len = len;
	put_record(&out, STDIN, "", 0, 0);
	odd(&out);
	/* Another version or type, and a length that is wrong. */
	for (i = 0; i < sizeof(places); i++) {
		buffer_free(&out);
		put_begin(&out, 1, 0);
		out.at[(size_t)places[i]] ^= 4;
		odd(&out);
	}
	buffer_free(&out);
	buffer_put(&out, "GET / HTTP/1.1\r\n\r\n", 18);
	odd(&out);
	buffer_free(&out);
}

static void
an_aborted_body_is_short(void **state)
{
	struct buffer out = { .max = MAX };

	(void)state;
	connect_peer();
	put_begin(&out, 1, 1);
	put_record(&out, PARAMS, params, PARAMS_LEN, 0);
	put_record(&out, PARAMS, "", 0, 0);
	put_record(&out, STDIN, body, 3, 0);
	put_record(&out, ABORT, "", 0, 0);
	give(out.at, out.len);
	assert_true(records_begin(&records, NOW));
	same_params();
	assert_int_equal(records_body(&records, got, 5, NOW), 3);
	assert_int_equal(records.state, RECORDS_ODD);
	assert_false(records_next(&records));
	buffer_free(&out);
}

static void
a_body_that_is_too_long_is_cut(void **state)
{
	struct buffer out = { .max = MAX };

	(void)state;
	connect_peer();
	put_request(&out, 20, 4, 6, 0);
	give(out.at, out.len);
	assert_true(records_begin(&records, NOW));
	same_params();
	assert_int_equal(records_body(&records, got, 5, NOW), 5);
	assert_memory_equal(got, body, 5);
	assert_int_equal(records.state, RECORDS_ODD);
	assert_false(records_next(&records));
	buffer_free(&out);
}

static void
parameters_that_do_not_fit_are_refused(void **state)
{
	struct buffer out = { .max = MAX };
	int i;

	(void)state;
	connect_peer();
	put_begin(&out, 1, 0);
	for (i = 0; i < 10; i++)
		put_record(&out, PARAMS, body, 8000, 0);
	give(out.at, out.len);
	assert_false(records_begin(&records, INT64_MAX));
	buffer_free(&out);
}

static void
parameters_that_promise_more_than_there_is_are_refused(void **state)
{
	static const char *const bad[] = { "\005", "\005\001ABCD", "\200\000",
	    "\377\377\377\377\377\377\377\377A", "\001\377\377\377\377A" };
	static const size_t lens[] = { 1, 6, 2, 9, 6 };
	struct buffer out = { .max = MAX };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		connect_peer();
		put_begin(&out, 1, 0);
		put_record(&out, PARAMS, bad[i], lens[i], 0);
		put_record(&out, PARAMS, "", 0, 0);
		give(out.at, out.len);
		assert_false(records_begin(&records, NOW));
		buffer_free(&out);
	}
}

static void
a_peer_that_is_silent_or_gone_ends_the_reading(void **state)
{
	struct buffer out = { .max = MAX };
	int64_t start = clock_ms();

	(void)state;
	connect_peer();
	put_begin(&out, 1, 0);
	give(out.at, out.len);
	assert_false(records_begin(&records, start + 20));
	assert_true(clock_ms() >= start + 20);
	shutdown(peer, SHUT_WR);
	assert_false(records_begin(&records, INT64_MAX));
	assert_int_equal(records_open(&records, records.fd), -1);
	buffer_free(&out);
}

static void
an_answer_has_three_records(void **state)
{
	char out[RECORDS_HEAD + 5 + RECORDS_TAIL];

	(void)state;
	connect_peer();
	records.id = 7;
	snprintf(out + RECORDS_HEAD, 6, "hello");
	assert_int_equal(records_answer(&records, out, 5), 40);
	assert_memory_equal(out, "\1\6\0\7\0\5\3\0hello\0\0\0"
	    "\1\6\0\7\0\0\0\0" "\1\3\0\7\0\10\0\0" "\0\0\0\0\0\0\0\0", 40);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parameters_are_cut_anywhere),
		cmocka_unit_test(bytes_come_one_by_one),
		cmocka_unit_test(a_long_body_comes_in_pieces),
		cmocka_unit_test(requests_follow_one_another),
		cmocka_unit_test(a_body_that_was_read_is_wiped),
		cmocka_unit_test(anything_else_is_odd),
		cmocka_unit_test(an_aborted_body_is_short),
		cmocka_unit_test(a_body_that_is_too_long_is_cut),
		cmocka_unit_test(parameters_that_do_not_fit_are_refused),
		cmocka_unit_test(
		    parameters_that_promise_more_than_there_is_are_refused),
		cmocka_unit_test(
		    a_peer_that_is_silent_or_gone_ends_the_reading),
		cmocka_unit_test(an_answer_has_three_records),
	};
	size_t i;

	for (i = 0; i < sizeof(body); i++)
		body[i] = (char)(i * 7919 >> 4);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
