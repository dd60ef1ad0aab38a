/*
 * event.c - calls the handlers of an event.
 *
 * The struct of its object is made once, when the first handler takes it; a
 * tree of JSON when a handler asks for it. If a handler fails the next ones
 * still run: VK or the inbox repeats the event for what is not done.
 *
 * A handler that breaks a rule of vkcb.h is logged as an error, and its outcome
 * is corrected so that no event is lost. The arena notes that memory ran out,
 * and is asked before and after a handler: the event ends there.
 */
#include "event/event.h"

#ifdef __GLIBC__
#include <malloc.h>
#include <pthread.h>
#endif
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "arena.h"
#include "clock.h"
#include "conf/conf.h"
#include "event/catalogue.h"
#include "hash.h"
#include "json/tree.h"
#include "json/walk.h"
#include "text.h"

#include "banned.h"

#define MISMATCH_LINES_MAX 8
#define LARGE_TREE ((size_t)64 * 1024)

/* VK repeats an event with the same id; without an id, with the same object. */
static uint64_t
event_key(const struct envelope *envelope)
{
	const struct text *id = &envelope->event_id;

	if (id->len > 0)
		return hash_add(HASH_START, id->at, id->len);
	return hash_add(~HASH_START, envelope->object.at, envelope->object.len);
}

/* Counts in a child: getpid() would be a system call for each event. */
static unsigned int forks;

static void
event_count_fork(void)
{
	forks++;
}

static void
event_watch_forks(void)
{
	static bool watched;

	if (!watched)
		watched = pthread_atfork(NULL, NULL, event_count_fork) == 0;
}

void
event_init(struct event *event, const struct envelope *envelope,
    struct arena *arena, int retry_counter)
{
	event_watch_forks();
	*event = (struct event){
		.public = {
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
		.forks = forks,
		.key = event_key(envelope),
	};
	if (envelope->object.kind > JSON_NULL)
		event->public.object = (struct vk_json){ envelope->object.at,
		    envelope->object.len };
	api_init(&event->api, NULL, NULL, 0);
}

void
event_may_call(struct event *event, const struct conf *conf,
    const struct conf_group *group)
{
	api_init(&event->api, conf, group->token, conf->inbox == NULL ?
	    API_PATIENCE_ANSWERING : API_PATIENCE);
}

/* A tree that a handler asked for. */
struct event_tree {
	struct event_tree *next;
	const char *text;	/* of the JSON it was made of */
	size_t len;
	struct json_object *tree;
};

/* The tree that was made of a part of the event's object. */
static struct event_tree *
find_tree(const struct event *event, const struct vk_json *json)
{
	const struct json_value *object = &event->envelope->object;
	struct event_tree *made = event->trees;

	if (json->text < object->at || json->text >= object->at + object->len)
		return NULL;
	while (made != NULL &&
	    (made->text != json->text || made->len != json->len))
		made = made->next;
	return made;
}

struct json_object *
event_tree(struct event *event, const struct vk_json *json)
{
	struct event_tree *made;
	struct json_value value;
	size_t where;
	char *copy;

	if (json == NULL || json->text == NULL)
		return NULL;
	made = find_tree(event, json);
	if (made != NULL)
		return made->tree;
	made = arena_alloc(event->arena, sizeof(*made));
	copy = arena_alloc(event->arena, json->len + 1);
	if (made == NULL || copy == NULL)
		return NULL;
	memcpy(copy, json->text, json->len);
	copy[json->len] = '\0';
	*made = (struct event_tree){ event->trees, json->text, json->len,
	    NULL };
	event->trees = made;
	if (json_check_value(copy, json->len, &value, &where) == NULL &&
	    json_tree(&value, &made->tree) == -1)
		event->arena->failed = true;
	return made->tree;
}

/*
 * The tree of a large object takes a hundred times its text, in small pieces.
 * Freed ones that lie between others go back to the system only if told to.
 */
void
event_release(struct event *event)
{
	struct event_tree *made = event->trees;
	bool is_large = false;

	for (; made != NULL; made = made->next) {
		is_large |= made->len >= LARGE_TREE;
		json_object_put(made->tree);
	}
	event->trees = NULL;
#ifdef __GLIBC__
	if (is_large)
		malloc_trim(0);
#endif
}

void
event_log(struct log_line *line, const struct event *event,
    enum log_level level, const char *msg)
{
	const struct text *type = &event->envelope->type;
	const struct text *id = &event->envelope->event_id;

	log_begin(line, level, msg);
	log_int(line, "group", event->public.group_id);
	log_short(line, "event", type->at, type->len);
	if (id->len > 0)
		log_short(line, "id", id->at, id->len);
	if (event->running != NULL)
		log_text(line, "handler", event->running->name);
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
	event_log(&line, event_of(ev), LOG_LEVEL_INFO, msg);
	log_end(&line);
}

static void
event_log_mistake(const struct event *event, const char *msg, const char *key,
    int number)
{
	struct log_line line;

	event_log(&line, event, LOG_LEVEL_ERROR, msg);
	log_int(&line, key, number);
	log_end(&line);
}

enum vkcb_outcome
vkcb_retry_after(struct vkcb_event *ev, int status, int seconds)
{
	struct event *event = event_of(ev);

	if (status != 410 && status != 429 && status != 503) {
		event_log_mistake(event, "vkcb_retry_after: the status must be "
		    "410, 429 or 503: 503 is taken", "status", status);
		status = 503;
	}
	if (seconds < 0 || seconds > EVENT_RETRY_AFTER_MAX) {
		event_log_mistake(event, "vkcb_retry_after: seconds must be 0 "
		    "to 10799: the nearest is taken", "seconds", seconds);
		seconds = seconds < 0 ? 0 : EVENT_RETRY_AFTER_MAX;
	}
	event->requested.status = status;
	event->requested.seconds = seconds;
	return event->requested.outcome = VKCB_RETRY_AFTER;
}

enum vkcb_outcome
vkcb_remove(struct vkcb_event *ev)
{
	return event_of(ev)->requested.outcome = VKCB_REMOVE;
}

enum vkcb_outcome
vkcb_set_version(struct vkcb_event *ev, const char *version)
{
	struct event *event = event_of(ev);
	struct log_line line;

	if (version == NULL || number_version(version) < NUMBER_VERSION_MIN) {
		event_log(&line, event, LOG_LEVEL_ERROR, "vkcb_set_version: no "
		    "API version of 5.81 or newer: nothing is changed");
		log_text(&line, "version", version != NULL ? version : "NULL");
		log_end(&line);
		return VKCB_OK;
	}
	snprintf(event->requested.version, sizeof(event->requested.version),
	    "%s", version);
	return event->requested.outcome = VKCB_SET_VERSION;
}

/*
 * If several handlers take an event, the outcome of the highest rank counts.
 * Failures rank above requests: VK repeats the event, and the handlers that
 * were done make their requests again.
 */
static const struct {
	const char *name;
	int rank;
} outcomes[] = {
	[VKCB_OK] = { "ok", 0 },
	[VKCB_GIVE_UP] = { "give_up", 1 },
	[VKCB_SET_VERSION] = { "set_version", 2 },
	[VKCB_REMOVE] = { "remove", 3 },
	[VKCB_FAIL] = { "fail", 4 },
	[VKCB_RETRY_AFTER] = { "retry_after", 5 },
};

const char *
event_outcome_name(enum vkcb_outcome outcome)
{
	return (size_t)outcome < sizeof(outcomes) / sizeof(outcomes[0]) ?
	    outcomes[outcome].name : "unknown";
}

static void
event_mismatch(void *arg, const struct decode_place *place, const char *got,
    const char *wanted)
{
	struct event *event = arg;
	char path[DECODE_PATH_MAX];
	struct log_line line;

	if (event->mismatches++ >= MISMATCH_LINES_MAX)
		return;
	decode_path(place, path);
	event_log(&line, event, LOG_LEVEL_WARNING,
	    "type mismatch, field left empty");
	log_text(&line, "path", path);
	log_text(&line, "got", got);
	log_text(&line, "wanted", wanted);
	log_end(&line);
}

/* A server with an outdated API version gets a warning for the object. */
static void
event_log_warning(struct event *event)
{
	const struct vk_json *object = &event->public.object;
	struct json_value key, value = { .kind = JSON_ABSENT };
	const char *at = object->text;
	struct json_object *warning;
	struct log_line line;

	if (at == NULL || *at++ != '{' || !json_walk(&at,
	    object->text + object->len, &key, &value) ||
	    value.kind != JSON_STRING || !json_spells(&key, "warning", 7) ||
	    json_goes_on(&at, '}'))
		return;
	warning = event_tree(event, &(struct vk_json){ value.at, value.len });
	if (warning == NULL)
		return;
	event_log(&line, event, LOG_LEVEL_WARNING, "VK sent a warning in place "
	    "of the object: vkcb setup sets the API version");
	log_text(&line, "detail", json_object_get_string(warning));
	log_end(&line);
}

static void
event_make_struct(struct event *event)
{
	struct log_line line;

	if (event->typed != NULL)
		return;
	event->typed = decode_event(event->type, &event->public.object,
	    event->arena, event_mismatch, event);
	if (event->mismatches <= MISMATCH_LINES_MAX)
		return;
	event_log(&line, event, LOG_LEVEL_WARNING, "more fields left empty");
	log_int(&line, "fields", event->mismatches - MISMATCH_LINES_MAX);
	log_end(&line);
}

static enum vkcb_outcome
event_call(struct event *event, const struct vkcb_handler *def)
{
	switch (def->event) {
#define EVENT(type, object, settable, text) \
	case VKCB_EVENT_##type: \
		return def->call.type(&event->public, event->typed);
#define EVENT_JSON(type, settable, text) \
	case VKCB_EVENT_##type: \
		return def->call.type(&event->public, &event->public.object);
#include "events.def"
	default:
		return def->call.any(&event->public);
	}
}

/* Some outcomes are valid only if their function was called: vkcb_remove(). */
static enum vkcb_outcome
event_valid(const struct event *event, enum vkcb_outcome outcome)
{
	if (outcome == VKCB_OK || outcome == VKCB_FAIL ||
	    outcome == VKCB_GIVE_UP || outcome == event->requested.outcome)
		return outcome;
	event_log_mistake(event, "invalid outcome from handler, using "
	    "VKCB_FAIL", "returned", (int)outcome);
	return VKCB_FAIL;
}

static void
event_log_outcome(const struct event *event, int64_t start)
{
	const struct event_result *result = &event->requested;
	enum log_level level = result->outcome == VKCB_FAIL ||
	    result->outcome == VKCB_GIVE_UP ? LOG_LEVEL_WARNING :
	    LOG_LEVEL_INFO;
	struct log_line line;

	if (!log_wants(level))
		return;
	event_log(&line, event, level, "handled");
	log_text(&line, "outcome", event_outcome_name(result->outcome));
	if (result->outcome == VKCB_RETRY_AFTER) {
		log_int(&line, "status", result->status);
		log_int(&line, "seconds", result->seconds);
	}
	if (event->public.retry_counter > 0)
		log_int(&line, "retry", event->public.retry_counter);
	log_ms(&line, "ms", clock_us() - start);
	if (event->api.calls > 0) {
		log_int(&line, "calls", event->api.calls);
		log_ms(&line, "vk_ms", event->api.waited);
	}
	log_end(&line);
}

enum event_status
event_run(struct event *event, const struct handler *handler,
    struct event_result *result)
{
	enum vkcb_outcome outcome;
	int64_t start;

	*result = (struct event_result){ .outcome = VKCB_OK };
	if (!event->begun)
		event_log_warning(event);
	event->begun = true;
	if (handler_is_typed(handler))
		event_make_struct(event);
	if (event->arena->failed)
		return EVENT_NO_MEMORY;
	if (handler_is_typed(handler) && event->typed == NULL)
		return EVENT_BAD_OBJECT;
	event->running = handler;
	event->requested = *result;
	event->n_random_ids = 0;
	event->failed_call.outcome = VKCB_OK;
	start = clock_us();
	outcome = event_call(event, handler->def);
	/* A child that the handler forked must not go on as its parent. */
	if (forks != event->forks)
		_exit(1);
	event->requested.outcome = event_valid(event, outcome);
	event_log_outcome(event, start);
	api_forget(&event->api);
	event->running = NULL;
	*result = event->requested;
	return event->arena->failed ? EVENT_NO_MEMORY : EVENT_HANDLED;
}

enum event_status
event_handle(struct event *event, struct event_result *result)
{
	const struct handler *handler;
	enum event_status status, worst = EVENT_HANDLED;
	struct event_result one;

	*result = (struct event_result){ .outcome = VKCB_OK };
	for (handler = handlers; handler->name != NULL; handler++) {
		if (!handler_takes(handler, event->type, event->public.type))
			continue;
		status = event_run(event, handler, &one);
		if (status == EVENT_NO_MEMORY)
			return status;
		if (status != EVENT_HANDLED)
			worst = status;
		if (outcomes[one.outcome].rank > outcomes[result->outcome].rank)
			*result = one;
	}
	return worst;
}
