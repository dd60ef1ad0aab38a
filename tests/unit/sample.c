/* sample.c - samples compared with VK's real events. */
#include <fnmatch.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "body.h"
#include "event/catalogue.h"
#include "command/body.h"

static struct json_object *
member(struct json_object *object, const char *name)
{
	struct json_object *value = NULL;

	assert_true(json_object_object_get_ex(object, name, &value));
	return value;
}

static void
compare_members(const char *path, struct json_object *sample,
    struct json_object *sent)
{
	json_object_object_foreach(sample, key, value) {
		(void)value;
		if (!json_object_object_get_ex(sent, key, NULL))
			fail_msg("%s has no %s: ONLY in objects.def keeps it "
			    "out of samples", path, key);
	}
}

static void
compare_body(const char *path)
{
	struct json_object *body = json_object_from_file(path), *sent, *sample;
	const struct event_info *info;

	assert_non_null(body);
	info = event_info(json_object_get_string(member(body, "type")));
	assert_non_null(info);
	if (info->has_handlers) {
		sent = member(body, "object");
		sample = sample_object(info);
		compare_members(path, sample, sent);
		if (strcmp(info->name, "message_new") == 0)
			compare_members(path, member(sample, "message"),
			    member(sent, "message"));
		json_object_put(sample);
	}
	json_object_put(body);
}

static void
a_sample_has_no_field_that_vk_does_not_send(void **state)
{
	(void)state;
	assert_true(body_each(compare_body) >= 60);
}

/* A sample agrees with the description of its event. */
static void
a_sample_has_what_its_event_is_about(void **state)
{
	static const char *const rows[][2] = {
		{ "message_allow", "key" }, { "messages_deny", "user_id" },
		{ "photo_comment_edit", "photo_id" },
		{ "video_comment_new", "video_id" },
		{ "market_comment_restore", "item_id" },
		{ "board_post_delete", "topic_id" },
		{ "wall_reply_delete", "post_id" },
		{ "wall_repost", "copy_history" },
		{ "message_edit", "update_time" }, { "group_leave", "self" },
		{ "donut_subscription_create", "amount" },
		{ "donut_subscription_price_changed", "amount_new" },
		{ "donut_money_withdraw_error", "reason" },
	};
	struct json_object *sample;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		sample = sample_object(event_info(rows[i][0]));
		if (!json_object_object_get_ex(sample, rows[i][1], NULL))
			fail_msg("%s lacks %s", rows[i][0], rows[i][1]);
		json_object_put(sample);
	}
}

static int
is_event(const char *pattern)
{
	const struct event_info *info;

	for (info = event_infos; info->name != NULL; info++)
		if (fnmatch(pattern, info->name, 0) == 0)
			return 1;
	return 0;
}

static int
is_field(const char *tag, const char *name)
{
	const struct field *field = object_type(tag)->fields;

	while (field->name != NULL && strcmp(field->name, name) != 0)
		field++;
	return field->name != NULL;
}

static void
check_only(const char *tag, const char *events, const char *fields)
{
	char words[1024], *word, *rest;

	snprintf(words, sizeof(words), "%s", events);
	for (rest = words; (word = strsep(&rest, " ")) != NULL;)
		if (*word != '\0' && !is_event(word))
			fail_msg("%s: no event is %s", tag, word);
	snprintf(words, sizeof(words), "%s", fields);
	for (rest = words; (word = strsep(&rest, " ")) != NULL;)
		if (!is_field(tag, word))
			fail_msg("%s has no field %s", tag, word);
}

static void
only_names_events_and_fields(void **state)
{
	(void)state;
#define ONLY(tag, events, fields) check_only(#tag, events, fields);
#include "src/objects.def"
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_sample_has_no_field_that_vk_does_not_send),
		cmocka_unit_test(a_sample_has_what_its_event_is_about),
		cmocka_unit_test(only_names_events_and_fields),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
