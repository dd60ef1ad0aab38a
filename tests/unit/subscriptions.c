/* subscriptions.c - the events that VK is asked to send. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <json-c/json.h>

#include "conf/conf.h"
#include "event/catalogue.h"
#include "setup/subscriptions.h"

static struct vkcb_handler one, other;	/* each test has its own */

const struct handler handlers[] = {
	{ "one", &one }, { "other", &other }, { NULL, NULL },
};

static const struct vkcb_handler takes_message_new = {
	.event = VKCB_EVENT_message_new,
}, takes_such_event = {
	.event = VKCB_EVENT_unknown, .type = "such_event",
}, takes_app_payload = {
	.event = VKCB_EVENT_app_payload,
}, takes_any = {
	.event = VKCB_EVENT_any,
};

/* In VK's settings (NULL: there is no server), as a line of words. */
static const char *
show(const char *events, const char *listed, char text[256])
{
	struct conf_group group = { .events = events };
	struct json_object *settings = NULL;
	struct subscriptions subs;
	const struct subscription *sub;
	size_t len = 0;

	text[0] = '\0';
	if (listed != NULL) {
		settings = json_object_new_object();
		json_object_object_add(settings, "events",
		    json_tokener_parse(listed));
	}
	subscriptions_init(&subs, &group, settings);
	for (sub = subs.at; sub < subs.at + subs.n && len < 256; sub++)
		if (sub->wanted || sub->ticked || sub->handled)
			len += (size_t)snprintf(text + len, 256 - len,
			    "%s%s%s%s%s ", sub->name, sub->wanted ? "+" : "-",
			    sub->ticked ? "1" : "0",
			    sub->listed ? "" : "?", sub->handled ? "h" : "");
	json_object_put(settings);
	return text;
}

static void
check(const char *events, const char *listed, const char *want)
{
	char text[256];

	assert_string_equal(want, show(events, listed, text));
}

static void
what_handlers_take_is_wanted_and_nothing_else(void **state)
{
	(void)state;
	one = other = takes_message_new;
	check(NULL, "{\"message_new\":0,\"like_add\":1}",
	    "message_new+0h like_add-1 ");
	check(NULL, "{\"message_new\":1,\"like_add\":0}",
	    "message_new+1h ");
	check("like_add", "{\"message_new\":1,\"like_add\":0}",
	    "like_add+0 message_new-1h ");
}

static void
an_event_that_only_vk_knows_is_one_like_others(void **state)
{
	(void)state;
	one = other = takes_message_new;
	check(NULL, "{\"message_new\":1,\"such_event\":1}",
	    "message_new+1h such_event-1 ");
	other = takes_such_event;
	check(NULL, "{\"message_new\":1,\"such_event\":0,\"so_new\":1}",
	    "message_new+1h such_event+0h so_new-1 ");
	one = other = takes_any;
	check("message_new", "{\"message_new\":0,\"such_event\":1}",
	    "message_new+0h such_event-1h ");
}

static void
a_handler_of_any_and_the_word_all_want_what_there_is(void **state)
{
	char text[256];

	(void)state;
	one = takes_message_new;
	other = takes_any;
	show(NULL, "{\"such_event\":0,\"message_new\":1}", text);
	assert_non_null(strstr(text, "message_new+1h "));
	assert_non_null(strstr(text, "message_reply+0?h "));
	other = takes_message_new;
	show("such_event, all", "{\"message_new\":0}", text);
	assert_ptr_equal(text, strstr(text, "such_event+0? message_new+0h "));
	assert_non_null(strstr(text, "message_reply+0? "));
	assert_null(strstr(text, " all+"));
}

static void
a_list_has_commas_or_blanks_between_its_words(void **state)
{
	static const char *const rows[][2] = {
		{ "", "" }, { " ,\t", "" },
		{ "a,b c\td", "a+0? b+0? c+0? d+0? " },
		{ ", a ,, allow , a", "a+0? allow+0? " },
		{ "a123456789b123456789c123456789d123456789e123456789f123456789"
		  "g123456789", "a123456789b123456789c123456789d123456789"
		  "e123456789f123456789g123456789+0? " },
	};
	size_t i;

	(void)state;
	one = other = takes_such_event;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check(rows[i][0], NULL, rows[i][1]);
}

static void
what_vk_does_not_list_is_known_by_handlers(void **state)
{
	(void)state;
	one = takes_message_new;
	other = takes_such_event;
	check(NULL, NULL, "message_new+0?h such_event+0?h ");
	check(NULL, "[]", "message_new+0?h such_event+0?h ");
	check(NULL, "{\"like_add\":1}",
	    "message_new+0?h such_event+0?h like_add-1 ");
}

/* app_payload is not settable in the catalogue. */
static void
the_list_of_vk_outweighs_the_catalogue(void **state)
{
	(void)state;
	one = other = takes_app_payload;
	check(NULL, "{\"app_payload\":0,\"confirmation\":0}",
	    "app_payload+0h ");
	check(NULL, "{\"message_new\":0}", "");
}

static void
more_events_than_there_is_room_for_are_left_out(void **state)
{
	struct conf_group group = { .events = NULL };
	struct json_object *settings = json_object_new_object();
	struct json_object *flags = json_object_new_object();
	struct subscriptions subs;
	char name[16];
	int i;

	(void)state;
	for (i = 0; i < 2 * SUBSCRIPTIONS_MAX; i++) {
		snprintf(name, sizeof(name), "event_%d", i);
		json_object_object_add(flags, name, json_object_new_int(1));
	}
	json_object_object_add(settings, "events", flags);
	subscriptions_init(&subs, &group, settings);
	assert_int_equal(SUBSCRIPTIONS_MAX, subs.n);
	json_object_put(settings);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_handlers_take_is_wanted_and_nothing_else),
		cmocka_unit_test(
		    an_event_that_only_vk_knows_is_one_like_others),
		cmocka_unit_test(
		    a_handler_of_any_and_the_word_all_want_what_there_is),
		cmocka_unit_test(a_list_has_commas_or_blanks_between_its_words),
		cmocka_unit_test(what_vk_does_not_list_is_known_by_handlers),
		cmocka_unit_test(the_list_of_vk_outweighs_the_catalogue),
		cmocka_unit_test(
		    more_events_than_there_is_room_for_are_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
