/* decode.c - JSON of every kind into every kind of field. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alloc.h"
#include "arena.h"
#include "body.h"
#include "event/catalogue.h"
#include "event/event.h"

/* A decoded object, and the reported mismatches, one per line. */
struct decoded {
	char *text;
	struct vk_json object;
	struct arena arena;
	const void *typed;
	char odd[4096];
};

static void
note_odd(void *arg, const struct decode_place *place, const char *got,
    const char *wanted)
{
	struct decoded *decoded = arg;
	size_t len = strlen(decoded->odd);
	char path[DECODE_PATH_MAX];

	decode_path(place, path);
	snprintf(decoded->odd + len, sizeof(decoded->odd) - len,
	    "%s: %s, not %s\n", path, got, wanted);
}

static void
decoded_release(struct decoded *decoded)
{
	arena_release(&decoded->arena);
	free(decoded->text);
}

/* The text of an event's object, with the NUL that check_json() wants. */
static void
make_object(struct decoded *decoded, const char *object)
{
	struct json_value value;
	size_t len = strlen(object), where;

	memset(decoded, 0, sizeof(*decoded));
	decoded->text = malloc(len + 1);
	assert_non_null(decoded->text);
	memcpy(decoded->text, object, len + 1);
	assert_null(json_check_value(decoded->text, len, &value, &where));
	decoded->object = (struct vk_json){ decoded->text, len };
	decoded->arena = (struct arena){ .chunks = NULL };
}

/* Decodes the text as an object of the event. */
static bool
decode(struct decoded *decoded, enum vkcb_event_type type, const char *object)
{
	make_object(decoded, object);
	decoded->typed = decode_event(type, &decoded->object, &decoded->arena,
	    note_odd, decoded);
	assert_string_equal(decoded->text, object);
	return decoded->typed != NULL;
}

/* A tree of JSON as it was sent; NULL: null, or none. */
static struct json_object *
tree_of(const struct vk_json *json)
{
	struct json_object *tree = NULL;
	char error[64];

	if (json->text != NULL)
		assert_int_equal(json_parse(json->text, json->len, &tree,
		    error, sizeof(error)), 0);
	return tree;
}

static bool
same_json(const struct vk_json *json, struct json_object *wanted)
{
	struct json_object *tree = tree_of(json);
	bool same = json_object_equal(tree, wanted);

	json_object_put(tree);
	return same;
}

static void
assert_odd(const struct decoded *decoded, const char *name, const char *got,
    const char *wanted)
{
	char line[256] = "";

	if (got != NULL)
		snprintf(line, sizeof(line), "object.%s: %s, not %s\n", name,
		    got, wanted);
	assert_string_equal(decoded->odd, line);
}

/* Values for a field of any kind, and the results. */
#define TEXT "string"
#define LIST_ "array"
#define OBJECT_ "object"
#define BOOLEAN "boolean"
#define RANGE "integer out of range"
#define FRACTION "number with a fraction"
#define NOT_01 "number other than 0 and 1"
#define HUGE_ "number out of range"
#define NUMBER "number"

static void
an_integer_is_exact_or_absent(void **state)
{
	static const struct {
		const char *json;
		int64_t wanted;
		const char *odd;	/* NULL: nothing to report */
	} rows[] = {
		{ "0", 0, NULL }, { "42", 42, NULL }, { "-42", -42, NULL },
		{ "-0", 0, NULL },
		{ "9223372036854775807", INT64_MAX, NULL },
		{ "-9223372036854775808", INT64_MIN, NULL },
		{ "200000123456", INT64_C(200000123456), NULL },
		{ "9007199254740993", INT64_C(9007199254740993), NULL },
		{ "12.0", 12, NULL }, { "100.00", 100, NULL },
		{ "1e2", 100, NULL }, { "1.5e1", 15, NULL },
		{ "9007199254740991.0", INT64_C(9007199254740991), NULL },
		{ "9223372036854775807.0", 0, RANGE },
		{ "\"12\"", 12, NULL }, { "\"-12\"", -12, NULL },
		{ "\"12.0\"", 12, NULL }, { "\"1e2\"", 100, NULL },
		{ "\"9223372036854775807\"", INT64_MAX, NULL },
		{ "null", 0, NULL },
		{ "9223372036854775808", 0, RANGE },
		{ "18446744073709551615", 0, RANGE },
		{ "18446744073709551616", 0, RANGE },
		{ "-9223372036854775809", 0, RANGE },
		{ "1e19", 0, RANGE }, { "1e999", 0, RANGE },
		{ "1e-999", 0, FRACTION }, { "0.5", 0, FRACTION },
		{ "100.5", 0, FRACTION }, { "-1e-1", 0, FRACTION },
		{ "\"\"", 0, TEXT }, { "\" 12\"", 0, TEXT },
		{ "\"12 \"", 0, TEXT }, { "\"012\"", 0, TEXT },
		{ "\"+12\"", 0, TEXT }, { "\"0x12\"", 0, TEXT },
		{ "\"12\\u0000\"", 0, TEXT }, { "\"100.5\"", 0, TEXT },
		{ "\"9223372036854775808\"", 0, TEXT },
		{ "\"nan\"", 0, TEXT }, { "\"twelve\"", 0, TEXT },
		{ "true", 0, BOOLEAN }, { "false", 0, BOOLEAN },
		{ "[]", 0, LIST_ }, { "[12]", 0, LIST_ },
		{ "{}", 0, OBJECT_ }, { "{\"a\":12}", 0, OBJECT_ },
	};
	const struct vk_group_member *member;
	struct decoded decoded;
	char object[128];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(object, sizeof(object), "{\"user_id\":%s,"
		    "\"join_type\":\"join\"}", rows[i].json);
		assert_true(decode(&decoded, VKCB_EVENT_group_join,
		    object));
		member = decoded.typed;
		if (member->user_id != rows[i].wanted)
			fail_msg("%s came out as %lld", rows[i].json,
			    (long long)member->user_id);
		assert_odd(&decoded, "user_id", rows[i].odd, "64-bit integer");
		assert_string_equal(member->join_type, "join");
		decoded_release(&decoded);
	}
}

static void
a_boolean_may_be_0_or_1(void **state)
{
	static const struct {
		const char *json;
		int wanted;
		const char *odd;
	} rows[] = {
		{ "true", 1, NULL }, { "false", 0, NULL }, { "1", 1, NULL },
		{ "0", 0, NULL }, { "1.0", 1, NULL }, { "\"1\"", 1, NULL },
		{ "\"0\"", 0, NULL }, { "null", 0, NULL },
		{ "2", 0, NOT_01 }, { "-1", 0, NOT_01 }, { "0.5", 0, NOT_01 },
		{ "18446744073709551615", 0, NOT_01 },
		{ "\"true\"", 0, TEXT }, { "\"\"", 0, TEXT },
		{ "[]", 0, LIST_ }, { "[1]", 0, LIST_ }, { "{}", 0, OBJECT_ },
	};
	const struct vk_group_member *member;
	struct decoded decoded;
	char object[128];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(object, sizeof(object), "{\"self\":%s}",
		    rows[i].json);
		assert_true(decode(&decoded, VKCB_EVENT_group_leave,
		    object));
		member = decoded.typed;
		if (member->self != rows[i].wanted)
			fail_msg("%s", rows[i].json);
		assert_odd(&decoded, "self", rows[i].odd, "boolean");
		decoded_release(&decoded);
	}
}

static const struct {
	const char *json;
	double wanted;
	const char *odd;
} doubles[] = {
	{ "100", 100, NULL }, { "100.0", 100, NULL },
	{ "100.5", 100.5, NULL }, { "1e2", 100, NULL },
	{ "-0.25", -0.25, NULL }, { "0", 0, NULL }, { "0.0", 0, NULL },
	{ "0e9", 0, NULL }, { "179.55", 179.55, NULL },
	{ "\"100.5\"", 100.5, NULL }, { "\"1e2\"", 100, NULL },
	{ "\"0\"", 0, NULL }, { "null", 0, NULL },
	{ "9007199254740991", 9007199254740991.0, NULL },
	{ "9007199254740992", 0, HUGE_ },
	{ "9007199254740993", 0, HUGE_ }, { "-9007199254740993.0", 0, HUGE_ },
	{ "9223372036854775807", 0, HUGE_ },
	{ "18446744073709551615", 0, HUGE_ }, { "1e300", 0, HUGE_ },
	{ "1e999", 0, HUGE_ }, { "-1e999", 0, HUGE_ },
	{ "\"1e999\"", 0, TEXT }, { "\"9007199254740993\"", 0, TEXT },
	{ "\"nan\"", 0, TEXT },
	{ "\"inf\"", 0, TEXT }, { "\"0x1p3\"", 0, TEXT },
	{ "\" 1\"", 0, TEXT }, { "\"1 \"", 0, TEXT },
	{ "\"\"", 0, TEXT }, { "\"1\\u0000\"", 0, TEXT },
	{ "\"100,5\"", 0, TEXT },
	/* Fractions become the nearest double. */
	{ "4.35", 4.35, NULL }, { "-56.858721", -56.858721, NULL },
	{ "0.00000000000001", 0.00000000000001, NULL },
	{ "9007199254740.99", 9007199254740.99, NULL },
	{ "0.123456789012345", 0.123456789012345, NULL },
	{ "0.1234567890123456789", 0.1234567890123456789, NULL },
	{ "1.5e3", 1500, NULL }, { "1.50E-1", 0.15, NULL },
	{ "0.1", 0.1, NULL }, { "\"0.1\"", 0.1, NULL }, { "1e-999", 0, NULL },
	{ "1e-310", 1e-310, NULL }, { "\"1e-310\"", 1e-310, NULL },
	{ "-0.0e5", 0, NULL }, { "\"0.00\"", 0, NULL },
	{ "true", 0, BOOLEAN }, { "false", 0, BOOLEAN },
	{ "[]", 0, LIST_ }, { "{}", 0, OBJECT_ },
};

static void
a_double_loses_no_integer(void **state)
{
	const struct vk_donut_subscription *donut;
	struct decoded decoded;
	char object[128];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(doubles) / sizeof(doubles[0]); i++) {
		snprintf(object, sizeof(object), "{\"amount\":%s}",
		    doubles[i].json);
		assert_true(decode(&decoded,
		    VKCB_EVENT_donut_subscription_create, object));
		donut = decoded.typed;
		if (donut->amount > doubles[i].wanted ||
		    donut->amount < doubles[i].wanted)
			fail_msg("%s came out as %g", doubles[i].json,
			    donut->amount);
		assert_odd(&decoded, "amount", doubles[i].odd, "number");
		decoded_release(&decoded);
	}
}

static void
a_text_is_whole_or_absent(void **state)
{
	static const struct {
		const char *json;
		const char *wanted;
		const char *odd;
	} rows[] = {
		{ "\"привет\"", "привет", NULL }, { "\"\"", "", NULL },
		{ "\"\\ud83d\\ude9a\\n\"", "🚚\n", NULL },
		{ "\"a\\ud83d\"", "a\uFFFD", NULL },
		{ "\"\\udc00\\ud83db\"", "\uFFFD\uFFFDb", NULL },
		{ "12", "12", NULL }, { "-12", "-12", NULL },
		{ "-0", "-0", NULL },
		{ "9223372036854775807", "9223372036854775807", NULL },
		{ "18446744073709551615", "18446744073709551615", NULL },
		{ "12.50", "12.50", NULL }, { "1e2", "1e2", NULL },
		{ "123456789012345678901234567890",
		    "123456789012345678901234567890", NULL },
		{ "null", "", NULL },
		{ "\"a\\u0000b\"", "a\uFFFDb", NULL },
		{ "\"\\u0000\"", "\uFFFD", NULL },
		{ "true", "", BOOLEAN }, { "false", "", BOOLEAN },
		{ "[]", "", LIST_ }, { "[\"a\"]", "", LIST_ },
		{ "{}", "", OBJECT_ }, { "{\"a\":\"b\"}", "", OBJECT_ },
	};
	const struct vk_app_payload *payload;
	struct decoded decoded;
	char object[128];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(object, sizeof(object), "{\"payload\":%s}",
		    rows[i].json);
		assert_true(decode(&decoded, VKCB_EVENT_app_payload,
		    object));
		payload = decoded.typed;
		assert_string_equal(payload->payload, rows[i].wanted);
		assert_odd(&decoded, "payload", rows[i].odd, "string");
		decoded_release(&decoded);
	}
}

static void
an_object_is_one_or_absent(void **state)
{
	static const struct {
		const char *json;
		int there;
		const char *odd;
	} rows[] = {
		{ "{\"date\":7}", 1, NULL }, { "{}", 1, NULL },
		{ "null", 0, NULL }, { "false", 0, NULL }, { "[]", 0, NULL },
		{ "true", 0, BOOLEAN }, { "0", 0, NUMBER },
		{ "1.5", 0, NUMBER }, { "\"\"", 0, TEXT },
		{ "\"text\"", 0, TEXT }, { "[{}]", 0, LIST_ },
		{ "[1]", 0, LIST_ },
	};
	const struct vk_message_new *new;
	struct decoded decoded;
	char object[128];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(object, sizeof(object), "{\"message\":%s}",
		    rows[i].json);
		assert_true(decode(&decoded, VKCB_EVENT_message_new,
		    object));
		new = decoded.typed;
		if (vk_has(new->message) != rows[i].there)
			fail_msg("%s", rows[i].json);
		assert_int_equal(new->message->date,
		    strstr(rows[i].json, "date") != NULL ? 7 : 0);
		/* Absent objects are safe to read at any depth. */
		assert_string_equal(
		    new->message->reply_message->reply_message->text, "");
		assert_int_equal(new->message->geo->coordinates->latitude, 0);
		assert_int_equal(new->message->n_attachments, 0);
		assert_string_equal(new->message->attachments->type, "");
		assert_false(vk_has(new->message->attachments->photo));
		assert_odd(&decoded, "message", rows[i].odd, "object");
		decoded_release(&decoded);
	}
}

static void
a_list_skips_what_does_not_fit(void **state)
{
	static const struct {
		const char *json;
		size_t n;
		const char *odd;
	} rows[] = {
		{ "[]", 0, "" }, { "null", 0, "" }, { "false", 0, "" },
		{ "{}", 0, "" },
		{ "[{\"type\":\"a\"}]", 1, "" },
		{ "[{\"type\":\"a\"},{\"type\":\"a\"}]", 2, "" },
		{ "[{}]", 1, "" },
		{ "[1,{\"type\":\"a\"},null,\"x\",{\"type\":\"a\"}]", 2,
		    "object.attachments[0]: number, not object\n"
		    "object.attachments[2]: null, not object\n"
		    "object.attachments[3]: string, not object\n" },
		{ "[[],false]", 0,
		    "object.attachments[0]: array, not object\n"
		    "object.attachments[1]: boolean, not object\n" },
		{ "{\"0\":{}}", 0,
		    "object.attachments: object, not array\n" },
		{ "true", 0, "object.attachments: boolean, not array\n" },
		{ "\"\"", 0, "object.attachments: string, not array\n" },
		{ "1", 0,
		    "object.attachments: number, not array\n" },
	};
	const struct vk_message *message;
	struct decoded decoded;
	char object[128];
	size_t i, k;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(object, sizeof(object), "{\"attachments\":%s}",
		    rows[i].json);
		assert_true(decode(&decoded, VKCB_EVENT_message_reply,
		    object));
		message = decoded.typed;
		assert_int_equal(message->n_attachments, rows[i].n);
		for (k = 0; k < rows[i].n; k++)
			assert_string_equal(message->attachments[k].type,
			    strstr(rows[i].json, "type") ? "a" : "");
		/* An empty list's first element is the all-zero object. */
		if (rows[i].n == 0)
			assert_false(vk_has(message->attachments));
		assert_string_equal(decoded.odd, rows[i].odd);
		decoded_release(&decoded);
	}
}

static void
integers_of_a_list_are_exact_or_skipped(void **state)
{
	static const struct {
		const char *json;
		size_t n;
		int64_t wanted[3];
		const char *odd;
	} rows[] = {
		{ "[]", 0, { 0 }, "" }, { "false", 0, { 0 }, "" },
		{ "null", 0, { 0 }, "" }, { "{}", 0, { 0 }, "" },
		{ "[1,\"2\",3.0]", 3, { 1, 2, 3 }, "" },
		{ "[9223372036854775807]", 1, { INT64_MAX }, "" },
		{ "[null,1,1.5,2,true]", 2, { 1, 2 },
		    "object.parents_stack[0]: null, not 64-bit integer\n"
		    "object.parents_stack[2]: number with a fraction, not "
		    "64-bit integer\n"
		    "object.parents_stack[4]: boolean, not 64-bit integer\n" },
		{ "[\"x\"]", 0, { 0 },
		    "object.parents_stack[0]: string, not 64-bit integer\n" },
		{ "7", 0, { 0 }, "object.parents_stack: number, "
		    "not array\n" },
	};
	const struct vk_comment *comment;
	struct decoded decoded;
	char object[128];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(object, sizeof(object), "{\"parents_stack\":%s}",
		    rows[i].json);
		assert_true(decode(&decoded, VKCB_EVENT_wall_reply_new,
		    object));
		comment = decoded.typed;
		assert_int_equal(comment->n_parents_stack, rows[i].n);
		assert_memory_equal(comment->parents_stack, rows[i].wanted,
		    (rows[i].n + (rows[i].n == 0)) * sizeof(int64_t));
		assert_string_equal(decoded.odd, rows[i].odd);
		decoded_release(&decoded);
	}
}

static void
texts_of_a_list_are_whole_or_skipped(void **state)
{
	static const struct {
		const char *json;
		size_t n;
		const char *wanted[3];
		const char *odd;
	} rows[] = {
		{ "[]", 0, { "" }, "" }, { "false", 0, { "" }, "" },
		{ "[\"a\",12,\"\"]", 3, { "a", "12", "" }, "" },
		{ "[\"a\\u0000b\",{},\"c\",null,[]]", 2,
		    { "a\uFFFDb", "c" },
		    "object.client_info.button_actions[1]: object, not string\n"
		    "object.client_info.button_actions[3]: null, not string\n"
		    "object.client_info.button_actions[4]: array, not string\n"
		},
		{ "[true]", 0, { "" }, "object.client_info.button_actions[0]: "
		    "boolean, not string\n" },
		{ "\"text\"", 0, { "" },
		    "object.client_info.button_actions: string, not array\n" },
	};
	const struct vk_message_new *new;
	struct decoded decoded;
	char object[128];
	size_t i, k;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(object, sizeof(object),
		    "{\"client_info\":{\"button_actions\":%s}}", rows[i].json);
		assert_true(decode(&decoded, VKCB_EVENT_message_new,
		    object));
		new = decoded.typed;
		assert_int_equal(new->client_info->n_button_actions, rows[i].n);
		for (k = 0; k < rows[i].n + (rows[i].n == 0); k++)
			assert_string_equal(
			    new->client_info->button_actions[k],
			    rows[i].wanted[k]);
		assert_string_equal(decoded.odd, rows[i].odd);
		decoded_release(&decoded);
	}
}

static void
a_payload_is_any_json(void **state)
{
	static const char *const rows[] = {
		"{\"cmd\":\"cart\"}", "[1,2]", "\"text\"", "12", "1.50",
		"true", "false", "[]", "{}", "\"\"",
	};
	const struct vk_message_event *pressed;
	struct decoded decoded;
	char object[128];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(object, sizeof(object), "{\"payload\":%s}", rows[i]);
		assert_true(decode(&decoded, VKCB_EVENT_message_event,
		    object));
		pressed = decoded.typed;
		assert_int_equal(pressed->payload.len, strlen(rows[i]));
		assert_memory_equal(pressed->payload.text, rows[i],
		    pressed->payload.len);
		assert_string_equal(decoded.odd, "");
		decoded_release(&decoded);
	}
	assert_true(decode(&decoded, VKCB_EVENT_message_event,
	    "{\"payload\":null}"));
	pressed = decoded.typed;
	assert_null(pressed->payload.text);
	decoded_release(&decoded);
}

static void
coordinates_are_an_object_or_a_text(void **state)
{
	static const struct {
		const char *json;
		double latitude, longitude;
		int there;
		const char *odd;
	} rows[] = {
		{ "{\"latitude\":55.75,\"longitude\":37.5}", 55.75, 37.5, 1,
		    NULL },
		{ "{\"latitude\":\"55.75\",\"longitude\":\"37.5\"}", 55.75,
		    37.5, 1, NULL },
		{ "\"55.75 37.5\"", 55.75, 37.5, 1, NULL },
		{ "\"-55.75 -37.5\"", -55.75, -37.5, 1, NULL },
		{ "\"55 37\"", 55, 37, 1, NULL },
		{ "\"0 -0.0\"", 0, 0, 1, NULL },
		{ "\"\"", 0, 0, 0, TEXT }, { "\"55.75\"", 0, 0, 0, TEXT },
		{ "\"55.75,37.5\"", 0, 0, 0, TEXT },
		{ "\"55.75 37.5 1\"", 0, 0, 0, TEXT },
		{ "\"55.75 37.5 \"", 0, 0, 0, TEXT },
		{ "\" 55.75 37.5\"", 0, 0, 0, TEXT },
		{ "\"55.75  37.5\"", 0, 0, 0, TEXT },
		{ "\"nan nan\"", 0, 0, 0, TEXT },
		{ "\"inf 1\"", 0, 0, 0, TEXT },
		{ "\"1e999 1\"", 0, 0, 0, TEXT },
		{ "\"0x10 1\"", 0, 0, 0, TEXT },
		{ "\"55.75 37.5\\u0000\"", 0, 0, 0, TEXT },
		{ "\"there\"", 0, 0, 0, TEXT },
		{ "false", 0, 0, 0, NULL }, { "[]", 0, 0, 0, NULL },
		{ "null", 0, 0, 0, NULL }, { "1", 0, 0, 0, NUMBER },
		{ "[55.75,37.5]", 0, 0, 0, LIST_ },
	};
	const struct vk_coordinates *coordinates;
	struct decoded decoded;
	char object[128];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(object, sizeof(object),
		    "{\"geo\":{\"coordinates\":%s}}", rows[i].json);
		assert_true(decode(&decoded, VKCB_EVENT_message_reply,
		    object));
		coordinates = ((const struct vk_message *)decoded.typed)
		    ->geo->coordinates;
		if (vk_has(coordinates) != rows[i].there ||
		    coordinates->latitude < rows[i].latitude ||
		    coordinates->latitude > rows[i].latitude ||
		    coordinates->longitude < rows[i].longitude ||
		    coordinates->longitude > rows[i].longitude)
			fail_msg("%s", rows[i].json);
		assert_odd(&decoded, "geo.coordinates", rows[i].odd,
		    rows[i].odd != NULL && strcmp(rows[i].odd, TEXT) == 0 ?
		    "coordinates" : "object");
		decoded_release(&decoded);
	}
}

static void
keys_have_two_spellings(void **state)
{
	static const char *const objects[] = {
		"{\"changes\":{\"event_start_date\":{\"new_value\":5},"
		    "\"event_finish_date\":{\"new_value\":6}}}",
		"{\"changes\":{\"event_start_date::\":{\"new_value\":5},"
		    "\"event_finish_date:\":{\"new_value\":6}}}",
		"{\"Changes\":{\"event_start_date\":{\"new_value\":5},"
		    "\"event_finish_date:\":{\"new_value\":6}}}",
	};
	const struct vk_group_change_settings *settings;
	struct decoded decoded;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(objects) / sizeof(objects[0]); i++) {
		assert_true(decode(&decoded,
		    VKCB_EVENT_group_change_settings, objects[i]));
		settings = decoded.typed;
		assert_true(vk_has(settings->changes->event_start_date));
		assert_string_equal(
		    settings->changes->event_start_date->new_value, "5");
		assert_string_equal(
		    settings->changes->event_finish_date->new_value, "6");
		assert_string_equal(decoded.odd, "");
		decoded_release(&decoded);
	}
}

static void
a_keyword_loses_its_underscore(void **state)
{
	const struct vk_message *message;
	struct decoded decoded;

	(void)state;
	assert_true(decode(&decoded, VKCB_EVENT_message_reply,
	    "{\"keyboard\":{\"inline\":true,\"inline_\":5,\"one_time\":1}}"));
	message = decoded.typed;
	assert_true(message->keyboard->inline_);
	assert_true(message->keyboard->one_time);
	assert_string_equal(decoded.odd, "");
	decoded_release(&decoded);
}

static void
a_row_of_buttons_is_a_list(void **state)
{
	const struct vk_keyboard *keyboard;
	struct decoded decoded;

	(void)state;
	assert_true(decode(&decoded, VKCB_EVENT_message_reply,
	    "{\"keyboard\":{\"buttons\":[[{\"color\":\"x\"},1],7,[],{},null,"
	    "[{\"color\":\"y\"},{}]]}}"));
	keyboard = ((const struct vk_message *)decoded.typed)->keyboard;
	assert_int_equal(keyboard->n_buttons, 4);
	assert_int_equal(keyboard->buttons[0].n_buttons, 1);
	assert_int_equal(keyboard->buttons[1].n_buttons, 0);
	assert_int_equal(keyboard->buttons[2].n_buttons, 0);
	assert_string_equal(keyboard->buttons[1].buttons->color, "");
	assert_string_equal(keyboard->buttons[3].buttons[0].color, "y");
	assert_string_equal(decoded.odd,
	    "object.keyboard.buttons[0][1]: number, not object\n"
	    "object.keyboard.buttons[1]: number, not array\n"
	    "object.keyboard.buttons[4]: null, not array\n");
	decoded_release(&decoded);
}

static void
the_old_shape_of_message_new_is_taken(void **state)
{
	static const char *const objects[] = {
		"{\"id\":5,\"from_id\":7,\"peer_id\":7,\"text\":\"hi\"}",
		"{\"message\":{\"id\":5,\"from_id\":7,\"peer_id\":7,"
		    "\"text\":\"hi\"}}",
	};
	const struct vk_message_new *new;
	struct decoded decoded;
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		assert_true(decode(&decoded, VKCB_EVENT_message_new,
		    objects[i]));
		new = decoded.typed;
		assert_true(vk_has(new->message));
		assert_int_equal(new->message->from_id, 7);
		assert_string_equal(new->message->text, "hi");
		assert_false(vk_has(new->client_info));
		assert_string_equal(decoded.odd, "");
		decoded_release(&decoded);
	}
}

static void
a_warning_is_no_message(void **state)
{
	const struct vk_message_new *new;
	struct decoded decoded;

	(void)state;
	assert_true(decode(&decoded, VKCB_EVENT_message_new,
	    "{\"warning\":\"outdated\"}"));
	new = decoded.typed;
	assert_false(vk_has(new->message));
	assert_string_equal(new->message->text, "");
	assert_int_equal(new->json.len, strlen(decoded.text));
	assert_ptr_equal(new->json.text, decoded.text);
	decoded_release(&decoded);
}

static void
unknown_fields_are_passed_over(void **state)
{
	const struct vk_group_member *member;
	struct decoded decoded;

	(void)state;
	assert_true(decode(&decoded, VKCB_EVENT_group_join,
	    "{\"new\":{\"user_id\":1},\"\":2,\"json\":3,\"user_idx\":4,"
	    "\"user_i\":5,\"USER_ID\":6,\"user_id\":7}"));
	member = decoded.typed;
	assert_int_equal(member->user_id, 7);
	assert_string_equal(decoded.odd, "");
	decoded_release(&decoded);
}

static void
what_is_no_object_is_not_decoded(void **state)
{
	static const char *const objects[] = {
		"null", "false", "[]", "[{}]", "12", "\"text\"", "\"{}\"",
	};
	struct decoded decoded;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(objects) / sizeof(objects[0]); i++) {
		assert_false(decode(&decoded, VKCB_EVENT_message_new,
		    objects[i]));
		assert_null(decoded.typed);
		decoded_release(&decoded);
	}
}

#define FORWARDS 45

/* A message forwarded 45 times, with attachments at each level. */
static char *
nested_forwards(void)
{
	static const char open[] = "{\"id\":%d,\"text\":\"level %d\","
	    "\"attachments\":[{\"type\":\"photo\",\"photo\":{\"id\":%d,"
	    "\"sizes\":[{\"type\":\"s\",\"width\":75}]}},{\"type\":\"wall\","
	    "\"wall\":{\"id\":%d,\"attachments\":[{\"type\":\"doc\"}]}}],"
	    "\"fwd_messages\":[";
	size_t size = FORWARDS * (sizeof(open) + 64) + 64, len;
	char *text = malloc(size);
	int i;

	assert_non_null(text);
	len = (size_t)snprintf(text, size, "{\"message\":");
	for (i = 0; i < FORWARDS; i++)
		len += (size_t)snprintf(text + len, size - len, open, i, i, i,
		    i);
	for (i = 0; i < FORWARDS; i++)
		len += (size_t)snprintf(text + len, size - len, "]}");
	snprintf(text + len, size - len, "}");
	return text;
}

static void
forwards_nest_45_deep(void **state)
{
	const struct vk_message *message;
	struct decoded decoded;
	char *text = nested_forwards(), wanted[32];
	int i;

	(void)state;
	assert_true(decode(&decoded, VKCB_EVENT_message_new, text));
	message = ((const struct vk_message_new *)decoded.typed)->message;
	for (i = 0; i < FORWARDS; i++) {
		snprintf(wanted, sizeof(wanted), "level %d", i);
		assert_string_equal(message->text, wanted);
		assert_int_equal(message->n_attachments, 2);
		assert_int_equal(message->attachments[0].photo->id, i);
		assert_int_equal(
		    message->attachments[0].photo->sizes[0].width, 75);
		assert_int_equal(message->attachments[1].wall->id, i);
		assert_int_equal(message->n_fwd_messages, i < FORWARDS - 1);
		message = message->fwd_messages;
	}
	assert_string_equal(decoded.odd, "");
	decoded_release(&decoded);
	free(text);
}

static void
a_long_path_is_cut(void **state)
{
	struct decoded decoded;
	char text[16384];
	size_t len = (size_t)snprintf(text, sizeof(text), "{\"message\":");
	int i;

	(void)state;
	for (i = 0; i < 100; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len,
		    "{\"reply_message\":");
	len += (size_t)snprintf(text + len, sizeof(text) - len,
	    "{\"date\":\"x\"}");
	for (i = 0; i < 101; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "}");
	assert_true(decode(&decoded, VKCB_EVENT_message_new, text));
	assert_int_equal(strcspn(decoded.odd, ":"), DECODE_PATH_MAX - 1);
	assert_int_equal(strncmp(decoded.odd, "object.message.reply_message."
	    "reply_message.", 43), 0);
	decoded_release(&decoded);
}

/*
 * Every leaf of an object as sent is either in a typed field with that value,
 * or reachable through `json`. objects.def makes one function per object, which
 * compares a struct with its JSON.
 */

static struct {
	size_t typed;		/* leaves in a field */
	size_t raw;		/* leaves that no field has */
	char untyped[65536];	/* their paths */
} leaves;

static size_t
count_leaves(struct json_object *value)
{
	size_t n = 0, i;

	if (json_object_is_type(value, json_type_object)) {
		json_object_object_foreach(value, key, member) {
			(void)key;
			n += count_leaves(member);
		}
		return n;
	}
	if (!json_object_is_type(value, json_type_array))
		return 1;
	for (i = 0; i < json_object_array_length(value); i++)
		n += count_leaves(json_object_array_get_idx(value, i));
	return n;
}

static int
is_absent(struct json_object *value)
{
	return value == NULL ||
	    (json_object_is_type(value, json_type_boolean) &&
	    !json_object_get_boolean(value)) ||
	    (json_object_is_type(value, json_type_array) &&
	    json_object_array_length(value) == 0);
}

static int
is_scalar(struct json_object *value)
{
	return value != NULL && !json_object_is_type(value, json_type_object) &&
	    !json_object_is_type(value, json_type_array);
}

static int
same_int(int64_t field, struct json_object *value)
{
	char text[32];

	if (!is_scalar(value) || json_object_is_type(value, json_type_boolean))
		return 0;
	snprintf(text, sizeof(text), "%lld", (long long)field);
	return strcmp(text, json_object_get_string(value)) == 0 ||
	    (json_object_is_type(value, json_type_double) &&
	    (double)field - json_object_get_double(value) == 0);
}

static int
same_bool(int field, struct json_object *value)
{
	const char *text = json_object_get_string(value);

	return is_scalar(value) && (strcmp(text, "true") == 0 ||
	    strcmp(text, "1") == 0 ? field == 1 : field == 0 &&
	    (strcmp(text, "false") == 0 || strcmp(text, "0") == 0));
}

static int
same_double(double field, struct json_object *value)
{
	return is_scalar(value) && field - json_object_get_double(value) == 0;
}

static int
same_text(const char *field, struct json_object *value)
{
	return is_scalar(value) &&
	    strcmp(field, json_object_get_string(value)) == 0;
}

static int
same_ints(const int64_t *field, size_t n, struct json_object *value)
{
	size_t i;

	if (!json_object_is_type(value, json_type_array) ||
	    json_object_array_length(value) != n)
		return 0;
	for (i = 0; i < n; i++)
		if (!same_int(field[i], json_object_array_get_idx(value, i)))
			return 0;
	return 1;
}

static int
same_texts(const char *const *field, size_t n, struct json_object *value)
{
	size_t i;

	if (!json_object_is_type(value, json_type_array) ||
	    json_object_array_length(value) != n)
		return 0;
	for (i = 0; i < n; i++)
		if (!same_text(field[i], json_object_array_get_idx(value, i)))
			return 0;
	return 1;
}

static void
leaf(int same, const char *path, const char *key, struct json_object *value)
{
	if (!same && value != NULL)
		fail_msg("%s.%s: not as sent: %s", path, key,
		    json_object_to_json_string(value));
	leaves.typed += count_leaves(value);
}

/* A member that no field has: the struct's `json` has it. */
static void
raw_leaf(const struct vk_json *json, const char *path, const char *key,
    struct json_object *value)
{
	struct json_object *found = NULL, *tree = tree_of(json);
	size_t len = strlen(leaves.untyped);

	if (!json_object_object_get_ex(tree, key, &found) ||
	    !json_object_equal(found, value))
		fail_msg("%s.%s: not in json", path, key);
	json_object_put(tree);
	leaves.raw += count_leaves(value);
	snprintf(leaves.untyped + len, sizeof(leaves.untyped) - len,
	    "%s.%s\n", path, key);
}

static const char *
deeper(char *out, size_t size, const char *path, const char *key)
{
	snprintf(out, size, "%.200s.%.50s", path, key);
	return out;
}

#define KEY_IS(name) \
	(strncmp(key, #name, sizeof(#name) - 1 - \
	    (#name[sizeof(#name) - 2] == '_')) == 0 && \
	    strlen(key) == sizeof(#name) - 1 - \
	    (#name[sizeof(#name) - 2] == '_'))

#define OBJECT(tag, text) \
static void compare_##tag(const struct vk_##tag *, struct json_object *, \
    const char *path);
#include "src/objects.def"

#define OBJECT(tag, text) \
static void \
compare_##tag(const struct vk_##tag *typed, struct json_object *sent, \
    const char *path) \
{ \
	char below[256]; \
	size_t i; \
	\
	(void)below; \
	(void)i; \
	assert_true(same_json(&typed->json, sent)); \
	if (!json_object_is_type(sent, json_type_object)) { \
		leaves.typed += count_leaves(sent); \
		return; \
	} \
	json_object_object_foreach(sent, sent_key, value) { \
		const char *key = sent_key;
#define AKA(name, other) \
		if (strcmp(key, other) == 0) \
			key = #name;
#define SCALAR(name, same) \
		if (KEY_IS(name)) { \
			leaf(same, path, key, value); \
			continue; \
		}
#define INT(name, example, text) SCALAR(name, same_int(typed->name, value))
#define BOOL(name, example, text) SCALAR(name, same_bool(typed->name, value))
#define DOUBLE(name, example, text) \
	SCALAR(name, same_double(typed->name, value))
#define STR(name, example, text) SCALAR(name, same_text(typed->name, value))
#define INTS(name, example, text) \
	SCALAR(name, same_ints(typed->name, typed->n_##name, value))
#define STRS(name, example, text) \
	SCALAR(name, same_texts(typed->name, typed->n_##name, value))
#define JSON(name, example, text) \
	SCALAR(name, same_json(&typed->name, value))
#define OBJ(name, tag, text) \
		if (KEY_IS(name)) { \
			assert_int_equal(vk_has(typed->name), \
			    !is_absent(value)); \
			if (is_absent(value)) \
				leaves.typed += count_leaves(value); \
			else \
				compare_##tag(typed->name, value, \
				    deeper(below, sizeof(below), path, key)); \
			continue; \
		}
#define OBJ_TEXT(name, tag, text) OBJ(name, tag, text)
#define LIST(name, tag, text) \
		if (KEY_IS(name)) { \
			assert_int_equal(typed->n_##name, is_absent(value) ? \
			    0 : json_object_array_length(value)); \
			if (is_absent(value)) \
				leaves.typed += count_leaves(value); \
			for (i = 0; i < typed->n_##name; i++) \
				compare_##tag(&typed->name[i], \
				    json_object_array_get_idx(value, i), \
				    deeper(below, sizeof(below), path, key)); \
			continue; \
		}
#define END(tag) \
		raw_leaf(&typed->json, path, sent_key, value); \
	} \
}
#include "src/objects.def"

static void
compare_event(enum vkcb_event_type type, const void *typed,
    struct json_object *sent)
{
	switch (type) {
#define EVENT(event, tag, settable, text) \
	case VKCB_EVENT_##event: \
		compare_##tag(typed, sent, #tag); \
		break;
#include "src/events.def"
	default:
		fail_msg("no event of the catalogue");
	}
}

static void
compare_body(const char *path)
{
	struct json_object *body, *object, *type;
	enum vkcb_event_type event;
	struct decoded decoded;
	size_t len, before = leaves.typed + leaves.raw;
	char *text = body_read(path, &len);

	assert_non_null(text);
	body = json_tokener_parse(text);
	assert_non_null(body);
	assert_true(json_object_object_get_ex(body, "type", &type));
	event = catalogue_type(json_object_get_string(type),
	    strlen(json_object_get_string(type)));
	if (json_object_object_get_ex(body, "object", &object)) {
		if (!decode(&decoded, event,
		    json_object_to_json_string(object)))
			fail_msg("%s is not decoded", path);
		compare_event(event, decoded.typed, object);
		assert_string_equal(decoded.odd, "");
		assert_int_equal(leaves.typed + leaves.raw - before,
		    count_leaves(object));
		decoded_release(&decoded);
	}
	json_object_put(body);
	free(text);
}

static void
every_leaf_of_every_body_is_reached(void **state)
{
	(void)state;
	memset(&leaves, 0, sizeof(leaves));
	assert_true(body_each(compare_body) >= 60);
	assert_true(leaves.typed > 1000);
	/* Keys that are documented nowhere and have no field. */
	assert_string_equal(leaves.untyped,
	    "message_new.message.attachments.doc.is_unsafe\n");
}

/*
 * The examples of objects.def as an object. The first occurrence of a tag in an
 * event is complete; later ones have only scalars.
 */

enum tag {
#define OBJECT(tag, text) TAG_##tag,
#include "src/objects.def"
	N_TAGS
};

static char met[N_TAGS], ever_met[N_TAGS];

static struct json_object *
json_of(const char *text)
{
	struct json_object *value = json_tokener_parse(text);

	if (value == NULL)
		fail_msg("not JSON: %s", text);
	return value;
}

static struct json_object *
list_of(struct json_object *element)
{
	struct json_object *list = json_object_new_array();

	json_object_array_add(list, element);
	return list;
}

static void
put_sample(struct json_object *into, const char *name,
    struct json_object *value)
{
	char key[64];
	size_t len = strlen(name);

	snprintf(key, sizeof(key), "%.*s",
	    (int)(name[len - 1] == '_' ? len - 1 : len), name);
	json_object_object_add(into, key, value);
}

#define OBJECT(tag, text) static struct json_object *sample_##tag(void);
#include "src/objects.def"

#define OBJECT(tag, text) \
static struct json_object * \
sample_##tag(void) \
{ \
	struct json_object *out = json_object_new_object(); \
	int whole = !met[TAG_##tag]; \
	\
	(void)whole; \
	met[TAG_##tag] = ever_met[TAG_##tag] = 1;
#define INT(name, example, text) \
	put_sample(out, #name, json_object_new_int64(example));
#define BOOL(name, example, text) \
	put_sample(out, #name, json_object_new_boolean(example));
#define DOUBLE(name, example, text) \
	put_sample(out, #name, json_object_new_double(example));
#define STR(name, example, text) \
	put_sample(out, #name, json_object_new_string(example));
#define INTS(name, example, text) put_sample(out, #name, json_of(example));
#define STRS(name, example, text) put_sample(out, #name, json_of(example));
#define JSON(name, example, text) put_sample(out, #name, json_of(example));
#define OBJ(name, tag, text) \
	if (whole) \
		put_sample(out, #name, sample_##tag());
#define OBJ_TEXT(name, tag, text) OBJ(name, tag, text)
#define LIST(name, tag, text) \
	if (whole) \
		put_sample(out, #name, list_of(sample_##tag()));
#define END(tag) \
	return out; \
}
#include "src/objects.def"

static void
compare_sample(enum vkcb_event_type type, struct json_object *sample)
{
	struct decoded decoded;

	assert_true(decode(&decoded, type,
	    json_object_to_json_string(sample)));
	compare_event(type, decoded.typed, sample);
	assert_string_equal(decoded.odd, "");
	assert_string_equal(leaves.untyped, "");
	decoded_release(&decoded);
	json_object_put(sample);
}

static void
every_sample_decodes_back_to_its_example(void **state)
{
	(void)state;
	memset(&leaves, 0, sizeof(leaves));
#define EVENT(event, tag, settable, text) \
	memset(met, 0, sizeof(met)); \
	compare_sample(VKCB_EVENT_##event, sample_##tag());
#include "src/events.def"
#define OBJECT(tag, text) \
	if (!ever_met[TAG_##tag]) \
		fail_msg("no event leads to " #tag);
#include "src/objects.def"
}

/* The arena is warm, as in a running responder. */
static long
allocations_of(enum vkcb_event_type type, const char *object)
{
	struct decoded decoded;

	make_object(&decoded, object);
	assert_non_null(arena_alloc(&decoded.arena, strlen(object)));
	alloc_fail_at(0);
	assert_non_null(decode_event(type, &decoded.object, &decoded.arena,
	    note_odd, &decoded));
	decoded_release(&decoded);
	return alloc.taken;
}

static void
count_body(const char *path)
{
	struct json_object *body, *object, *type;
	enum vkcb_event_type event;
	size_t len;
	char *text = body_read(path, &len);

	assert_non_null(text);
	body = json_tokener_parse(text);
	json_object_object_get_ex(body, "type", &type);
	event = catalogue_type(json_object_get_string(type),
	    strlen(json_object_get_string(type)));
	if (json_object_object_get_ex(body, "object", &object) &&
	    allocations_of(event, json_object_to_json_string_ext(object,
	    JSON_C_TO_STRING_PLAIN)) > 2)
		fail_msg("%s takes more than two", path);
	json_object_put(body);
	free(text);
}

static void
decoding_takes_two_allocations_at_most(void **state)
{
	char *forwards;

	(void)state;
	if (!ALLOC_COUNTS)
		skip();
	forwards = nested_forwards();
	body_each(count_body);
	assert_true(allocations_of(VKCB_EVENT_message_new, forwards) <= 2);
	free(forwards);
	/* A value of another kind has no mismatch. */
	assert_int_equal(allocations_of(VKCB_EVENT_message_reply,
	    "{\"id\":\"12\",\"date\":12.0,\"text\":12,\"payload\":1.50,"
	    "\"out\":1.0,\"important\":\"1\",\"ref\":-7,\"geo\":{"
	    "\"coordinates\":\"1 2\",\"place\":{\"latitude\":\"1.5\"}},"
	    "\"influence_score\":\"0.5\",\"version\":1e2}"), 0);
}

/* A lack of memory is reported, and never makes a field absent. */
static void
no_memory_is_not_an_absent_field(void **state)
{
	static const char numbers[] = "{\"message\":{\"date\":12.0,"
	    "\"text\":12.50,\"ref\":7,\"out\":1.0,\"payload\":1e2,"
	    "\"influence_score\":0.0}}";
	const char *texts[] = { numbers, NULL };
	char *forwards;
	struct decoded decoded;
	int i, failed;
	long n;

	(void)state;
	if (!ALLOC_COUNTS)
		skip();
	texts[1] = forwards = nested_forwards();
	for (i = 0; i < 2; i++) {
		for (n = 1, failed = 1; failed; n++) {
			make_object(&decoded, texts[i]);
			alloc_fail_at(n);
			decoded.typed = decode_event(VKCB_EVENT_message_new,
			    &decoded.object, &decoded.arena, note_odd,
			    &decoded);
			failed = alloc.failed;
			alloc_fail_at(0);
			assert_int_equal(decoded.arena.failed, failed);
			assert_int_equal(decoded.typed == NULL, failed);
			assert_string_equal(decoded.odd, "");
			decoded_release(&decoded);
		}
		assert_true(n > 2);
	}
	free(forwards);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_integer_is_exact_or_absent),
		cmocka_unit_test(a_boolean_may_be_0_or_1),
		cmocka_unit_test(a_double_loses_no_integer),
		cmocka_unit_test(a_text_is_whole_or_absent),
		cmocka_unit_test(an_object_is_one_or_absent),
		cmocka_unit_test(a_list_skips_what_does_not_fit),
		cmocka_unit_test(integers_of_a_list_are_exact_or_skipped),
		cmocka_unit_test(texts_of_a_list_are_whole_or_skipped),
		cmocka_unit_test(a_payload_is_any_json),
		cmocka_unit_test(coordinates_are_an_object_or_a_text),
		cmocka_unit_test(keys_have_two_spellings),
		cmocka_unit_test(a_keyword_loses_its_underscore),
		cmocka_unit_test(a_row_of_buttons_is_a_list),
		cmocka_unit_test(the_old_shape_of_message_new_is_taken),
		cmocka_unit_test(a_warning_is_no_message),
		cmocka_unit_test(unknown_fields_are_passed_over),
		cmocka_unit_test(what_is_no_object_is_not_decoded),
		cmocka_unit_test(forwards_nest_45_deep),
		cmocka_unit_test(a_long_path_is_cut),
		cmocka_unit_test(every_leaf_of_every_body_is_reached),
		cmocka_unit_test(every_sample_decodes_back_to_its_example),
		cmocka_unit_test(decoding_takes_two_allocations_at_most),
		cmocka_unit_test(no_memory_is_not_an_absent_field),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
