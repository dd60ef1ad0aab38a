/*
 * vkcb.h - all that a handler needs: include it, write one function, name it
 * in a struct vkcb_handler. A file handlers/greet.c is a whole handler:
 *
 *	#include "vkcb.h"
 *
 *	static enum vkcb_outcome
 *	greet(struct vkcb_event *ev, const struct vk_message_new *new)
 *	{
 *		if (strcmp(new->message->text, "привет") != 0)
 *			return VKCB_OK;
 *		return vkcb_send(ev, new->message->peer_id, "И тебе привет!");
 *	}
 *
 *	const struct vkcb_handler handler_greet = {
 *		ON(message_new, greet),
 *		.summary = "greets whoever says привет",
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

/* A function of the wrong type in ON() is an error, also without -Werror. */
#if defined(__clang__)
#pragma clang diagnostic error "-Wincompatible-function-pointer-types"
#pragma clang diagnostic error "-Wincompatible-pointer-types"
#elif defined(__GNUC__)
#pragma GCC diagnostic error "-Wincompatible-pointer-types"
#endif

#if defined(__GNUC__)
#define VKCB_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define VKCB_USE __attribute__((warn_unused_result))
#else
#define VKCB_PRINTF(fmt, args)
#define VKCB_USE
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
	int64_t received;	/* when it came here, milliseconds since 1970 */
	struct json_object *object; /* as sent; NULL if there was none */
};

/* What became of the event: a handler's answer. */
enum vkcb_outcome {
	VKCB_OK,		/* done */
	VKCB_FAIL,		/* not done: try again later */
	VKCB_RETRY_AFTER,	/* only through vkcb_retry_after() */
	VKCB_REMOVE,		/* only through vkcb_remove() */
	VKCB_SET_VERSION,	/* only through vkcb_set_version() */
	VKCB_GIVE_UP,		/* not done, and trying again cannot help: VK */
				/* is answered ok, an inbox parks the event */
};

/*
 * Not done: try again in `seconds`. Without an inbox VK is asked to wait, with
 * the HTTP status 410, 429 or 503; an inbox waits itself, whatever the status,
 * at least a second. seconds are 0 to 10799 (below 3 hours). Other values are
 * logged as an error of the handler and put right.
 * https://dev.vk.com/ru/api/callback/getting-started
 */
enum vkcb_outcome vkcb_retry_after(struct vkcb_event *, int status,
    int seconds) VKCB_USE;

/* Done, and VK shall remove this server from the community's settings. */
enum vkcb_outcome vkcb_remove(struct vkcb_event *) VKCB_USE;

/*
 * Done, and VK shall use this API version for this server from now on: "5.199";
 * 5.81 or newer. Anything else is logged as an error of the handler and
 * changes nothing.
 */
enum vkcb_outcome vkcb_set_version(struct vkcb_event *, const char *version)
    VKCB_USE;

/*
 * A line in the program's log, with group, event and handler named. The text
 * is escaped; what is over 3 KiB is cut, and ends with "…".
 */
void vkcb_log(struct vkcb_event *, const char *fmt, ...) VKCB_PRINTF(2, 3);

/*
 * Calling VK, with the group's token. Every function here waits for VK's answer
 * and returns an outcome that a handler may return as it is:
 *
 *	VKCB_OK        VK did it
 *	VKCB_FAIL      it may work later: no connection, no answer in time or
 *	               one that is not VK's, too many calls, trouble inside
 *	               VK. A moment's trouble (no connection, half an answer,
 *	               5xx, VK's errors 6 and 10) has been waited out by then,
 *	               and the call made again
 *	VKCB_GIVE_UP   VK says no and will go on saying so (the user forbids
 *	               messages: 901; a wrong parameter: 100; a token without
 *	               the right: 15), or there is no token or no libcurl
 *
 * What failed is in the log, with what to do; vkcb_error() has it too. So
 *
 *	outcome = vkcb_api(ev, "users.get",
 *	    VK_PARAMS("user_ids", VK_INT(id)), &users);
 *	if (outcome != VKCB_OK)
 *		return outcome;
 *
 * is all that is to be done. A call takes up to api_timeout (10 s) for its turn
 * and as long for its answer, and 20 calls a second are made per token. Without
 * an inbox VK waits for the handler all the while, and repeats the event after
 * some seconds: call as little as you can, or use an inbox. No call is made
 * again once failed tries and the pauses after them have taken 3 s of the event
 * (with an inbox: 20 s).
 *
 * A repeat of a call, or of the event, may reach VK although the first was
 * done. messages.send is then dropped by VK, for an hour, since its random_id
 * is the same; other methods do it twice.
 */

/* Of the last call of this handler. */
struct vkcb_error {
	int code;		/* VK's, above 0; below 0 as here; 0: none */
	const char *message;	/* VK's words, or ours; until the next call */
};

enum {
	VKCB_ERROR_TOKEN = -1,		/* this group has none */
	VKCB_ERROR_LIBRARY = -2,	/* there is no libcurl */
	VKCB_ERROR_CONNECTION = -3,	/* no answer */
	VKCB_ERROR_ANSWER = -4,		/* an answer that is not VK's */
	VKCB_ERROR_BUSY = -5,		/* no turn: too many calls before it */
	VKCB_ERROR_CALL = -6,		/* a method or params that cannot be */
	VKCB_ERROR_MEMORY = -7,
};

const struct vkcb_error *vkcb_error(struct vkcb_event *);

/*
 * Calls any method: https://dev.vk.com/ru/method. params is an object that is
 * taken over, whatever comes of it: VK_PARAMS() makes one. Lists of ids are
 * text, "1,2,3"; objects and json-c arrays go as JSON. *response (the pointer
 * may be NULL) is what VK answered, NULL if it did not; it is freed when
 * the handler returns. "v" in params asks for another API version than 5.199.
 */
enum vkcb_outcome vkcb_api(struct vkcb_event *, const char *method,
    struct json_object *params, struct json_object **response);

/*
 * VK_PARAMS("peer_id", VK_INT(id), "message", VK_STR(text)): an object of
 * pairs of name and value. What is made here and below is NULL when out of
 * memory, and so is all that it goes into: vkcb_api() knows, and fails. Any
 * other NULL is a mistake of the handler, whose call is given up with words.
 * VK_JSON takes a json_object over: what belongs to the event, or is used
 * again, needs a json_object_get() for it. Nothing else of the event needs one,
 * and none may outlive the handler.
 */
#define VK_PARAMS(...) vk_params(__VA_ARGS__, (const char *)NULL)
#define VK_NO_PARAMS vk_params((const char *)NULL)
#define VK_INT(number) vk_int(number)
#define VK_DOUBLE(number) vk_double(number)
#define VK_BOOL(flag) vk_bool(flag)
#define VK_STR(text) vk_str(text)
#define VK_JSON(object) (object)

struct json_object *vk_params(const char *name, ...) VKCB_USE;
struct json_object *vk_int(int64_t number) VKCB_USE;
struct json_object *vk_double(double number) VKCB_USE;
struct json_object *vk_bool(bool flag) VKCB_USE;
struct json_object *vk_str(const char *text) VKCB_USE;	/* NULL is "" */

/*
 * VKScript, up to 25 calls in one: https://dev.vk.com/ru/method/execute. A call
 * in it that fails is logged and false in the response. Messages it sends must
 * be given one: print vkcb_random_id(ev) into the code as random_id.
 */
enum vkcb_outcome vkcb_execute(struct vkcb_event *, const char *code,
    struct json_object **response);

/*
 * A random_id for messages.send: the first, second, ... of this handler for
 * this event, the same when the event is repeated; never 0. messages.send gets
 * one by itself, unless params have one other than 0.
 */
int32_t vkcb_random_id(struct vkcb_event *);

/*
 * Sends a text to a user, chat or community: peer_id as in message_new. More
 * than 9000 characters (an emoji counts two, as in UTF-16) become several
 * messages, parted at lines or words; a blank one among them is left out.
 */
enum vkcb_outcome vkcb_send(struct vkcb_event *, int64_t peer_id,
    const char *text);

/* The same as an answer to a message, shown with it. */
enum vkcb_outcome vkcb_reply(struct vkcb_event *, const struct vk_message *,
    const char *text);

/* One text of up to 9000 characters with a keyboard, which is taken over. */
enum vkcb_outcome vkcb_send_keyboard(struct vkcb_event *, int64_t peer_id,
    const char *text, struct json_object *keyboard);

/* Puts a new text into a message of the community. */
enum vkcb_outcome vkcb_edit(struct vkcb_event *, int64_t peer_id,
    int64_t conversation_message_id, const char *text);

/* Marks a conversation as read. */
enum vkcb_outcome vkcb_mark_as_read(struct vkcb_event *, int64_t peer_id);

/* Shows "... is typing" for some seconds, or until a message is sent. */
enum vkcb_outcome vkcb_typing(struct vkcb_event *, int64_t peer_id);

/*
 * Answers the press of a callback button: `text` (up to 90 characters) is shown
 * to who pressed it; "" only ends the waiting. Once, and within a minute.
 */
enum vkcb_outcome vkcb_answer_event(struct vkcb_event *,
    const struct vk_message_event *, const char *text);

/*
 * Keyboards: https://dev.vk.com/ru/api/bots/development/keyboard
 *
 *	VK_KEYBOARD(VK_INLINE,
 *	    VK_ROW(vk_button("Да", VK_POSITIVE,
 *	            VK_PARAMS("cmd", VK_STR("yes"))),
 *	        vk_callback_button("Нет", VK_NEGATIVE,
 *	            VK_PARAMS("cmd", VK_STR("no")))),
 *	    VK_ROW(vk_link_button("Сайт", "https://example.com/")))
 *
 * goes to vkcb_send_keyboard(), or into parameters as "keyboard". A payload is
 * any JSON, up to 255 bytes, and taken over; VK_NO_PARAMS for none. It comes
 * back in message_new (text button) or message_event (callback button). A row
 * is an array of json-c's with buttons, "buttons" of a keyboard one with rows:
 * to build them at run time use json_object_new_array(). VK_NO_KEYBOARD takes
 * the shown one away.
 */
enum vk_color {
	VK_SECONDARY,	/* white */
	VK_PRIMARY,	/* blue */
	VK_POSITIVE,	/* green */
	VK_NEGATIVE,	/* red */
};

#define VK_INLINE 1u	/* in the message, not below the conversation */
#define VK_ONE_TIME 2u	/* goes away once a button was pressed */

#define VK_END ((struct json_object *)-1)	/* NULL may be out of memory */
#define VK_KEYBOARD(...) vk_keyboard(__VA_ARGS__, VK_END)
#define VK_NO_KEYBOARD vk_keyboard(0u, VK_END)
#define VK_ROW(...) vk_row(__VA_ARGS__, VK_END)

struct json_object *vk_keyboard(unsigned int flags, ...) VKCB_USE;
struct json_object *vk_row(struct json_object *button, ...) VKCB_USE;
struct json_object *vk_button(const char *label, enum vk_color,
    struct json_object *payload) VKCB_USE;
struct json_object *vk_callback_button(const char *label, enum vk_color,
    struct json_object *payload) VKCB_USE;
struct json_object *vk_link_button(const char *label, const char *url)
    VKCB_USE;

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
 * A handler, constant, one per file. ON() or ON_TYPE() is one of its lines:
 *
 *	ON(message_new, fn)	an event of the catalogue, with its object; of
 *				the few that have no struct (`vkcb events NAME`
 *				tells) fn takes the struct json_object *
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

/* *(fn) is fn, if it is a function: NULL does not compile. */
#define ON(event_type, fn) \
	.event = VKCB_EVENT_##event_type, .call = { .event_type = *(fn) }
#define ON_TYPE(name, fn) \
	.event = VKCB_EVENT_unknown, .type = (name), .call = { .any = *(fn) }

/* make names the handler that it expects in the file it compiles. */
#ifdef VKCB_HANDLER
extern const struct vkcb_handler VKCB_HANDLER;
#endif

#endif
