/* limits.c - the test kit refuses the calls that VK refuses, and no others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "vkcb_test.h"

/* The handler's call, its code and its words. */
static const char *method;
static struct json_object *params;
static int code;
static char words[320];

static enum vkcb_outcome
call(struct vkcb_event *ev)
{
	enum vkcb_outcome outcome = vkcb_api(ev, method, params, NULL);

	code = vkcb_error(ev)->code;
	snprintf(words, sizeof(words), "%s", vkcb_error(ev)->message);
	return outcome;
}

static const struct vkcb_handler handler = { ON(any, call) };

static void
is_told(struct json_object *given, int want, const char *why)
{
	struct vkcb_test *test = vkcb_test_new();

	params = given;
	assert_int_equal(VKCB_TEST_EVENT(test, &handler),
	    want == 0 ? VKCB_OK : VKCB_GIVE_UP);
	if (code != want || strstr(words, why) == NULL)
		fail_msg("%d %s, not %d %s", code, words, want, why);
	vkcb_test_free(test);
}

/* A text of n times this one. */
static char *
times(const char *text, size_t n)
{
	static char out[40000];
	size_t len = strlen(text), i;

	assert_true(n * len < sizeof(out));
	for (i = 0; i < n; i++)
		memcpy(out + i * len, text, len);
	out[n * len] = '\0';
	return out;
}

static void
text_is(const char *text, int want, const char *why)
{
	is_told(VK_PARAMS("peer_id", VK_INT(7), "message", VK_STR(text)),
	    want, why);
}

static void
keyboard_is(struct json_object *keyboard, int want, const char *why)
{
	method = "messages.send";
	is_told(VK_PARAMS("peer_id", VK_INT(7), "message", VK_STR("x"),
	    "keyboard", keyboard), want, why);
}

static struct json_object *
label_of(const char *text, size_t n)
{
	return VK_KEYBOARD(0, VK_ROW(vk_button(times(text, n), VK_PRIMARY,
	    VK_NO_PARAMS)));
}

/* Rows of so many buttons. */
static struct json_object *
grid(unsigned int flags, size_t rows, size_t columns)
{
	struct json_object *list = json_object_new_array(), *row;
	size_t i, k;

	for (i = 0; i < rows; i++) {
		row = json_object_new_array();
		for (k = 0; k < columns; k++)
			json_object_array_add(row, vk_button("A",
			    VK_SECONDARY, VK_NO_PARAMS));
		json_object_array_add(list, row);
	}
	return flags == VK_INLINE ? VK_PARAMS("inline", VK_BOOL(true),
	    "buttons", list) : VK_PARAMS("buttons", list);
}

static struct json_object *
link_button(void)
{
	return vk_link_button("A", "https://example.com/");
}

static void
texts_have_9000_characters(void **state)
{
	(void)state;
	method = "messages.send";
	text_is(times("ы", 9000), 0, "");
	text_is(times("ы", 9001), 914, "Message is too long");
	text_is(times("🚀", 4500), 0, "");
	text_is(times("🚀", 4501), 914, "Message is too long");
	text_is(" \n", 100, "message is empty or invalid");
	text_is("\xff", 100, "message is not UTF-8");
	is_told(VK_PARAMS("attachment", VK_STR("photo1_2")), 0, "");
	is_told(VK_PARAMS("message", VK_STR("x"), "forward",
	    VK_STR("{\"is_reply\":1}")), 100, "forward is invalid");
	method = "messages.edit";
	text_is(times("ы", 9001), 914, "Message is too long");
}

static void
keyboards_have_rows_and_columns(void **state)
{
	(void)state;
	keyboard_is(VK_NO_KEYBOARD, 0, "");
	keyboard_is(grid(0, 8, 5), 0, "");
	keyboard_is(grid(0, 10, 4), 0, "");
	keyboard_is(grid(0, 11, 1), 911, "buttons contain too much rows");
	keyboard_is(grid(0, 9, 5), 911, "keyboard contains too much buttons");
	keyboard_is(grid(0, 1, 6), 911, "row 0 contains too much columns");
	keyboard_is(grid(0, 1, 0), 911, "row 0 is empty");
	keyboard_is(grid(VK_INLINE, 2, 5), 0, "");
	keyboard_is(grid(VK_INLINE, 6, 1), 0, "");
	keyboard_is(grid(VK_INLINE, 7, 1), 911, "too much rows");
	keyboard_is(grid(VK_INLINE, 3, 4), 911, "too much buttons");
	keyboard_is(VK_KEYBOARD(0, VK_ROW(link_button(), link_button())), 0,
	    "");
	keyboard_is(VK_KEYBOARD(0, VK_ROW(link_button(), link_button(),
	    link_button())), 911, "row 0 with button of type open_link can "
	    "contain only 2 button(s)");
	keyboard_is(VK_PARAMS("inline", VK_BOOL(true), "one_time",
	    VK_BOOL(false), "buttons", json_object_new_array()), 911,
	    "one_time");
	keyboard_is(VK_STR("[]"), 911, "keyboard should be object");
	keyboard_is(VK_STR("{"), 911, "keyboard should be object");
	keyboard_is(VK_NO_PARAMS, 911, "buttons should be array");
	keyboard_is(VK_STR("{\"buttons\":[{}]}"), 911, "row 0 should be array");
}

static void
buttons_have_labels_and_payloads(void **state)
{
	(void)state;
	keyboard_is(label_of("о", 40), 0, "");
	keyboard_is(label_of("🚀", 40), 0, "");
	keyboard_is(label_of("о", 41), 911, "button [0][0] label should be "
	    "less or equal than 40 letters");
	keyboard_is(label_of("", 0), 911, "button [0][0] label should be at "
	    "least 1 letters");
	keyboard_is(VK_KEYBOARD(0, VK_ROW(vk_callback_button("A", VK_PRIMARY,
	    VK_STR(times("x", 253))))), 0, "");
	keyboard_is(VK_KEYBOARD(0, VK_ROW(vk_callback_button("A", VK_PRIMARY,
	    VK_STR(times("x", 254))))), 911, "payload should be less");
	keyboard_is(VK_STR("{\"buttons\":[[{\"action\":{\"type\":\"text\","
	    "\"label\":\"A\",\"payload\":\"x\"}}]]}"), 911, "payload is not");
	keyboard_is(VK_STR("{\"buttons\":[[{\"action\":{\"type\":\"link\","
	    "\"label\":\"A\"}}]]}"), 911, "action type is invalid");
	keyboard_is(VK_STR("{\"buttons\":[[{\"action\":{\"type\":\"open_link\","
	    "\"label\":\"A\"}}]]}"), 911, "link is required");
	keyboard_is(VK_STR("{\"buttons\":[[{\"action\":{\"type\":\"text\","
	    "\"label\":\"A\"},\"color\":\"red\"}]]}"), 911, "color is invalid");
	keyboard_is(VK_STR("{\"buttons\":[[{\"action\":{\"type\":\"location\","
	    "\"payload\":\"{}\"}}]]}"), 0, "");
}

/* Cards of a carousel, the last one with so many buttons. */
static void
carousel_is(size_t cards, size_t buttons, const char *title, const char *why)
{
	struct json_object *list = json_object_new_array(), *row;
	size_t i, k;

	for (i = 0; i < cards; i++) {
		row = json_object_new_array();
		for (k = 0; k < (i + 1 < cards ? 1 : buttons); k++)
			json_object_array_add(row, link_button());
		json_object_array_add(list, VK_PARAMS("title", VK_STR(title),
		    "description", VK_STR("x"), "buttons", row));
	}
	method = "messages.send";
	is_told(VK_PARAMS("message", VK_STR("x"), "template", VK_PARAMS("type",
	    VK_STR("carousel"), "elements", list)), *why != '\0' ? 911 : 0,
	    why);
}

static void
carousels_have_cards_alike(void **state)
{
	(void)state;
	carousel_is(10, 1, "x", "");
	carousel_is(1, 3, times("ы", 80), "");
	carousel_is(11, 1, "x", "should contain 1 to 10 elements");
	carousel_is(0, 1, "x", "should contain 1 to 10 elements");
	carousel_is(1, 4, "x", "[0]['buttons'] should contain 1 to 3");
	carousel_is(2, 0, "x", "[1]['buttons'] should contain 1 to 3");
	carousel_is(2, 2, "x", "[1] differs from the first");
	carousel_is(1, 1, times("ы", 81), "80 letters");
	is_told(VK_PARAMS("message", VK_STR("x"), "template",
	    VK_STR("{\"type\":\"list\"}")), 911, "type");
}

static void
answers_to_buttons_have_90_characters(void **state)
{
	(void)state;
	method = "messages.sendMessageEventAnswer";
	is_told(VK_PARAMS("event_id", VK_STR("e")), 0, "");
	is_told(VK_PARAMS("event_data", VK_PARAMS("type",
	    VK_STR("show_snackbar"), "text", VK_STR(times("ы", 90)))), 0, "");
	is_told(VK_PARAMS("event_data", VK_PARAMS("type",
	    VK_STR("show_snackbar"), "text", VK_STR(times("ы", 91)))), 100,
	    "event_data is invalid");
	is_told(VK_PARAMS("event_data", VK_PARAMS("type",
	    VK_STR("open_link"), "link", VK_STR("https://vk.com"))), 0, "");
	is_told(VK_PARAMS("event_data", VK_PARAMS("type", VK_STR("open_app"))),
	    100, "event_data is invalid");
	is_told(VK_PARAMS("event_data", VK_STR("text")), 100,
	    "event_data should be object");
}

/* VK refuses also where the test has set a response. */
static void
a_response_that_is_set_is_no_permission(void **state)
{
	struct vkcb_test *test = vkcb_test_new();

	(void)state;
	method = "messages.send";
	vkcb_test_answer(test, method, "{\"response\":5}");
	params = VK_PARAMS("message", VK_STR(""));
	assert_int_equal(VKCB_TEST_EVENT(test, &handler), VKCB_GIVE_UP);
	assert_int_equal(code, 100);
	assert_int_equal(vkcb_test_calls(test), 1);
	params = VK_PARAMS("message", VK_STR("x"));
	assert_int_equal(VKCB_TEST_EVENT(test, &handler), VKCB_OK);
	vkcb_test_free(test);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_have_9000_characters),
		cmocka_unit_test(keyboards_have_rows_and_columns),
		cmocka_unit_test(buttons_have_labels_and_payloads),
		cmocka_unit_test(carousels_have_cards_alike),
		cmocka_unit_test(answers_to_buttons_have_90_characters),
		cmocka_unit_test(a_response_that_is_set_is_no_permission),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
