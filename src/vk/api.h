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
 * Answers in VK's place, for tests of handlers. Returns a response body, to be
 * freed, or NULL for no answer. params are borrowed.
 */
typedef char *api_stand_in_fn(void *arg, const char *method,
    struct json_object *params);

#define API_VERSION "5.199"
#define API_MESSAGE_MAX 320

/* The advice if a response has another shape than VK's. */
#define API_NOT_VK "an answer that is not VK's: check api_url"

/*
 * Time budget in milliseconds for failed tries and pauses of one event's calls.
 * Short while VK waits for our response, long in a worker.
 */
#define API_PATIENCE_ANSWERING 3000
#define API_PATIENCE 20000

/* The calls within an execute that failed; the first of them. */
struct api_inside {
	int failed;
	int code;
	char method[64];
	char message[API_MESSAGE_MAX];
};

/* The calls for one event of a handler's, or for one command. */
struct api {
	const struct conf *conf;	/* borrowed */
	const char *token;		/* borrowed; NULL: none */
	const char *secret;		/* that the current call sends; NULL */
	int64_t patience;		/* milliseconds left of the budget */
	bool is_watched;		/* a person waits: is told of retries */
	int64_t limit;			/* of a try; 0: api_timeout */
	api_stand_in_fn *stand_in;	/* NULL: VK itself is called */
	void *stand_in_arg;

	/* Since api_init() or the last api_forget(). */
	int calls;
	int64_t waited;			/* microseconds in all calls */
	struct api_reply *replies;	/* memory of the responses */

	/* The last call. */
	struct vkcb_error error;
	const char *advice;		/* NULL: none */
	int tries;
	struct api_inside inside;
	char message[API_MESSAGE_MAX];
};

void api_init(struct api *, const struct conf *, const char *token,
    int64_t patience);

/* Frees the responses and resets the counts, but not the budget. */
void api_forget(struct api *);

/*
 * Calls a method with params, an object, which is taken over. NULL params fail
 * for the reason that vk/params.h keeps. The token is added, and the version
 * unless params have "v".
 *
 * VKCB_OK: *response (may be NULL) is VK's response, valid until api_forget().
 * VKCB_FAIL: a later call may succeed; VKCB_GIVE_UP: it cannot; error says why.
 * Only single tries are logged, at level debug.
 */
enum vkcb_outcome api_call(struct api *, const char *method,
    struct json_object *params, struct json_object **response)
    __attribute__((warn_unused_result));

#endif
