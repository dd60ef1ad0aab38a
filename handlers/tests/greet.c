/* greet.c - a greeting gets a reply, and no other message does. */
#include <assert.h>

#include "vkcb_test.h"

extern const struct vkcb_handler handler_greet;

int
main(void)
{
	struct vkcb_test *t = vkcb_test_new();

	assert(VKCB_TEST_EVENT(t, &handler_greet,
	    "object.message.text=привет", "object.message.peer_id=7") ==
	    VKCB_OK);
	assert(vkcb_test_calls(t) == 1);
	assert(strcmp(vkcb_test_method(t, 0), "messages.send") == 0);
	assert(strcmp(vkcb_test_param(t, 0, "peer_id"), "7") == 0);
	assert(strcmp(vkcb_test_param(t, 0, "message"), "И тебе привет!") ==
	    0);

	assert(VKCB_TEST_EVENT(t, &handler_greet,
	    "object.message.text=пока") == VKCB_OK);
	assert(vkcb_test_calls(t) == 0);

	/* A user who forbids messages does not get retries. */
	vkcb_test_answer(t, "messages.send", "{\"error\":{\"error_code\":901,"
	    "\"error_msg\":\"Can't send messages\"}}");
	assert(VKCB_TEST_EVENT(t, &handler_greet,
	    "object.message.text=привет") == VKCB_GIVE_UP);

	vkcb_test_free(t);
	return 0;
}
