/*
 * vkcb_test.h - tests of handlers: calls one with an event, without VK and
 * without a web server, and tells what came of it. A file
 * handlers/tests/greet.c is a whole test; `make check-handlers` builds and runs
 * it:
 *
 *	#include <assert.h>
 *	#include "vkcb_test.h"
 *
 *	extern const struct vkcb_handler handler_greet;
 *
 *	int
 *	main(void)
 *	{
 *		struct vkcb_test *t = vkcb_test_new();
 *
 *		assert(VKCB_TEST_EVENT(t, &handler_greet,
 *		    "object.message.text=привет") == VKCB_OK);
 *		assert(vkcb_test_calls(t) == 1);
 *		assert(strcmp(vkcb_test_param(t, 0, "message"),
 *		    "И тебе привет!") == 0);
 *		vkcb_test_free(t);
 *		return 0;
 *	}
 *
 * Where vkcb was installed and its sources are not at hand, it is
 *
 *	cc -I /usr/local/include/vkcb test.c greet.c -L /usr/local/lib \
 *	    -lvkcb -ljson-c -linih -lfcgi -ldl
 *
 * A mistake of the test itself, no memory, and a handler that calls exit() end
 * the program with a line on standard error and a failure. What is returned is
 * good until the next event of the test.
 */
#ifndef VKCB_TEST_H
#define VKCB_TEST_H

#include "vkcb.h"

struct vkcb_test;

struct vkcb_test *vkcb_test_new(void);
void vkcb_test_free(struct vkcb_test *);

/*
 * What VK answers to a method from now on: {"response":...} or {"error":...},
 * as JSON; "" for no answer at all. A method that nothing was said of is
 * answered {"response":1}.
 */
void vkcb_test_answer(struct vkcb_test *, const char *method,
    const char *json);

/*
 * From now on an event has this retry_counter and attempt, 0 and 1 at first:
 * see struct vkcb_event.
 */
void vkcb_test_repeat(struct vkcb_test *, int retry_counter, int attempt);

/* Calls the handler with a body as VK posts it. Its outcome. */
enum vkcb_outcome vkcb_test_body(struct vkcb_test *,
    const struct vkcb_handler *, const char *body);

/*
 * Calls the handler with a sample of its event, changed by texts such as
 * "object.message.text=привет", as of `vkcb trigger`. (A handler of any event
 * gets a message_new, one of a type that is not in the catalogue an empty
 * object.)
 */
#define VKCB_TEST_EVENT(test, ...) \
	vkcb_test_event((test), __VA_ARGS__, (const char *)NULL)
enum vkcb_outcome vkcb_test_event(struct vkcb_test *,
    const struct vkcb_handler *, ...) __attribute__((sentinel));

/* With VKCB_RETRY_AFTER: what it asked for; else 0. */
int vkcb_test_status(const struct vkcb_test *);
int vkcb_test_seconds(const struct vkcb_test *);

/* With VKCB_SET_VERSION: the version; else "". */
const char *vkcb_test_version(const struct vkcb_test *);

/* Its calls to VK, in order from 0; NULL for what was not there. */
size_t vkcb_test_calls(const struct vkcb_test *);
const char *vkcb_test_method(const struct vkcb_test *, size_t nth);
struct json_object *vkcb_test_params(const struct vkcb_test *, size_t nth);
const char *vkcb_test_param(const struct vkcb_test *, size_t nth,
    const char *name);

#endif
