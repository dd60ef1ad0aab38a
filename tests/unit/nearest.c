/* nearest.c - "did you mean". */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "report.h"

static const char *
nearest_of(const char *word)
{
	struct nearest nearest = { .word = word };

	nearest_try(&nearest, "secret");
	nearest_try(&nearest, "token");
	nearest_try(&nearest, "confirmation");
	return nearest.best;
}

static void
typos_find_their_word(void **state)
{
	(void)state;
	assert_string_equal(nearest_of("secert"), "secret");
	assert_string_equal(nearest_of("tokn"), "token");
	assert_string_equal(nearest_of("TOKEN"), "token");
	assert_string_equal(nearest_of("confirmtion"), "confirmation");
}

static void
other_words_find_none(void **state)
{
	(void)state;
	assert_null(nearest_of("port"));
	assert_null(nearest_of(""));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(typos_find_their_word),
		cmocka_unit_test(other_words_find_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
