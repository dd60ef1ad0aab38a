/* calls.c - the parts of calls: parameters, keyboards, ids, slots. */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "alloc.h"
#include "conf/conf.h"
#include "event/catalogue.h"
#include "event/envelope.h"
#include "event/event.h"
#include "hash.h"
#include "buffer.h"
#include "json/tree.h"
#include "text.h"
#include "vk/params.h"
#include "vk/rate.h"

static void
the_hash_is_fnv_1a(void **state)
{
	(void)state;
	assert_true(hash_bytes(HASH_START, NULL, 0) ==
	    UINT64_C(0xcbf29ce484222325));
	assert_true(hash_bytes(HASH_START, "foobar", 6) ==
	    UINT64_C(0x85944171f73967e8));
	assert_true(hash_add(hash_add(HASH_START, "ab", 2), "c", 1) !=
	    hash_add(hash_add(HASH_START, "a", 1), "bc", 2));
}

static int32_t
random_id_of(const char *event_id, int64_t group, const char *handler, int nth)
{
	struct vkcb_handler def = { .summary = NULL };
	struct handler running = { .name = handler, .def = &def };
	struct envelope envelope = {
		.type = { "message_new", 11 }, .group_id = group,
		.event_id = { event_id, strlen(event_id) },
		.version = { "", 0 },
		.object = { JSON_OBJECT, (char []){ "{\"a\":1}" }, 7 },
	};
	struct event event;
	int32_t id = 0;

	event_init(&event, &envelope, NULL, 0);
	event.running = &running;
	while (nth-- > 0)
		id = vkcb_random_id(&event.public);
	event_release(&event);
	return id;
}

static void
a_random_id_tells_messages_apart_and_repeats_not(void **state)
{
	int32_t id = random_id_of("e", 1, "greet", 1);

	(void)state;
	assert_true(id > 0);
	assert_int_equal(id, random_id_of("e", 1, "greet", 1));
	assert_int_not_equal(id, random_id_of("e", 1, "greet", 2));
	assert_int_not_equal(id, random_id_of("e", 1, "other", 1));
	assert_int_not_equal(id, random_id_of("e", 2, "greet", 1));
	assert_int_not_equal(id, random_id_of("f", 1, "greet", 1));
	assert_int_equal(random_id_of("", 1, "greet", 1),
	    random_id_of("", 1, "greet", 1));
}

static void
check_cut(const char *text, size_t max, size_t want, size_t want_skip)
{
	size_t skip, at = utf8_cut(text, max, &skip);

	if (at != want || skip != want_skip)
		fail_msg("\"%s\" within %zu: cut at %zu (%zu), not %zu (%zu)",
		    text, max, at, skip, want, want_skip);
}

static void
a_text_is_cut_at_lines_and_words(void **state)
{
	(void)state;
	check_cut("", 5, 0, 0);
	check_cut("short", 5, 5, 0);
	check_cut("one two", 5, 3, 1);
	check_cut("one two", 3, 3, 1);		/* the space is beyond */
	check_cut("one t\ntwo three", 9, 5, 1);	/* a line before a word */
	check_cut("a\nbcdefghij", 8, 8, 0);	/* not so early a line */
	check_cut("abcdefgh", 5, 5, 0);
	check_cut("приветы", 3, 6, 0);	/* characters, not bytes */
	check_cut("🚀🚀🚀", 5, 8, 0);		/* two units each */
	check_cut("\xff\xfe\xfd\xfc", 2, 2, 0);	/* invalid UTF-8 does no harm */
}

static void
parts_of_any_bytes_come_to_an_end(void **state)
{
	char text[65];
	unsigned int seed = 1;
	size_t i, max, at, skip, left, parts;

	(void)state;
	for (i = 0; i < 20000; i++) {
		for (at = 0; at < 64; at++) {
			seed = seed * 1103515245 + 12345;
			text[at] = (char)(1 + (seed >> 16) % 255);
		}
		text[64] = '\0';
		max = 2 + i % 10;
		for (left = 0, parts = 0; text[left] != '\0'; parts++) {
			at = utf8_cut(text + left, max, &skip);
			assert_true(at + skip > 0 && parts < 64);
			left += at + skip;
		}
		assert_int_equal(left, 64);
	}
}

static void
slots_are_twenty_in_any_window(void **state)
{
	const int64_t second = 1000000000, start = 5 * second;
	struct rate_window window = { .magic = 0 };
	int64_t slots[200], now = start;
	size_t i;

	(void)state;
	for (i = 0; i < 200; i++) {
		slots[i] = rate_reserve(&window, now, INT64_MAX / 2);
		assert_true(slots[i] >= now);
		now += (int64_t)(i * 7919 % 40) * 1000000;
		if (i >= RATE_CALLS)
			assert_true(slots[i] - slots[i - RATE_CALLS] >=
			    RATE_WINDOW);
	}
	/*
	 * The limit is 20 per second within 5 percent, if all slots are
	 * requested at once.
	 */
	window.magic = 0;
	for (i = 0; i < 200; i++)
		slots[i] = rate_reserve(&window, start, INT64_MAX / 2);
	assert_int_equal(slots[19], start);
	assert_true(slots[199] - start >= 9 * second);
	assert_true(slots[199] - start <= 9 * second * 21 / 20);
}

static void
a_slot_that_is_too_far_is_not_taken(void **state)
{
	struct rate_window window = { .magic = 0 }, before;
	int i;

	(void)state;
	for (i = 0; i < RATE_CALLS; i++)
		assert_int_equal(rate_reserve(&window, 1000, 0), 1000);
	before = window;
	assert_int_equal(rate_reserve(&window, 1000, RATE_WINDOW - 1), -1);
	assert_memory_equal(&window, &before, sizeof(window));
	assert_int_equal(rate_reserve(&window, 1000, RATE_WINDOW),
	    1000 + RATE_WINDOW);
}

static void
times_from_before_a_boot_hold_nobody(void **state)
{
	struct rate_window window = { .magic = 0 };
	int i;

	(void)state;
	for (i = 0; i < RATE_CALLS; i++)
		(void)rate_reserve(&window, INT64_C(900000) * 1000000000, 0);
	assert_int_equal(rate_reserve(&window, 7000, 0), 7000);
	/* A slot later than api_timeout is refused. */
	for (i = 0; i < RATE_CALLS; i++)
		window.slots[i] = INT64_C(62) * 1000000000;
	assert_int_equal(rate_reserve(&window, 7000, 0), 7000);
	for (i = 0; i < RATE_CALLS; i++)
		window.slots[i] = INT64_C(60) * 1000000000;
	assert_int_equal(rate_reserve(&window, 7000, 0), -1);
	window.next = 77;
	assert_int_equal(rate_reserve(&window, 8000, 0), 8000);
}

static void
check_json(struct json_object *value, const char *want)
{
	size_t len;
	const char *text = json_write(value, &len);

	assert_string_equal(text, want);
	assert_int_equal(len, strlen(want));
	json_object_put(value);
}

static void
json_is_written_as_it_is(void **state)
{
	(void)state;
	check_json(VK_NO_PARAMS, "{}");
	check_json(VK_NO_KEYBOARD, "{\"one_time\":false,\"buttons\":[]}");
	check_json(VK_PARAMS("a", VK_DOUBLE(0.1), "b", VK_INT(INT64_MIN),
	    "c", VK_BOOL(false), "d", VK_STR("\"\\/\n\x01й"),
	    "e", json_object_new_uint64(UINT64_MAX),
	    "f", VK_INT(INT64_MAX)),
	    "{\"a\":0.1,\"b\":-9223372036854775808,\"c\":false,"
	    "\"d\":\"\\\"\\\\/\\n\\u0001й\",\"e\":18446744073709551615,"
	    "\"f\":9223372036854775807}");
	check_json(VK_KEYBOARD(VK_ONE_TIME, VK_ROW(vk_button("A", VK_PRIMARY,
	    VK_NO_PARAMS))), "{\"one_time\":true,\"buttons\":[[{\"action\":{"
	    "\"type\":\"text\",\"label\":\"A\",\"payload\":\"{}\"},"
	    "\"color\":\"primary\"}]]}");
}

static struct json_object *
make_params(void)
{
	return VK_PARAMS("peer_id", VK_INT(1), "message", VK_STR("a message "
	    "that is not short at all, so that it has memory of its own"),
	    "keyboard", VK_KEYBOARD(VK_INLINE,
	    VK_ROW(vk_button("Да", VK_POSITIVE,
	            VK_PARAMS("cmd", VK_STR("yes"))),
	        vk_callback_button("Нет", VK_NEGATIVE,
	            VK_PARAMS("cmd", VK_STR("no")))),
	    VK_ROW(vk_link_button("Сайт", "https://example.com/"))));
}

static size_t
form_of(struct json_object *params, struct buffer *form)
{
	*form = (struct buffer){ .max = FORM_MAX };
	if (params != NULL)
		form_object(form, params);
	json_object_put(params);
	return params == NULL || form->failed ? 0 : form->len;
}

/* Each allocation fails in turn: the form is complete or NULL. */
static void
no_memory_makes_no_form_with_holes(void **state)
{
	struct json_object *params;
	struct buffer form;
	size_t whole, len;
	long n, live;

	(void)state;
	if (!ALLOC_COUNTS)
		skip();
	whole = form_of(make_params(), &form);
	buffer_free(&form);
	assert_true(whole > 0);
	live = alloc.live;
	for (n = 1; n == 1 || alloc.failed; n++) {
		alloc_fail_at(n);
		params = make_params();
		if (params == NULL)	/* and not by a handler's mistake */
			assert_null(params_why_none());
		len = form_of(params, &form);
		buffer_free(&form);
		assert_true(len == whole || (len == 0 && alloc.failed));
		assert_int_equal(alloc.live, live);
	}
	alloc_fail_at(0);
	assert_true(n > 50);
}

static void
check_none(struct json_object *params, const char *words)
{
	const char *why;

	assert_null(params);
	why = params_why_none();
	assert_non_null(why);
	assert_non_null(strstr(why, words));
}

static void
a_null_that_a_handler_wrote_is_told_of(void **state)
{
	(void)state;
	check_none(NULL, "params is NULL");
	check_none(VK_PARAMS("a", VK_INT(1), "b", NULL, "c", VK_INT(2)),
	    "VK_PARAMS is NULL");
	check_none(VK_PARAMS("keyboard", VK_KEYBOARD(VK_INLINE,
	    VK_ROW(vk_button("A", VK_PRIMARY, NULL)))), "payload is NULL");
	check_none(VK_KEYBOARD(0, VK_ROW(vk_link_button("A", "b"), NULL)),
	    "button or row");
	check_none(VK_KEYBOARD(0, VK_ROW(NULL, vk_link_button("A", "b")),
	    VK_ROW(vk_link_button("C", "d"))), "button or row");
	(void)params_made(NULL);
	params_mistake("a NULL that comes of it");
	assert_null(params_why_none());
}

#define TOKEN "vk1.a.Zq8sTokenOfTheTest0123456789"
#define HIDDEN "(an error text with a secret in it)"

/* The argument is the answer. */
static char *
answer_text(void *arg, const char *method, struct json_object *params)
{
	(void)method;
	(void)params;
	return strdup(arg);
}

/* VK's error of a call, and the error of a call inside execute. */
static void
check_error(const char *words, const char *want)
{
	char answer[1024];
	struct api api;

	api_init(&api, NULL, TOKEN, 0);
	api.stand_in = answer_text;
	api.stand_in_arg = answer;
	snprintf(answer, sizeof(answer), "{\"error\":{\"error_code\":100,"
	    "\"error_msg\":\"%s\"}}", words);
	assert_int_equal(api_call(&api, "execute", VK_PARAMS("secret_key",
	    VK_STR("SecretKey12345")), NULL), VKCB_GIVE_UP);
	assert_string_equal(api.message, want);
	snprintf(answer, sizeof(answer), "{\"response\":{},"
	    "\"execute_errors\":[{\"error_code\":100,\"method\":\"%s\","
	    "\"error_msg\":\"%s\"}]}", words, words);
	assert_int_equal(api_call(&api, "execute", VK_PARAMS("secret_key",
	    VK_STR("SecretKey12345")), NULL), VKCB_OK);
	assert_int_equal(api.inside.failed, 1);
	assert_string_equal(api.inside.method, want);
	assert_string_equal(api.inside.message, want);
	api_forget(&api);
}

static void
no_text_of_vk_quotes_a_secret(void **state)
{
	(void)state;
	check_error("no secret", "no secret");
	check_error("100% of 5%2", "100% of 5%2");
	check_error("token " TOKEN, HIDDEN);
	check_error("secret_key=SecretKey12345", HIDDEN);
	check_error("a part: TokenOfTh", HIDDEN);
	check_error("%53ecretKey12345", HIDDEN);
	check_error("%53%65%63%72%65%74%4b%65%79%31%32%33%34%35", HIDDEN);
	check_error("%2553ecretKey12345 %00", HIDDEN);
	check_error("%%353ecretKey12345", HIDDEN);
	check_error("%73ECRETkEY12345", HIDDEN);
	check_error("VK1.A.ZQ8S", HIDDEN);
	check_error("\\\\u0053ecretKey12345", HIDDEN);
	check_error("\\\\u0053\\\\U0065\\\\u0063\\\\u0072\\\\u0065\\\\u0074"
	    "\\\\u004b\\\\u0065\\\\u0079", HIDDEN);
	check_error("\\u0053\\u0065cretKey12345", HIDDEN);
	check_error("%5Cu0053%5cu0065cret%4Bey%31", HIDDEN);
	check_error("\\\\u002553\\\\u00255cu0065cretKey12345", HIDDEN);
	check_error("\\\\u0053 is no \\\\u00", "\\u0053 is no \\u00");
	check_error("%", "%");
	check_error("%4", "%4");
	check_error("Wrong\\u0000 name", "Wrong\uFFFD name");
	check_error("\\u0000SecretKey12345", HIDDEN);
}

/* Other texts beside error_msg are not read: none is kept. */
static void
no_other_text_of_an_error_is_kept(void **state)
{
	char answer[] = "{\"error\":{\"error_code\":14,\"error_msg\":\"Captcha "
	    "needed\",\"error_text\":\"" TOKEN "\",\"captcha_sid\":\"" TOKEN
	    "\",\"captcha_img\":\"https://x/?" TOKEN "\",\"redirect_uri\":\"x?"
	    TOKEN "\",\"request_params\":[{\"key\":\"access_token\","
	    "\"value\":\"" TOKEN "\"}]}}";
	struct api api;

	(void)state;
	api_init(&api, NULL, TOKEN, 0);
	api.stand_in = answer_text;
	api.stand_in_arg = answer;
	assert_int_equal(api_call(&api, "users.get", VK_NO_PARAMS, NULL),
	    VKCB_FAIL);
	assert_string_equal(api.message, "Captcha needed");
	assert_null(memmem(&api, sizeof(api), "TokenOfTh", 9));
	api_forget(&api);
}

static bool
is_url(const char *text)
{
	static const struct conf_key key = { .type = CONF_URL };
	char right[CONF_RIGHT_MAX];

	return conf_value(&key, text, NULL, right);
}

static void
tokens_go_only_where_nobody_reads(void **state)
{
	(void)state;
	assert_true(is_url("https://api.vk.ru/method/"));
	assert_true(is_url("https://api.vk.com/method"));
	assert_true(is_url("http://127.0.0.1:8080/method/"));
	assert_true(is_url("http://127.9.9.9/"));
	assert_true(is_url("http://localhost"));
	assert_true(is_url("http://[::1]:80/"));
	assert_false(is_url("http://api.vk.ru/method/"));
	assert_false(is_url("http://127.0.0.1.example.com/"));
	assert_false(is_url("http://127.0.0.1@example.com/"));
	assert_false(is_url("http://localhost.example.com/"));
	assert_false(is_url("http://[::1].example.com/"));
	assert_false(is_url("http://[::1]@example.com/"));
	assert_false(is_url("http://128.0.0.1/"));
	assert_false(is_url("HTTP://example.com/"));
	assert_false(is_url("https:///method/"));
	assert_false(is_url("https://api.vk.ru/method/?x="));
	assert_false(is_url("file:///etc/passwd"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_hash_is_fnv_1a),
		cmocka_unit_test(
		    a_random_id_tells_messages_apart_and_repeats_not),
		cmocka_unit_test(a_text_is_cut_at_lines_and_words),
		cmocka_unit_test(parts_of_any_bytes_come_to_an_end),
		cmocka_unit_test(slots_are_twenty_in_any_window),
		cmocka_unit_test(a_slot_that_is_too_far_is_not_taken),
		cmocka_unit_test(times_from_before_a_boot_hold_nobody),
		cmocka_unit_test(json_is_written_as_it_is),
		cmocka_unit_test(no_memory_makes_no_form_with_holes),
		cmocka_unit_test(a_null_that_a_handler_wrote_is_told_of),
		cmocka_unit_test(no_text_of_vk_quotes_a_secret),
		cmocka_unit_test(no_other_text_of_an_error_is_kept),
		cmocka_unit_test(tokens_go_only_where_nobody_reads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
