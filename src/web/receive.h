/* receive.h - a request in, an answer out: vkcb's main job. */
#ifndef RECEIVE_H
#define RECEIVE_H

#include <stdbool.h>
#include <stdint.h>

#include "arena.h"
#include "web/http.h"
#include "pool/program.h"

struct conf;
struct inbox;

struct receiver {
	struct conf *conf;	/* the one in force; replaced when it changes */
	bool conf_fixed;	/* not replaced: changed by hand */
	int64_t ask_after;	/* clock_ms(), for who shows no secret */
	struct arena arena;	/* of the request in hand */
	bool done;		/* all handlers of the last event are done */
	struct inbox *inbox;	/* NULL: none, or not opened yet */
	char *inbox_path;	/* of that one */
	bool stored;		/* workers have something to do */
	struct program program;	/* what they are, or what replaced it */
};

/* Takes the configuration over. */
void receiver_init(struct receiver *, struct conf *);
void receiver_release(struct receiver *);

/*
 * The answer is good until receive_done(), which forgets the request and, when
 * it was stored, sees that somebody works on it.
 */
void receive(struct receiver *, struct http_request *, struct http_answer *);
void receive_done(struct receiver *);

#endif
