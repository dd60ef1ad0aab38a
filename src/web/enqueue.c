/*
 * enqueue.c - puts an event into the inbox: ok means that it is on disk.
 *
 * An event that cannot be stored is answered 503, so that VK repeats it. Its
 * secret is never stored.
 */
#include <stdio.h>
#include <string.h>

#include "conf/conf.h"
#include "event/catalogue.h"
#include "event/event.h"
#include "inbox/inbox.h"
#include "log.h"
#include "web/receive.h"

#include "banned.h"

/* Starting a pool takes a millisecond: the answer is sent before. */
void
enqueue_wake(struct receiver *receiver)
{
	(void)inbox_wake(receiver->inbox);
	if (!pool_is_there(receiver->conf->inbox))
		program_start_pool(&receiver->program, receiver->conf,
		    !receiver->is_cgi, false);
}

/* Lists the handlers that take the event. NULL: out of memory. */
static struct inbox_target *
find_targets(struct receipt *receipt, size_t *n)
{
	const struct envelope *envelope = &receipt->envelope;
	enum vkcb_event_type type = catalogue_type(envelope->type.at,
	    envelope->type.len);
	struct inbox_target *targets;
	const struct handler *handler;

	*n = 0;
	targets = arena_alloc(&receipt->receiver->arena,
	    n_handlers * sizeof(*targets));
	if (targets == NULL)
		return NULL;
	for (handler = handlers; handler->name != NULL; handler++) {
		if (!handler_takes(handler, type, envelope->type.at))
			continue;
		targets[(*n)++] = (struct inbox_target){
			.handler = handler->name,
			.reason = handler_is_typed(handler) &&
			    envelope->object.kind != JSON_OBJECT ?
			    EVENT_BAD_OBJECT_WHY : NULL,
		};
	}
	return targets;
}

/* These tasks are parked at once and never reach a worker: logged here. */
static void
log_parked(const struct receipt *receipt, const struct inbox_target *targets,
    size_t n)
{
	struct log_line line;
	size_t i;

	for (i = 0; i < n; i++) {
		if (targets[i].reason == NULL)
			continue;
		log_begin(&line, LOG_LEVEL_ERROR,
		    "parked: see vkcb inbox list --failed");
		receipt_log(receipt, &line);
		log_text(&line, "handler", targets[i].handler);
		log_text(&line, "reason", targets[i].reason);
		log_end(&line);
	}
}

static int
enqueue_put(struct receipt *receipt, const struct inbox_target *targets,
    size_t n, struct inbox_command *command)
{
	struct inbox *inbox = receipt->receiver->inbox;
	const struct envelope *envelope = &receipt->envelope;
	struct inbox_event event = {
		.group_id = envelope->group_id,
		.event_id = envelope->event_id.at,
		.type = envelope->type.at,
		.version = envelope->version.at,
		.retry_counter = (int)receipt->retry_counter,
		.received = inbox_now(inbox),
		.object = envelope->object.at,
		.object_len = envelope->object.len,
	};
	char conversation[CONVERSATION_MAX];
	struct log_line line;
	enum inbox_put put;

	if (receipt->receiver->conf->order == CONF_ORDER_CONVERSATION) {
		conversation_name(envelope, conversation);
		event.conversation = conversation;
	}
	if (inbox_put(inbox, &event, targets, n, &put, command) == -1)
		return -1;
	receipt->receiver->stored = true;
	log_begin(&line, LOG_LEVEL_INFO, put == INBOX_STORED ? "stored" :
	    "stored before");
	receipt_log(receipt, &line);
	log_int(&line, "handlers", (int64_t)n);
	log_end(&line);
	if (put == INBOX_STORED)
		log_parked(receipt, targets, n);
	return 0;
}

/* A worker's handler may have asked for another answer than ok. */
static void
answer_command(struct receipt *receipt, const struct inbox_command *command)
{
	struct event_result result = {
		.outcome = command->remove ? VKCB_REMOVE :
		    command->version[0] != '\0' ? VKCB_SET_VERSION : VKCB_OK,
	};

	snprintf(result.version, sizeof(result.version), "%s",
	    command->version);
	receipt_answer(receipt, &result);
}

void
enqueue(struct receipt *receipt)
{
	char error[INBOX_ERROR_MAX] = "";
	struct receiver *receiver = receipt->receiver;
	struct inbox_command command = { .remove = false };
	const struct inbox_target *targets;
	int result = -1;
	size_t n;

	if (receiver->inbox == NULL)
		receiver->inbox = inbox_open(receiver->conf->inbox,
		    INBOX_CREATE, error);
	targets = find_targets(receipt, &n);
	if (targets == NULL) {
		(void)receipt_refuse(receipt, 503, "Out of Memory",
		    "out of memory", "handlers");
		return;
	}
	if (receiver->inbox != NULL && n > 0)
		result = enqueue_put(receipt, targets, n, &command);
	else if (receiver->inbox != NULL)
		result = inbox_take_command(receiver->inbox,
		    receipt->envelope.group_id, &command);
	/* If no handler takes the event, a broken inbox loses nothing. */
	if (result == -1 && n > 0)
		(void)receipt_refuse(receipt, 503, "Inbox Unavailable",
		    "cannot store the event", receiver->inbox != NULL ?
		    receiver->inbox->error : error);
	else
		answer_command(receipt, &command);
}
