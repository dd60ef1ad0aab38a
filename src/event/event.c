/*
 * event.c - calls the handlers of an event.
 *
 * A tree and a struct are made when the first handler wants one, once. A
 * handler that fails does not keep the next from running: what is still to be
 * done is done again when VK repeats the event.
 *
 * A handler that breaks the rules of vkcb.h is logged as an error and put
 * right in the way that loses nothing. Out of memory ends the event before
 * the handler that needed it.
 */
#include "event/event.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arena.h"
#include "event/catalogue.h"
#include "clock.h"
#include "conf/conf.h"
#include "event/decode.h"
#include "event/handler_table.h"
#include "hash.h"
#include "json/tree.h"
#include "log.h"

#include "banned.h"

#define ODD_LINES_MAX 8
#define ID_SHOWN_MAX 64
#define LARGE_OBJECT ((size_t)64 * 1024)

/* VK repeats an event with the same id; without one, with the same object. */
static uint64_t
key_of(const struct envelope *envelope)
{
	const struct text *id = &envelope->event_id;

	if (id->len > 0)
		return hash_add(1, id->at, id->len);
	return hash_add(2, envelope->object.at, envelope->object.len);
}

void
event_init(struct event *event, const struct envelope *envelope,
    struct arena *arena, int retry_counter)
{
	*event = (struct event){
		.seen = {
			.type = envelope->type.at,
			.group_id = envelope->group_id,
			.event_id = envelope->event_id.at,
			.version = envelope->version.at,
			.retry_counter = retry_counter,
			.attempt = 1,
			.received = clock_wall_ms(),
		},
		.type = catalogue_type(envelope->type.at, envelope->type.len),
		.envelope = envelope,
		.arena = arena,
		.key = key_of(envelope),
	};
	api_init(&event->api, NULL, NULL, 0);
}

void
event_may_call(struct event *event, const struct conf *conf,
    const struct conf_group *group)
{
	api_init(&event->api, conf, group->token, conf->inbox == NULL ?
	    API_PATIENCE_ANSWERING : API_PATIENCE);
}

/*
 * The tree of a large object is a hundred times its text, in small pieces: what
 * is free among those of others does not go back to the system by itself.
 */
void
event_release(struct event *event)
{
	bool large = event->seen.object != NULL &&
	    event->envelope->object.len >= LARGE_OBJECT;

	json_object_put(event->seen.object);
	event->seen.object = NULL;
#ifdef __GLIBC__
	if (large)
		malloc_trim(0);
#else
	(void)large;
#endif
}

static void
log_short(struct log_line *line, const char *key, const struct text *text)
{
	log_bytes(line, key, text->at, text->len < ID_SHOWN_MAX ? text->len :
	    ID_SHOWN_MAX);
}

void
event_log(struct log_line *line, const struct event *event)
{
	log_int(line, "group", event->seen.group_id);
	log_short(line, "event", &event->envelope->type);
	if (event->envelope->event_id.len > 0)
		log_short(line, "id", &event->envelope->event_id);
	if (event->running != NULL)
		log_text(line, "handler", event->running->name);
}

static void
log_rule(const struct event *event, const char *msg, const char *key,
    const char *value)
{
	struct log_line line;

	log_begin(&line, LOG_LEVEL_ERROR, msg);
	event_log(&line, event);
	log_text(&line, key, value);
	log_end(&line);
}

void
vkcb_log(struct vkcb_event *ev, const char *fmt, ...)
{
	struct log_line line;
	char msg[LOG_LINE_MAX];
	va_list args;

	if (!log_wants(LOG_LEVEL_INFO))
		return;
	va_start(args, fmt);
	vsnprintf(msg, sizeof(msg), fmt, args);
	va_end(args);
	log_begin(&line, LOG_LEVEL_INFO, msg);
	event_log(&line, event_of(ev));
	log_end(&line);
}

enum vkcb_outcome
vkcb_retry_after(struct vkcb_event *ev, int status, int seconds)
{
	struct event *event = event_of(ev);
	char number[24];

	if (status != 410 && status != 429 && status != 503) {
		snprintf(number, sizeof(number), "%d", status);
		log_rule(event, "vkcb_retry_after: the status must be 410, "
		    "429 or 503: 503 is taken", "status", number);
		status = 503;
	}
	if (seconds < 0 || seconds > EVENT_RETRY_AFTER_MAX) {
		snprintf(number, sizeof(number), "%d", seconds);
		log_rule(event, "vkcb_retry_after: seconds must be 0 to 10799: "
		    "the nearest is taken", "seconds", number);
		seconds = seconds < 0 ? 0 : EVENT_RETRY_AFTER_MAX;
	}
	event->asked.status = status;
	event->asked.seconds = seconds;
	return event->asked.outcome = VKCB_RETRY_AFTER;
}

enum vkcb_outcome
vkcb_remove(struct vkcb_event *ev)
{
	return event_of(ev)->asked.outcome = VKCB_REMOVE;
}

/* "5.81" and newer, two plain numbers as VK writes them. */
static bool
is_version(const char *text)
{
	size_t major = strspn(text, "0123456789"), minor;

	if (major == 0 || major > 3 || text[major] != '.')
		return false;
	minor = strspn(text + major + 1, "0123456789");
	if (minor == 0 || minor > 5 || text[major + 1 + minor] != '\0')
		return false;
	if (text[0] == '0' || (text[major + 1] == '0' && minor > 1))
		return false;
	return strtol(text, NULL, 10) > 5 ||
	    (strtol(text, NULL, 10) == 5 &&
	    strtol(text + major + 1, NULL, 10) >= 81);
}

enum vkcb_outcome
vkcb_set_version(struct vkcb_event *ev, const char *version)
{
	struct event *event = event_of(ev);

	if (version == NULL || !is_version(version)) {
		log_rule(event, "vkcb_set_version: no API version of 5.81 or "
		    "newer: nothing is changed", "version",
		    version != NULL ? version : "NULL");
		return VKCB_OK;
	}
	snprintf(event->asked.version, sizeof(event->asked.version), "%s",
	    version);
	return event->asked.outcome = VKCB_SET_VERSION;
}

const char *
event_outcome_name(enum vkcb_outcome outcome)
{
	switch (outcome) {
	case VKCB_OK:
		return "ok";
	case VKCB_FAIL:
		return "fail";
	case VKCB_GIVE_UP:
		return "give_up";
	case VKCB_RETRY_AFTER:
		return "retry_after";
	case VKCB_REMOVE:
		return "remove";
	case VKCB_SET_VERSION:
		return "set_version";
	}
	return "unknown";
}

static void
report_odd(void *arg, const struct decode_place *place, const char *got,
    const char *wanted)
{
	struct event *event = arg;
	char path[DECODE_PATH_MAX];
	struct log_line line;

	if (event->odd++ >= ODD_LINES_MAX)
		return;
	decode_path(place, path);
	log_begin(&line, LOG_LEVEL_WARNING, "type mismatch, field left empty");
	event_log(&line, event);
	log_text(&line, "path", path);
	log_text(&line, "got", got);
	log_text(&line, "wanted", wanted);
	log_end(&line);
}

static void
report_more_odd(const struct event *event)
{
	struct log_line line;

	if (event->odd <= ODD_LINES_MAX)
		return;
	log_begin(&line, LOG_LEVEL_WARNING, "more fields left absent");
	event_log(&line, event);
	log_int(&line, "fields", event->odd - ODD_LINES_MAX);
	log_end(&line);
}

/* Of a server with an outdated API version VK keeps back the object. */
static void
report_warning(const struct event *event)
{
	struct json_object *object = event->seen.object, *warning;
	struct log_line line;

	if (!json_object_is_type(object, json_type_object) ||
	    json_object_object_length(object) != 1 ||
	    !json_object_object_get_ex(object, "warning", &warning) ||
	    !json_object_is_type(warning, json_type_string))
		return;
	log_begin(&line, LOG_LEVEL_WARNING, "VK sent a warning in place of "
	    "the object: vkcb setup sets the API version");
	event_log(&line, event);
	log_text(&line, "detail", json_object_get_string(warning));
	log_end(&line);
}

static enum event_result
make_tree(struct event *event)
{
	if (event->has_tree)
		return EVENT_HANDLED;
	if (json_tree(&event->envelope->object, &event->seen.object) == -1)
		return EVENT_NO_MEMORY;
	event->has_tree = true;
	report_warning(event);
	return EVENT_HANDLED;
}

/* A struct takes more room than its JSON, fields that are absent too. */
#define STRUCTS_PER_BYTE 16

static enum event_result
make_typed(struct event *event)
{
	enum decode_result result;

	if (event->typed != NULL)
		return EVENT_HANDLED;
	arena_expect(event->arena, STRUCTS_PER_BYTE *
	    event->envelope->object.len);
	result = decode_event(event->type, event->seen.object, event->arena,
	    report_odd, event, &event->typed);
	report_more_odd(event);
	return result == DECODE_OK ? EVENT_HANDLED :
	    result == DECODE_NO_OBJECT ? EVENT_BAD_OBJECT : EVENT_NO_MEMORY;
}

static enum vkcb_outcome
event_call(struct event *event, const struct vkcb_handler *def)
{
	switch (def->event) {
#define EVENT(type, object, settable, text) \
	case VKCB_EVENT_##type: \
		return def->call.type(&event->seen, event->typed);
#define EVENT_JSON(type, settable, text) \
	case VKCB_EVENT_##type: \
		return def->call.type(&event->seen, event->seen.object);
#include "events.def"
	default:
		return def->call.any(&event->seen);
	}
}

/* Outcomes that only their functions give mean nothing without them. */
static enum vkcb_outcome
outcome_of(const struct event *event, enum vkcb_outcome outcome)
{
	char number[24];

	if (outcome == VKCB_OK || outcome == VKCB_FAIL ||
	    outcome == VKCB_GIVE_UP || outcome == event->asked.outcome)
		return outcome;
	snprintf(number, sizeof(number), "%d", (int)outcome);
	log_rule(event, "invalid outcome from handler, using VKCB_FAIL",
	    "returned", number);
	return VKCB_FAIL;
}

static void
log_outcome(const struct event *event, enum vkcb_outcome outcome,
    int64_t start)
{
	enum log_level level = outcome == VKCB_FAIL ||
	    outcome == VKCB_GIVE_UP ? LOG_LEVEL_WARNING : LOG_LEVEL_INFO;
	struct log_line line;
	char ms[32];

	if (!log_wants(level))
		return;
	snprintf(ms, sizeof(ms), "%.3f", (double)(clock_us() - start) /
	    1e3);
	log_begin(&line, level, "handled");
	event_log(&line, event);
	log_text(&line, "outcome", event_outcome_name(outcome));
	if (outcome == VKCB_RETRY_AFTER) {
		log_int(&line, "status", event->asked.status);
		log_int(&line, "seconds", event->asked.seconds);
	}
	if (event->seen.retry_counter > 0)
		log_int(&line, "retry", event->seen.retry_counter);
	log_text(&line, "ms", ms);
	if (event->api.calls > 0) {
		log_int(&line, "calls", event->api.calls);
		snprintf(ms, sizeof(ms), "%.3f",
		    (double)event->api.waited / 1e3);
		log_text(&line, "vk_ms", ms);
	}
	log_end(&line);
}

static enum event_result
event_call_handler(struct event *event, const struct handler *handler,
    enum vkcb_outcome *outcome)
{
	enum event_result result;
	enum vkcb_outcome returned;
	pid_t self = getpid();
	int64_t start;

	result = make_tree(event);
	if (result == EVENT_HANDLED && handler_is_typed(handler))
		result = make_typed(event);
	if (result != EVENT_HANDLED)
		return result;
	event->running = handler;
	event->asked = (struct verdict){ .outcome = VKCB_OK };
	event->numbers = 0;
	start = clock_us();
	returned = event_call(event, handler->def);
	/* One that the handler forked and that came back is none of ours. */
	if (getpid() != self)
		_exit(1);
	*outcome = outcome_of(event, returned);
	log_outcome(event, *outcome, start);
	api_forget(&event->api);
	event->running = NULL;
	return EVENT_HANDLED;
}

/*
 * What is not done comes before what is: VK repeats the event, and the
 * handlers that are done will say what they want again.
 */
static int
weight(enum vkcb_outcome outcome)
{
	switch (outcome) {
	case VKCB_RETRY_AFTER:
		return 5;
	case VKCB_FAIL:
		return 4;
	case VKCB_REMOVE:
		return 3;
	case VKCB_SET_VERSION:
		return 2;
	case VKCB_GIVE_UP:
		return 1;
	default:
		return 0;
	}
}

enum event_result
event_handle(struct event *event, struct verdict *verdict)
{
	const struct handler *handler;
	enum event_result result, worst = EVENT_HANDLED;
	enum vkcb_outcome outcome;

	*verdict = (struct verdict){ .outcome = VKCB_OK };
	for (handler = handlers; handler->name != NULL; handler++) {
		if (!handler_takes(handler, event->type, event->seen.type))
			continue;
		result = event_call_handler(event, handler, &outcome);
		if (result == EVENT_NO_MEMORY)
			return result;
		if (result != EVENT_HANDLED) {
			worst = result;
			continue;
		}
		if (weight(outcome) <= weight(verdict->outcome))
			continue;
		*verdict = event->asked;
		verdict->outcome = outcome;
	}
	return worst;
}

enum event_result
event_run(struct event *event, const struct handler *handler,
    struct verdict *verdict)
{
	enum vkcb_outcome outcome;
	enum event_result result;

	*verdict = (struct verdict){ .outcome = VKCB_OK };
	result = event_call_handler(event, handler, &outcome);
	if (result != EVENT_HANDLED)
		return result;
	*verdict = event->asked;
	verdict->outcome = outcome;
	return EVENT_HANDLED;
}
