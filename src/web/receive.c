/*
 * receive.c - from a request to its answer, in the order of checks that the
 * manual's table of answers has.
 *
 * Every byte of a request may be a lie. A refusal is short, says nothing that
 * an attacker does not know, and is logged with the reason. Until the secret
 * was found right, a request costs no memory but its body's.
 *
 * With an inbox the event is stored, and ok means that it is on disk; else it
 * is handled here and now.
 *
 * Out of memory: 503, and VK repeats.
 */
#include "web/receive.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vk/api.h"
#include "event/catalogue.h"
#include "clock.h"
#include "conf/conf.h"
#include "event/envelope.h"
#include "event/event.h"
#include "pool/pool.h"
#include "event/handler_table.h"
#include "inbox/inbox.h"
#include "event/conversation.h"
#include "log.h"
#include "json/json_get.h"
#include "pool/spawn.h"

#include "banned.h"

#define TYPE_SHOWN_MAX 64
#define CONFIRMATION_MS 1500	/* to ask VK for its string */
#define UNPROVEN_MS 10000	/* between two times, for who shows no secret */

/* A request on its way through the checks below. */
struct receipt {
	struct receiver *receiver;
	struct http_request *request;
	struct http_answer *answer;
	char *body;
	size_t len;
	struct envelope envelope;
	const struct conf_group *group;
	bool proven;		/* its secret is right */
};

void
receiver_init(struct receiver *receiver, struct conf *conf)
{
	*receiver = (struct receiver){ .conf = conf };
	arena_init(&receiver->arena);
	program_init(&receiver->program);
}

static void
close_inbox(struct receiver *receiver)
{
	inbox_close(receiver->inbox);
	free(receiver->inbox_path);
	receiver->inbox = NULL;
	receiver->inbox_path = NULL;
}

void
receiver_release(struct receiver *receiver)
{
	close_inbox(receiver);
	conf_free(receiver->conf);
	arena_release(&receiver->arena);
}

/* Workers are told after the answer: starting some takes a millisecond. */
static void
wake_workers(struct receiver *receiver)
{
	int there = pool_wake(receiver->inbox_path);

	if (there == 0)
		there = spawn_pool(&receiver->program, receiver->conf->path);
	if (there == -1)
		log_msg(LOG_LEVEL_ERROR, "cannot wake or start a worker for "
		    "inbox %s: %s: start `vkcb work`", receiver->inbox_path,
		    strerror(errno));
}

void
receive_done(struct receiver *receiver)
{
	if (receiver->stored)
		wake_workers(receiver);
	receiver->stored = false;
	arena_reset(&receiver->arena);
}

/* Answers and says why in the log, in a word or two; detail may be NULL. */
static int
receive_refuse(struct receipt *receipt, int status, const char *body,
    const char *why, const char *detail)
{
	const struct envelope *envelope = &receipt->envelope;
	struct log_line line;
	size_t len = envelope->type.len;

	http_answer(receipt->answer, status, body);
	if (status == 503)
		receipt->answer->retry_after = 10;
	if (!log_wants(LOG_LEVEL_WARNING))
		return -1;
	log_begin(&line, LOG_LEVEL_WARNING, why);
	log_int(&line, "status", status);
	if (envelope->group_id != 0)
		log_int(&line, "group", envelope->group_id);
	if (len != 0)
		log_bytes(&line, "event", envelope->type.at,
		    len < TYPE_SHOWN_MAX ? len : TYPE_SHOWN_MAX);
	if (detail != NULL)
		log_text(&line, "detail", detail);
	log_end(&line);
	return -1;
}

/* CONTENT_LENGTH: digits only. Over SIZE_MAX counts as that. */
static int
read_length(const char *text, size_t *len)
{
	size_t digits = strspn(text, "0123456789");

	if (digits == 0 || text[digits] != '\0')
		return -1;
	errno = 0;
	*len = strtoull(text, NULL, 10);
	if (errno != 0)
		*len = SIZE_MAX;
	return 0;
}

static int
check_request(struct receipt *receipt)
{
	const struct http_request *request = receipt->request;
	int64_t max_body = receipt->receiver->conf->max_body;

	if (request->method == NULL || strcmp(request->method, "POST") != 0)
		return receive_refuse(receipt, 405,
		    "This is a vkcb endpoint: VK posts "
		    "events here.\n",
		    "not a POST", request->method);
	if (request->length == NULL || *request->length == '\0')
		return receive_refuse(receipt, 411, "Length Required",
		    "no Content-Length", NULL);
	if (read_length(request->length, &receipt->len) == -1)
		return receive_refuse(receipt, 400, "Bad Request",
		    "invalid Content-Length", request->length);
	if (receipt->len > (uint64_t)max_body)
		return receive_refuse(receipt, 413, "Content Too Large",
		    "body longer than max_body", request->length);
	return 0;
}

static int
receive_read_body(struct receipt *receipt)
{
	struct http_request *request = receipt->request;
	struct receiver *receiver = receipt->receiver;
	size_t got;

	request->deadline = clock_ms() + receiver->conf->body_timeout;
	receipt->body = arena_alloc(&receiver->arena, receipt->len + 1);
	if (receipt->body == NULL)
		return receive_refuse(receipt, 503, "Out of Memory",
		    "out of memory", "body");
	got = request->read(request, receipt->body, receipt->len);
	if (got < receipt->len)
		return receive_refuse(receipt, 400, "Bad Request",
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

static int
find_group(struct receipt *receipt)
{
	struct receiver *receiver = receipt->receiver;
	int64_t id = receipt->envelope.group_id;

	receipt->group = conf_group(receiver->conf, id);
	if (receipt->group != NULL && !receiver->conf_fixed &&
	    conf_refresh(&receiver->conf, receipt->group))
		receipt->group = conf_group(receiver->conf, id);
	if (receipt->group == NULL)
		return receive_refuse(receipt, 403, "Unknown Group",
		    "group not in the configuration, and no [default]", NULL);
	return 0;
}

/* Takes time by the length of what was given, not by what it is held to. */
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

/* Handlers may crash, and a core dump holds the body. */
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
		return receive_refuse(receipt, 403, "Bad Secret",
		    "this group's secret is not set up", "run vkcb setup");
	if (envelope->secret_kind == JSON_ABSENT &&
	    strcmp(envelope->type.at, "confirmation") == 0) {
		if (receipt->receiver->conf->confirm_without_secret)
			return 0;
		return receive_refuse(receipt, 403, "Bad Secret", "no secret",
		    "confirm_without_secret = yes lets a confirmation pass");
	}
	if (envelope->secret.at == NULL)
		return receive_refuse(receipt, 403, "Bad Secret",
		    envelope->secret_kind == JSON_ABSENT ? "no secret" :
		    "secret is not a string", NULL);
	good = same_secret(&envelope->secret, group->secret);
	good |= same_secret(&envelope->secret, group->old_secret);
	receipt->proven = good;
	return good ? 0 : receive_refuse(receipt, 403, "Bad Secret",
	    "wrong secret", NULL);
}

/*
 * Only where the string is VK's to name. Who shows the right secret may make us
 * ask each time; anybody else not at all where there is a string and a secret,
 * and else seldom: calls are few, and handlers need them.
 */
static bool
may_ask(struct receipt *receipt)
{
	const struct conf_group *group = receipt->group;
	struct receiver *receiver = receipt->receiver;

	if (group->token == NULL || receiver->conf->keys == NULL ||
	    (group->confirmation != NULL &&
	    !group->confirmation_from_keys_file))
		return false;
	if (receipt->proven)
		return true;
	if ((group->confirmation != NULL && !group->no_secret) ||
	    clock_ms() < receiver->ask_after)
		return false;
	receiver->ask_after = clock_ms() + UNPROVEN_MS;
	return true;
}

/*
 * VK changes the string from time to time, so what setup kept may be old: VK is
 * asked, if it answers at once. NULL: the kept one has to do.
 */
static const char *
ask_confirmation(struct receipt *receipt)
{
	const struct conf_group *group = receipt->group;
	struct json_object *response;
	char *text = NULL;
	struct api api;
	size_t len;

	if (!may_ask(receipt))
		return NULL;
	api_init(&api, receipt->receiver->conf, group->token, 0);
	api.limit = CONFIRMATION_MS;
	if (api_call(&api, "groups.getCallbackConfirmationCode", VK_PARAMS(
	    "group_id", VK_INT(receipt->envelope.group_id)), &response) ==
	    VKCB_OK && *json_get_string(response, "code") != '\0') {
		len = strlen(json_get_string(response, "code")) + 1;
		text = arena_alloc(&receipt->receiver->arena, len);
		if (text != NULL)
			memcpy(text, json_get_string(response, "code"), len);
	}
	api_forget(&api);
	return text;
}

static void
confirm(struct receipt *receipt)
{
	const char *confirmation = ask_confirmation(receipt);
	struct log_line line;

	if (confirmation == NULL)
		confirmation = receipt->group->confirmation;
	if (confirmation == NULL) {
		(void)receive_refuse(receipt, 404, "No Confirmation String",
		    "no confirmation string for this group", NULL);
		return;
	}
	http_answer(receipt->answer, 200, confirmation);
	log_begin(&line, LOG_LEVEL_INFO, "confirmed");
	log_int(&line, "group", receipt->envelope.group_id);
	log_end(&line);
}

static int
retry_counter(const struct http_request *request)
{
	size_t counter;

	if (request->retry_counter == NULL ||
	    read_length(request->retry_counter, &counter) == -1)
		return 0;
	return counter < 1000000 ? (int)counter : 1000000;
}

static void
answer_verdict(struct http_answer *answer, const struct verdict *verdict)
{
	size_t len;

	switch (verdict->outcome) {
	case VKCB_OK:
	case VKCB_GIVE_UP:
		http_answer(answer, 200, "ok");
		break;
	case VKCB_FAIL:
		http_answer(answer, 500, "Handler Failed");
		break;
	case VKCB_RETRY_AFTER:
		http_answer(answer, verdict->status, "Try Again Later");
		answer->retry_after = verdict->seconds;
		break;
	case VKCB_REMOVE:
		http_answer(answer, 200, "remove");
		break;
	case VKCB_SET_VERSION:
		http_answer(answer, 200, "version ");
		memcpy(answer->text, "version ", 8);
		len = strlen(verdict->version);
		memcpy(answer->text + 8, verdict->version, len);
		answer->body = answer->text;
		answer->len = 8 + len;
		break;
	}
}

static void
handle(struct receipt *receipt)
{
	struct verdict verdict;
	struct event event;

	event_init(&event, &receipt->envelope, &receipt->receiver->arena,
	    retry_counter(receipt->request));
	event_may_call(&event, receipt->receiver->conf, receipt->group);
	switch (event_handle(&event, &verdict)) {
	case EVENT_HANDLED:
		receipt->receiver->done = verdict.outcome != VKCB_FAIL &&
		    verdict.outcome != VKCB_RETRY_AFTER &&
		    verdict.outcome != VKCB_GIVE_UP;
		answer_verdict(receipt->answer, &verdict);
		break;
	case EVENT_BAD_OBJECT:
		(void)receive_refuse(receipt, 400, "Bad Request",
		    "object is missing or not a JSON object", NULL);
		break;
	case EVENT_NO_MEMORY:
		(void)receive_refuse(receipt, 503, "Out of Memory",
		    "out of memory", "object");
		break;
	}
	event_release(&event);
}

/* The inbox in force, also after the configuration changed; NULL and error. */
static struct inbox *
current_inbox(struct receiver *receiver, char error[INBOX_ERROR_MAX])
{
	const char *path = receiver->conf->inbox;

	if (receiver->inbox != NULL && strcmp(receiver->inbox_path, path) == 0)
		return receiver->inbox;
	close_inbox(receiver);
	receiver->inbox_path = strdup(path);
	if (receiver->inbox_path == NULL) {
		memcpy(error, "out of memory", sizeof("out of memory"));
		return NULL;
	}
	receiver->inbox = inbox_open(path, true, error);
	return receiver->inbox;
}

/* Which handlers want the event; NULL: out of memory. */
static struct inbox_target *
find_wanted(struct receipt *receipt, size_t *n)
{
	const struct envelope *envelope = &receipt->envelope;
	enum vkcb_event_type type = catalogue_type(envelope->type.at,
	    envelope->type.len);
	const struct handler *handler;
	struct inbox_target *wanted;

	for (*n = 0, handler = handlers; handler->name != NULL; handler++)
		*n += handler_takes(handler, type, envelope->type.at);
	wanted = arena_alloc(&receipt->receiver->arena,
	    (*n + 1) * sizeof(*wanted));
	if (wanted == NULL)
		return NULL;
	for (*n = 0, handler = handlers; handler->name != NULL; handler++) {
		if (!handler_takes(handler, type, envelope->type.at))
			continue;
		wanted[(*n)++] = (struct inbox_target){
			.handler = handler->name,
			.reason = handler_is_typed(handler) &&
			    envelope->object.kind != JSON_OBJECT ?
			    EVENT_BAD_OBJECT_WHY : NULL,
		};
	}
	return wanted;
}

static void
log_event(struct log_line *line, const struct envelope *envelope)
{
	log_int(line, "group", envelope->group_id);
	log_text(line, "event", envelope->type.at);
	log_bytes(line, "id", envelope->event_id.at,
	    envelope->event_id.len < TYPE_SHOWN_MAX ? envelope->event_id.len :
	    TYPE_SHOWN_MAX);
}

static void
log_stored(const struct receipt *receipt, enum inbox_put put, size_t n)
{
	struct log_line line;

	if (!log_wants(LOG_LEVEL_INFO))
		return;
	log_begin(&line, LOG_LEVEL_INFO, put == INBOX_STORED ? "stored" :
	    "stored before");
	log_event(&line, &receipt->envelope);
	log_int(&line, "handlers", (int64_t)n);
	log_end(&line);
}

/* No worker will see these handlers' runs, and log them: they are not to be. */
static void
log_parked(const struct receipt *receipt, const struct inbox_target *wanted,
    size_t n)
{
	struct log_line line;
	size_t i;

	for (i = 0; i < n; i++) {
		if (wanted[i].reason == NULL)
			continue;
		log_begin(&line, LOG_LEVEL_ERROR,
		    "parked: see vkcb inbox list --failed");
		log_event(&line, &receipt->envelope);
		log_text(&line, "handler", wanted[i].handler);
		log_text(&line, "reason", wanted[i].reason);
		log_end(&line);
	}
}

/* What is stored: no secret, and the object as it was sent. */
static int
receive_put(struct receipt *receipt, struct inbox *inbox,
    const struct inbox_target *wanted, size_t n,
    struct inbox_command *command)
{
	const struct envelope *envelope = &receipt->envelope;
	bool ordered = receipt->receiver->conf->order ==
	    CONF_ORDER_CONVERSATION;
	struct inbox_event event = {
		.group_id = envelope->group_id,
		.event_id = envelope->event_id.at,
		.type = envelope->type.at,
		.version = envelope->version.at,
		.retry_counter = retry_counter(receipt->request),
		.received = inbox_now(inbox),
		.object = envelope->object.at,
		.object_len = envelope->object.len,
	};
	char conversation[CONVERSATION_MAX];
	enum inbox_put stored;

	if (ordered) {
		conversation_name(envelope, conversation);
		event.conversation = conversation;
	}
	if (inbox_put(inbox, &event, wanted, n, &stored,
	    command) == -1)
		return -1;
	receipt->receiver->stored = true;
	log_stored(receipt, stored, n);
	if (stored == INBOX_STORED)
		log_parked(receipt, wanted, n);
	return 0;
}

/* Instead of ok, what a handler wanted of VK when it ran. */
static void
answer_command(struct http_answer *answer, const struct inbox_command *command)
{
	struct verdict verdict = { .outcome = VKCB_OK };

	if (command->remove) {
		verdict.outcome = VKCB_REMOVE;
	} else if (command->version[0] != '\0') {
		verdict.outcome = VKCB_SET_VERSION;
		snprintf(verdict.version, sizeof(verdict.version), "%s",
		    command->version);
	}
	answer_verdict(answer, &verdict);
}

static void
store(struct receipt *receipt)
{
	char error[INBOX_ERROR_MAX] = "";
	struct inbox *inbox = current_inbox(receipt->receiver, error);
	const struct inbox_target *wanted;
	struct inbox_command command;
	int result = -1;
	size_t n;

	wanted = find_wanted(receipt, &n);
	if (wanted == NULL) {
		(void)receive_refuse(receipt, 503, "Out of Memory",
		    "out of memory", "handlers");
		return;
	}
	if (inbox != NULL)
		result = n > 0 ?
		    receive_put(receipt, inbox, wanted, n, &command) :
		    inbox_take_command(inbox, receipt->envelope.group_id,
			&command);
	/* Nobody wants it: nothing is lost. */
	if (result == -1 && n == 0)
		http_answer(receipt->answer, 200, "ok");
	else if (result == 0)
		answer_command(receipt->answer, &command);
	else
		(void)receive_refuse(receipt, 503, "Inbox Unavailable",
		    "cannot store the event", inbox != NULL ? inbox->error :
		    error);
}

void
receive(struct receiver *receiver, struct http_request *request,
    struct http_answer *answer)
{
	struct receipt receipt = {
		.receiver = receiver, .request = request, .answer = answer,
	};

	receiver->done = true;
	if (!receiver->conf_fixed)
		(void)conf_refresh(&receiver->conf, NULL);
	if (check_request(&receipt) == -1 ||
	    receive_read_body(&receipt) == -1 ||
	    read_envelope(&receipt) == -1 ||
	    find_group(&receipt) == -1 ||
	    receive_check_secret(&receipt) == -1)
		return;
	wipe_secret(&receipt);
	if (strcmp(receipt.envelope.type.at, "confirmation") == 0)
		confirm(&receipt);
	else if (receiver->conf->inbox != NULL)
		store(&receipt);
	else
		handle(&receipt);
}
