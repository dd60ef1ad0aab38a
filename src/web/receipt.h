/* receipt.h - a request on its way through receive.c to its answer. */
#ifndef RECEIPT_H
#define RECEIPT_H

#include <stdbool.h>
#include <stdint.h>

#include "event/envelope.h"

struct log_line;
struct event_result;

struct receipt {
	struct receiver *receiver;
	struct http_request *request;
	struct http_answer *answer;
	char *body;
	uint64_t len;
	uint64_t retry_counter;
	struct envelope envelope;
	const struct conf_group *group;
	bool authenticated;	/* the request has the group's secret */
};

/*
 * Answers with status and body and logs why; detail may be NULL. Returns -1.
 */
int receipt_refuse(struct receipt *, int status, const char *body,
    const char *why, const char *detail);

/* Answers with what the handlers want of VK. */
void receipt_answer(struct receipt *, const struct event_result *);

/* Adds the event's group and type to a line of the log. */
void receipt_log(const struct receipt *, struct log_line *);

/* confirm.c: answers a request of type confirmation. */
void confirm(struct receipt *);

/* enqueue.c: stores the event and answers. */
void enqueue(struct receipt *);

/* Wakes a worker of the receiver's inbox, or starts a pool. */
void enqueue_wake(struct receiver *);

void enqueue_close(struct receiver *);

#endif
