/* sqlite.c - src/inbox/sqlite.h agrees with <sqlite3.h>. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "inbox/sqlite.h"

#define CALL(result, name, arguments) \
	_Static_assert(__builtin_types_compatible_p( \
	    __typeof__(((struct sqlite *)NULL)->name), \
	    __typeof__(&sqlite3_##name)), "sqlite3_" #name);
SQLITE_CALLS
#undef CALL

#define NUMBER(name, value) \
	_Static_assert(SQL_##name == SQLITE_##name, #name);
SQLITE_NUMBERS
#undef NUMBER

_Static_assert(offsetof(struct sqlite_file, methods) ==
    offsetof(struct sqlite3_file, pMethods), "methods");
_Static_assert(offsetof(struct sqlite_file_methods, sync) ==
    offsetof(struct sqlite3_io_methods, xSync), "xSync");
_Static_assert(offsetof(struct sqlite_file_methods, file_size) ==
    offsetof(struct sqlite3_io_methods, xFileSize), "xFileSize");

static void
the_library_is_found_and_has_every_function(void **state)
{
	char error[512] = "";

	(void)state;
	assert_non_null(sqlite_load(error, sizeof(error)));
	assert_string_equal(error, "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_library_is_found_and_has_every_function),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
