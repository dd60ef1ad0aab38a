/* ticked.c - which events VK is asked to send. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "conf/conf.h"
#include "event/handler_table.h"
#include "setup/subscriptions.h"

static struct vkcb_handler one, other;	/* each test has its own */

const struct handler handlers[] = {
	{ "one", &one }, { "other", &other }, { NULL, NULL },
};

static const struct vkcb_handler takes_message_new = {
	.event = VKCB_EVENT_message_new,
}, takes_such_event = {
	.event = VKCB_EVENT_unknown, .type = "such_event",
}, takes_any = {
	.event = VKCB_EVENT_any,
};

/* What is changed of the events that VK lists, as JSON in the order given. */
static void
check_changes(const char *events, const char *listed, const char *want)
{
	struct conf_group group = { .events = events };
	struct json_object *settings = json_object_new_object();
	struct json_object *changes = json_object_new_object();
	int n;

	json_object_object_add(settings, "events", json_tokener_parse(listed));
	n = subscription_changes(&group, settings, changes);
	assert_int_equal(n, json_object_object_length(changes));
	assert_string_equal(want, json_object_to_json_string_ext(changes,
	    JSON_C_TO_STRING_PLAIN));
	json_object_put(changes);
	json_object_put(settings);
}

static void
what_handlers_take_is_ticked_and_nothing_else(void **state)
{
	(void)state;
	one = other = takes_message_new;
	check_changes(NULL, "{\"message_new\":0,\"like_add\":1}",
	    "{\"message_new\":1,\"like_add\":0}");
	check_changes(NULL, "{\"message_new\":1,\"like_add\":0}", "{}");
	check_changes("like_add", "{\"message_new\":1,\"like_add\":0}",
	    "{\"message_new\":0,\"like_add\":1}");
}

static void
an_event_that_only_vk_knows_is_one_like_others(void **state)
{
	(void)state;
	one = other = takes_message_new;
	check_changes(NULL, "{\"message_new\":1,\"such_event\":1}",
	    "{\"such_event\":0}");
	check_changes(NULL, "{\"message_new\":1,\"such_event\":0}", "{}");
	other = takes_such_event;
	check_changes(NULL, "{\"such_event\":0,\"so_new_event\":1}",
	    "{\"such_event\":1,\"so_new_event\":0}");
	other = takes_any;
	check_changes(NULL, "{\"such_event\":0,\"so_new_event\":1}",
	    "{\"such_event\":1}");
	check_changes("message_new", "{\"such_event\":1}",
	    "{\"such_event\":0}");
	check_changes("all", "{\"such_event\":0}", "{\"such_event\":1}");
}

static void
join(void *arg, const char *event)
{
	char *text = arg;
	size_t len = strlen(text);

	snprintf(text + len, 256 - len, "<%s>", event);
}

static void
a_list_has_commas_or_blanks_between_its_words(void **state)
{
	static const struct {
		const char *list, *words;
		bool all;
	} rows[] = {
		{ "", "", false },
		{ " ,\t", "", false },
		{ "all", "", true },
		{ "a,b c\td", "<a><b><c><d>", false },
		{ ", a ,, all, allow ,", "<a><allow>", true },
		{ "a123456789b123456789c123456789d123456789e123456789f123456789"
		  "g123456789", "<a123456789b123456789c123456789d123456789"
		  "e123456789f123456789g123456789>", false },
	};
	char text[256];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		text[0] = '\0';
		assert_int_equal(rows[i].all,
		    subscription_each_word(rows[i].list, join, text));
		assert_string_equal(rows[i].words, text);
	}
}

static void
events_to_tick_for_handlers_are_known_without_vk(void **state)
{
	char text[256] = "";

	(void)state;
	one = takes_message_new;
	other = takes_such_event;
	subscription_handled(join, text);
	assert_string_equal("<message_new>", text);
}

static void
what_cannot_be_set_is_left_alone(void **state)
{
	(void)state;
	one = other = takes_any;
	check_changes(NULL, "{\"app_payload\":0,\"confirmation\":0}", "{}");
	check_changes(NULL, "[]", "{}");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    what_handlers_take_is_ticked_and_nothing_else),
		cmocka_unit_test(
		    an_event_that_only_vk_knows_is_one_like_others),
		cmocka_unit_test(a_list_has_commas_or_blanks_between_its_words),
		cmocka_unit_test(
		    events_to_tick_for_handlers_are_known_without_vk),
		cmocka_unit_test(what_cannot_be_set_is_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
