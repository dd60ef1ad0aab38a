/* trees.c - trees of JSON for handlers, and the payloads of buttons. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "vkcb_test.h"

static const char sent[] = "{\"items\":[{\"name\":\"Анна\",\"n\":1},"
    "{\"name\":\"\\u0411\",\"n\":\"12\"}],\"a.b\":1,\"\":7,\"yes\":true,"
    "\"no\":false,\"one\":1,\"text\":\"1\",\"whole\":12.0,\"half\":-0.5,"
    "\"large\":9223372036854775807,\"larger\":9223372036854775808,"
    "\"huge\":1e400,\"long\":9007199254740993,\"null\":null,\"word\":\"x\","
    "\"twice\":1,\"twice\":2}";

static struct json_object *tree;

static void
paths_lead_to_values(void **state)
{
	(void)state;
	assert_ptr_equal(vk_get(tree, ""), tree);
	assert_int_equal(vk_get_len(tree, "items"), 2);
	assert_string_equal(vk_get_str(tree, "items.0.name"), "Анна");
	assert_string_equal(vk_get_str(tree, "items.1.name"), "Б");
	assert_int_equal(vk_get_int(vk_get(tree, "items.1"), "n"), 12);
	assert_int_equal(vk_get_int(tree, "twice"), 2);
}

static void
what_is_not_there_is_nothing(void **state)
{
	static const char *const paths[] = {
		"nothing", "items.2", "items.2.name", "items.-1", "items.x",
		"items.99999999999999999999", "items.0.name.0", "a.b", "null",
		"null.x", "items..name", ".", "..", "items.", "yes.1", NULL,
	};
	char path[1000];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		assert_string_equal(vk_get_str(tree, paths[i]), "");
		assert_int_equal(vk_get_int(tree, paths[i]), 0);
		assert_false(vk_get_double(tree, paths[i]) > 0);
		assert_false(vk_get_bool(tree, paths[i]));
	}
	memset(path, 'a', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	assert_null(vk_get(tree, path));
	assert_null(vk_get(NULL, "a"));
	assert_string_equal(vk_get_str(NULL, NULL), "");
	assert_int_equal(vk_get_len(NULL, ""), 0);
}

static void
a_value_of_another_type_is_nothing(void **state)
{
	static const struct {
		const char *path, *text;
		int64_t number;
		double real;
		bool flag;
		size_t len;
	} rows[] = {
		{ "word", "x", 0, 0, false, 0 },
		{ "text", "1", 1, 1, true, 0 },
		{ "one", "", 1, 1, true, 0 },
		{ "yes", "", 0, 0, true, 0 }, { "no", "", 0, 0, false, 0 },
		{ "whole", "", 12, 12, false, 0 },
		{ "half", "", 0, -0.5, false, 0 },
		{ "large", "", INT64_MAX, 0, false, 0 },
		{ "larger", "", 0, 0, false, 0 },
		{ "huge", "", 0, 0, false, 0 },
		{ "long", "", 9007199254740993, 0, false, 0 },
		{ "items", "", 0, 0, false, 2 },
		{ "items.0", "", 0, 0, false, 0 },
	};
	size_t i;
	double real;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_string_equal(vk_get_str(tree, rows[i].path),
		    rows[i].text);
		if (vk_get_int(tree, rows[i].path) != rows[i].number)
			fail_msg("%s", rows[i].path);
		real = vk_get_double(tree, rows[i].path);
		if (real < rows[i].real || real > rows[i].real)
			fail_msg("%s is %g", rows[i].path, real);
		if (vk_get_bool(tree, rows[i].path) != rows[i].flag)
			fail_msg("%s", rows[i].path);
		assert_int_equal(vk_get_len(tree, rows[i].path), rows[i].len);
	}
}

/* The JSON that the next event's handler makes a tree of. */
static const char *wanted;

static enum vkcb_outcome
look(struct vkcb_event *ev, const struct vk_message_event *press)
{
	struct json_object *made = vkcb_json(ev, &press->payload);
	struct vk_json part = { "[1]2", 3 }, broken = { "[1}", 3 };
	char text[] = "[1]";

	assert_ptr_equal(made, vkcb_json(ev, &press->payload));
	assert_ptr_equal(made, vkcb_payload(ev, press));
	assert_string_equal(made == NULL ? "none" :
	    json_object_to_json_string_ext(made, JSON_C_TO_STRING_PLAIN),
	    wanted);
	assert_int_equal(vk_get_len(vkcb_json(ev, &part), ""), 1);
	assert_null(vkcb_json(ev, &broken));
	assert_null(vkcb_json(ev, NULL));
	/* Other JSON may come to stand at the same place. */
	part.text = text;
	assert_int_equal(vk_get_int(vkcb_json(ev, &part), "0"), 1);
	text[1] = '2';
	assert_int_equal(vk_get_int(vkcb_json(ev, &part), "0"), 2);
	return VKCB_OK;
}

static const struct vkcb_handler handler_look = { ON(message_event, look) };

static void
a_tree_is_made_of_any_json(void **state)
{
	static const char *const rows[][2] = {
		{ "{\"a\":[1,{\"b\":null}]}", "{\"a\":[1,{\"b\":null}]}" },
		{ " [ 1.50 ] ", "[1.50]" }, { "{\"\\u0061\":1}", "{\"a\":1}" },
		{ "12", "12" }, { "false", "false" }, { "null", "none" },
		{ "\"text\"", "\"text\"" }, { "\"\"", "\"\"" },
	};
	struct vkcb_test *t = vkcb_test_new();
	char body[256];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		wanted = rows[i][1];
		snprintf(body, sizeof(body), "{\"type\":\"message_event\","
		    "\"group_id\":1,\"object\":{\"payload\":%s}}", rows[i][0]);
		assert_int_equal(vkcb_test_body(t, &handler_look, body),
		    VKCB_OK);
	}
	vkcb_test_free(t);
}

static enum vkcb_outcome
look_for_cmd(struct vkcb_event *ev, const struct vk_message_new *new)
{
	struct vk_message message = { .text = "x" };
	struct json_object *payload = vkcb_payload(ev, new->message);

	assert_string_equal(vk_get_str(payload, "cmd"), wanted);
	assert_int_equal(payload == NULL, *new->message->payload == '\0' ||
	    *new->message->payload == '?');
	assert_null(vkcb_payload(ev, &message));
	return VKCB_OK;
}

static const struct vkcb_handler handler_cmd = {
	ON(message_new, look_for_cmd)
};

static void
a_payload_is_that_of_the_button(void **state)
{
	static const char *const rows[][2] = {
		{ "{\\\"cmd\\\":\\\"go\\\"}", "go" }, { "", "" }, { "?", "" },
		{ "[1]", "" }, { "12", "" }, { "\\\"go\\\"", "" },
		/* A callback button in an old client. */
		{ "{\\\"command\\\":\\\"not_supported_button\\\",\\\"payload"
		    "\\\":\\\"{\\\\\\\"cmd\\\\\\\":\\\\\\\"go\\\\\\\"}\\\"}",
		    "go" },
		{ "{\\\"command\\\":\\\"not_supported_button\\\",\\\"payload"
		    "\\\":{\\\"cmd\\\":\\\"go\\\"}}", "go" },
		{ "{\\\"command\\\":\\\"start\\\",\\\"cmd\\\":\\\"a\\\"}",
		    "a" },
	};
	struct vkcb_test *t = vkcb_test_new();
	char body[256];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		wanted = rows[i][1];
		snprintf(body, sizeof(body), "{\"type\":\"message_new\","
		    "\"group_id\":1,\"object\":{\"message\":{\"payload\":"
		    "\"%s\"}}}", rows[i][0]);
		assert_int_equal(vkcb_test_body(t, &handler_cmd, body),
		    VKCB_OK);
	}
	vkcb_test_free(t);
}

/* The tree is made by an event's function, and outlives the event here. */
static enum vkcb_outcome
keep(struct vkcb_event *ev)
{
	tree = json_object_get(vkcb_json(ev, &ev->object));
	return VKCB_OK;
}

static const struct vkcb_handler handler_keep = { ON_TYPE("new", keep) };
static struct vkcb_test *kept;

static int
make_tree(void **state)
{
	char body[sizeof(sent) + 64];

	(void)state;
	snprintf(body, sizeof(body), "{\"type\":\"new\",\"group_id\":1,"
	    "\"object\":%s}", sent);
	kept = vkcb_test_new();
	return vkcb_test_body(kept, &handler_keep, body) == VKCB_OK ? 0 : -1;
}

static int
put_tree(void **state)
{
	(void)state;
	json_object_put(tree);
	vkcb_test_free(kept);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths_lead_to_values),
		cmocka_unit_test(what_is_not_there_is_nothing),
		cmocka_unit_test(a_value_of_another_type_is_nothing),
		cmocka_unit_test(a_tree_is_made_of_any_json),
		cmocka_unit_test(a_payload_is_that_of_the_button),
	};

	return cmocka_run_group_tests(tests, make_tree, put_tree);
}
