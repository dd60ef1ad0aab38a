# kit.sh - vkcb_test.h: tests of handlers.
. tests/lib.sh

# The examples may have been deleted.
[ ! -e handlers/tests/greet.c ] || claim "the test of the worked handler passes" \
    "$O/handlers/tests/greet"

mkdir -p "$work/handlers/tests"
cat >"$work/handlers/later.c" <<'END'
#include <stdlib.h>

#include "vkcb.h"

static enum vkcb_outcome
later(struct vkcb_event *ev, const struct vk_group_member *member)
{
	struct json_object *users, *first;

	if (member->user_id == 1)
		return vkcb_retry_after(ev, 429, 60);
	if (member->user_id == 2)
		return vkcb_set_version(ev, "5.200");
	if (member->user_id == 4) {
		(void)!vkcb_retry_after(ev, 429, 60);
		(void)!vkcb_set_version(ev, "5.200");
		return ev->attempt < 5 ? VKCB_FAIL : VKCB_OK;
	}
	if (member->user_id == 5)
		exit(0);
	if (vkcb_api(ev, "users.get", VK_PARAMS("user_ids",
	    VK_INT(member->user_id)), &users) != VKCB_OK)
		return VKCB_FAIL;
	first = json_object_array_get_idx(users, 0);
	return vkcb_send(ev, member->user_id, json_object_get_string(
	    json_object_object_get(first, "first_name")));
}

const struct vkcb_handler handler_later = { ON(group_join, later) };
END
cat >"$work/handlers/tests/later.c" <<'END'
#include <assert.h>

#include "vkcb_test.h"

extern const struct vkcb_handler handler_later;

int
main(void)
{
	struct vkcb_test *t = vkcb_test_new();

	assert(vkcb_test_body(t, &handler_later, "{\"type\":\"group_join\","
	    "\"group_id\":5,\"object\":{\"user_id\":1}}") == VKCB_RETRY_AFTER);
	assert(vkcb_test_status(t) == 429 && vkcb_test_seconds(t) == 60);
	assert(VKCB_TEST_EVENT(t, &handler_later, "object.user_id=2") ==
	    VKCB_SET_VERSION);
	assert(strcmp(vkcb_test_version(t), "5.200") == 0);
	vkcb_test_answer(t, "users.get",
	    "{\"response\":[{\"first_name\":\"Анна\"}]}");
	assert(VKCB_TEST_EVENT(t, &handler_later, "object.user_id=3") ==
	    VKCB_OK);
	assert(vkcb_test_calls(t) == 2);
	assert(strcmp(vkcb_test_param(t, 0, "user_ids"), "3") == 0);
	assert(strcmp(vkcb_test_param(t, 1, "message"), "Анна") == 0);
	assert(vkcb_test_param(t, 2, "message") == NULL);
	assert(VKCB_TEST_EVENT(t, &handler_later, "object.user_id=4") ==
	    VKCB_FAIL);
	assert(*vkcb_test_version(t) == '\0' && vkcb_test_status(t) == 0 &&
	    vkcb_test_seconds(t) == 0);
	vkcb_test_repeat(t, 4, 5);
	assert(VKCB_TEST_EVENT(t, &handler_later, "object.user_id=4") ==
	    VKCB_OK);
	vkcb_test_answer(t, "users.get", "");
	assert(VKCB_TEST_EVENT(t, &handler_later) == VKCB_FAIL);
	vkcb_test_free(t);
	return 0;
}
END
cat >"$work/handlers/zero.c" <<'END'
#include "vkcb.h"

static enum vkcb_outcome
zero(struct vkcb_event *ev)
{
	(void)ev;
	return VKCB_GIVE_UP;
}

const struct vkcb_handler handler_zero = { ON_TYPE("brand_new", zero) };
END
cat >"$work/handlers/tests/zero.c" <<'END'
#include "vkcb_test.h"

extern const struct vkcb_handler handler_zero;

int
main(void)
{
	struct vkcb_test *t = vkcb_test_new();

	return VKCB_TEST_EVENT(t, &handler_zero) != VKCB_GIVE_UP;
}
END
make_tests() {
	make --no-print-directory O="$work/build" HANDLERS="$work/handlers" \
	    CFLAGS=-O0 "${1:-check-handlers}"
}
claim "a test sees a handler's outcomes, calls and retries" make_tests
sed -i 's/seconds(t) == 60/seconds(t) == 61/' "$work/handlers/tests/later.c"
claim "a failed test is reported" sh -c "
	! make --no-print-directory O='$work/build' CFLAGS=-O0 \
	    HANDLERS='$work/handlers' check-handlers >'$work/out' 2>&1"
claim "the test after a failed one is run" \
    has "$work/out" "ok $work/build/handlers/tests/zero"
sed -i 's/"group_join/"like_add/' "$work/handlers/tests/later.c"
claim "a body of another event is an error of the test" sh -c "
	! make --no-print-directory O='$work/build' CFLAGS=-O0 \
	    HANDLERS='$work/handlers' check-handlers >'$work/out' 2>&1 &&
	grep -q 'like_add: this handler does not take it' '$work/out'"

# mistake BODY - the test whose main has this body says so, and fails.
mistake() {
	printf '%s\n' '#include "vkcb_test.h"' \
	    'extern const struct vkcb_handler handler_later;' \
	    "int main(void) { struct vkcb_test *t = vkcb_test_new(); $1" \
	    'return 0; }' >"$work/handlers/tests/later.c"
	! make_tests >"$work/out" 2>&1
}
claim "a response of NULL is an error of the test" \
    mistake 'vkcb_test_answer(t, "users.get", NULL);'
claim "a response of NULL is named" \
    has "$work/out" "users.get: NULL is no answer"
claim "a handler that ends the program passes no test" \
    mistake 'VKCB_TEST_EVENT(t, &handler_later, "object.user_id=5");'
claim "a handler that ends the program is named" \
    has "$work/out" "group_join: the handler ended the program"
make_tests "$work/build/vkcb" >"$work/out" 2>&1
claim "a handler that ends the program fails in vkcb trigger" sh -c "
	! '$work/build/vkcb' trigger group_join object.user_id=5 2>'$work/err' &&
	grep -q 'a handler ended the program' '$work/err'"

done_testing
