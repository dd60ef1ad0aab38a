/* servers.c - our server among VK's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <json-c/json.h>

#include "conf/keys.h"
#include "json/tree.h"
#include "setup/group_api.h"

/* The id of the best server; 0: none, -1: no list of servers. */
static int64_t
best(const char *list, const struct key *key)
{
	struct json_object *response = json_tokener_parse(list);
	struct json_object *servers = servers_of(response), *server;
	int64_t id = -1;

	if (servers != NULL) {
		server = servers_best(servers, "https://a.example/cb", key);
		id = server != NULL ? vk_get_int(server, "id") : 0;
	}
	json_object_put(response);
	return id;
}

#define SERVER(id, url, status) "{\"id\":" id ",\"url\":\"https://" url \
	"\",\"status\":\"" status "\"}"
#define LIST(servers) "{\"count\":1,\"items\":[" servers "]}"

static void
one_that_is_ok_goes_first_then_the_one_that_was_kept(void **state)
{
	struct key key = { .server_id = 3, .url = "https://a.example/cb" };
	struct key other = { .server_id = 3, .url = "https://b.example/" };

	(void)state;
	assert_int_equal(0, best(LIST(""), NULL));
	assert_int_equal(0, best(LIST(SERVER("1", "x/", "ok")), NULL));
	assert_int_equal(2, best(LIST(SERVER("1", "a.example/cb", "failed") ","
	    SERVER("2", "a.example/cb", "wait")), NULL));
	assert_int_equal(2, best(LIST(SERVER("3", "a.example/cb", "wait") ","
	    SERVER("2", "a.example/cb", "ok")), &key));
	assert_int_equal(3, best(LIST(SERVER("2", "a.example/cb", "ok") ","
	    SERVER("3", "a.example/cb", "ok")), &key));
	/* VK may list the server in any spelling. */
	assert_int_equal(3, best(LIST(SERVER("3", "x/", "ok")), &key));
	assert_int_equal(0, best(LIST(SERVER("3", "x/", "ok")), &other));
}

static void
another_spelling_may_be_another_programs(void **state)
{
	static const char *const others[] = {
		SERVER("1", "a.example/cb/", "ok"),
		SERVER("1", "a.example/CB", "ok"),
		SERVER("1", "A.example/cb", "ok"),
		SERVER("1", "a.example:443/cb", "ok"),
		SERVER("1", "a.example/cb?x=1", "ok"),
	};
	struct key key = { .server_id = 3, .url = "https://a.example/cb/" };
	char list[256];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		snprintf(list, sizeof(list), LIST("%s"), others[i]);
		assert_int_equal(0, best(list, NULL));
	}
	assert_int_equal(0, best(LIST(SERVER("3", "a.example/cb/", "ok")),
	    &key));
}

static void
another_shape_is_no_list(void **state)
{
	(void)state;
	assert_int_equal(-1, best("[]", NULL));
	assert_int_equal(-1, best("{}", NULL));
	assert_int_equal(-1, best("1", NULL));
	assert_int_equal(-1, best("{\"items\":{}}", NULL));
	assert_int_equal(-1, best(LIST("1"), NULL));
	assert_int_equal(-1, best(LIST("{\"id\":\"one\",\"url\":\"u\","
	    "\"status\":\"ok\"}"), NULL));
	assert_int_equal(-1, best(LIST("{\"id\":1,\"status\":\"ok\"}"), NULL));
}

static void
what_can_be_kept_is_read_back_as_it_is(void **state)
{
	static const char *const values[] = {
		"a", "abc;def", "#x", "\"q\"", "a=b", "[x]", "none",
		"\xd0\xb6\xd0\xb6",
		"12345678901234567890123456789012345678901234567890",
		"", " ", "a ", " a", "a b", "abc ;def", ";semi", "a\nb", "a\tb",
		"a\x7f", "123456789012345678901234567890123456789012345678901",
	};
	char path[] = "/tmp/vkcb-keys.XXXXXX", error[KEYS_ERROR_MAX];
	int fd = mkstemp(path);
	struct keys keys;
	bool same;
	size_t i;

	(void)state;
	assert_true(fd != -1);
	for (i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		assert_int_equal(ftruncate(fd, 0), 0);
		assert_true(lseek(fd, 0, SEEK_SET) == 0 && dprintf(fd,
		    "[group 7]\nsecret = %s\n", values[i]) > 0);
		same = keys_read(&keys, path, error) == 0 &&
		    keys.n == 1 && strcmp(keys.at[0].secret, values[i]) == 0;
		if (keys_can_hold(values[i]))
			assert_true(same);
		/* Setup would not have written it: it is not guessed at. */
		if (strchr(" ;", values[i][0]) != NULL)
			assert_true(keys.n == (values[i][0] == ' ' &&
			    values[i][1] == 'a'));
		/* The first nine are fine. */
		assert_int_equal(i < 9, keys_can_hold(values[i]));
		keys_free(&keys);
	}
	close(fd);
	assert_int_equal(unlink(path), 0);
}

static void
a_confirmation_string_is_short_and_plain(void **state)
{
	(void)state;
	assert_true(keys_is_confirmation("7d1a2b3c"));
	assert_true(keys_is_confirmation("A-z_09"));
	assert_true(keys_is_confirmation(
	    "12345678901234567890123456789012345678901234567890"));
	assert_false(keys_is_confirmation(
	    "123456789012345678901234567890123456789012345678901"));
	assert_false(keys_is_confirmation(""));
	assert_false(keys_is_confirmation("\"7d1a2b3c\""));
	assert_false(keys_is_confirmation("7d1a2b3c "));
	assert_false(keys_is_confirmation("\xd0\xb6"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(another_spelling_may_be_another_programs),
		cmocka_unit_test(
		    one_that_is_ok_goes_first_then_the_one_that_was_kept),
		cmocka_unit_test(another_shape_is_no_list),
		cmocka_unit_test(what_can_be_kept_is_read_back_as_it_is),
		cmocka_unit_test(a_confirmation_string_is_short_and_plain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
