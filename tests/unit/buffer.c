/* buffer.c - a growing buffer, and its sticky failure. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "alloc.h"
#include "buffer.h"

static void
it_grows_and_ends_with_a_nul(void **state)
{
	struct buffer buffer = { .max = 100000 };
	size_t i;

	(void)state;
	for (i = 0; i < 10000; i++) {
		buffer_put(&buffer, "abc", 3);
		assert_int_equal(strlen(buffer.at), buffer.len);
	}
	buffer_put(&buffer, "\0d", 2);
	assert_int_equal(buffer.failed, BUFFER_GOOD);
	assert_int_equal(buffer.len, 30002);
	for (i = 0; i < 30000; i++)
		assert_int_equal(buffer.at[i], "abc"[i % 3]);
	assert_memory_equal(buffer.at + 30000, "\0d", 3);
	buffer_free(&buffer);
	assert_null(buffer.at);
	assert_int_equal(buffer.len, 0);
}

static void
a_ceiling_is_reached_and_not_passed(void **state)
{
	struct buffer buffer = { .max = 5 };

	(void)state;
	buffer_put(&buffer, "abcde", 5);
	assert_int_equal(buffer.failed, BUFFER_GOOD);
	buffer_put(&buffer, "f", 1);
	assert_int_equal(buffer.failed, BUFFER_TOO_LONG);
	assert_string_equal(buffer.at, "abcde");
	buffer_put(&buffer, "", 0);
	assert_null(buffer_room(&buffer, 0));
	assert_int_equal(buffer.failed, BUFFER_TOO_LONG);
	buffer_free(&buffer);
	buffer_put(&buffer, "again", 5);
	assert_string_equal(buffer.at, "again");
	assert_null(buffer_room(&buffer, SIZE_MAX));
	buffer_free(&buffer);
}

static void
room_is_filled_by_the_caller(void **state)
{
	struct buffer buffer = { .max = 4000 };
	char *room;

	(void)state;
	buffer_put(&buffer, "a", 1);
	room = buffer_room(&buffer, 3000);
	assert_non_null(room);
	memset(room, 'b', 3000);
	buffer.len += 3000;
	buffer_put(&buffer, "c", 1);
	assert_int_equal(buffer.len, 3002);
	assert_string_equal(buffer.at + 2998, "bbbc");
	buffer_free(&buffer);
}

static void
no_memory_leaves_it_as_it_was(void **state)
{
	struct buffer buffer = { .max = 100000 };
	char more[2000] = "";
	long live = alloc.live;

	(void)state;
	if (!ALLOC_COUNTS)
		skip();
	buffer_put(&buffer, "abc", 3);
	alloc_fail_at(1);
	buffer_put(&buffer, more, sizeof(more));
	alloc_fail_at(0);
	assert_int_equal(buffer.failed, BUFFER_NO_MEMORY);
	buffer_put(&buffer, "d", 1);
	assert_string_equal(buffer.at, "abc");
	buffer_free(&buffer);
	assert_int_equal(alloc.live, live);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_grows_and_ends_with_a_nul),
		cmocka_unit_test(a_ceiling_is_reached_and_not_passed),
		cmocka_unit_test(room_is_filled_by_the_caller),
		cmocka_unit_test(no_memory_leaves_it_as_it_was),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
