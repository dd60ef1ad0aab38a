/* arena.c - the memory of one event, and its release. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "alloc.h"
#include "arena.h"

static void
pieces_are_aligned_and_apart(void **state)
{
	struct arena arena;
	char *pieces[300];
	size_t i, k;

	(void)state;
	arena = (struct arena){ .chunks = NULL };
	for (i = 0; i < 300; i++) {
		pieces[i] = arena_alloc(&arena, i * 7);
		assert_non_null(pieces[i]);
		assert_int_equal((uintptr_t)pieces[i] %
		    _Alignof(max_align_t), 0);
		memset(pieces[i], (int)(i & 0xff), i * 7);
	}
	for (i = 0; i < 300; i++)
		for (k = 0; k < i * 7; k++)
			assert_int_equal((unsigned char)pieces[i][k], i & 0xff);
	arena_release(&arena);
}

static void
a_usual_event_takes_nothing_from_the_system(void **state)
{
	struct arena arena;
	int i;

	(void)state;
	if (!ALLOC_COUNTS)
		skip();
	arena = (struct arena){ .chunks = NULL };
	assert_non_null(arena_alloc(&arena, 100));
	arena_reset(&arena);
	alloc_fail_at(0);
	for (i = 0; i < 100; i++) {
		assert_non_null(arena_alloc(&arena, 20000));
		assert_non_null(arena_alloc(&arena, 10000));
		arena_reset(&arena);
	}
	assert_int_equal(alloc.taken, 0);
	arena_release(&arena);
}

static void
all_but_the_first_chunk_goes_on_reset(void **state)
{
	struct arena arena;
	long live;

	(void)state;
	if (!ALLOC_COUNTS)
		skip();
	live = alloc.live;
	arena = (struct arena){ .chunks = NULL };
	assert_non_null(arena_alloc(&arena, 8 << 20));
	assert_non_null(arena_alloc(&arena, 8 << 20));
	arena_reset(&arena);
	assert_int_equal(alloc.live, live);
	assert_non_null(arena_alloc(&arena, 10));
	assert_non_null(arena_alloc(&arena, 8 << 20));
	arena_reset(&arena);
	assert_int_equal(alloc.live, live + 1);
	arena_release(&arena);
	assert_int_equal(alloc.live, live);
}

static void
sizes_that_cannot_be_are_refused(void **state)
{
	struct arena arena;

	(void)state;
	arena = (struct arena){ .chunks = NULL };
	assert_null(arena_alloc(&arena, SIZE_MAX));
	assert_null(arena_alloc(&arena, SIZE_MAX - 8));
	assert_null(arena_alloc(&arena, SIZE_MAX / 2));
	assert_non_null(arena_alloc(&arena, 0));
	assert_non_null(arena_alloc(&arena, 64));
	arena_release(&arena);
}

static void
it_stays_usable_without_memory(void **state)
{
	struct arena arena;
	char *first;

	(void)state;
	if (!ALLOC_COUNTS)
		skip();
	arena = (struct arena){ .chunks = NULL };
	first = arena_alloc(&arena, 16);
	assert_non_null(first);
	memset(first, 'x', 16);
	alloc_fail_at(1);
	assert_null(arena_alloc(&arena, 1 << 20));
	assert_int_equal(first[15], 'x');
	assert_non_null(arena_alloc(&arena, 16));
	assert_non_null(arena_alloc(&arena, 1 << 20));
	arena_release(&arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_are_aligned_and_apart),
		cmocka_unit_test(a_usual_event_takes_nothing_from_the_system),
		cmocka_unit_test(all_but_the_first_chunk_goes_on_reset),
		cmocka_unit_test(sizes_that_cannot_be_are_refused),
		cmocka_unit_test(it_stays_usable_without_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
