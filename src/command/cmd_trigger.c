/*
 * cmd_trigger.c - `vkcb trigger`: an event without VK.
 *
 * Makes a realistic body, or takes a saved one, and runs it through the
 * handlers here, posts it to a URL, or prints it. The group's secret is added
 * to what is run or posted, never to what is printed.
 */
#include "command/command.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <json-c/json.h>

#include "command/json_edit.h"
#include "clock.h"
#include "conf/conf.h"
#include "event/fields.h"
#include "event/handler_table.h"
#include "conf/keys.h"
#include "command/loadtest.h"
#include "web/memory_request.h"
#include "vk/http_post.h"
#include "web/receive.h"
#include "command/sample.h"

#include "banned.h"

#define BODY_MAX ((size_t)64 << 20)
#define ANSWER_SHOWN 200

static int trigger(int, char **);

const struct command command_trigger = {
	.name = "trigger",
	.args = "[OPTION ...] EVENT [PATH=VALUE ...]",
	.summary = "makes an event and runs, posts or prints it",
	.help =
	    "PATH=VALUE        object.message.text=hello; numbers, true, "
	    "false, null as such\n"
	    "PATH:=JSON        object.message.geo:='{\"type\":\"point\"}'\n"
	    "--file FILE       take a saved body instead of EVENT; - is "
	    "standard input\n"
	    "--print           only show the body\n"
	    "--url URL         post it as VK would, with the group's secret\n"
	    "--retry N         VK's X-Retry-Counter\n"
	    "--count N         so many events, each with its own event_id\n"
	    "--parallel M      posted by M at a time\n",
	.run = trigger,
};

struct request {
	const char *event;
	const char *file;
	const char *url;
	bool print;
	bool has_event_id;	/* given by the user: the same for all */
	bool has_secret;
	int retry;
	int count;
	int parallel;
	struct conf *conf;
	struct json_object *body;
};

static int
cmd_trigger_read_number(const char *option, const char *text, int min, int max,
    int *out)
{
	char *end;
	long number;

	errno = 0;
	number = strtol(text, &end, 10);
	if (errno != 0 || *end != '\0' || end == text || number < min ||
	    number > max)
		return command_misused(&command_trigger, "--%s %s: from %d to "
		    "%d is possible", option, text, min, max);
	*out = (int)number;
	return EXIT_OK;
}

static int
cmd_trigger_read_options(struct request *request, int argc, char **argv)
{
	static const struct option options[] = {
		{ "file", required_argument, NULL, 'f' },
		{ "print", no_argument, NULL, 'p' },
		{ "url", required_argument, NULL, 'u' },
		{ "retry", required_argument, NULL, 'r' },
		{ "count", required_argument, NULL, 'c' },
		{ "parallel", required_argument, NULL, 'm' },
		{ NULL, 0, NULL, 0 },
	};
	int option, status = EXIT_OK;

	opterr = 0;
	while (status == EXIT_OK &&
	    (option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'f')
			request->file = optarg;
		else if (option == 'p')
			request->print = true;
		else if (option == 'u')
			request->url = optarg;
		else if (option == 'r')
			status = cmd_trigger_read_number("retry", optarg, 0,
			    1000, &request->retry);
		else if (option == 'c')
			status = cmd_trigger_read_number("count", optarg, 1,
			    1000000, &request->count);
		else if (option == 'm')
			status = cmd_trigger_read_number("parallel", optarg, 1,
			    64, &request->parallel);
		else
			return command_misused(&command_trigger,
			    "unknown option or missing value: %s",
			    argv[optind - 1]);
	}
	if (status == EXIT_OK && request->print &&
	    (request->url != NULL || request->count > 1))
		return command_misused(&command_trigger,
		    "--print shows an event, and posts none");
	return status;
}

static struct json_object *
read_file(const char *path)
{
	FILE *in = strcmp(path, "-") == 0 ? stdin : fopen(path, "r");
	struct json_object *body = NULL;
	char *text = NULL, error[256];
	size_t len = 0, size = 0, got = 1;

	if (in == NULL) {
		report_fail(path, "%s", strerror(errno));
		return NULL;
	}
	while (got > 0 && len < BODY_MAX) {
		if (size - len < 2) {
			char *more = realloc(text, size = 2 * size + 65536);

			if (more == NULL)
				break;
			text = more;
		}
		got = fread(text + len, 1, size - len - 1, in);
		len += got;
	}
	if (ferror(in) || got > 0) {
		report_fail(path, "%s", ferror(in) ? "cannot be read" :
		    len < BODY_MAX ? "out of memory" : "longer than 64 MiB");
	} else {
		text[len] = '\0';
		body = json_edit_parse(text, len, error, sizeof(error));
		if (body == NULL)
			report_fail(path, "%s", error);
	}
	if (in != stdin)
		fclose(in);
	free(text);
	return body;
}

/* A configuration if there is one; without groups all are welcome here. */
static int
cmd_trigger_configure(struct request *request)
{
	char path[PATH_MAX], error[CONF_ERROR_MAX];
	struct conf *conf;

	if (conf_find(path, error) == 0)
		conf = conf_read(path, error);
	else
		conf = conf_parse("no configuration", "", 0, error);
	if (conf == NULL)
		return report_fail("configuration", "%s", error);
	if (conf->n_groups == 0 && !conf->has_fallback) {
		conf->has_fallback = true;
		conf->fallback = (struct conf_group){
			.no_secret = true,
			.confirmation = "confirmation-string",
		};
	}
	request->conf = conf;
	return EXIT_OK;
}

/* The group that stands first in the file; 0: there is none. */
static int64_t
first_group(const struct conf *conf)
{
	const struct conf_group *first = NULL;
	size_t i;

	for (i = 0; i < conf->n_groups; i++)
		if (first == NULL || conf->groups[i].line < first->line)
			first = &conf->groups[i];
	return first != NULL ? first->id : 0;
}

/* By a handler with ON_TYPE, for an event that is not in the catalogue? */
static bool
is_asked_for(const char *name)
{
	const struct handler *handler;

	if (event_info(name) != NULL)
		return false;
	for (handler = handlers; handler->name != NULL; handler++)
		if (strcmp(handler_event(handler), name) == 0)
			return handler->def->event == VKCB_EVENT_unknown;
	return false;
}

static int
make_body(struct request *request)
{
	const struct event_info *info;

	if (request->file != NULL) {
		request->body = read_file(request->file);
		return request->body != NULL ? EXIT_OK : EXIT_ERROR;
	}
	if (is_asked_for(request->event)) {
		request->body = sample_unknown(request->event);
	} else {
		info = command_event(request->event);
		if (info == NULL)
			return EXIT_ERROR;
		request->body = sample_body(info);
	}
	if (request->body == NULL)
		return report_fail("trigger", "out of memory");
	if (request->conf->n_groups > 0)
		json_object_object_add(request->body, "group_id",
		    json_object_new_int64(first_group(request->conf)));
	return EXIT_OK;
}

static int
json_edit_body(struct request *request, char **changes, int n)
{
	char error[512];
	int i;

	for (i = 0; i < n; i++) {
		if (json_edit_apply(request->body, changes[i], error,
		    sizeof(error)) == -1)
			return report_fail("trigger", "%s", error);
		if (error[0] != '\0')
			report_fail("note", "%s", error);
		if (strncmp(changes[i], "event_id", 8) == 0)
			request->has_event_id = true;
		if (strncmp(changes[i], "secret", 6) == 0)
			request->has_secret = true;
	}
	if (request->file != NULL)
		request->has_event_id = true;
	return EXIT_OK;
}

/* What the group's section says, unless the user said another. */
static void
add_secret(struct request *request)
{
	const struct conf_group *group = conf_group(request->conf,
	    json_object_get_int64(json_object_object_get(request->body,
	    "group_id")));

	if (!request->has_secret && group != NULL && group->secret != NULL)
		json_object_object_add(request->body, "secret",
		    json_object_new_string(group->secret));
}

static void
print_body(struct request *request)
{
	if (!request->has_secret)
		json_object_object_del(request->body, "secret");
	command_print_json(json_object_get(request->body),
	    JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED);
}

/* The next body as text; good until the body changes. */
static const char *
next_text(struct request *request, int nth)
{
	char event_id[41];

	if (nth > 0 && !request->has_event_id) {
		sample_event_id(event_id);
		json_object_object_add(request->body, "event_id",
		    json_object_new_string(event_id));
	}
	return json_object_to_json_string_ext(request->body,
	    JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
}

/* What VK does not repeat, be it "ok" or what a handler asked for. */
static bool
is_good(int status)
{
	return status == 200;
}

/* A handler that calls exit() leaves no answer, and is no success. */
static bool handlers_run;

static void
look_whether_running(void)
{
	if (!handlers_run)
		return;
	fflush(NULL);
	report_fail("trigger", "a handler ended the program");
	_exit(EXIT_ERROR);
}

static int
run_here(struct request *request)
{
	struct receiver receiver;
	struct http_answer answer;
	struct local local;
	int nth, status = EXIT_OK;
	const char *text;
	char retry[16];

	request->conf->max_body = (int64_t)BODY_MAX;
	log_open("stderr", request->conf->log_level < LOG_LEVEL_INFO ?
	    LOG_LEVEL_INFO : (enum log_level)request->conf->log_level);
	/* Handlers run here, now: nothing is put into the inbox. */
	request->conf->inbox = NULL;
	if (atexit(look_whether_running) != 0)
		return report_fail("trigger", "out of memory");
	receiver_init(&receiver, request->conf);
	receiver.conf_fixed = true;
	snprintf(retry, sizeof(retry), "%d", request->retry);
	for (nth = 0; nth < request->count; nth++) {
		text = next_text(request, nth);
		memory_request(&local, text, strlen(text));
		local.http.retry_counter = retry;
		handlers_run = true;
		receive(&receiver, &local.http, &answer);
		handlers_run = false;
		printf("answer: %d %.*s\n", answer.status, (int)answer.len,
		    answer.body);
		if (!is_good(answer.status) || !receiver.done)
			status = EXIT_ERROR;
		receive_done(&receiver);
	}
	request->conf = NULL;
	receiver_release(&receiver);
	return status;
}

/* What VK takes for done: not a byte more or less. */
static bool
is_done(const char *body)
{
	if (strncmp(body, "version ", 8) == 0)
		return body[8] != '\0' &&
		    body[8 + strspn(body + 8, "0123456789.")] == '\0';
	return strcmp(body, "ok") == 0 || strcmp(body, "remove") == 0;
}

/* The string that is configured here, or what looks like VK's. */
static bool
is_confirmation(const struct request *request, const char *body)
{
	const struct conf_group *group = conf_group(request->conf,
	    json_object_get_int64(json_object_object_get(request->body,
	    "group_id")));

	/* Line 0 is of no file: configure() made that group up. */
	if (group != NULL && group->line != 0 && group->confirmation != NULL &&
	    !group->confirmation_from_keys_file)
		return strcmp(body, group->confirmation) == 0;
	return keys_is_confirmation(body);
}

/* What VK would not take of an answer of status 200; NULL: it is good. */
static const char *
find_fault(const struct request *request,
    const struct http_post_response *answer)
{
	const char *type = json_object_get_string(json_object_object_get(
	    request->body, "type"));
	bool whole = strlen(answer->body) == answer->len;

	if (type != NULL && strcmp(type, "confirmation") == 0)
		return whole && is_confirmation(request, answer->body) ? NULL :
		    "the answer is not the confirmation string, not a byte "
		    "more or less";
	return whole && is_done(answer->body) ? NULL : "VK takes only exactly "
	    "ok, remove or version N for done, not a byte more or less";
}

static int
show_answer(const struct request *request,
    const struct http_post_response *answer, double ms)
{
	int len = answer->len < ANSWER_SHOWN ? (int)answer->len : ANSWER_SHOWN;
	const char *fault = NULL;

	if (request->count == 1)
		printf("answer: %ld %.*s (%.1f ms)\n", answer->status, len,
		    answer->body, ms);
	if (is_good((int)answer->status)) {
		fault = find_fault(request, answer);
		if (fault == NULL)
			return EXIT_OK;
	}
	if (request->count == 1)
		return fault == NULL ? EXIT_ERROR :
		    report_fail(request->url, "%s", fault);
	return report_fail(request->url, "answered %ld %.*s", answer->status,
	    len, answer->body);
}

static int
http_post_once(void *arg, int nth, double *ms)
{
	struct request *request = arg;
	const char *text = next_text(request, nth);
	struct http_post_response answer;
	char retry[40];
	struct http_post_request out = {
		.url = request->url,
		.body = text,
		.len = strlen(text),
		.ca_file = request->conf->ca_file,
		.headers = { "Content-Type: application/json",
		    request->retry > 0 ? retry : NULL },
		.connect_ms = 3000,
		.total_ms = 30000,
	};
	int64_t start = clock_us();
	int status;

	snprintf(retry, sizeof(retry), "X-Retry-Counter: %d", request->retry);
	if (http_post(&out, &answer) != POST_ANSWERED)
		return report_fail(request->url, "%s", answer.why);
	*ms = (double)(clock_us() - start) / 1000;
	status = show_answer(request, &answer, *ms);
	free(answer.body);
	return status;
}

static int
cmd_trigger_run(struct request *request, char **changes, int n)
{
	int status = cmd_trigger_configure(request);

	if (status == EXIT_OK)
		status = make_body(request);
	if (status == EXIT_OK)
		status = json_edit_body(request, changes, n);
	if (status != EXIT_OK)
		return status;
	if (request->print) {
		print_body(request);
		return EXIT_OK;
	}
	add_secret(request);
	if (request->url == NULL)
		return run_here(request);
	if (request->count == 1) {
		double ms;

		return http_post_once(request, 0, &ms);
	}
	return loadtest_run(request->count, request->parallel, http_post_once,
	    request);
}

static int
trigger(int argc, char **argv)
{
	struct request request = { .count = 1, .parallel = 1 };
	int status = cmd_trigger_read_options(&request, argc, argv);
	char **rest = argv + optind, error[512];
	int n = argc - optind, i;

	if (status != EXIT_OK)
		return status;
	if (request.file == NULL) {
		if (n == 0)
			return command_misused(&command_trigger,
			    "give an event, or --file FILE");
		request.event = rest[0];
		rest++;
		n--;
	}
	if (request.url != NULL && strncmp(request.url, "http://", 7) != 0 &&
	    strncmp(request.url, "https://", 8) != 0)
		return command_misused(&command_trigger,
		    "%s: a URL starts with http:// or https://", request.url);
	if (request.parallel > 1 && request.url == NULL)
		return command_misused(&command_trigger, "--parallel goes "
		    "with --url");
	for (i = 0; i < n; i++)
		if (json_edit_check(rest[i], error, sizeof(error)) == -1)
			return command_misused(&command_trigger, "%s", error);
	status = cmd_trigger_run(&request, rest, n);
	json_object_put(request.body);
	conf_free(request.conf);
	return status;
}
