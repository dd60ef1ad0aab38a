/*
 * vkcb_test.h - tests of handlers: calls a handler with an event, without VK
 * and without a web server, and returns its outcome and its calls. `make
 * check-handlers` builds and runs the tests. A complete test, in the file
 * handlers/tests/greet.c:
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
 * With an installed vkcb and without its sources, a test is built by
 *
 *	cc -I /usr/local/include/vkcb test.c greet.c -L /usr/local/lib \
 *	    -lvkcb -ljson-c -lfcgi -ldl
 *
 * A mistake in the test, a lack of memory, and a handler that calls exit() end
 * the program with a line on standard error and a failure status. Returned
 * pointers are valid until the next event of the test.
 */
#ifndef VKCB_TEST_H
#define VKCB_TEST_H

#include "vkcb.h"

#ifdef __cplusplus
extern "C" {
#endif

struct vkcb_test;

struct vkcb_test *vkcb_test_new(void);	/* never NULL */
void vkcb_test_free(struct vkcb_test *);

/*
 * Sets VK's response to a method from now on: {"response":...} or
 * {"error":...}, as JSON; "" is no response at all. The default for any method
 * is {"response":1}. A message, a keyboard, a template or a callback answer
 * beyond VK's limits is refused, whatever the response, with VK's error.
 */
void vkcb_test_answer(struct vkcb_test *, const char *method,
    const char *json);

/*
 * Sets retry_counter and attempt of the following events, see struct
 * vkcb_event. The defaults are 0 and 1.
 */
void vkcb_test_repeat(struct vkcb_test *, int retry_counter, int attempt);

/* Calls the handler with a body as VK posts it. Returns the outcome. */
enum vkcb_outcome vkcb_test_body(struct vkcb_test *,
    const struct vkcb_handler *, const char *body);

/*
 * Calls the handler with a sample of its event, changed by strings such as
 * "object.message.text=привет", as with `vkcb trigger`. Returns the outcome. A
 * handler for any event gets a message_new; a handler for a type that is not in
 * the catalogue gets an empty object.
 */
#define VKCB_TEST_EVENT(test, ...) \
	vkcb_test_event((test), __VA_ARGS__, (const char *)NULL)
enum vkcb_outcome vkcb_test_event(struct vkcb_test *,
    const struct vkcb_handler *, ...) __attribute__((sentinel));

/* The arguments of vkcb_retry_after(), with VKCB_RETRY_AFTER; else 0. */
int vkcb_test_status(const struct vkcb_test *);
int vkcb_test_seconds(const struct vkcb_test *);

/* The version, with VKCB_SET_VERSION; else "". */
const char *vkcb_test_version(const struct vkcb_test *);

/*
 * The handler's calls to VK: their number, and the method and parameters of
 * each, counted from 0. NULL: there was no such call or parameter.
 */
size_t vkcb_test_calls(const struct vkcb_test *);
const char *vkcb_test_method(const struct vkcb_test *, size_t nth);
struct json_object *vkcb_test_params(const struct vkcb_test *, size_t nth);
const char *vkcb_test_param(const struct vkcb_test *, size_t nth,
    const char *name);

#ifdef __cplusplus
}
#endif

#endif
