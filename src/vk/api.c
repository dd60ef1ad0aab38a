/*
 * api.c - one call of VK's API: the form, its slot, the tries, the answer.
 *
 * Every failure ends as an outcome with a code and a text: VK's own, or the
 * program's below 0. A failure that may pass within moments (a broken
 * connection, also in the middle of an answer, a status of 5xx, "too many
 * requests", "internal error") is retried with growing pauses until the time
 * budget is used up, so a call whose answer was lost may be made twice. A
 * complete response that is not VK's will not change on retry: the call fails
 * at once.
 *
 * The token stands in the body of the POST and nowhere else, and VK's texts are
 * filtered before anybody logs them. Out of memory is a failed call.
 */
#include "vk/api.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "buffer.h"
#include "clock.h"
#include "conf/conf.h"
#include "json/tree.h"
#include "log.h"
#include "report.h"
#include "vk/curl.h"
#include "vk/http_post.h"
#include "vk/params.h"
#include "vk/rate.h"

#include "banned.h"

#define CONNECT_MS 3000
#define TRIES_MAX 8
#define FIRST_PAUSE 200		/* milliseconds; doubles */
#define QUIET 3000		/* milliseconds of retries without a word */
#define QUOTE_MIN 8		/* bytes that tell a part of a secret */
#define URL_MAX 1024

/* A response, and the bytes that its keys point into. */
struct api_reply {
	struct api_reply *older;
	char *bytes;
	struct json_object *tree;
};

enum retry {
	RETRY_NEVER,	/* the same call fails for ever */
	RETRY_NOW,	/* a moment helps: the call is repeated here */
	RETRY_LATER,	/* minutes help, or a person */
};

#define NO_RIGHT "the token has no right to this: make one with the right to " \
	"manage the community (setup, check) or to messages (handlers)"

static const struct {
	int code;
	enum retry retry;
	const char *advice;
} error_table[] = {
	{ 1, RETRY_LATER, NULL },
	{ 5, RETRY_NEVER, "the token is not valid: make a new one in the "
	    "community's settings (API usage) and set it as `token`" },
	{ 6, RETRY_NOW, NULL },
	{ 7, RETRY_NEVER, NO_RIGHT },
	{ 9, RETRY_LATER, NULL },
	{ 10, RETRY_NOW, NULL },
	{ 14, RETRY_LATER, NULL },
	{ 15, RETRY_NEVER, NO_RIGHT },
	{ 27, RETRY_NEVER, NO_RIGHT ", if it is valid at all" },
	{ 28, RETRY_NEVER, NO_RIGHT ", if it is valid at all" },
	{ 29, RETRY_LATER, NULL },
	{ 43, RETRY_LATER, NULL },
	{ 203, RETRY_NEVER, NO_RIGHT },
	{ 2000, RETRY_NEVER, "the community has its ten callback servers: "
	    "remove one on VK's page Settings, API usage, Callback API" },
	{ 0, RETRY_NEVER, NULL },	/* any other */
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
	struct api_reply *reply;

	while ((reply = api->replies) != NULL) {
		api->replies = reply->older;
		json_object_put(reply->tree);
		free(reply->bytes);
		free(reply);
	}
	api->calls = 0;
	api->waited = 0;
	api->error.code = 0;
	api->message[0] = '\0';
}

static enum retry
api_failed(struct api *api, int code, const char *words, const char *advice,
    enum retry retry)
{
	api->error.code = code;
	snprintf(api->message, sizeof(api->message), "%s", words);
	api->advice = advice;
	return retry;
}

/* Decodes %XX and \u00XX in place, also what decoding makes: %2541 is A. */
static void
unescape(char *text)
{
	size_t i = strlen(text);
	unsigned int byte;
	int len;

	while (i-- > 0)
		while ((sscanf(text + i, "%%%2x%n", &byte, &len) == 1 &&
		    len == 3) || (sscanf(text + i, "\\%*[uU]00%2x%n", &byte,
		    &len) == 1 && len == 6)) {
			text[i] = (char)(byte != 0 ? byte : '?');
			memmove(text + i + 1, text + i + len,
			    strlen(text + i + len) + 1);
		}
}

/*
 * Has the text a part of this secret that would help to guess it, in whatever
 * case?
 */
static bool
quotes(const char *text, const char *secret)
{
	size_t len = secret != NULL ? strlen(secret) : 0, i;
	char part[QUOTE_MIN + 1];

	for (i = 0; i < len && (i == 0 || i + QUOTE_MIN <= len); i++) {
		snprintf(part, sizeof(part), "%s", secret + i);
		if (strcasestr(text, part) != NULL)
			return true;
	}
	return false;
}

/*
 * Copies a text of VK's, which may quote what the call sent: the one way by
 * which such a text reaches the log.
 */
static void
filter_text(const struct api *api, const char *text, char *out, size_t size)
{
	char decoded[API_MESSAGE_MAX];

	snprintf(out, size, "%s", text);
	snprintf(decoded, sizeof(decoded), "%s", out);
	unescape(decoded);
	if (quotes(out, api->token) || quotes(out, api->secret) ||
	    quotes(decoded, api->token) || quotes(decoded, api->secret))
		snprintf(out, size, "(an error text with a secret in it)");
}

static enum retry
take_error(struct api *api, struct json_object *error)
{
	int64_t code = vk_get_int(error, "error_code");
	char words[API_MESSAGE_MAX];
	size_t i = 0;

	if (code <= 0 || code > INT32_MAX)
		return api_failed(api, VKCB_ERROR_ANSWER,
		    "VK's error has no code", NULL, RETRY_LATER);
	filter_text(api, vk_get_str(error, "error_msg"), words,
	    sizeof(words));
	while (error_table[i].code != code && error_table[i].code != 0)
		i++;
	return api_failed(api, (int)code, words, error_table[i].advice,
	    error_table[i].retry);
}

static enum retry
no_memory(struct api *api)
{
	return api_failed(api, VKCB_ERROR_MEMORY, "out of memory", NULL,
	    RETRY_LATER);
}

static enum retry
not_vk(struct api *api, const struct http_post_response *answer,
    const char *reason, enum retry retry)
{
	char words[128];

	snprintf(words, sizeof(words), "HTTP status %ld: %s", answer->status,
	    reason);
	return api_failed(api, VKCB_ERROR_ANSWER, words,
	    retry == RETRY_NOW ? NULL : API_NOT_VK, retry);
}

static void
take_inside(struct api *api, struct json_object *errors)
{
	struct api_inside *inside = &api->inside;
	struct json_object *first;

	inside->failed = errors == NULL ? 0 :
	    (int)json_object_array_length(errors);
	if (inside->failed == 0)
		return;
	first = json_object_array_get_idx(errors, 0);
	inside->code = (int)vk_get_int(first, "error_code");
	filter_text(api, vk_get_str(first, "method"), inside->method,
	    sizeof(inside->method));
	filter_text(api, vk_get_str(first, "error_msg"), inside->message,
	    sizeof(inside->message));
}

static enum retry
take_tree(struct api *api, const struct http_post_response *answer,
    struct json_object *tree, struct json_object **response)
{
	struct json_object *error;

	if (json_object_object_get_ex(tree, "error", &error))
		return take_error(api, error);
	if (answer->status != 200 ||
	    !json_object_object_get_ex(tree, "response", response))
		return not_vk(api, answer, "no response from VK in it",
		    RETRY_LATER);
	take_inside(api, json_get_array(tree, "execute_errors"));
	return api_failed(api, 0, "", NULL, RETRY_NEVER);
}

/* Takes the answer's body over. */
static enum retry
take_answer(struct api *api, struct http_post_response *answer,
    struct json_object **response)
{
	struct json_value value = { .kind = JSON_OBJECT, .at = answer->body,
	    .len = answer->len };
	struct api_reply *reply;
	const char *wrong;
	enum retry retry;
	size_t where;

	if (answer->status >= 500)
		retry = not_vk(api, answer, "trouble at VK's end", RETRY_NOW);
	else if ((wrong = json_check(answer->body, answer->len, NULL, 0,
	    &where)) != NULL)
		/* An error at the very end: the answer was cut off. */
		retry = not_vk(api, answer, wrong, answer->status == 200 &&
		    where != 0 && where == answer->len ? RETRY_NOW :
		    RETRY_LATER);
	else if ((reply = malloc(sizeof(*reply))) == NULL ||
	    json_tree(&value, &reply->tree) == -1) {
		free(reply);
		retry = no_memory(api);
	} else {
		reply->bytes = answer->body;
		reply->older = api->replies;
		api->replies = reply;
		return take_tree(api, answer, reply->tree, response);
	}
	free(answer->body);
	return retry;
}

/* Sorts what http_post() could not do. */
static enum retry
no_answer(struct api *api, enum http_post_result result, const char *why)
{
	static const struct {
		int code;
		enum retry retry;
		const char *advice;
	} rows[] = {
		[POST_TROUBLE] = { VKCB_ERROR_CONNECTION, RETRY_NOW, NULL },
		[POST_NOT_TRUSTED] = { VKCB_ERROR_CONNECTION, RETRY_LATER,
		    "install ca-certificates, or set ca_file" },
		[POST_NO_URL] = { VKCB_ERROR_CONNECTION, RETRY_LATER,
		    "check api_url" },
		[POST_REFUSED] = { VKCB_ERROR_CONNECTION, RETRY_LATER, NULL },
		[POST_NO_LIBRARY] = { VKCB_ERROR_LIBRARY, RETRY_NEVER, NULL },
		[POST_NO_MEMORY] = { VKCB_ERROR_MEMORY, RETRY_LATER, NULL },
	};

	return api_failed(api, rows[result].code, why, rows[result].advice,
	    rows[result].retry);
}

static enum retry
try_once(struct api *api, const struct http_post_request *request,
    struct json_object **response)
{
	struct http_post_response answer;
	enum http_post_result result;

	api->tries++;
	if (rate_wait(api->conf->state, api->token, request->total_ms) == -1)
		return api_failed(api, VKCB_ERROR_BUSY, "rate limit (20 calls"
		    "/s): no free slot within api_timeout", NULL, RETRY_LATER);
	result = http_post(request, &answer);
	return result == POST_ANSWERED ? take_answer(api, &answer, response) :
	    no_answer(api, result, answer.why);
}

/* Random, from half of this to one and a half: processes come apart. */
static int64_t
jitter(int64_t ms)
{
	uint32_t any = 0;

	(void)!getrandom(&any, sizeof(any), GRND_NONBLOCK);
	return ms / 2 + any % (uint32_t)ms;
}

static enum retry
try_all(struct api *api, const char *method,
    const struct http_post_request *request, struct json_object **response)
{
	int64_t start, pause = FIRST_PAUSE, this_pause;
	int64_t quiet = api->is_watched ? api->patience - QUIET : 0;
	enum retry retry;

	for (;;) {
		start = clock_ms();
		retry = try_once(api, request, response);
		this_pause = jitter(pause);
		if (retry != RETRY_NOW || api->tries == TRIES_MAX)
			return retry;
		/* Calls that succeed cost nothing of the budget. */
		api->patience -= clock_ms() - start + this_pause;
		if (api->patience <= 0)
			return retry;
		if (api->patience < quiet) {
			(void)report_fail(method, "%s: trying again for up to "
			    "%" PRId64 " s", api->message,
			    api->patience / 1000 + 1);
			quiet = 0;
		}
		log_msg(LOG_LEVEL_DEBUG, "%s: %s: again in %" PRId64 " ms",
		    method, api->message, this_pause);
		clock_sleep_until(clock_ns() + this_pause * 1000000);
		pause *= 2;
	}
}

/* A method's or stored procedure's name becomes part of the URL. */
static bool
is_method(const char *name)
{
	size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.");

	return len > 0 && len < 100 && name[len] == '\0' && *name != '.' &&
	    strstr(name, "..") == NULL;
}

static enum retry
ask_stand_in(struct api *api, const char *method, struct json_object *params,
    struct json_object **response)
{
	struct http_post_response answer = { .status = 200 };

	api->tries++;
	answer.body = api->stand_in(api->stand_in_arg, method, params);
	if (answer.body == NULL)
		return api_failed(api, VKCB_ERROR_CONNECTION, "no answer", NULL,
		    RETRY_LATER);
	answer.len = strlen(answer.body);
	return take_answer(api, &answer, response);
}

static enum retry
api_try(struct api *api, const char *method, struct json_object *params,
    struct json_object **response)
{
	const struct conf *conf = api->conf;
	const char *mistake = params_why_none();
	struct buffer form = { .max = FORM_MAX };
	char state[CURL_STATE_MAX], url[URL_MAX];
	enum retry retry = RETRY_NEVER;
	size_t len;

	if (params == NULL && mistake == NULL)
		return no_memory(api);
	if (params != NULL)
		mistake = method != NULL && is_method(method) &&
		    json_object_is_type(params, json_type_object) &&
		    !json_object_object_get_ex(params, "access_token", NULL) ?
		    NULL : "invalid method name, params not an object, or "
		    "params contain access_token";
	if (mistake != NULL)
		return api_failed(api, VKCB_ERROR_CALL, mistake,
		    "fix the handler", RETRY_NEVER);
	api->secret = vk_get_str(params, "secret_key");
	if (api->stand_in != NULL)
		return ask_stand_in(api, method, params, response);
	if (conf == NULL || api->token == NULL)
		return api_failed(api, VKCB_ERROR_TOKEN, "no token for this "
		    "group", "add `token = ...` or `token_file = ...` to its "
		    "section in vkcb.conf", RETRY_NEVER);
	/* Loading takes time: before the slot, not after it. */
	(void)curl_load(state);
	len = strlen(conf->api_url);
	snprintf(url, sizeof(url), "%s%s%s", conf->api_url,
	    conf->api_url[len - 1] == '/' ? "" : "/", method);
	form_object(&form, params);
	if (!json_object_object_get_ex(params, "v", NULL))
		form_text(&form, "v", API_VERSION, strlen(API_VERSION));
	form_text(&form, "access_token", api->token, strlen(api->token));
	if (form.failed)
		retry = no_memory(api);
	else
		retry = try_all(api, method, &(struct http_post_request){
			.url = url, .body = form.at, .len = form.len,
			.ca_file = conf->ca_file,
			.connect_ms = CONNECT_MS,
			.total_ms = (long)(api->limit != 0 ? api->limit :
			    conf->api_timeout),
		    }, response);
	buffer_free(&form);
	return retry;
}

enum vkcb_outcome
api_call(struct api *api, const char *method, struct json_object *params,
    struct json_object **response)
{
	struct json_object *ignored;
	int64_t start = clock_us();
	enum retry retry;

	if (response == NULL)
		response = &ignored;
	*response = NULL;
	api->tries = 0;
	api->inside = (struct api_inside){ .failed = 0 };
	retry = api_try(api, method, params, response);
	api->secret = NULL;	/* it is freed with the params */
	json_object_put(params);
	api->calls++;
	api->waited += clock_us() - start;
	if (api->error.code == 0)
		return VKCB_OK;
	return retry == RETRY_NEVER ? VKCB_GIVE_UP : VKCB_FAIL;
}
