/* envelope.c - type, group, secret and object of a body. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "event/envelope.h"

static char body[4096];

/* The text is copied, since it is parsed in place. */
static const char *
read_text(struct envelope *envelope, const char *text)
{
	size_t where;

	assert_true(strlen(text) < sizeof(body));
	memcpy(body, text, strlen(text) + 1);
	return envelope_read(envelope, body, strlen(body), &where);
}

static void
assert_text(const struct text *text, const char *wanted)
{
	assert_string_equal(text->at, wanted);
	assert_int_equal(text->len, strlen(wanted));
}

static void
members_stand_in_any_order(void **state)
{
	static const char *const members[] = {
		"\"type\":\"message_new\"", "\"group_id\":219876543",
		"\"event_id\":\"13ee\"", "\"v\":\"5.199\"",
		"\"secret\":\"Kf7v\"", "\"object\":{\"a\":[1,{}]}",
	};
	struct envelope envelope;
	unsigned int order, rest, left, pick, i;
	char text[512];
	int taken[6];
	size_t len;

	(void)state;
	for (order = 0; order < 720; order++) {
		memset(taken, 0, sizeof(taken));
		len = (size_t)snprintf(text, sizeof(text), "{");
		for (rest = order, left = 6; left > 0; rest /= left, left--) {
			pick = rest % left;
			for (i = 0; taken[i] || pick-- > 0; i++)
				;
			taken[i] = 1;
			len += (size_t)snprintf(text + len,
			    sizeof(text) - len, "%s%s", members[i],
			    left > 1 ? " , " : "}");
		}
		assert_null(read_text(&envelope, text));
		assert_text(&envelope.type, "message_new");
		assert_int_equal(envelope.group_id, 219876543);
		assert_text(&envelope.event_id, "13ee");
		assert_text(&envelope.version, "5.199");
		assert_text(&envelope.secret, "Kf7v");
		assert_int_equal(envelope.secret_kind, JSON_STRING);
		assert_int_equal(envelope.object.kind, JSON_OBJECT);
		assert_memory_equal(envelope.object.at, "{\"a\":[1,{}]}",
		    envelope.object.len);
	}
}

static void
little_is_needed(void **state)
{
	struct envelope envelope;

	(void)state;
	assert_null(read_text(&envelope, "{\"type\":\"x\",\"group_id\":1}"));
	assert_text(&envelope.event_id, "");
	assert_text(&envelope.version, "");
	assert_null(envelope.secret.at);
	assert_int_equal(envelope.secret_kind, JSON_ABSENT);
	assert_int_equal(envelope.object.kind, JSON_ABSENT);
}

static void
escaped_keys_and_values_are_read(void **state)
{
	struct envelope envelope;

	(void)state;
	assert_null(read_text(&envelope, "{\"\\u0074ype\":\"message\\u005fnew\""
	    ",\"group\\u005Fid\":5,\"\\u0073ecret\":\"\\u004bf\\\"\\\\\","
	    "\"TYPE\":1,\"types\":2,\"\":3,\"nested\":{\"type\":\"y\"}}"));
	assert_text(&envelope.type, "message_new");
	assert_text(&envelope.secret, "Kf\"\\");
	assert_int_equal(envelope.group_id, 5);
	assert_null(strstr(envelope.secret.at + 5, "\\\\"));
}

static void
a_key_twice_is_refused_however_spelled(void **state)
{
	static const char *const members[] = {
		"\"type\":\"x\"", "\"group_id\":1", "\"event_id\":\"1\"",
		"\"v\":\"5.199\"", "\"secret\":\"s\"", "\"object\":{}",
	};
	static const char *const again[] = {
		"\"\\u0074ype\":\"x\"", "\"group\\u005fid\":1",
		"\"event_i\\u0064\":null", "\"\\u0076\":5.199",
		"\"secre\\u0074\":\"s\"", "\"\\u006fbject\":{}",
	};
	struct envelope envelope;
	char text[512];
	size_t i;

	(void)state;
	for (i = 0; i < 6; i++) {
		snprintf(text, sizeof(text), "{%s,%s%s,%s}", members[i],
		    i == 0 ? "" : "\"type\":\"x\",",
		    i == 1 ? "\"a\":1" : "\"group_id\":1", members[i]);
		if (read_text(&envelope, text) == NULL)
			fail_msg("taken: %s", text);
		snprintf(text, sizeof(text), "{%s,%s%s,%s}", members[i],
		    i == 0 ? "" : "\"type\":\"x\",",
		    i == 1 ? "\"a\":1" : "\"group_id\":1", again[i]);
		if (read_text(&envelope, text) == NULL)
			fail_msg("taken: %s", text);
	}
	/* A null is there too. */
	assert_non_null(read_text(&envelope, "{\"secret\":null,\"type\":\"x\","
	    "\"group_id\":1,\"secret\":\"s\"}"));
	/* Other duplicate keys are ignored. */
	assert_null(read_text(&envelope,
	    "{\"type\":\"x\",\"group_id\":1,\"new\":1,\"new\":2}"));
}

static void
a_type_is_a_text(void **state)
{
	static const char *const bad[] = {
		"1", "null", "true", "[]", "{}", "\"\"", "[\"message_new\"]",
	};
	struct envelope envelope;
	char text[128];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(text, sizeof(text), "{\"type\":%s,\"group_id\":1}",
		    bad[i]);
		if (read_text(&envelope, text) == NULL)
			fail_msg("taken: %s", text);
	}
	assert_non_null(read_text(&envelope, "{\"group_id\":1}"));
	assert_non_null(read_text(&envelope, "{}"));
}

static void
a_group_is_plain_positive_digits(void **state)
{
	static const struct {
		const char *text;
		int64_t id;	/* 0: refused */
	} rows[] = {
		{ "1", 1 }, { "219876543", 219876543 },
		{ "9223372036854775807", INT64_MAX },
		{ "0", 0 }, { "-0", 0 }, { "-1", 0 }, { "-219876543", 0 },
		{ "9223372036854775808", 0 }, { "18446744073709551617", 0 },
		{ "219876543.0", 0 }, { "1.0", 0 }, { "1e0", 0 }, { "1E2", 0 },
		{ "1.5", 0 }, { "\"1\"", 0 }, { "\"219876543\"", 0 },
		{ "true", 0 }, { "null", 0 }, { "[]", 0 }, { "[1]", 0 },
		{ "{}", 0 }, { "1e999", 0 },
	};
	struct envelope envelope;
	char text[128];
	const char *error;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(text, sizeof(text), "{\"type\":\"x\",\"group_id\":%s}",
		    rows[i].text);
		error = read_text(&envelope, text);
		if ((error == NULL) != (rows[i].id != 0) ||
		    (error == NULL && envelope.group_id != rows[i].id))
			fail_msg("%s", text);
	}
	assert_non_null(read_text(&envelope, "{\"type\":\"x\"}"));
}

static void
event_id_and_version_may_be_numbers(void **state)
{
	static const struct {
		const char *text;
		const char *wanted;
	} rows[] = {
		{ "\"13ee\"", "13ee" }, { "\"\"", "" }, { "\"\\u0416\"", "Ж" },
		{ "12345", "12345" }, { "0", "0" }, { "-7", "-7" },
		{ "9223372036854775807", "9223372036854775807" },
		{ "9223372036854775808", "9223372036854775808" },
		{ "1e999", "1e999" },
		{ "5.199", "5.199" }, { "5.81", "5.81" },
		{ "null", "" }, { "true", "" }, { "[]", "" }, { "{}", "" },
		{ "\"a\\u0000b\"", "a\uFFFDb" },
	};
	static const char *const keys[] = { "event_id", "v" };
	struct envelope envelope;
	const struct text *got;
	const char *error;
	char text[256];
	size_t i, k;

	(void)state;
	for (k = 0; k < 2; k++) {
		got = k == 0 ? &envelope.event_id : &envelope.version;
		for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
			snprintf(text, sizeof(text), "{\"%s\":%s,\"type\":"
			    "\"x\",\"group_id\":1,\"object\":{\"a\":1}}",
			    keys[k], rows[i].text);
			error = read_text(&envelope, text);
			if (error != NULL)
				fail_msg("%s: %s", text, error);
			assert_text(got, rows[i].wanted);
			assert_memory_equal(envelope.object.at, "{\"a\":1}", 7);
		}
	}
	/* At the end of the body, where a brace makes room for the NUL. */
	assert_null(read_text(&envelope,
	    "{\"type\":\"x\",\"group_id\":1,\"event_id\":42}"));
	assert_text(&envelope.event_id, "42");
}

static void
a_secret_of_another_type_is_none(void **state)
{
	static const struct {
		const char *text;
		enum json_kind kind;
	} rows[] = {
		{ "null", JSON_NULL }, { "true", JSON_TRUE },
		{ "false", JSON_FALSE }, { "0", JSON_NUMBER },
		{ "12345", JSON_NUMBER }, { "[]", JSON_ARRAY },
		{ "[\"Kf7v\"]", JSON_ARRAY }, { "{}", JSON_OBJECT },
	};
	struct envelope envelope;
	char text[128];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(text, sizeof(text), "{\"type\":\"x\",\"group_id\":1,"
		    "\"secret\":%s}", rows[i].text);
		assert_null(read_text(&envelope, text));
		assert_int_equal(envelope.secret_kind, rows[i].kind);
		assert_null(envelope.secret.at);
	}
	/* A NUL does not end it, nor the type. */
	assert_null(read_text(&envelope, "{\"type\":\"x\\u0000\","
	    "\"group_id\":1,\"secret\":\"Kf\\u00007v\"}"));
	assert_text(&envelope.type, "x\uFFFD");
	assert_text(&envelope.secret, "Kf\uFFFD7v");
	assert_null(read_text(&envelope, "{\"type\":\"x\",\"group_id\":1,"
	    "\"secret\":\"\"}"));
	assert_text(&envelope.secret, "");
}

static void
an_object_of_any_type_is_handed_on(void **state)
{
	static const struct {
		const char *text;
		enum json_kind kind;
	} rows[] = {
		{ "null", JSON_NULL }, { "true", JSON_TRUE },
		{ "false", JSON_FALSE }, { "12", JSON_NUMBER },
		{ "\"text\"", JSON_STRING }, { "[1,2]", JSON_ARRAY },
		{ "{\"a\":{}}", JSON_OBJECT },
	};
	struct envelope envelope;
	char text[128];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(text, sizeof(text), "{\"object\":%s,\"type\":\"x\","
		    "\"group_id\":1}", rows[i].text);
		assert_null(read_text(&envelope, text));
		assert_int_equal(envelope.object.kind, rows[i].kind);
		assert_int_equal(envelope.object.len, strlen(rows[i].text));
		assert_memory_equal(envelope.object.at, rows[i].text,
		    envelope.object.len);
	}
}

static void
where_a_body_is_broken_is_told(void **state)
{
	struct envelope envelope;
	size_t where = 0;
	char text[] = "{\"type\":\"x\",\"group_id\":1,\"a\":NaN}";

	(void)state;
	assert_non_null(envelope_read(&envelope, text, strlen(text), &where));
	assert_int_equal(where, strstr(text, "NaN") - text);
	assert_int_equal(envelope.type.len, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(members_stand_in_any_order),
		cmocka_unit_test(little_is_needed),
		cmocka_unit_test(escaped_keys_and_values_are_read),
		cmocka_unit_test(a_key_twice_is_refused_however_spelled),
		cmocka_unit_test(a_type_is_a_text),
		cmocka_unit_test(a_group_is_plain_positive_digits),
		cmocka_unit_test(event_id_and_version_may_be_numbers),
		cmocka_unit_test(a_secret_of_another_type_is_none),
		cmocka_unit_test(an_object_of_any_type_is_handed_on),
		cmocka_unit_test(where_a_body_is_broken_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
