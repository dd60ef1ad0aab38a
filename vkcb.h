/*
 * vkcb.h - all that a handler needs: include it, write one function, name it
 * in a struct vkcb_handler. A file handlers/greet.c is a whole handler:
 *
 *	#include "vkcb.h"
 *
 *	static enum vkcb_outcome
 *	greet(struct vkcb_event *ev, const struct vk_message_new *new)
 *	{
 *		vkcb_log(ev, "%s", new->message->text);
 *		return VKCB_OK;
 *	}
 *
 *	const struct vkcb_handler handler_greet = {
 *		ON(message_new, greet),
 *		.summary = "logs what people write",
 *	};
 *
 * The file's name is the registration: handlers/greet.c defines handler_greet,
 * handlers/10-audit.c defines handler_10_audit. `make` finds new and removed
 * files. Handlers run in the order of their file names. `vkcb events` lists
 * the events, `vkcb events message_new` tells what one carries.
 *
 * Everything reachable from the event and its object lives until the handler
 * returns: copy what you keep.
 *
 * VK's own words: https://dev.vk.com/ru/api/callback/getting-started
 */
#ifndef VKCB_H
#define VKCB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <json-c/json.h>

/* A function of the wrong type in ON() is an error, whatever the flags say. */
#if defined(__clang__)
#pragma clang diagnostic error "-Wincompatible-function-pointer-types"
#pragma clang diagnostic error "-Wincompatible-pointer-types"
#elif defined(__GNUC__)
#pragma GCC diagnostic error "-Wincompatible-pointer-types"
#endif

#if defined(__GNUC__)
#define VKCB_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#else
#define VKCB_PRINTF(fmt, args)
#endif

/*
 * The objects: struct vk_message, struct vk_photo and so on, with the names
 * of VK's JSON (https://dev.vk.com/ru/reference/objects). objects.def says
 * what each field means.
 *
 *	INT     int64_t                   STR   const char *, UTF-8
 *	BOOL    bool                      OBJ   const struct vk_X *
 *	DOUBLE  double                    JSON  struct json_object *
 *	LIST    const struct vk_X *f, and size_t n_f: how many
 *	INTS    const int64_t *f,     and size_t n_f
 *	STRS    const char *const *f, and size_t n_f
 *
 * What VK did not send is safe to read: "" for text, 0 for a number, an empty
 * list, and for an object the all-zero object of its type, never NULL (JSON
 * alone is NULL when absent). vk_has() tells whether an object was sent.
 * `json` is the object as VK sent it, with fields not listed here too.
 */
#define OBJECT(tag, text) struct vk_##tag;
#include "src/objects.def"

#define OBJECT(tag, text) struct vk_##tag {
#define INT(name, example, text) int64_t name;
#define BOOL(name, example, text) bool name;
#define DOUBLE(name, example, text) double name;
#define STR(name, example, text) const char *name;
#define OBJ(name, tag, text) const struct vk_##tag *name;
#define OBJ_TEXT(name, tag, text) const struct vk_##tag *name;
#define LIST(name, tag, text) const struct vk_##tag *name; size_t n_##name;
#define INTS(name, example, text) const int64_t *name; size_t n_##name;
#define STRS(name, example, text) const char *const *name; size_t n_##name;
#define JSON(name, example, text) struct json_object *name;
#define END(tag) struct json_object *json; };
#include "src/objects.def"

/* Was this object in what VK sent? Takes a pointer to any struct vk_X. */
#define vk_has(obj) ((obj)->json != NULL)

/*
 * An event, the same for every handler that takes it.
 * https://dev.vk.com/ru/api/community-events/json-schema
 */
struct vkcb_event {
	const char *type;	/* "message_new"; escape before you print it */
	int64_t group_id;	/* the community, positive */
	const char *event_id;	/* unique per event; "" if VK sent none */
	const char *version;	/* VK API version of the object, "5.199" */
	int retry_counter;	/* VK's failed deliveries before this one */
	int attempt;		/* this handler's run for this event: 1, 2, … */
	struct json_object *object; /* as sent; NULL if there was none */
};

/* What became of the event: a handler's answer. */
enum vkcb_outcome {
	VKCB_OK,		/* done */
	VKCB_FAIL,		/* not done: try again later */
	VKCB_RETRY_AFTER,	/* only through vkcb_retry_after() */
	VKCB_REMOVE,		/* only through vkcb_remove() */
	VKCB_SET_VERSION,	/* only through vkcb_set_version() */
};

/*
 * Not done: try again in `seconds`. Without an inbox VK is asked to wait, with
 * the HTTP status 410, 429 or 503; seconds are 0 to 10799 (below 3 hours).
 * Other values are logged as an error of the handler and put right.
 * https://dev.vk.com/ru/api/callback/getting-started
 */
enum vkcb_outcome vkcb_retry_after(struct vkcb_event *, int status,
    int seconds);

/* Done, and VK shall remove this server from the community's settings. */
enum vkcb_outcome vkcb_remove(struct vkcb_event *);

/*
 * Done, and VK shall use this API version for this server from now on: "5.199";
 * 5.81 or newer. Anything else is logged as an error of the handler and
 * changes nothing.
 */
enum vkcb_outcome vkcb_set_version(struct vkcb_event *, const char *version);

/*
 * A line in the program's log, with group, event and handler named. The text
 * is escaped; over 2 KiB are cut.
 */
void vkcb_log(struct vkcb_event *, const char *fmt, ...) VKCB_PRINTF(2, 3);

/* The events by number: VKCB_EVENT_message_new, … */
enum vkcb_event_type {
	VKCB_EVENT_unknown,	/* not in the catalogue; ON_TYPE goes by name */
	VKCB_EVENT_any,
#define EVENT(type, object, settable, text) VKCB_EVENT_##type,
#define EVENT_JSON(type, settable, text) VKCB_EVENT_##type,
#include "src/events.def"
	VKCB_EVENT_end,
#define EVENT_ALIAS(type, of, object, text) \
	VKCB_EVENT_##type = VKCB_EVENT_##of,
#include "src/events.def"
};

/* A handler's function, under the name of its event. */
union vkcb_function {
	enum vkcb_outcome (*any)(struct vkcb_event *);
#define EVENT(type, object, settable, text) \
	enum vkcb_outcome (*type)(struct vkcb_event *, \
	    const struct vk_##object *);
#define EVENT_JSON(type, settable, text) \
	enum vkcb_outcome (*type)(struct vkcb_event *, struct json_object *);
#define EVENT_ALIAS(type, of, object, text) \
	enum vkcb_outcome (*type)(struct vkcb_event *, \
	    const struct vk_##object *);
#include "src/events.def"
};

/*
 * A handler, constant, one per file. ON() or ON_TYPE() is its first line:
 *
 *	ON(message_new, fn)	an event of the catalogue, with its object
 *	ON(any, fn)		every event, also those vkcb does not know;
 *				fn takes the event alone
 *	ON_TYPE("name", fn)	an event that is not in the catalogue yet;
 *				fn takes the event alone
 */
struct vkcb_handler {
	enum vkcb_event_type event;
	const char *type;		/* with ON_TYPE */
	union vkcb_function call;
	const char *summary;		/* one line, for `vkcb check` */
};

#define ON(event_type, fn) \
	.event = VKCB_EVENT_##event_type, .call = { .event_type = (fn) }
#define ON_TYPE(name, fn) \
	.event = VKCB_EVENT_unknown, .type = (name), .call = { .any = (fn) }

/* make names the handler that it expects in the file it compiles. */
#ifdef VKCB_HANDLER
extern const struct vkcb_handler VKCB_HANDLER;
#endif

#endif
