/*
 * api.c - one call of VK's API: the form, its turn, the tries, the answer.
 *
 * Every way in which a call can fail ends as an outcome with a code and words:
 * VK's own, or the program's below 0. What may pass within moments (a
 * connection that broke, also in the middle of an answer, a status of 5xx, "too
 * many", "internal") is tried again with growing pauses while there is
 * patience. A call whose answer was lost may so be made twice. A whole answer
 * that is not VK's comes from who will give the same one again: it is taken at
 * once.
 *
 * The token goes into the body of the POST and nowhere else. Out of memory is a
 * failed call.
 */
#include "vk/api.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "buffer.h"
#include "clock.h"
#include "conf/conf.h"
#include "vk/curl.h"
#include "vk/form.h"
#include "json/tree.h"
#include "log.h"
#include "json/json_get.h"
#include "vk/params.h"
#include "vk/http_post.h"
#include "vk/rate.h"

#include "banned.h"

#define CONNECT_MS 3000
#define TRIES_MAX 8
#define FIRST_PAUSE 200		/* milliseconds; doubles */
#define URL_MAX 1024

/* A response, and the bytes that its keys point into. */
struct api_reply {
	struct api_reply *older;
	char *bytes;
	struct json_object *tree;
};

/* What helps when VK says no. */
enum cure {
	NOTHING,	/* the same call fails for ever */
	PAUSE,		/* a moment: the call is made again here */
	TIME,		/* minutes, or a person */
};

#define NO_RIGHT "the token has no right to this: make one with the right to " \
	"manage the community (setup, check) or to messages (handlers)"

static const struct {
	int code;
	enum cure cure;
	const char *advice;
} cures[] = {
	{ 1, TIME, NULL },
	{ 5, NOTHING, "the token is not valid: make a new one in the "
	    "community's settings (API usage) and set it as `token`" },
	{ 6, PAUSE, NULL },
	{ 7, NOTHING, NO_RIGHT },
	{ 9, TIME, NULL },
	{ 10, PAUSE, NULL },
	{ 14, TIME, NULL },
	{ 15, NOTHING, NO_RIGHT },
	{ 27, NOTHING, NO_RIGHT ", if it is valid at all" },
	{ 28, NOTHING, NO_RIGHT ", if it is valid at all" },
	{ 29, TIME, NULL },
	{ 43, TIME, NULL },
	{ 203, NOTHING, NO_RIGHT },
	{ 2000, NOTHING, "the community has its ten callback servers: remove "
	    "one on VK's page Settings, API usage, Callback API" },
};

void
api_init(struct api *api, const struct conf *conf, const char *token,
    int64_t patience)
{
	*api = (struct api){
		.conf = conf, .token = token, .patience = patience,
	};
	api->error.message = api->message;
}

void
api_forget(struct api *api)
{
	struct api_reply *reply = api->replies, *older;

	for (; reply != NULL; reply = older) {
		older = reply->older;
		json_object_put(reply->tree);
		free(reply->bytes);
		free(reply);
	}
	api->replies = NULL;
	api->calls = 0;
	api->waited = 0;
	api->error.code = 0;
	api->message[0] = '\0';
}

static void
api_say(struct api *api, int code, const char *words)
{
	api->error.code = code;
	snprintf(api->message, sizeof(api->message), "%s", words);
}

static bool
quotes(const char *words, const char *secret)
{
	return secret != NULL && *secret != '\0' &&
	    strstr(words, secret) != NULL;
}

/* VK quotes what it was given, in some of its errors. */
static const char *
fit_to_print(const struct api *api, const char *words)
{
	return quotes(words, api->token) || quotes(words, api->secret) ?
	    "(an error text with a secret in it)" : words;
}

static enum cure
cure_of(struct api *api, int code)
{
	size_t i;

	for (i = 0; i < sizeof(cures) / sizeof(cures[0]); i++) {
		if (cures[i].code != code)
			continue;
		api->advice = cures[i].advice;
		return cures[i].cure;
	}
	return NOTHING;
}

static enum cure
take_error(struct api *api, struct json_object *error)
{
	struct json_object *code = NULL, *words = NULL;
	int64_t number;

	json_object_object_get_ex(error, "error_code", &code);
	json_object_object_get_ex(error, "error_msg", &words);
	number = json_object_is_type(code, json_type_int) ?
	    json_object_get_int64(code) : 0;
	if (number <= 0 || number > INT32_MAX) {
		api_say(api, VKCB_ERROR_ANSWER, "VK's error has no code");
		return TIME;
	}
	api_say(api, (int)number, fit_to_print(api, json_object_is_type(words,
	    json_type_string) ? json_object_get_string(words) : ""));
	return cure_of(api, (int)number);
}

static enum cure
no_memory(struct api *api)
{
	api_say(api, VKCB_ERROR_MEMORY, "out of memory");
	return TIME;
}

static enum cure
wrong_call(struct api *api, const char *words)
{
	api_say(api, VKCB_ERROR_CALL, words);
	api->advice = "fix the handler";
	return NOTHING;
}

static enum cure
not_vk(struct api *api, const struct http_post_response *answer,
    const char *reason)
{
	char words[128];

	snprintf(words, sizeof(words), "HTTP status %ld: %s", answer->status,
	    reason);
	api_say(api, VKCB_ERROR_ANSWER, words);
	api->advice = API_NOT_VK;
	return TIME;
}

/* Bytes that are no JSON; if that shows at their end, more were to come. */
static enum cure
no_json(struct api *api, const struct http_post_response *answer,
    const char *wrong, size_t where)
{
	enum cure cure = not_vk(api, answer, wrong);

	if (answer->status != 200 || where == 0 || where != answer->len)
		return cure;
	api->advice = NULL;
	return PAUSE;
}

static enum cure
trouble_at_vk(struct api *api, const struct http_post_response *answer)
{
	(void)not_vk(api, answer, "trouble at VK's end");
	api->advice = NULL;
	return PAUSE;
}

static void
take_inside(struct api *api, struct json_object *errors)
{
	struct json_object *first;

	if (json_length(errors) == 0)
		return;
	first = json_object_array_get_idx(errors, 0);
	api->inside = (struct api_inside){
		.failed = (int)json_length(errors),
		.code = (int)json_get_int64(first, "error_code"),
		.method = json_get_string(first, "method"),
		.message = fit_to_print(api,
		    json_get_string(first, "error_msg")),
	};
}

static enum cure
take_tree(struct api *api, const struct http_post_response *answer,
    struct json_object *tree, struct json_object **response)
{
	struct json_object *error;

	if (json_object_object_get_ex(tree, "error", &error))
		return take_error(api, error);
	if (answer->status != 200 ||
	    !json_object_object_get_ex(tree, "response", response))
		return not_vk(api, answer, "no response from VK in it");
	take_inside(api, json_get_array(tree, "execute_errors"));
	api_say(api, 0, "");
	return NOTHING;
}

/* Takes the answer's body over. */
static enum cure
take_answer(struct api *api, struct http_post_response *answer,
    struct json_object **response)
{
	struct json_value value = { .kind = JSON_OBJECT, .at = answer->body,
	    .len = answer->len };
	struct api_reply *reply;
	const char *wrong;
	enum cure cure;
	size_t where;

	if (answer->status >= 500)
		cure = trouble_at_vk(api, answer);
	else if ((wrong = json_check(answer->body, answer->len, NULL, NULL,
	    &where)) != NULL)
		cure = no_json(api, answer, wrong, where);
	else if ((reply = malloc(sizeof(*reply))) == NULL ||
	    json_tree(&value, &reply->tree) == -1) {
		free(reply);
		cure = no_memory(api);
	} else {
		reply->bytes = answer->body;
		reply->older = api->replies;
		api->replies = reply;
		return take_tree(api, answer, reply->tree, response);
	}
	free(answer->body);
	return cure;
}

static enum cure
try_once(struct api *api, const struct http_post_request *request,
    struct json_object **response)
{
	struct http_post_response answer;

	api->tries++;
	api->advice = NULL;
	if (rate_wait(api->conf->state, api->token, request->total_ms) == -1) {
		api_say(api, VKCB_ERROR_BUSY,
		    "rate limit (20 calls/s): no free slot within api_timeout");
		return TIME;
	}
	switch (http_post(request, &answer)) {
	case POST_ANSWERED:
		return take_answer(api, &answer, response);
	case POST_TROUBLE:
		api_say(api, VKCB_ERROR_CONNECTION, answer.why);
		return PAUSE;
	case POST_NOT_TRUSTED:
		api_say(api, VKCB_ERROR_CONNECTION, answer.why);
		api->advice = "install ca-certificates, or set ca_file";
		return TIME;
	case POST_NO_URL:
		api_say(api, VKCB_ERROR_CONNECTION, answer.why);
		api->advice = "check api_url";
		return TIME;
	case POST_REFUSED:
		api_say(api, VKCB_ERROR_CONNECTION, answer.why);
		return TIME;
	case POST_NO_LIBRARY:
		api_say(api, VKCB_ERROR_LIBRARY, answer.why);
		return NOTHING;
	case POST_NO_MEMORY:
		break;
	}
	return no_memory(api);
}

/* A pause of half to one and a half of this: crowds come apart. */
static int64_t
jitter(int64_t ms)
{
	uint32_t any = 0;

	(void)!getrandom(&any, sizeof(any), GRND_NONBLOCK);
	return ms / 2 + any % (uint32_t)ms;
}

static void
rest(int64_t ms)
{
	struct timespec left = {
		.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000,
	};

	while (nanosleep(&left, &left) == -1)
		;
}

/* Patience pays for what went wrong, not for calls that went well. */
static bool
can_wait(struct api *api, int64_t failed_ms, int64_t pause)
{
	api->patience -= failed_ms + pause;
	if (api->patience > 0)
		return true;
	api->patience = 0;
	return false;
}

static enum cure
try_all(struct api *api, const char *method,
    const struct http_post_request *request, struct json_object **response)
{
	int64_t start, pause = FIRST_PAUSE, this_pause;
	enum cure cure;

	for (;;) {
		start = clock_us();
		cure = try_once(api, request, response);
		this_pause = jitter(pause);
		if (cure != PAUSE || api->tries == TRIES_MAX || !can_wait(api,
		    (clock_us() - start) / 1000, this_pause))
			return cure;
		log_msg(LOG_LEVEL_DEBUG, "%s: %s: again in %" PRId64 " ms",
		    method, api->message, this_pause);
		rest(this_pause);
		pause *= 2;
	}
}

/* As VK's methods and stored procedures are: it becomes part of an address. */
static bool
is_method(const char *name)
{
	size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.");

	return len > 0 && len < 100 && name[len] == '\0' && *name != '.' &&
	    strstr(name, "..") == NULL;
}

static void
fill(const struct api *api, struct buffer *form, struct json_object *params)
{
	form_object(form, params);
	if (!json_object_object_get_ex(params, "v", NULL))
		form_text(form, "v", API_VERSION, strlen(API_VERSION));
	form_text(form, "access_token", api->token, strlen(api->token));
}

/* What it answers is read as VK's answer would be. */
static enum cure
ask_stand_in(struct api *api, const char *method, struct json_object *params,
    struct json_object **response)
{
	struct http_post_response answer = { .status = 200 };

	api->tries++;
	answer.body = api->stand_in(api->stand_in_arg, method, params);
	if (answer.body == NULL) {
		api_say(api, VKCB_ERROR_CONNECTION, "no answer");
		return TIME;
	}
	answer.len = strlen(answer.body);
	return take_answer(api, &answer, response);
}

static enum cure
api_try(struct api *api, const char *method, struct json_object *params,
    struct json_object **response)
{
	const struct conf *conf = api->conf;
	const char *why_none = params_why_none();
	struct buffer form = { .max = FORM_MAX };
	char state[CURL_STATE_MAX], why[CURL_STATE_MAX + 16], url[URL_MAX];
	enum cure cure = NOTHING;
	size_t len;

	if (params == NULL)
		return why_none != NULL ? wrong_call(api, why_none) :
		    no_memory(api);
	if (method == NULL || !is_method(method) ||
	    !json_object_is_type(params, json_type_object) ||
	    json_object_object_get_ex(params, "access_token", NULL))
		return wrong_call(api, "invalid method name, params not an "
		    "object, or params contain access_token");
	api->secret = json_get_string(params, "secret_key");
	if (api->stand_in != NULL)
		return ask_stand_in(api, method, params, response);
	if (conf == NULL || api->token == NULL) {
		api_say(api, VKCB_ERROR_TOKEN, "no token for this group");
		api->advice = "add `token = ...` or `token_file = ...` to its "
		    "section in vkcb.conf";
		return NOTHING;
	}
	/* Here, since it takes time: a call comes right after its turn. */
	if (curl_load(state) == NULL) {
		snprintf(why, sizeof(why), "libcurl: %s", state);
		api_say(api, VKCB_ERROR_LIBRARY, why);
		return NOTHING;
	}
	len = strlen(conf->api_url);
	snprintf(url, sizeof(url), "%s%s%s", conf->api_url,
	    conf->api_url[len - 1] == '/' ? "" : "/", method);
	fill(api, &form, params);
	if (form.failed)
		cure = no_memory(api);
	else
		cure = try_all(api, method, &(struct http_post_request){
			.url = url, .body = form.at, .len = form.len,
			.ca_file = conf->ca_file,
			.connect_ms = CONNECT_MS,
			.total_ms = (long)(api->limit != 0 ? api->limit :
			    conf->api_timeout),
		    }, response);
	buffer_free(&form);
	return cure;
}

enum vkcb_outcome
api_call(struct api *api, const char *method, struct json_object *params,
    struct json_object **response)
{
	struct json_object *ignored;
	int64_t start = clock_us();
	enum cure cure;

	if (response == NULL)
		response = &ignored;
	*response = NULL;
	api->advice = NULL;
	api->tries = 0;
	api->inside = (struct api_inside){ .failed = 0 };
	cure = api_try(api, method, params, response);
	api->secret = NULL;	/* goes with the params */
	json_object_put(params);
	api->calls++;
	api->waited += clock_us() - start;
	if (api->error.code == 0)
		return VKCB_OK;
	return cure == NOTHING ? VKCB_GIVE_UP : VKCB_FAIL;
}
