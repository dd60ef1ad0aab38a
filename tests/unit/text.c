/* number.c - integers in text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "text.h"

static void
a_number_is_digits_within_its_range(void **state)
{
	static const struct {
		const char *text;
		int64_t min, max;
		bool good;
		int64_t number;
	} rows[] = {
		{ "0", 0, 9, true, 0 },
		{ "9", 0, 9, true, 9 },
		{ "10", 0, 9, false, 0 },
		{ "007", 1, 9, true, 7 },
		{ "0", 1, 9, false, 0 },
		{ "9223372036854775807", 0, INT64_MAX, true, INT64_MAX },
		{ "9223372036854775808", 0, INT64_MAX, false, 0 },
		{ "18446744073709551617", 0, INT64_MAX, false, 0 },
		{ "99999999999999999999999", 0, INT64_MAX, false, 0 },
		{ "-9223372036854775808", INT64_MIN, 0, true, INT64_MIN },
		{ "-9223372036854775809", INT64_MIN, 0, false, 0 },
		{ "-5", -5, 5, true, -5 },
		{ "-6", -5, 5, false, 0 },
		{ "-5", 0, 5, false, 0 },
		{ "-0", 0, 5, false, 0 },
		{ "-", -5, 5, false, 0 },
		{ "--5", -5, 5, false, 0 },
		{ "", 0, 5, false, 0 },
		{ "+5", 0, 5, false, 0 },
		{ " 5", 0, 5, false, 0 },
		{ "5 ", 0, 5, false, 0 },
		{ "0x5", 0, 5, false, 0 },
		{ "5.0", 0, 5, false, 0 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int64_t got = 77;

		if (number_read(rows[i].text, strlen(rows[i].text),
		    rows[i].min, rows[i].max, &got) != rows[i].good ||
		    got != (rows[i].good ? rows[i].number : 77))
			fail_msg("%s", rows[i].text);
	}
}

static void
a_prefix_and_bytes_with_a_nul_are_read_by_their_length(void **state)
{
	int64_t got;

	(void)state;
	assert_true(number_read("10s", 2, 0, 100, &got));
	assert_int_equal(got, 10);
	assert_false(number_read("1\0", 2, 0, 100, &got));
}

static void
digits_go_up_to_two_to_the_64th(void **state)
{
	uint64_t got = 1;

	(void)state;
	assert_true(number_read_digits("18446744073709551615", 20, &got));
	assert_true(got == UINT64_MAX);
	assert_false(number_read_digits("18446744073709551616", 20, &got));
	assert_false(number_read_digits("-1", 2, &got));
	assert_false(number_read_digits("", 0, &got));
	assert_true(got == UINT64_MAX);
}

static void
versions_compare_as_numbers(void **state)
{
	static const char *const bad[] = {
		"", "5", "5.", ".5", "5.1.2", "05.1", "5.01", "5.1 ", "-5.1",
		"1000.1", "5.100000", "a.b", " 5.1",
	};
	size_t i;

	(void)state;
	assert_int_equal(number_version("5.199"),
	    5 * NUMBER_VERSION_MAJOR + 199);
	assert_true(number_version("5.81") > number_version("5.9"));
	assert_true(number_version("6.0") > number_version("5.99999"));
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (number_version(bad[i]) != 0)
			fail_msg("%s", bad[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_number_is_digits_within_its_range),
		cmocka_unit_test(
		    a_prefix_and_bytes_with_a_nul_are_read_by_their_length),
		cmocka_unit_test(digits_go_up_to_two_to_the_64th),
		cmocka_unit_test(versions_compare_as_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
