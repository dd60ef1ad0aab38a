/* receive.h - a request in, an answer out: vkcb's main job. */
#ifndef RECEIVE_H
#define RECEIVE_H

#include <stdbool.h>

#include "arena.h"
#include "pool/program.h"
#include "web/http.h"

struct conf;
struct inbox;

struct receiver {
	struct conf *conf;	/* owned; replaced when its files change */
	bool conf_fixed;	/* never replaced: the caller edited it */
	bool is_cgi;		/* started by a web server for one request */
	struct arena arena;	/* memory of the current request */
	bool done;		/* all handlers of the last event succeeded */
	struct inbox *inbox;	/* NULL: none, or not opened yet */
	char *inbox_path;	/* of inbox */
	bool stored;		/* workers are to be woken */
	struct program program;	/* for starting a pool */
};

/* Takes the configuration over. */
void receiver_init(struct receiver *, struct conf *);
void receiver_release(struct receiver *);

/*
 * Answers a request. The answer's text is valid until receive_done(), which
 * frees the request's memory and wakes the workers if an event was stored.
 */
void receive(struct receiver *, struct http_request *, struct http_answer *);
void receive_done(struct receiver *);

#endif
