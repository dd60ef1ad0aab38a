/*
 * api.h - calls of VK's methods with a group's token.
 *
 * Handlers call through vkcb.h (src/handler/call.c), commands of vkcb directly.
 */
#ifndef API_H
#define API_H

#include <stdint.h>

#include "vkcb.h"

struct conf;
struct api_reply;

/*
 * Answers in VK's place, for tests of handlers: the body of an answer, to be
 * freed, or NULL for none. params are borrowed.
 */
typedef char *api_stand_in_fn(void *arg, const char *method,
    struct json_object *params);

#define API_VERSION "5.199"
#define API_MESSAGE_MAX 320

/* Said of a response, or of what is none, of another shape than VK's. */
#define API_NOT_VK "an answer that is not VK's: check api_url"

/*
 * How long failed tries and the pauses after them may take in all before a
 * call is given back as failed: a web server and VK wait for a handler that
 * runs before the answer, nobody for the others.
 */
#define API_PATIENCE_ANSWERING 3000
#define API_PATIENCE 20000

/* Calls of an execute that failed, and the first of them. */
struct api_inside {
	int failed;
	int code;
	const char *method;
	const char *message;
};

/* Whoever calls: a handler on its event, or a command for a group. */
struct api {
	const struct conf *conf;	/* borrowed */
	const char *token;		/* borrowed; NULL: none */
	const char *secret;		/* that the call under way tells VK */
	int64_t patience;		/* milliseconds of it that are left */
	int64_t limit;			/* for a try; 0: api_timeout */
	api_stand_in_fn *stand_in;	/* NULL: VK itself is called */
	void *stand_in_arg;

	/* Since api_init() or the last api_forget(). */
	int calls;
	int64_t waited;			/* microseconds, for all of them */
	struct api_reply *replies;	/* what responses live in */

	/* The last call. */
	struct vkcb_error error;
	const char *advice;		/* what to do about it; NULL */
	int tries;
	struct api_inside inside;	/* there until api_forget() */
	char message[API_MESSAGE_MAX];
};

void api_init(struct api *, const struct conf *, const char *token,
    int64_t patience);

/* Responses go, and counts; what is left of the patience stays. */
void api_forget(struct api *);

/*
 * Calls a method. params: an object, taken over; NULL fails, for the reason
 * that vk/params.h knows. Token and version are added, the version unless
 * params have "v".
 *
 * VKCB_OK: *response (may be NULL) is what VK answered, there until
 * api_forget(). VKCB_FAIL: error says why; trying later may help. VKCB_GIVE_UP:
 * it cannot. Nothing is logged but single tries, when debugging.
 */
enum vkcb_outcome api_call(struct api *, const char *method,
    struct json_object *params, struct json_object **response)
    __attribute__((warn_unused_result));

#endif
