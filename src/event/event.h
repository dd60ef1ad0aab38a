/* event.h - one event on its way through the handlers. */
#ifndef EVENT_H
#define EVENT_H

#include <stdbool.h>

#include "vk/api.h"
#include "event/envelope.h"
#include "vkcb.h"

struct arena;
struct conf_group;
struct handler;
struct log_line;

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

/* Why a handler is given up then, in an inbox. */
#define EVENT_BAD_OBJECT_WHY "the object is missing or not a JSON object"

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
	struct api api;			/* its calls to VK */
	uint64_t key;			/* the same for every repeat */
	int numbers;			/* random_ids made for this handler */
};

/* The envelope's bytes must stay; the tree made of them is put on release. */
void event_init(struct event *, const struct envelope *, struct arena *,
    int retry_counter);
void event_release(struct event *);

/* The event's handlers may call VK with this group's token; both must stay. */
void event_may_call(struct event *, const struct conf *,
    const struct conf_group *);

/* The event is the first member of what it is seen of. */
static inline struct event *
event_of(struct vkcb_event *seen)
{
	return (struct event *)(void *)seen;
}

/* Names group, event and handler in a line of the log. */
void event_log(struct log_line *, const struct event *);

/* Calls every handler that takes the event, in order, and sums them up. */
enum event_result event_handle(struct event *, struct verdict *)
    __attribute__((warn_unused_result));

/* Calls one handler that takes the event; the verdict is its own. */
enum event_result event_run(struct event *, const struct handler *,
    struct verdict *) __attribute__((warn_unused_result));

const char *event_outcome_name(enum vkcb_outcome);

#endif
