/*
 * kit.c - vkcb_test.h: one handler, one event, and simulated responses of VK.
 *
 * The test is linked with the program's objects, so that a handler runs as
 * behind a web server. Any error ends the test with a line on standard error.
 */
#include "vkcb_test.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "arena.h"
#include "command/body.h"
#include "event/envelope.h"
#include "event/event.h"
#include "event/catalogue.h"
#include "tests/vk-limits.h"

#include "banned.h"

#define ANSWERS_MAX 64
#define CALLS_MAX 256

struct answer {
	char *method;
	char *json;
};

struct call {
	char *method;
	struct json_object *params;
};

struct vkcb_test {
	struct arena arena;
	struct answer answers[ANSWERS_MAX];
	size_t n_answers;
	struct call calls[CALLS_MAX];
	size_t n_calls;
	struct event_result result;
	int retry_counter;
	int attempt;
};

/* An exit() while a handler runs is the handler's: the test has failed. */
static const char *running;

static void
give_up(const char *what, const char *why)
{
	fprintf(stderr, "vkcb_test: %s: %s\n", what, why);
	running = NULL;
	exit(2);
}

static void *
must(void *memory)
{
	if (memory == NULL)
		give_up("test", "out of memory");
	return memory;
}

static void
look_whether_running(void)
{
	if (running == NULL)
		return;
	fflush(NULL);
	fprintf(stderr, "vkcb_test: %s: the handler ended the program\n",
	    running);
	_exit(2);
}

struct vkcb_test *
vkcb_test_new(void)
{
	static bool looked_after;
	struct vkcb_test *test = must(calloc(1, sizeof(*test)));

	if (!looked_after && atexit(look_whether_running) != 0)
		give_up("test", "out of memory");
	looked_after = true;
	test->attempt = 1;
	test->arena = (struct arena){ .chunks = NULL };
	return test;
}

static void
forget_calls(struct vkcb_test *test)
{
	size_t i;

	for (i = 0; i < test->n_calls; i++) {
		free(test->calls[i].method);
		json_object_put(test->calls[i].params);
	}
	test->n_calls = 0;
}

void
vkcb_test_free(struct vkcb_test *test)
{
	size_t i;

	forget_calls(test);
	for (i = 0; i < test->n_answers; i++) {
		free(test->answers[i].method);
		free(test->answers[i].json);
	}
	arena_release(&test->arena);
	free(test);
}

static struct answer *
find_answer(struct vkcb_test *test, const char *method)
{
	size_t i;

	for (i = 0; i < test->n_answers; i++)
		if (strcmp(test->answers[i].method, method) == 0)
			return &test->answers[i];
	return NULL;
}

void
vkcb_test_answer(struct vkcb_test *test, const char *method, const char *json)
{
	struct answer *answer = find_answer(test, method);

	if (json == NULL)
		give_up(method, "NULL is no answer, \"\" is that none comes");
	if (answer == NULL) {
		if (test->n_answers == ANSWERS_MAX)
			give_up(method, "too many answers");
		answer = &test->answers[test->n_answers++];
		answer->method = must(strdup(method));
	}
	free(answer->json);
	answer->json = must(strdup(json));
}

void
vkcb_test_repeat(struct vkcb_test *test, int retry_counter, int attempt)
{
	test->retry_counter = retry_counter;
	test->attempt = attempt;
}

/* VK's error for a call beyond its limits; NULL: it is within them. */
static char *
refusal(const char *method, struct json_object *params)
{
	struct json_object *error;
	struct limits limits;
	char *text;

	if (limits_look(&limits, method, params) == 0)
		return NULL;
	error = must(VK_PARAMS("error", VK_PARAMS("error_code",
	    VK_INT(limits.code), "error_msg", VK_STR(limits.words))));
	text = must(strdup(must((void *)json_object_to_json_string(error))));
	json_object_put(error);
	return text;
}

static char *
stand_in(void *arg, const char *method, struct json_object *params)
{
	struct vkcb_test *test = arg;
	const struct answer *answer = find_answer(test, method);
	char *refused = refusal(method, params);
	struct call *call;

	if (test->n_calls == CALLS_MAX)
		give_up(method, "too many calls");
	call = &test->calls[test->n_calls++];
	call->method = must(strdup(method));
	call->params = json_object_get(params);
	if (refused != NULL)
		return refused;
	if (answer != NULL && *answer->json == '\0')
		return NULL;
	return must(strdup(answer != NULL ? answer->json :
	    "{\"response\":1}"));
}

/* The program's own entry is used, since random_ids depend on its name. */
static struct handler
entry_of(const struct vkcb_handler *def)
{
	const struct handler *handler;

	for (handler = handlers; handler->name != NULL; handler++)
		if (handler->def == def)
			return *handler;
	return (struct handler){ "handler", def };
}

enum vkcb_outcome
vkcb_test_body(struct vkcb_test *test, const struct vkcb_handler *def,
    const char *body)
{
	const struct handler handler = entry_of(def);
	size_t len = strlen(body), where;
	struct envelope envelope;
	struct event event;
	enum event_status status;
	const char *error;
	char *copy;

	forget_calls(test);
	arena_reset(&test->arena);
	copy = must(arena_alloc(&test->arena, len + 1));
	memcpy(copy, body, len + 1);
	error = envelope_read(&envelope, copy, len, &where);
	if (error != NULL)
		give_up("body", error);
	event_init(&event, &envelope, &test->arena, test->retry_counter);
	event.public.attempt = test->attempt;
	event.api.stand_in = stand_in;
	event.api.stand_in_arg = test;
	if (!handler_takes(&handler, event.type, event.public.type))
		give_up(event.public.type, "this handler does not take it");
	running = event.public.type;
	status = event_run(&event, &handler, &test->result);
	running = NULL;
	if (status != EVENT_HANDLED)
		give_up("body", "its object cannot be decoded");
	event_release(&event);
	return test->result.outcome;
}

static struct json_object *
sample_of(const struct vkcb_handler *def)
{
	const struct handler handler = { "", def };
	const char *name = handler_event(&handler);
	const struct event_info unlisted = { .name = name,
	    .has_handlers = true };
	const struct event_info *info = event_info(name);

	if (def->event == VKCB_EVENT_any)
		info = event_info("message_new");
	return must(sample_body(info != NULL ? info : &unlisted));
}

enum vkcb_outcome
vkcb_test_event(struct vkcb_test *test, const struct vkcb_handler *def, ...)
{
	struct json_object *body = sample_of(def);
	enum vkcb_outcome outcome;
	char error[JSON_EDIT_ERROR_MAX];
	const char *change;
	va_list changes;

	va_start(changes, def);
	while ((change = va_arg(changes, const char *)) != NULL) {
		if (json_edit_apply(body, change, error) == -1)
			give_up("change", error);
		if (error[0] != '\0')
			fprintf(stderr, "vkcb_test: note: %s\n", error);
	}
	va_end(changes);
	outcome = vkcb_test_body(test, def,
	    must((void *)json_object_to_json_string(body)));
	json_object_put(body);
	return outcome;
}

int
vkcb_test_status(const struct vkcb_test *test)
{
	return test->result.outcome == VKCB_RETRY_AFTER ?
	    test->result.status : 0;
}

int
vkcb_test_seconds(const struct vkcb_test *test)
{
	return test->result.outcome == VKCB_RETRY_AFTER ?
	    test->result.seconds : 0;
}

const char *
vkcb_test_version(const struct vkcb_test *test)
{
	return test->result.outcome == VKCB_SET_VERSION ?
	    test->result.version : "";
}

size_t
vkcb_test_calls(const struct vkcb_test *test)
{
	return test->n_calls;
}

const char *
vkcb_test_method(const struct vkcb_test *test, size_t nth)
{
	return nth < test->n_calls ? test->calls[nth].method : NULL;
}

struct json_object *
vkcb_test_params(const struct vkcb_test *test, size_t nth)
{
	return nth < test->n_calls ? test->calls[nth].params : NULL;
}

const char *
vkcb_test_param(const struct vkcb_test *test, size_t nth, const char *name)
{
	struct json_object *value;

	if (nth >= test->n_calls || !json_object_object_get_ex(
	    test->calls[nth].params, name, &value))
		return NULL;
	return json_object_get_string(value);
}
