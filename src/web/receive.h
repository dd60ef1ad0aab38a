/* receive.h - a request in, an answer out: vkcb's main job. */
#ifndef RECEIVE_H
#define RECEIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "event/envelope.h"
#include "pool/pool.h"
#include "web/repeats.h"

struct conf;
struct event_result;
struct inbox;
struct log_line;

struct http_request {
	const char *method;		/* REQUEST_METHOD; NULL: not given */
	const char *length;		/* CONTENT_LENGTH */
	const char *retry_counter;	/* HTTP_X_RETRY_COUNTER */
	int64_t deadline;		/* clock_ms(); 0: body_timeout */

	/*
	 * Reads size bytes of the body, or fewer if it ends, the deadline
	 * passes or the peer goes away.
	 */
	size_t (*read)(struct http_request *, char *into, size_t size);
	void *from;			/* read()'s own */
	bool at_end;			/* read() has read the whole body */

	/* http_memory_request()'s own. */
	const char *body;
	size_t left;
	char length_text[24];
};

struct http_answer {
	int status;
	int retry_after;		/* seconds; -1: no such header */
	char body[4096];		/* a line of vkcb.conf has room */
};

#define HTTP_ANSWER_MAX (4096 + 256)

/* A POST without a web server; the body stays the caller's. */
void http_memory_request(struct http_request *, const char *body, size_t len);

/* An answer with this body, printf-like, and no Retry-After. */
void http_answer(struct http_answer *, int status, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Writes the whole answer, as CGI and FastCGI have it; returns its length. */
size_t http_write(const struct http_answer *, char out[HTTP_ANSWER_MAX]);

struct receiver {
	struct conf *conf;	/* owned; replaced when its files change */
	bool conf_fixed;	/* never replaced: the caller edited it */
	int64_t looked;		/* clock_ms() of the last look at its files */
	bool is_cgi;		/* started by a web server for one request */
	struct arena arena;	/* memory of the current request */
	bool gave_up;		/* a handler of the last event did */
	struct repeats repeats;	/* without an inbox */
	struct inbox *inbox;	/* NULL: none, or not opened yet */
	bool stored;		/* workers are to be woken */
	struct program program;	/* for starting a pool */
};

/* Takes the configuration over. */
void receiver_init(struct receiver *, struct conf *);
void receiver_release(struct receiver *);

/*
 * Answers a request; receive_done() frees its memory, and wakes the workers if
 * an event was stored.
 */
void receive(struct receiver *, struct http_request *, struct http_answer *);
void receive_done(struct receiver *);

/* A request on its way through the checks to its answer. */
struct receipt {
	struct receiver *receiver;
	struct http_request *request;
	struct http_answer *answer;
	char *body;
	uint64_t len;
	int64_t retry_counter;
	struct envelope envelope;
	const struct conf_group *group;
	bool looked;		/* the configuration is of now */
	bool authenticated;	/* the request has the group's secret */
};

/*
 * Answers with status and body and logs why; detail may be NULL. Returns -1.
 */
int receipt_refuse(struct receipt *, int status, const char *body,
    const char *why, const char *detail);

/* Answers with what the handlers want of VK. */
void receipt_answer(struct receipt *, const struct event_result *);

/* Adds the event's group, type and id, if known, to a line of the log. */
void receipt_log(const struct receipt *, struct log_line *);

/* confirm.c: answers a request of type confirmation. */
void confirm(struct receipt *);

/* enqueue.c: stores the event and answers. */
void enqueue(struct receipt *);

/* Wakes a worker of the receiver's inbox, or starts a pool. */
void enqueue_wake(struct receiver *);

/* Is descriptor 0 a listening socket, as under FastCGI? */
bool fastcgi_is_host(void);

/*
 * Serves until SIGTERM, SIGUSR1 or SIGINT; the current request is answered
 * first. Returns the exit status.
 */
int fastcgi_serve(struct receiver *);

/* Answers the one request of a CGI program. Returns the exit status. */
int cgi_serve(struct receiver *);

/* Answers 503: the program could not read its configuration. */
void cgi_send_unconfigured(void);

#endif
