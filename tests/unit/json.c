/* json.c - the strict parser: valid and invalid JSON, and the trees. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <json-c/json.h>

#include "body.h"
#include "src/json/check.h"

/* Text with its length, so that it may contain a NUL. */
#define TEXT(text) (text), sizeof(text) - 1

struct text_row {
	const char *text;
	size_t len;
};

/* The copy has its exact size, so that reading beyond it is found. */
static const char *
error_of(const char *text, size_t len)
{
	char *copy = malloc(len + 1);
	const char *error;
	size_t where;

	assert_non_null(copy);
	memcpy(copy, text, len);
	copy[len] = '\0';
	error = json_check(copy, len, NULL, 0, &where);
	assert_true(where <= len);
	free(copy);
	return error;
}

static void
good_json_is_taken(void **state)
{
	static const struct text_row rows[] = {
		{ TEXT("{}") },
		{ TEXT(" \t\r\n{ \t\r\n} \t\r\n") },
		{ TEXT("{\"a\":1,\"b\":[],\"c\":{},\"d\":null}") },
		{ TEXT("{ \"a\" : [ true , false , null ] }") },
		{ TEXT("{\"\":\"\"}") },
		{ TEXT("{\"a\":0,\"b\":-0,\"c\":10,\"d\":-1.5e+10,"
		    "\"e\":1E-2}") },
		{ TEXT("{\"a\":\"\\\"\\\\\\/\\b\\f"
		    "\\n\\r\\t\\u0416\\u0000\"}") },
		{ TEXT("{\"a\":\"\\ud83d\\ude9A\"}") },
		{ TEXT("{\"a\":\"\x7f \xc2\x80 \xdf\xbf\"}") },
		{ TEXT("{\"a\":\"\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80"
		    "\xef\xbf\xbf\"}") },
		{ TEXT("{\"a\":\"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\"}") },
		{ TEXT("{\"a\":1,\"a\":2}") },
		{ TEXT("{\"a\":123456789012345678901234567890e99999}") },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (error_of(rows[i].text, rows[i].len) != NULL)
			fail_msg("refused: %s: %s", rows[i].text,
			    error_of(rows[i].text, rows[i].len));
}

static const struct text_row bad_rows[] = {
	{ TEXT("") }, { TEXT(" ") }, { TEXT("\0") }, { TEXT("{") },
	{ TEXT("}") }, { TEXT("[]") }, { TEXT("1") }, { TEXT("null") },
	{ TEXT("\"text\"") }, { TEXT("\xef\xbb\xbf{}") },
	{ TEXT("\xff\xfe{\0}\0") }, { TEXT("\v{}") }, { TEXT("{}\f") },
	{ TEXT("{}\0") }, { TEXT("{}x") }, { TEXT("{}{}") },
	{ TEXT("{},") }, { TEXT("{}]") }, { TEXT("{\0}") },
	{ TEXT("{,}") }, { TEXT("{\"a\"}") }, { TEXT("{\"a\":}") },
	{ TEXT("{\"a\" 1}") }, { TEXT("{\"a\":1,}") },
	{ TEXT("{\"a\":1 \"b\":2}") }, { TEXT("{a:1}") },
	{ TEXT("{'a':1}") }, { TEXT("{1:1}") }, { TEXT("{null:1}") },
	{ TEXT("{\"a\":1") }, { TEXT("{\"a\":1,") },
	{ TEXT("{\"a\":'x'}") }, { TEXT("{\"a\":[1,]}") },
	{ TEXT("{\"a\":[,1]}") }, { TEXT("{\"a\":[1 2]}") },
	{ TEXT("{\"a\":[}") }, { TEXT("{\"a\":[1}") },
	{ TEXT("{\"a\":{]}") }, { TEXT("{\"a\":1}/* */") },
	{ TEXT("{\"a\":1}// x") }, { TEXT("{/**/\"a\":1}") },
	/* words */
	{ TEXT("{\"a\":NaN}") }, { TEXT("{\"a\":nan}") },
	{ TEXT("{\"a\":Infinity}") }, { TEXT("{\"a\":-Infinity}") },
	{ TEXT("{\"a\":True}") }, { TEXT("{\"a\":tru}") },
	{ TEXT("{\"a\":truee}") }, { TEXT("{\"a\":nul}") },
	{ TEXT("{\"a\":undefined}") }, { TEXT("{\"a\":t") },
	/* numbers */
	{ TEXT("{\"a\":01}") }, { TEXT("{\"a\":-}") },
	{ TEXT("{\"a\":+1}") }, { TEXT("{\"a\":.5}") },
	{ TEXT("{\"a\":1.}") }, { TEXT("{\"a\":1.e1}") },
	{ TEXT("{\"a\":1e}") }, { TEXT("{\"a\":1e+}") },
	{ TEXT("{\"a\":--1}") }, { TEXT("{\"a\":0x10}") },
	{ TEXT("{\"a\":1_0}") }, { TEXT("{\"a\":-01}") },
	{ TEXT("{\"a\":1 0}") }, { TEXT("{\"a\":1e1.5}") },
	{ TEXT("{\"a\":1") }, { TEXT("{\"a\":1\0}") },
	/* strings */
	{ TEXT("{\"a\":\"x}") }, { TEXT("{\"a\":\"x\\\"}") },
	{ TEXT("{\"a\":\"\\") }, { TEXT("{\"a\":\"\\x41\"}") },
	{ TEXT("{\"a\":\"\\'\"}") }, { TEXT("{\"a\":\"\\0\"}") },
	{ TEXT("{\"a\":\"\\\0\"}") }, { TEXT("{\"a\":\"\\U0041\"}") },
	{ TEXT("{\"a\":\"\\u12\"}") }, { TEXT("{\"a\":\"\\u12g4\"}") },
	{ TEXT("{\"a\":\"\\u-123\"}") }, { TEXT("{\"a\":\"\\u\"}") },
	{ TEXT("{\"a\":\"\\u 123\"}") }, { TEXT("{\"a\":\"\\u123") },
	{ TEXT("{\"a\":\"\0\"}") }, { TEXT("{\"a\":\"\x01\"}") },
	{ TEXT("{\"a\":\"\x1f\"}") }, { TEXT("{\"a\":\"\n\"}") },
	{ TEXT("{\"a\":\"\t\"}") }, { TEXT("{\"a\":\"\r\"}") },
	{ TEXT("{\"a\":\"12345678\x1f" "12345678\"}") },
	{ TEXT("{\"\n\":1}") },
};

static void
bad_json_is_refused(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad_rows) /
	    sizeof(bad_rows[0]); i++)
		if (error_of(bad_rows[i].text, bad_rows[i].len) == NULL)
			fail_msg("taken: row %zu: %s", i, bad_rows[i].text);
}

/* White space behind the error is not stepped over. */
static void
the_offset_is_that_of_the_error(void **state)
{
	static const struct {
		struct text_row row;
		size_t where;
	} rows[] = {
		{ { TEXT("{\"a\":\"\n  \n") }, 6 },
		{ { TEXT("{\"a\":-  }") }, 6 }, { { TEXT("{\"a\" ") }, 5 },
		{ { TEXT("{} \nx ") }, 4 }, { { TEXT(" 1 ") }, 1 },
	};
	size_t i, where;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_non_null(json_check((char *)rows[i].row.text,
		    rows[i].row.len, NULL, 0, &where));
		assert_int_equal(where, rows[i].where);
	}
}

static void
bad_utf8_of_every_kind_is_refused(void **state)
{
	static const struct text_row rows[] = {
		{ TEXT("\x80") }, { TEXT("\xbf") },	/* continuation */
		{ TEXT("\xc0\x80") }, { TEXT("\xc0\xaf") },	/* overlong */
		{ TEXT("\xc1\xbf") }, { TEXT("\xe0\x80\x80") },
		{ TEXT("\xe0\x9f\xbf") }, { TEXT("\xf0\x80\x80\x80") },
		{ TEXT("\xf0\x8f\xbf\xbf") },
		{ TEXT("\xed\xa0\x80") }, { TEXT("\xed\xaf\xbf") }, /* CESU */
		{ TEXT("\xed\xb0\x80") }, { TEXT("\xed\xbf\xbf") },
		{ TEXT("\xed\xa0\xbd\xed\xba\x9a") },
		{ TEXT("\xf4\x90\x80\x80") }, { TEXT("\xf5\x80\x80\x80") },
		{ TEXT("\xf7\xbf\xbf\xbf") }, { TEXT("\xf8\x88\x80\x80\x80") },
		{ TEXT("\xfc\x84\x80\x80\x80\x80") },
		{ TEXT("\xfe") }, { TEXT("\xff") },
		{ TEXT("\xc2") }, { TEXT("\xc2 ") }, { TEXT("\xc2\xc2\x80") },
		{ TEXT("\xe2\x82") }, { TEXT("\xe2\x82 ") },
		{ TEXT("\xe2 \x82") }, { TEXT("\xe2\x82\xc0") },
		{ TEXT("\xf0\x9f\x9a") }, { TEXT("\xf0\x9f\x9a ") },
		{ TEXT("\xf0\x9f\xc0\x9a") }, { TEXT("\xf0 \x9f\x9a") },
	};
	char text[64];
	size_t i, len, cut;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		len = (size_t)snprintf(text, sizeof(text), "{\"a\":\"x%s\"}",
		    rows[i].text);
		if (error_of(text, len) == NULL)
			fail_msg("taken as a value: row %zu", i);
		len = (size_t)snprintf(text, sizeof(text), "{\"%s\":1}",
		    rows[i].text);
		if (error_of(text, len) == NULL)
			fail_msg("taken as a key: row %zu", i);
		/* The error is at the end of the text. */
		for (cut = 1; cut <= rows[i].len; cut++) {
			len = (size_t)snprintf(text, sizeof(text), "{\"%.*s",
			    (int)cut, rows[i].text);
			assert_non_null(error_of(text, len));
		}
	}
}

static void
every_cut_of_a_body_is_refused(void **state)
{
	size_t len, cut;
	char *body = body_read("tests/bodies/message_new.json", &len);

	(void)state;
	assert_non_null(body);
	assert_null(error_of(body, len));
	for (cut = 0; cut < len; cut++)
		assert_non_null(error_of(body, cut));
	free(body);
}

/* Levels of `open` around a number, the outermost object among them. */
static char *
nested(size_t levels, const char *open, const char *close, size_t *len)
{
	size_t o = strlen(open), c = strlen(close), i;
	char *text = malloc(5 + (levels - 1) * (o + c) + 3), *at = text;

	assert_non_null(text);
	memcpy(at, "{\"a\":", 5);
	at += 5;
	for (i = 1; i < levels; i++, at += o)
		memcpy(at, open, o);
	*at++ = '1';
	for (i = 1; i < levels; i++, at += c)
		memcpy(at, close, c);
	*at++ = '}';
	*at = '\0';
	*len = (size_t)(at - text);
	return text;
}

static void
depth_has_a_ceiling(void **state)
{
	static const struct {
		size_t levels;
		const char *open;
		const char *close;
		int good;
	} rows[] = {
		{ 256, "[", "]", 1 }, { 257, "[", "]", 0 },
		{ 256, "{\"a\":", "}", 1 }, { 257, "{\"a\":", "}", 0 },
		{ 1000000, "[", "]", 0 }, { 1000000, "{\"a\":", "}", 0 },
		{ 1000000, "[", "", 0 },
	};
	size_t i, len;
	char *text;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		text = nested(rows[i].levels, rows[i].open, rows[i].close,
		    &len);
		if ((error_of(text, len) == NULL) != rows[i].good)
			fail_msg("row %zu", i);
		free(text);
	}
}

static void
the_deepest_tree_is_made(void **state)
{
	struct json_object *tree;
	size_t len;
	char *text = nested(256, "[", "]", &len);

	(void)state;
	assert_int_equal(body_tree(text, len, "a", &tree), 0);
	assert_int_equal(json_object_array_length(tree), 1);
	json_object_put(tree);
	free(text);
}

#define MIB8 ((size_t)8 << 20)

static void
a_string_of_8_mib_is_one(void **state)
{
	static const char *const pieces[] =
	    { "x", "\\u0416", "\xd0\x96", "\\\"" };
	static const size_t sizes[] = { 1, 2, 2, 1 };
	struct json_object *tree;
	size_t i, at, len, step;
	char *text;

	(void)state;
	for (i = 0; i < 4; i++) {
		step = strlen(pieces[i]);
		text = malloc(MIB8 + 16);
		assert_non_null(text);
		memcpy(text, "{\"a\":\"", 6);
		for (at = 6; at + step <= MIB8; at += step)
			memcpy(text + at, pieces[i], step);
		memcpy(text + at, "\"}", 3);
		len = at + 2;
		assert_int_equal(body_tree(text, len, "a", &tree), 0);
		assert_int_equal(json_object_get_string_len(tree),
		    (at - 6) / step * sizes[i]);
		json_object_put(tree);
		free(text);
	}
}

static void
numbers_of_8_mib_end_quickly(void **state)
{
	char *text = malloc(MIB8 + 1);
	int64_t out;

	(void)state;
	assert_non_null(text);
	text[MIB8] = '\0';
	memset(text, '9', MIB8);
	assert_false(json_integer(text, MIB8, &out));
	memset(text, '0', MIB8);
	memcpy(text, "0.", 2);
	assert_true(json_integer(text, MIB8, &out));
	assert_int_equal(out, 0);
	text[MIB8 - 1] = '1';
	assert_false(json_integer(text, MIB8, &out));
	free(text);
}

/* The tree equals the one of json-c's own parser. */
static void
assert_same_tree(const char *text, size_t len)
{
	struct json_tokener *tokener = json_tokener_new_ex(300);
	struct json_object *wanted, *got, *member;
	char *copy = malloc(len + 1);

	assert_non_null(tokener);
	assert_non_null(copy);
	memcpy(copy, text, len);
	copy[len] = '\0';
	wanted = json_tokener_parse_ex(tokener, text, (int)len);
	assert_non_null(wanted);
	json_object_object_foreach(wanted, key, value) {
		assert_int_equal(body_tree(copy, len, key, &got), 0);
		member = value;
		if (!json_object_equal(member, got))
			fail_msg("%s differs in %.60s", key, text);
		assert_string_equal(
		    json_object_to_json_string_ext(member, 0),
		    json_object_to_json_string_ext(got, 0));
		json_object_put(got);
		memcpy(copy, text, len);
	}
	json_object_put(wanted);
	json_tokener_free(tokener);
	free(copy);
}

static void
assert_same_body(const char *path)
{
	size_t len;
	char *text = body_read(path, &len);

	assert_non_null(text);
	assert_same_tree(text, len);
	free(text);
}

static void
trees_are_as_json_c_makes_them(void **state)
{
	static const struct text_row rows[] = {
		{ TEXT("{\"o\":{\"a\":[],\"b\":{},\"c\":[ ],\"d\":{ }}}") },
		{ TEXT("{\"o\": [ 1 , -1 , 0, -0, 1.0, "
		    "0.1e1, 1E5, -2.50 ] }") },
		{ TEXT("{\"o\":[9223372036854775807,-9223372036854775808,"
		    "9223372036854775808,18446744073709551615]}") },
		{ TEXT("{\"o\":[true,false,null,[null],{\"a\":null}]}") },
		{ TEXT("{\"o\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"}") },
		{ TEXT("{\"o\":\"\\u0416\\u20ac\\ud83d\\ude9ax\"}") },
		{ TEXT("{\"o\":\"Ж€🚚\"}") },
		/* surrogates without their half: U+FFFD */
		{ TEXT("{\"o\":[\"\\ud800\",\"\\udbff\",\"\\udc00\"]}") },
		{ TEXT("{\"o\":[\"\\udfff\",\"\\ud83dx\",\"\\ud83d\\n\"]}") },
		{ TEXT("{\"o\":[\"\\ud83d\\u0041\",\"\\ude9a\\ud83d\"]}") },
		{ TEXT("{\"o\":\"\\ud83d\\ud83d\\ude9a\"}") },
		{ TEXT("{\"o\":{\"\\ud83d\":\"\\ud83dude9a\"}}") },
		{ TEXT("{\"o\":{\"\\u0061\\n\":1,\"\":2,\"Ж\":3}}") },
		{ TEXT("{\"o\":{\"a\":1,\"b\":2,\"a\":[3]}}") },
		{ TEXT("{\"o\":{\n\t\"a\"\r\n:\n\"b\"\n,\n"
		    "\"c\"\n:\n[\n]\n}}") },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_same_tree(rows[i].text, rows[i].len);
	assert_true(body_each(assert_same_body) >= 60);
}

static void
a_number_too_large_keeps_its_text(void **state)
{
	static const char *const rows[] = {
		"18446744073709551616", "-9223372036854775809", "1e999",
		"1e-999", "123456789012345678901234567890", "1.10",
	};
	struct json_object *tree;
	char text[64];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(text, sizeof(text), "{\"a\":%s}", rows[i]);
		assert_int_equal(body_tree(text, strlen(text), "a", &tree), 0);
		assert_int_equal(json_object_get_type(tree), json_type_double);
		assert_string_equal(json_object_get_string(tree), rows[i]);
		json_object_put(tree);
	}
}

static void
a_nul_in_a_key_or_a_text_is_replaced(void **state)
{
	char text[] = "{\"o\":{\"a\\u0000b\":\"\\u0000\",\"a\":2,"
	    "\"\\u0000\":[\"x\\u0000\",\"\\u0000\\ud83d\\u0000y\"]}}";
	struct json_object *tree;

	(void)state;
	assert_int_equal(body_tree(text, strlen(text), "o", &tree), 0);
	assert_string_equal(json_object_to_json_string_ext(tree, 0),
	    "{\"a\uFFFDb\":\"\uFFFD\",\"a\":2,\"\uFFFD\":[\"x\uFFFD\","
	    "\"\uFFFD\uFFFD\uFFFDy\"]}");
	assert_string_equal(vk_get_str(tree, "a\uFFFDb"), "\uFFFD");
	json_object_put(tree);
}

static void
absent_and_null_are_no_tree(void **state)
{
	struct json_object *tree = (void *)1;
	char text[] = "{\"a\":null}";

	(void)state;
	assert_int_equal(body_tree(text, strlen(text), "b", &tree), 0);
	assert_null(tree);
	assert_int_equal(body_tree(text, strlen(text), "a", &tree), 0);
	assert_null(tree);
}

static void
names_are_spelled_with_escapes_too(void **state)
{
	static const struct {
		const char *string;
		int same;
	} rows[] = {
		{ "\"type\"", 1 }, { "\"\\u0074ype\"", 1 },
		{ "\"\\u0074\\u0079\\u0070\\u0065\"", 1 },
		{ "\"typ\"", 0 }, { "\"types\"", 0 }, { "\"Type\"", 0 },
		{ "\"\"", 0 }, { "\"\\type\"", 0 }, { "\"type\\u0000\"", 0 },
		{ "\"\\u0474ype\"", 0 }, { "\"\\n\\n\"", 0 },
		{ "\"typ\\u0065s\"", 0 },
	};
	struct json_value value = { .kind = JSON_STRING };
	char text[64];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(text, sizeof(text), "%s", rows[i].string);
		value.at = text;
		value.len = strlen(text);
		if (json_spells(&value, "type", 4) != rows[i].same)
			fail_msg("%s", rows[i].string);
	}
}

static void
integers_are_exact_or_none(void **state)
{
	static const struct {
		const char *text;
		int good;
		int64_t value;
	} rows[] = {
		{ "0", 1, 0 }, { "-0", 1, 0 }, { "0.0", 1, 0 }, { "0e5", 1, 0 },
		{ "0e999999999", 1, 0 }, { "0.000e-7", 1, 0 },
		{ "12", 1, 12 }, { "-12", 1, -12 }, { "12.0", 1, 12 },
		{ "1.2e1", 1, 12 }, { "1e2", 1, 100 }, { "1E+2", 1, 100 },
		{ "100.0", 1, 100 }, { "100.00", 1, 100 }, { "0.1e1", 1, 1 },
		{ "100e-2", 1, 1 }, { "1.50e1", 1, 15 }, { "-2.5e1", 1, -25 },
		{ "0.00001e5", 1, 1 }, { "1200000e-5", 1, 12 },
		{ "9223372036854775807", 1, INT64_MAX },
		{ "9223372036854775807.0", 0, 0 },
		{ "922337203685477580.7e1", 0, 0 },
		{ "-9223372036854775808", 1, INT64_MIN },
		{ "-922337203685477580.8e1", 0, 0 },
		{ "1e18", 0, 0 },
		{ "9007199254740993", 1, INT64_C(9007199254740993) },
		{ "9007199254740991.0", 1, INT64_C(9007199254740991) },
		{ "-9007199254740991e0", 1, -INT64_C(9007199254740991) },
		{ "9007199254740992.0", 0, 0 },
		{ "100.5", 0, 0 }, { "1e-1", 0, 0 }, { "0.1", 0, 0 },
		{ "1e-999", 0, 0 }, { "1e999", 0, 0 },
		{ "1e999999999", 0, 0 }, { "1e-999999999", 0, 0 },
		{ "1e99999999999999999999", 0, 0 },
		{ "1e-99999999999999999999", 0, 0 },
		{ "9223372036854775808", 0, 0 },
		{ "-9223372036854775809", 0, 0 },
		{ "18446744073709551616", 0, 0 }, { "1e19", 0, 0 },
		{ "9223372036854775807.5", 0, 0 },
		{ "", 0, 0 }, { "-", 0, 0 }, { "+1", 0, 0 }, { "01", 0, 0 },
		{ " 1", 0, 0 }, { "1 ", 0, 0 }, { "1.", 0, 0 }, { ".5", 0, 0 },
		{ "1e", 0, 0 }, { "0x1", 0, 0 }, { "1,0", 0, 0 },
		{ "nan", 0, 0 }, { "inf", 0, 0 }, { "1_0", 0, 0 },
	};
	int64_t got;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		got = 0;
		if (json_integer(rows[i].text, strlen(rows[i].text), &got) !=
		    rows[i].good || (rows[i].good && got != rows[i].value))
			fail_msg("\"%s\" came out as %lld", rows[i].text,
			    (long long)got);
	}
	assert_false(json_integer("1\0", 2, &got));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_json_is_taken),
		cmocka_unit_test(bad_json_is_refused),
		cmocka_unit_test(the_offset_is_that_of_the_error),
		cmocka_unit_test(bad_utf8_of_every_kind_is_refused),
		cmocka_unit_test(every_cut_of_a_body_is_refused),
		cmocka_unit_test(depth_has_a_ceiling),
		cmocka_unit_test(the_deepest_tree_is_made),
		cmocka_unit_test(a_string_of_8_mib_is_one),
		cmocka_unit_test(numbers_of_8_mib_end_quickly),
		cmocka_unit_test(trees_are_as_json_c_makes_them),
		cmocka_unit_test(a_number_too_large_keeps_its_text),
		cmocka_unit_test(a_nul_in_a_key_or_a_text_is_replaced),
		cmocka_unit_test(absent_and_null_are_no_tree),
		cmocka_unit_test(names_are_spelled_with_escapes_too),
		cmocka_unit_test(integers_are_exact_or_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
