/* curl.c - src/vk/curl.h agrees with <curl/curl.h>. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#define CURL_DISABLE_DEPRECATION	/* CURLOPT_PROTOCOLS_STR is of 7.85 */
#include <curl/curl.h>

#include "vk/curl.h"

#define CALL(result, name, arguments) \
	_Static_assert(__builtin_types_compatible_p( \
	    __typeof__(((struct curl *)NULL)->name), \
	    __typeof__(&curl_##name)), "curl_" #name);
CURL_CALLS
#undef CALL

#define NUMBER(name, value) _Static_assert(CURL##name == (value), #name);
CURL_NUMBERS
#undef NUMBER

_Static_assert((CURLPROTO_HTTP | CURLPROTO_HTTPS) == 3, "CURLPROTO_WEB");
_Static_assert(sizeof(struct curl_slist) == 2 * sizeof(void *) &&
    offsetof(struct curl_slist, next) == sizeof(void *), "curl_slist");

static void
the_library_is_found_and_has_every_function(void **state)
{
	char why[CURL_STATE_MAX] = "";

	(void)state;
	assert_non_null(curl_load(why));
	assert_string_equal(why, "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_library_is_found_and_has_every_function),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
