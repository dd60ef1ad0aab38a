/*
 * call.c - a handler's calls to VK.
 *
 * A call that failed is logged here, once, with what to do about it, so that a
 * handler can just return its outcome.
 */
#include <stdio.h>
#include <string.h>

#include "event/catalogue.h"
#include "event/event.h"
#include "hash.h"
#include "text.h"
#include "vk/params.h"

#include "banned.h"

/* Codes below 0 are vkcb's own, and their words say all. */
static void
note_failed(struct event *event, const char *method, enum vkcb_outcome outcome)
{
	struct event_failed_call *failed = &event->failed_call;
	const struct vkcb_error *error = &event->api.error;
	char code[32] = "";

	if (error->code > 0)
		snprintf(code, sizeof(code), "error %d: ", error->code);
	failed->outcome = outcome;
	snprintf(failed->words, sizeof(failed->words), "%s: %s%s", method, code,
	    error->message);
	/* A character that did not fit whole goes. */
	failed->words[utf8_span(failed->words)] = '\0';
}

static void
log_failed(const struct event *event, const char *method,
    enum vkcb_outcome outcome)
{
	const struct api *api = &event->api;
	struct log_line line;

	event_log(&line, event, outcome == VKCB_FAIL || api->advice == NULL ?
	    LOG_LEVEL_WARNING : LOG_LEVEL_ERROR, "call to VK failed");
	log_text(&line, "method", method);
	log_int(&line, "code", api->error.code);
	log_text(&line, "error", api->error.message);
	if (api->tries > 1)
		log_int(&line, "tries", api->tries);
	if (api->advice != NULL)
		log_text(&line, "advice", api->advice);
	log_end(&line);
}

static void
log_failed_inside(const struct event *event, const char *method)
{
	const struct api_inside *inside = &event->api.inside;
	struct log_line line;

	event_log(&line, event, LOG_LEVEL_WARNING,
	    "calls failed inside a call to VK");
	log_text(&line, "method", method);
	log_int(&line, "failed", inside->failed);
	log_text(&line, "first", inside->method);
	log_int(&line, "code", inside->code);
	log_text(&line, "error", inside->message);
	log_end(&line);
}

int32_t
vkcb_random_id(struct vkcb_event *ev)
{
	struct event *event = event_of(ev);
	const char *name = event->running != NULL ? event->running->name : "";
	int32_t number = event->n_random_ids++;
	uint64_t hash;
	int32_t id;

	hash = hash_add(event->key, &ev->group_id, sizeof(ev->group_id));
	hash = hash_add(hash, name, strlen(name));
	hash = hash_add(hash, &number, sizeof(number));
	id = (int32_t)((hash ^ hash >> 32) & INT32_MAX);
	return id != 0 ? id : 1;
}

enum vkcb_outcome
vkcb_api(struct vkcb_event *ev, const char *method, struct json_object *params,
    struct json_object **response)
{
	struct event *event = event_of(ev);
	enum vkcb_outcome outcome;

	/*
	 * VK drops a message whose random_id it has seen, and ignores a
	 * random_id of 0, number or string.
	 */
	if (method != NULL && strcmp(method, "messages.send") == 0 &&
	    json_object_is_type(params, json_type_object) &&
	    json_object_get_int64(json_object_object_get(params,
	    "random_id")) == 0)
		params = params_add(params, "random_id",
		    VK_INT(vkcb_random_id(ev)));
	outcome = api_call(&event->api, method, params, response);
	if (method == NULL)
		method = "NULL";
	if (outcome != VKCB_OK) {
		note_failed(event, method, outcome);
		log_failed(event, method, outcome);
	} else if (event->api.inside.failed > 0)
		log_failed_inside(event, method);
	return outcome;
}

enum vkcb_outcome
vkcb_execute(struct vkcb_event *ev, const char *code,
    struct json_object **response)
{
	return vkcb_api(ev, "execute", VK_PARAMS("code", VK_STR(code)),
	    response);
}

const struct vkcb_error *
vkcb_error(struct vkcb_event *ev)
{
	return &event_of(ev)->api.error;
}
