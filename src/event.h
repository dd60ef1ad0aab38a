/* event.h - one event on its way through the handlers. */
#ifndef EVENT_H
#define EVENT_H

#include <stdbool.h>

#include "envelope.h"
#include "vkcb.h"

struct arena;
struct handler;

#define EVENT_VERSION_MAX 16
#define EVENT_RETRY_AFTER_MAX 10799	/* VK waits less than 3 hours */

/* What all handlers together want of VK. */
struct verdict {
	enum vkcb_outcome outcome;
	int status;			/* of VKCB_RETRY_AFTER */
	int seconds;
	char version[EVENT_VERSION_MAX];	/* of VKCB_SET_VERSION */
};

enum event_result {
	EVENT_HANDLED,		/* the verdict says how */
	EVENT_BAD_OBJECT,	/* a struct is wanted and cannot be made */
	EVENT_NO_MEMORY,
};

struct event {
	struct vkcb_event seen;		/* by handlers; first, see event_of() */
	enum vkcb_event_type type;
	const struct envelope *envelope;
	struct arena *arena;
	bool has_tree;			/* seen.object was made */
	const void *typed;		/* the struct, once made */
	unsigned int odd;		/* values reported */
	const struct handler *running;
	struct verdict asked;		/* by the running handler */
};

/* The envelope's bytes must stay; the tree made of them is put on release. */
void event_init(struct event *, const struct envelope *, struct arena *,
    int retry_counter);
void event_release(struct event *);

/* Calls every handler that takes the event, in order, and sums them up. */
enum event_result event_handle(struct event *, struct verdict *)
    __attribute__((warn_unused_result));

const char *event_outcome_name(enum vkcb_outcome);

#endif
