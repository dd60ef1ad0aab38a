/*
 * vkcb.h - the interface for handlers: include this header, write one function,
 * and name the function in a struct vkcb_handler. A complete handler, in the
 * file handlers/greet.c:
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
 *		.summary = "replies to привет",
 *	};
 *
 * The file name registers the handler: handlers/greet.c defines handler_greet,
 * handlers/10-audit.c defines handler_10_audit. `make` finds new and removed
 * files. Handlers run in the order of their file names. `vkcb events` lists
 * the events, `vkcb events message_new` describes one.
 *
 * Everything reachable from the event and its object lives until the handler
 * returns: copy data that must live longer.
 *
 * VK's documentation: https://dev.vk.com/ru/api/callback/getting-started
 */
#ifndef VKCB_H
#define VKCB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <json-c/json.h>

#ifdef __cplusplus
extern "C" {
#endif

#define VKCB_VERSION "0.1.0"

/*
 * Errors, even without -Werror: a function of the wrong type in ON(), a handler
 * that ends without an outcome, a number in place of a text.
 */
#if defined(__clang__)
#pragma clang diagnostic error "-Wreturn-type"
#pragma clang diagnostic error "-Wint-conversion"
#pragma clang diagnostic error "-Wincompatible-function-pointer-types"
#pragma clang diagnostic error "-Wincompatible-pointer-types"
#elif defined(__GNUC__) && !defined(__cplusplus)
#pragma GCC diagnostic error "-Wreturn-type"
#pragma GCC diagnostic error "-Wint-conversion"
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
 * of VK's JSON (https://dev.vk.com/ru/reference/objects). objects.def gives
 * the meaning of each field.
 *
 *	INT     int64_t                   STR   const char *, UTF-8
 *	BOOL    bool                      OBJ   const struct vk_X *
 *	DOUBLE  double                    JSON  struct vk_json
 *	LIST    const struct vk_X *f, and size_t n_f, the number of elements
 *	INTS    const int64_t *f,     and size_t n_f
 *	STRS    const char *const *f, and size_t n_f
 *
 * A field that VK did not send is safe to read: "" for text, 0 for a number, an
 * empty list, or the all-zero object of its type, never NULL. vk_has() tells
 * whether an object was sent. `json` is the object as VK sent it, including
 * fields that are not listed here. A name that is a keyword of C or C++ has a _
 * behind it.
 */

/*
 * JSON as VK sent it: len bytes of valid JSON, without a NUL behind them. text
 * is NULL if VK sent none. vkcb_json() makes a tree of it.
 */
struct vk_json {
	const char *text;
	size_t len;
};

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
#define JSON(name, example, text) struct vk_json name;
#define END(tag) struct vk_json json; };
#include "src/objects.def"

/* Whether VK sent this object; obj points to any struct vk_X. */
#define vk_has(obj) ((obj)->json.text != NULL)

/*
 * An event, the same for every handler that takes it.
 * https://dev.vk.com/ru/api/community-events/json-schema
 */
struct vkcb_event {
	const char *type;	/* "message_new"; escape before you print it */
	int64_t group_id;	/* the community, positive */
	const char *event_id;	/* unique per event; "" if VK sent none */
	const char *version;	/* VK API version of the object, "5.199" */
	int retry_counter;	/* VK's earlier failed deliveries */
	int attempt;		/* of this handler for this event: 1, 2, … */
	int64_t received;	/* time of arrival, milliseconds since 1970 */
	struct vk_json object;	/* as sent */
};

/* A handler's result for an event. */
enum vkcb_outcome {
	VKCB_OK,		/* done */
	VKCB_FAIL,		/* not done: retry later */
	VKCB_RETRY_AFTER,	/* only through vkcb_retry_after() */
	VKCB_REMOVE,		/* only through vkcb_remove() */
	VKCB_SET_VERSION,	/* only through vkcb_set_version() */
	VKCB_GIVE_UP,		/* not done, and retrying cannot help: VK is */
				/* answered ok, an inbox parks the task */
};

/*
 * Not done: retry in `seconds`, 0 to 10799 (below 3 hours). Without an inbox VK
 * is asked to wait, with the HTTP status 410, 429 or 503. An inbox ignores the
 * status and waits at least one second. Other values are logged as an error of
 * the handler and corrected.
 * https://dev.vk.com/ru/api/callback/getting-started
 */
enum vkcb_outcome vkcb_retry_after(struct vkcb_event *, int status,
    int seconds) VKCB_USE;

/*
 * Done, and VK is asked to remove this server from the community's settings.
 * https://dev.vk.com/ru/api/callback/getting-started
 */
enum vkcb_outcome vkcb_remove(struct vkcb_event *) VKCB_USE;

/*
 * Done, and VK is asked to use this API version, such as "5.199", for this
 * server from now on; 5.81 or newer. Anything else is logged as an error of the
 * handler and changes nothing.
 */
enum vkcb_outcome vkcb_set_version(struct vkcb_event *, const char *version)
    VKCB_USE;

/*
 * Writes a line to the program's log, with the group, the event and the
 * handler. The text is escaped; beyond 3 KiB it is truncated and ends with "…".
 */
void vkcb_log(struct vkcb_event *, const char *fmt, ...) VKCB_PRINTF(2, 3);

/*
 * JSON of any shape, as trees of json-c that live until the handler returns;
 * NULL is an absent one, and safe to read.
 *
 *	struct json_object *json = vkcb_json(ev, &ev->object);
 *	const char *name = vk_get_str(json, "items.0.name");
 *
 * A path has keys, and numbers of elements from 0, with dots between them.
 */

/* NULL: absent, null, or not JSON. The same JSON gives an equal tree. */
struct json_object *vkcb_json(struct vkcb_event *, const struct vk_json *);

/*
 * vkcb_payload(ev, x) is the payload of the button that a message or
 * message_event x comes from: x is a const struct vk_message * or a const
 * struct vk_message_event *. A callback button that was pressed in an old
 * client comes as a message around the payload, which is the result here, too.
 * NULL: there is none. https://dev.vk.com/ru/api/bots/development/keyboard
 */
struct json_object *vkcb_payload_of_message(struct vkcb_event *,
    const struct vk_message *);
struct json_object *vkcb_payload_of_event(struct vkcb_event *,
    const struct vk_message_event *);
#ifndef __cplusplus
#define vkcb_payload(ev, x) _Generic((x), \
	const struct vk_message *: vkcb_payload_of_message, \
	struct vk_message *: vkcb_payload_of_message, \
	const struct vk_message_event *: vkcb_payload_of_event, \
	struct vk_message_event *: vkcb_payload_of_event)((ev), (x))
#endif

/* The value at a path, which belongs to the tree; NULL: there is none. */
struct json_object *vk_get(struct json_object *, const char *path);

/*
 * "", 0 or false for a value that is not there or of another type. Numbers may
 * also be text, "12" for 12, and 12.0 is an integer; a number out of range is
 * 0. 0 and 1 are booleans. The length is that of an array.
 */
const char *vk_get_str(struct json_object *, const char *path);
int64_t vk_get_int(struct json_object *, const char *path);
double vk_get_double(struct json_object *, const char *path);
bool vk_get_bool(struct json_object *, const char *path);
size_t vk_get_len(struct json_object *, const char *path);

/*
 * Calls to VK, made with the group's token. Every function here waits for VK's
 * response and returns an outcome that a handler may return unchanged:
 *
 *	VKCB_OK        VK did it
 *	VKCB_FAIL      a later call may succeed: no connection, no response in
 *	               time, a response that is not VK's, too many calls, or an
 *	               error inside VK. Temporary failures (no connection, a
 *	               truncated response, 5xx, VK's errors 6 and 10) have been
 *	               retried by then
 *	VKCB_GIVE_UP   retrying cannot help: the user forbids messages (901), a
 *	               parameter is wrong (100), the token lacks a right (15),
 *	               or there is no token or no libcurl
 *
 * Failures are logged with advice; vkcb_error() returns the last one. So
 *
 *	outcome = vkcb_api(ev, "users.get",
 *	    VK_PARAMS("user_ids", VK_INT(id)), &users);
 *	if (outcome != VKCB_OK)
 *		return outcome;
 *
 * is all that a handler needs. Calls are limited to 20 per second and token. A
 * call waits up to api_timeout (10 s) for a slot, and as long for its response.
 * Retries end once failed attempts and pauses have taken 3 s of the event (with
 * an inbox: 20 s). Without an inbox VK waits for the handler meanwhile, and
 * repeats the event after some seconds: make few calls, or use an inbox.
 *
 * A repeated call or event may reach VK although the first one was done. VK
 * drops a repeated messages.send for an hour, since its random_id is the same;
 * other methods are done twice.
 */

/* The error of the handler's last call to VK. */
struct vkcb_error {
	int code;		/* above 0: VK's; below 0: see here; 0: none */
	const char *message;	/* VK's or our text; until the next call */
};

enum {
	VKCB_ERROR_TOKEN = -1,		/* the group has no token */
	VKCB_ERROR_LIBRARY = -2,	/* no libcurl */
	VKCB_ERROR_CONNECTION = -3,	/* no response */
	VKCB_ERROR_ANSWER = -4,		/* a response that is not VK's */
	VKCB_ERROR_BUSY = -5,		/* no free slot in the rate limit */
	VKCB_ERROR_CALL = -6,		/* invalid method or params */
	VKCB_ERROR_MEMORY = -7,		/* out of memory */
};

/* Never NULL; the event owns the result, and the next call changes it. */
const struct vkcb_error *vkcb_error(struct vkcb_event *);

/*
 * Calls any method: https://dev.vk.com/ru/method. The call owns params, an
 * object as made by VK_PARAMS(), even if it fails. Lists of ids are text,
 * "1,2,3"; objects and json-c arrays are sent as JSON. *response is VK's
 * response or NULL, and is freed when the handler returns; the pointer may be
 * NULL. "v" in params asks for another API version than 5.199.
 */
enum vkcb_outcome vkcb_api(struct vkcb_event *, const char *method,
    struct json_object *params, struct json_object **response);

/*
 * VK_PARAMS("peer_id", VK_INT(id), "message", VK_STR(text)) makes an object of
 * names and values. The functions here and below return NULL when out of memory
 * or when given such a NULL, and a call given it returns VKCB_FAIL. Any other
 * NULL is a programming error: the call logs it and returns VKCB_GIVE_UP.
 * VK_JSON() takes ownership: a tree from vkcb_json() or one that is used again
 * needs a json_object_get() before. No reference to a tree of the event may
 * outlive the handler.
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
 * Runs VKScript, with up to 25 calls in one request:
 * https://dev.vk.com/ru/method/execute. A failed call in the script is logged
 * and false in the response. Messages sent by the script need a random_id:
 * print vkcb_random_id(ev) into the code.
 */
enum vkcb_outcome vkcb_execute(struct vkcb_event *, const char *code,
    struct json_object **response);

/*
 * Returns a random_id for messages.send, never 0: the first, second, ... of
 * this handler for this event, the same when the event is repeated.
 * messages.send gets a random_id automatically, unless params have one other
 * than 0.
 * https://dev.vk.com/ru/method/messages.send
 */
int32_t vkcb_random_id(struct vkcb_event *);

/*
 * Sends a text to a user, chat or community; peer_id is as in message_new. A
 * text of more than 9000 characters (an emoji counts as two, as in UTF-16) is
 * split into several messages, at lines or words; a blank part is left out.
 * https://dev.vk.com/ru/method/messages.send
 */
enum vkcb_outcome vkcb_send(struct vkcb_event *, int64_t peer_id,
    const char *text);

/* Sends a text as a reply to a message, which VK shows with it. */
enum vkcb_outcome vkcb_reply(struct vkcb_event *, const struct vk_message *,
    const char *text);

/*
 * Sends one text, of up to 9000 characters, with a keyboard, which the call
 * owns even if it fails.
 */
enum vkcb_outcome vkcb_send_keyboard(struct vkcb_event *, int64_t peer_id,
    const char *text, struct json_object *keyboard);

/*
 * Replaces the text of a message of the community.
 * https://dev.vk.com/ru/method/messages.edit
 */
enum vkcb_outcome vkcb_edit(struct vkcb_event *, int64_t peer_id,
    int64_t conversation_message_id, const char *text);

/*
 * Marks a conversation as read.
 * https://dev.vk.com/ru/method/messages.markAsRead
 */
enum vkcb_outcome vkcb_mark_as_read(struct vkcb_event *, int64_t peer_id);

/*
 * Shows "... is typing" for some seconds or until a message is sent.
 * https://dev.vk.com/ru/method/messages.setActivity
 */
enum vkcb_outcome vkcb_typing(struct vkcb_event *, int64_t peer_id);

/*
 * Answers the press of a callback button, once and within a minute. The user
 * sees `text`, of up to 90 characters; "" only stops the button's waiting.
 * https://dev.vk.com/ru/method/messages.sendMessageEventAnswer
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
 * is given to vkcb_send_keyboard(), or to vkcb_api() as parameter "keyboard". A
 * payload is any JSON of up to 255 bytes, owned by the button; VK_NO_PARAMS is
 * none. The payload comes back in message_new (text button) or message_event
 * (callback button). A row is a json-c array of buttons, and "buttons" of a
 * keyboard is an array of rows: at run time, build them with
 * json_object_new_array(). VK_NO_KEYBOARD removes the current keyboard.
 */
enum vk_color {
	VK_SECONDARY,	/* white */
	VK_PRIMARY,	/* blue */
	VK_POSITIVE,	/* green */
	VK_NEGATIVE,	/* red */
};

#define VK_INLINE 1u	/* in the message, not below the conversation */
#define VK_ONE_TIME 2u	/* disappears after a button was pressed */

#define VK_END ((struct json_object *)-1)	/* as NULL may mean no memory */
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
	VKCB_EVENT_unknown,	/* not in the catalogue; see ON_TYPE() */
	VKCB_EVENT_any,
#define EVENT(type, object, settable, text) VKCB_EVENT_##type,
#define EVENT_JSON(type, settable, text) VKCB_EVENT_##type,
#include "src/events.def"
	VKCB_EVENT_end,
#define EVENT_ALIAS(type, of, object, text) \
	VKCB_EVENT_##type = VKCB_EVENT_##of,
#include "src/events.def"
};

/* A handler's function; the member's name is the event. */
union vkcb_function {
	enum vkcb_outcome (*any)(struct vkcb_event *);
#define EVENT(type, object, settable, text) \
	enum vkcb_outcome (*type)(struct vkcb_event *, \
	    const struct vk_##object *);
#define EVENT_JSON(type, settable, text) \
	enum vkcb_outcome (*type)(struct vkcb_event *, \
	    const struct vk_json *);
#define EVENT_ALIAS(type, of, object, text) \
	enum vkcb_outcome (*type)(struct vkcb_event *, \
	    const struct vk_##object *);
#include "src/events.def"
};

/*
 * A handler: a constant, one per file, initialised with ON() or ON_TYPE():
 *
 *	ON(message_new, fn)	an event of the catalogue, with its object; for
 *				the few events without a struct (see `vkcb
 *				events NAME`) fn takes a const struct vk_json *
 *	ON(any, fn)		every event, known to vkcb or not; fn takes
 *				only the event
 *	ON_TYPE("name", fn)	the event with this name, in the catalogue or
 *				not; fn takes only the event
 */
struct vkcb_handler {
	enum vkcb_event_type event;
	const char *type;		/* with ON_TYPE */
	union vkcb_function call;
	const char *summary;		/* one line, for `vkcb check` */
};

/* *(fn) equals fn for a function, and does not compile for NULL. */
#define ON(event_type, fn) \
	.event = VKCB_OF(fn, VKCB_EVENT_##event_type), \
	.call = { .event_type = *(fn) }
#define ON_TYPE(name, fn) \
	.event = VKCB_OF(fn, VKCB_EVENT_unknown), .type = (name), \
	.call = { .any = *(fn) }
/* The event; of NULL the compiler says this first. */
#ifdef __cplusplus
#define VKCB_OF(fn, event) event
#else
#define VKCB_OF(fn, event) (0 * (int)sizeof(struct { _Static_assert( \
	_Generic((fn), void *: 0, int: 0, default: 1), \
	"ON() wants a function, not NULL"); int a; }) + (event))
#endif

/* The Makefile defines VKCB_HANDLER as the name that the file must define. */
#ifdef VKCB_HANDLER
extern const struct vkcb_handler VKCB_HANDLER;
#endif

#ifdef __cplusplus
}

static inline struct json_object *
vkcb_payload(struct vkcb_event *ev, const struct vk_message *message)
{
	return vkcb_payload_of_message(ev, message);
}

static inline struct json_object *
vkcb_payload(struct vkcb_event *ev, const struct vk_message_event *press)
{
	return vkcb_payload_of_event(ev, press);
}
#endif

#endif
