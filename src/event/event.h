/* event.h - one event on its way through the handlers. */
#ifndef EVENT_H
#define EVENT_H

#include <stdbool.h>
#include <sys/types.h>

#include "event/envelope.h"
#include "log.h"
#include "vk/api.h"
#include "vkcb.h"

struct arena;
struct conf_group;
struct handler;

#define EVENT_VERSION_MAX 16
#define EVENT_RETRY_AFTER_MAX 10799	/* VK waits less than 3 hours */

/* The outcome of a handler, or of all handlers of an event together. */
struct event_result {
	enum vkcb_outcome outcome;
	int status;				/* for VKCB_RETRY_AFTER */
	int seconds;
	char version[EVENT_VERSION_MAX];	/* for VKCB_SET_VERSION */
};

enum event_status {
	EVENT_HANDLED,		/* the result says how */
	EVENT_BAD_OBJECT,	/* no struct for a handler that takes one */
	EVENT_NO_MEMORY,
};

/* The reason for EVENT_BAD_OBJECT, in an inbox. */
#define EVENT_BAD_OBJECT_WHY "the object is missing or not a JSON object"

/* The last call to VK that failed, for a handler that returns its outcome. */
struct event_failed_call {
	enum vkcb_outcome outcome;	/* VKCB_OK: none failed */
	char words[200];		/* "messages.send: error 901: ..." */
};

struct event {
	struct vkcb_event public;	/* the first: see event_of() */
	enum vkcb_event_type type;
	const struct envelope *envelope;
	struct arena *arena;
	bool begun;			/* a handler was called */
	struct event_tree *trees;	/* that handlers asked for */
	const void *typed;		/* the struct, once it was made */
	unsigned int mismatches;	/* values of a wrong type */
	const struct handler *running;
	struct event_result requested;	/* by the running handler */
	struct api api;			/* its calls to VK */
	struct event_failed_call failed_call;
	unsigned int forks;		/* of its process and those before */
	uint64_t key;			/* the same for every repeat */
	int n_random_ids;		/* made for this handler */
};

/*
 * The envelope's bytes must stay in place until event_release(), which puts the
 * trees that are made of them.
 */
void event_init(struct event *, const struct envelope *, struct arena *,
    int retry_counter);
void event_release(struct event *);

/* The event's handlers may call VK with this group's token; both must stay. */
void event_may_call(struct event *, const struct conf *,
    const struct conf_group *);

/* struct vkcb_event is the first member of struct event: the cast is valid. */
static inline struct event *
event_of(struct vkcb_event *public)
{
	return (struct event *)(void *)public;
}

/* Begins a line of the log that names group, event and handler. */
void event_log(struct log_line *, const struct event *, enum log_level,
    const char *msg);

/*
 * Calls every handler that takes the event, in order; the result is the one
 * that matters most.
 */
enum event_status event_handle(struct event *, struct event_result *)
    __attribute__((warn_unused_result));

/* Calls one handler that takes the event. */
enum event_status event_run(struct event *, const struct handler *,
    struct event_result *) __attribute__((warn_unused_result));

const char *event_outcome_name(enum vkcb_outcome);

/*
 * A tree of any JSON, checked or not, for handlers; put by event_release(). The
 * text is copied. NULL: null, not JSON, or out of memory: the arena notes that.
 */
struct json_object *event_tree(struct event *, const struct vk_json *);

/* event/decode.c: an object's checked JSON into the structs of vkcb.h */
struct decode_place;

#define DECODE_PATH_MAX 256

/*
 * Called for a value that was not taken: its place, what it is ("string") and
 * what was wanted ("64-bit integer").
 */
typedef void decode_mismatch_fn(void *arg, const struct decode_place *,
    const char *got, const char *wanted);

/* A place as its path, "object.message.date"; a long one is cut. */
void decode_path(const struct decode_place *, char out[DECODE_PATH_MAX]);

/*
 * Makes the struct that handlers of this event get, in the arena; what is raw
 * JSON in it points into the object's text. vkcb-handler(7) has the rules for
 * values of another type and absent ones. NULL: not a JSON object, an event
 * without a struct, or the arena has failed.
 */
const void *decode_event(enum vkcb_event_type, const struct vk_json *,
    struct arena *, decode_mismatch_fn *, void *arg)
    __attribute__((warn_unused_result));

#endif
