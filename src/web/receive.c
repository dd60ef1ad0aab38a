/*
 * receive.c - the checks of a request, in the order of the manual's table of
 * answers, and the handlers' run where there is no inbox.
 *
 * No byte of a request is trusted. A refusal is short, tells an attacker
 * nothing new, and is logged with its reason. Before the secret is checked, a
 * request costs no memory but its body's. Out of memory is answered 503, so
 * that VK repeats the event.
 */
#include "web/receive.h"

#include <string.h>

#include "clock.h"
#include "conf/conf.h"
#include "event/event.h"
#include "inbox/inbox.h"
#include "text.h"

#include "banned.h"

#define LOOK_MS 2		/* between two looks at the files */
#define RETRY_COUNTER_MAX 1000000

void
receiver_init(struct receiver *receiver, struct conf *conf)
{
	*receiver = (struct receiver){ .conf = conf, .repeats.fd = -1 };
	program_init(&receiver->program);
}

void
receiver_release(struct receiver *receiver)
{
	inbox_close(receiver->inbox);
	conf_free(receiver->conf);
	arena_release(&receiver->arena);
}

void
receive_done(struct receiver *receiver)
{
	if (receiver->stored)
		enqueue_wake(receiver);
	receiver->stored = false;
	arena_reset(&receiver->arena);
}

void
receipt_log(const struct receipt *receipt, struct log_line *line)
{
	const struct envelope *envelope = &receipt->envelope;

	if (envelope->group_id != 0)
		log_int(line, "group", envelope->group_id);
	if (envelope->type.len != 0)
		log_short(line, "event", envelope->type.at,
		    envelope->type.len);
	if (envelope->event_id.len != 0)
		log_short(line, "id", envelope->event_id.at,
		    envelope->event_id.len);
}

int
receipt_refuse(struct receipt *receipt, int status, const char *body,
    const char *why, const char *detail)
{
	struct log_line line;

	http_answer(receipt->answer, status, "%s", body);
	if (status == 503)
		receipt->answer->retry_after = 10;
	log_begin(&line, LOG_LEVEL_WARNING, why);
	log_int(&line, "status", status);
	receipt_log(receipt, &line);
	if (detail != NULL)
		log_text(&line, "detail", detail);
	log_end(&line);
	return -1;
}

static int
check_request(struct receipt *receipt)
{
	const struct http_request *request = receipt->request;
	const char *length = request->length != NULL ? request->length : "";
	uint64_t max_body = (uint64_t)receipt->receiver->conf->max_body;

	if (request->method == NULL || strcmp(request->method, "POST") != 0)
		return receipt_refuse(receipt, 405,
		    "This is a vkcb endpoint: VK posts events here.\n",
		    "not a POST", request->method);
	if (*length == '\0')
		return receipt_refuse(receipt, 411, "Length Required",
		    "no Content-Length", NULL);
	if (length[strspn(length, NUMBER_DIGITS)] != '\0')
		return receipt_refuse(receipt, 400, "Bad Request",
		    "invalid Content-Length", length);
	if (!number_read_digits(length, strlen(length), &receipt->len) ||
	    receipt->len > max_body)
		return receipt_refuse(receipt, 413, "Content Too Large",
		    "body longer than max_body", length);
	return 0;
}

static int
read_body(struct receipt *receipt)
{
	struct http_request *request = receipt->request;
	struct receiver *receiver = receipt->receiver;
	size_t got;

	if (request->deadline == 0)
		request->deadline = clock_ms() + receiver->conf->body_timeout;
	receipt->body = arena_alloc(&receiver->arena, receipt->len + 1);
	if (receipt->body == NULL)
		return receipt_refuse(receipt, 503, "Out of Memory",
		    "out of memory", "body");
	got = request->read(request, receipt->body, receipt->len);
	if (got < receipt->len)
		return receipt_refuse(receipt, 400, "Bad Request",
		    clock_ms() >= request->deadline ?
		    "timed out reading the body (body_timeout)" :
		    "body shorter than Content-Length", request->length);
	receipt->body[receipt->len] = '\0';
	return 0;
}

static int
read_envelope(struct receipt *receipt)
{
	size_t where;
	const char *error = envelope_read(&receipt->envelope, receipt->body,
	    receipt->len, &where);
	struct log_line line;

	if (error == NULL)
		return 0;
	http_answer(receipt->answer, 400, "Bad Request");
	log_begin(&line, LOG_LEVEL_WARNING, "body refused");
	log_int(&line, "status", 400);
	log_text(&line, "detail", error);
	log_int(&line, "offset", (int64_t)where);
	log_int(&line, "length", (int64_t)receipt->len);
	log_end(&line);
	return -1;
}

/* Reads a changed configuration, which may name another inbox or folder. */
static bool
receive_refresh(struct receiver *receiver, const struct conf_group *group)
{
	if (receiver->conf_fixed || !conf_refresh(&receiver->conf, group))
		return false;
	inbox_close(receiver->inbox);
	receiver->inbox = NULL;
	repeats_close(&receiver->repeats);
	return true;
}

static bool
is_confirmation(const struct receipt *receipt)
{
	return strcmp(receipt->envelope.type.at, "confirmation") == 0;
}

/* Looks whether the files were changed, a moment after another look if must. */
static void
receive_look(struct receipt *receipt, bool must)
{
	struct receiver *receiver = receipt->receiver;
	int64_t now = clock_ms();

	if (receipt->looked || (!must && now - receiver->looked < LOOK_MS))
		return;
	receipt->looked = true;
	receiver->looked = now;
	(void)receive_refresh(receiver, NULL);
}

/* Takes time by the length of the given text, not by that of the secret. */
static bool
same_secret(const struct text *given, const char *secret)
{
	size_t len, at = 0, i;
	unsigned int differ;

	if (secret == NULL)
		return false;
	len = strlen(secret);
	differ = given->len != len;
	for (i = 0; i < given->len; i++) {
		differ |= (unsigned char)given->at[i] ^
		    (unsigned char)secret[at];
		at += at < len;
	}
	return differ == 0;
}

/* No request is refused, or confirmed, by files that were changed since. */
static int
find_group(struct receipt *receipt)
{
	struct receiver *receiver = receipt->receiver;
	int64_t id = receipt->envelope.group_id;
	const struct conf_group *group = conf_group(receiver->conf, id);

	if (group == NULL || group->secret == NULL ||
	    !same_secret(&receipt->envelope.secret, group->secret) ||
	    is_confirmation(receipt))
		receive_look(receipt, true);
	receipt->group = conf_group(receiver->conf, id);
	if (receipt->looked && receipt->group != NULL &&
	    receive_refresh(receiver, receipt->group))
		receipt->group = conf_group(receiver->conf, id);
	if (receipt->group == NULL)
		return receipt_refuse(receipt, 403, "Unknown Group",
		    "group not in the configuration, and no [default] with "
		    "a secret", NULL);
	return 0;
}

/* Handlers may crash, and a core dump has the body in it. */
static void
wipe_secret(struct receipt *receipt)
{
	struct text *secret = &receipt->envelope.secret;

	if (secret->at != NULL)
		explicit_bzero(receipt->body + (secret->at - receipt->body),
		    secret->len);
	*secret = (struct text){ .at = NULL };
}

static int
receive_check_secret(struct receipt *receipt)
{
	const struct envelope *envelope = &receipt->envelope;
	const struct conf_group *group = receipt->group;
	bool good;

	if (group->no_secret)
		return 0;
	if (group->secret == NULL)
		return receipt_refuse(receipt, 403, "Bad Secret",
		    "this group's secret is not set up", "run vkcb setup");
	if (envelope->secret_kind == JSON_ABSENT &&
	    is_confirmation(receipt)) {
		if (receipt->receiver->conf->confirm_without_secret)
			return 0;
		return receipt_refuse(receipt, 403, "Bad Secret", "no secret",
		    "confirm_without_secret = yes lets a confirmation pass");
	}
	if (envelope->secret.at == NULL)
		return receipt_refuse(receipt, 403, "Bad Secret",
		    envelope->secret_kind == JSON_ABSENT ? "no secret" :
		    "secret is not a string", NULL);
	good = same_secret(&envelope->secret, group->secret);
	good |= same_secret(&envelope->secret, group->old_secret);
	receipt->authenticated = good;
	return good ? 0 : receipt_refuse(receipt, 403, "Bad Secret",
	    "wrong secret", NULL);
}

void
receipt_answer(struct receipt *receipt, const struct event_result *result)
{
	static const struct {
		int status;
		const char *body;
	} answers[] = {
		[VKCB_OK] = { 200, "ok" },
		[VKCB_FAIL] = { 500, "Handler Failed" },
		[VKCB_RETRY_AFTER] = { 0, "Try Again Later" },
		[VKCB_REMOVE] = { 200, "remove" },
		[VKCB_SET_VERSION] = { 200, "version " },
		[VKCB_GIVE_UP] = { 200, "ok" },
	};
	struct http_answer *answer = receipt->answer;

	http_answer(answer, answers[result->outcome].status, "%s%s",
	    answers[result->outcome].body, result->outcome == VKCB_SET_VERSION ?
	    result->version : "");
	if (result->outcome == VKCB_RETRY_AFTER) {
		answer->status = result->status;
		answer->retry_after = result->seconds;
	}
}

/* Returns whether a repeat needs no answer but ok. */
static bool
receive_run(struct receipt *receipt)
{
	struct receiver *receiver = receipt->receiver;
	struct event_result result;
	struct event event;
	bool done = false;

	event_init(&event, &receipt->envelope, &receiver->arena,
	    (int)receipt->retry_counter);
	event_may_call(&event, receiver->conf, receipt->group);
	switch (event_handle(&event, &result)) {
	case EVENT_HANDLED:
		receiver->gave_up = result.outcome == VKCB_GIVE_UP;
		done = receiver->gave_up || result.outcome == VKCB_OK;
		receipt_answer(receipt, &result);
		break;
	case EVENT_BAD_OBJECT:
		(void)receipt_refuse(receipt, 400, "Bad Request",
		    "object is missing or not a JSON object", NULL);
		break;
	case EVENT_NO_MEMORY:
		(void)receipt_refuse(receipt, 503, "Out of Memory",
		    "out of memory", "object");
		break;
	}
	event_release(&event);
	return done;
}

static void
handle(struct receipt *receipt)
{
	struct receiver *receiver = receipt->receiver;
	const struct conf *conf = receiver->conf;
	enum repeats_known known = REPEATS_UNKNOWN;
	struct log_line line;

	if (conf->repeats == CONF_REPEATS_ONCE)
		known = repeats_begin(&receiver->repeats, conf->state,
		    receipt->envelope.group_id, &receipt->envelope.event_id);
	if (known == REPEATS_UNKNOWN) {
		repeats_end(&receiver->repeats, receive_run(receipt));
	} else if (known == REPEATS_RUNNING) {
		(void)receipt_refuse(receipt, 503, "Still Running",
		    "a repeat while the event is handled", NULL);
	} else {
		http_answer(receipt->answer, 200, "ok");
		log_begin(&line, LOG_LEVEL_INFO, "handled before");
		receipt_log(receipt, &line);
		log_end(&line);
	}
}

void
receive(struct receiver *receiver, struct http_request *request,
    struct http_answer *answer)
{
	struct receipt receipt = {
		.receiver = receiver, .request = request, .answer = answer,
	};

	receiver->gave_up = false;
	receive_look(&receipt, false);
	if (request->retry_counter != NULL)
		(void)number_read(request->retry_counter,
		    strlen(request->retry_counter), 0, RETRY_COUNTER_MAX,
		    &receipt.retry_counter);
	if (check_request(&receipt) == -1 ||
	    read_body(&receipt) == -1 ||
	    read_envelope(&receipt) == -1 ||
	    find_group(&receipt) == -1 ||
	    receive_check_secret(&receipt) == -1)
		return;
	wipe_secret(&receipt);
	if (is_confirmation(&receipt))
		confirm(&receipt);
	else if (receiver->conf->inbox != NULL)
		enqueue(&receipt);
	else
		handle(&receipt);
}
