/*
 * cmd_trigger.c - `vkcb trigger`: an event without VK.
 *
 * Makes a realistic body, or takes a saved one, changes it, and runs it through
 * the handlers here, posts it to a URL, once or as a small load, or prints it.
 *
 * handler_runs is kept for atexit(): a handler may call exit().
 */
#include "command/command.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <json-c/json.h>

#include "clock.h"
#include "command/body.h"
#include "conf/conf.h"
#include "conf/keys.h"
#include "event/catalogue.h"
#include "json/tree.h"
#include "log.h"
#include "vk/http_post.h"
#include "web/receive.h"

#include "banned.h"

#define BODY_MAX (64 << 20)
#define ANSWER_SHOWN ((size_t)200)

static int cmd_trigger(int, char **);

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
	.run = cmd_trigger,
};

struct trigger {
	const char *event;
	const char *file;	/* NULL: the event makes the body */
	const char *url;	/* NULL: handlers run here */
	bool print;
	int64_t retry;
	int64_t count;
	int64_t parallel;
	struct conf *conf;
	struct json_object *body;
	bool has_event_id;	/* given by the user: the same for all */
	bool has_secret;
};

/* Options that go together, and an event or a file. */
static int
cmd_trigger_check(struct trigger *trigger, char **changes, int n)
{
	char error[JSON_EDIT_ERROR_MAX];
	const char *url = trigger->url;
	int i;

	if (trigger->print && (url != NULL || trigger->count > 1))
		return command_misused(&command_trigger, "--print shows an "
		    "event, and posts none");
	if (trigger->file == NULL && trigger->event == NULL)
		return command_misused(&command_trigger,
		    "give an event, or --file FILE");
	if (url != NULL && strncmp(url, "http://", 7) != 0 &&
	    strncmp(url, "https://", 8) != 0)
		return command_misused(&command_trigger,
		    "%s: a URL starts with http:// or https://", url);
	if (trigger->parallel > 1 && url == NULL)
		return command_misused(&command_trigger, "--parallel goes "
		    "with --url");
	for (i = 0; i < n; i++)
		if (json_edit_check(changes[i], error) == -1)
			return command_misused(&command_trigger, "%s", error);
	return EXIT_OK;
}

static int
cmd_trigger_options(struct trigger *trigger, int argc, char **argv)
{
	const struct command_option options[] = {
		{ "file", .text = &trigger->file },
		{ "print", .flag = &trigger->print },
		{ "url", .text = &trigger->url },
		{ "retry", .number = &trigger->retry, .max = 1000 },
		{ "count", .number = &trigger->count, .min = 1,
		    .max = 1000000 },
		{ "parallel", .number = &trigger->parallel, .min = 1,
		    .max = 64 },
		{ .name = NULL },
	};

	if (command_options(&command_trigger, options, argc, argv, argc) !=
	    EXIT_OK)
		return EXIT_USAGE;
	if (trigger->file == NULL && optind < argc)
		trigger->event = argv[optind++];
	return cmd_trigger_check(trigger, argv + optind, argc - optind);
}

/* A configuration without groups, or none at all, takes any group here. */
static int
cmd_trigger_configure(struct trigger *trigger)
{
	struct conf *conf = command_configure(false);

	if (conf == NULL)
		return EXIT_ERROR;
	if (conf->n_groups == 0 && conf->fallback.has == 0)
		conf->fallback = (struct conf_group){
			.no_secret = true,
			.confirmation = "confirmation-string",
		};
	trigger->conf = conf;
	return EXIT_OK;
}

/* A FIFO that no process writes to is empty: it is not waited for. */
static FILE *
trigger_open(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	return fd == -1 || fcntl(fd, F_SETFL, 0) == -1 ? NULL :
	    fdopen(fd, "r");
}

static struct json_object *
read_file(const char *path)
{
	FILE *in = strcmp(path, "-") == 0 ? stdin : trigger_open(path);
	struct json_object *body = NULL;
	char error[JSON_EDIT_ERROR_MAX], *text = NULL;
	size_t size = 0;
	ssize_t len;

	if (in == NULL) {
		(void)report_fail(path, "%s", strerror(errno));
		return NULL;
	}
	/* JSON has no NUL: all is read, or a NUL that is an error. */
	errno = 0;
	len = getdelim(&text, &size, '\0', in);
	if (len == -1 && errno != 0)
		(void)report_fail(path, "%s", strerror(errno));
	else if (len > BODY_MAX)
		(void)report_fail(path, "longer than 64 MiB");
	else if (json_parse(text, len == -1 ? 0 : (size_t)len, &body, error,
	    sizeof(error)) == -1)
		(void)report_fail(path, "%s", error);
	else if (!json_object_is_type(body, json_type_object)) {
		(void)report_fail(path, "not a JSON object");
		json_object_put(body);
		body = NULL;
	}
	if (in != stdin)
		fclose(in);
	free(text);
	return body;
}

/* The id of the group that stands first in the file; 0: there is none. */
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

static struct json_object *
make_sample(const struct trigger *trigger)
{
	struct event_info new = { .name = trigger->event,
	    .has_handlers = true };
	const struct event_info *info = NULL;
	const struct handler *handler;
	struct json_object *body;

	for (handler = handlers; handler->name != NULL; handler++)
		if (handler_names_new(handler) &&
		    strcmp(handler->def->type, new.name) == 0)
			info = &new;
	if (info == NULL && (info = command_event(new.name)) == NULL)
		return NULL;
	body = sample_body(info);
	if (body == NULL)
		(void)report_fail("trigger", "out of memory");
	else if (trigger->conf->n_groups > 0)
		json_put_int(body, "group_id", first_group(trigger->conf));
	return body;
}

static int
edit_body(struct trigger *trigger, char **changes, int n)
{
	char error[JSON_EDIT_ERROR_MAX];
	int i;

	for (i = 0; i < n; i++) {
		if (strncmp(changes[i], "event_id", 8) == 0)
			trigger->has_event_id = true;
		if (strncmp(changes[i], "secret", 6) == 0)
			trigger->has_secret = true;
		if (json_edit_apply(trigger->body, changes[i], error) == -1)
			return report_fail("trigger", "%s", error);
		if (error[0] != '\0')
			(void)report_fail("note", "%s", error);
	}
	return EXIT_OK;
}

static const struct conf_group *
trigger_group(const struct trigger *trigger)
{
	return conf_group(trigger->conf, json_object_get_int64(
	    json_object_object_get(trigger->body, "group_id")));
}

/* The configuration's secret is for handlers and URLs, never to be printed. */
static void
set_secret(struct trigger *trigger)
{
	const struct conf_group *group = trigger_group(trigger);

	if (trigger->has_secret)
		return;
	if (trigger->print)
		json_object_object_del(trigger->body, "secret");
	else if (group != NULL && group->secret != NULL)
		json_put_text(trigger->body, "secret", group->secret);
}

static int
trigger_make_body(struct trigger *trigger, char **changes, int n)
{
	trigger->has_event_id = trigger->file != NULL;
	trigger->body = trigger->file != NULL ? read_file(trigger->file) :
	    make_sample(trigger);
	if (trigger->body == NULL || edit_body(trigger, changes, n) != EXIT_OK)
		return EXIT_ERROR;
	set_secret(trigger);
	return EXIT_OK;
}

static const char *
trigger_text(struct trigger *trigger, int64_t nth)
{
	char event_id[SAMPLE_ID_MAX];

	if (nth > 0 && !trigger->has_event_id) {
		sample_event_id(event_id);
		json_put_text(trigger->body, "event_id", event_id);
	}
	return json_object_to_json_string_ext(trigger->body,
	    JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
}

static bool handler_runs;

/* A handler that calls exit() leaves no answer, and is no success. */
static void
fail_if_handler_runs(void)
{
	if (!handler_runs)
		return;
	fflush(NULL);
	(void)report_fail("trigger", "a handler ended the program");
	_exit(EXIT_ERROR);
}

static bool
run_once(struct receiver *receiver, const char *text, const char *retry)
{
	struct http_answer answer;
	struct http_request http;
	bool good;

	http_memory_request(&http, text, strlen(text));
	http.retry_counter = retry;
	handler_runs = true;
	receive(receiver, &http, &answer);
	handler_runs = false;
	printf("answer: %d %s\n", answer.status, answer.body);
	good = answer.status == 200 && !receiver->gave_up;
	receive_done(receiver);
	return good;
}

static int
run_here(struct trigger *trigger)
{
	struct conf *conf = trigger->conf;
	struct receiver receiver;
	int status = EXIT_OK;
	char retry[24];
	int64_t nth;

	conf->max_body = BODY_MAX;
	(void)log_open("stderr", conf->log_level < LOG_LEVEL_INFO ?
	    LOG_LEVEL_INFO : (enum log_level)conf->log_level);
	/* Handlers run here, now, even for a saved body that is sent again. */
	conf->inbox = NULL;
	conf->repeats = CONF_REPEATS_AGAIN;
	if (atexit(fail_if_handler_runs) != 0)
		return report_fail("trigger", "out of memory");
	trigger->conf = NULL;
	receiver_init(&receiver, conf);
	receiver.conf_fixed = true;
	snprintf(retry, sizeof(retry), "%" PRId64, trigger->retry);
	for (nth = 0; nth < trigger->count; nth++)
		if (!run_once(&receiver, trigger_text(trigger, nth), retry))
			status = EXIT_ERROR;
	receiver_release(&receiver);
	return status;
}

/* The configured string, or, if setup stores it elsewhere, one like VK's. */
static bool
confirms(const struct trigger *trigger, const char *body)
{
	const struct conf_group *group = trigger_group(trigger);

	/* A group of no file, on line 0, was made up for `trigger`. */
	if (group != NULL && group->line != 0 && group->confirmation != NULL &&
	    !group->asks_vk)
		return strcmp(body, group->confirmation) == 0;
	return keys_is_confirmation(body);
}

/* Why VK would refuse an answer of status 200; NULL: it would not. */
static const char *
find_fault(const struct trigger *trigger,
    const struct http_post_response *answer)
{
	bool confirmation = strcmp(vk_get_str(trigger->body, "type"),
	    "confirmation") == 0;
	const char *body = answer->body;
	bool good;

	if (strlen(body) != answer->len)
		good = false;
	else if (confirmation)
		good = confirms(trigger, body);
	else if (strncmp(body, "version ", 8) == 0)
		good = body[8] != '\0' &&
		    body[8 + strspn(body + 8, "0123456789.")] == '\0';
	else
		good = strcmp(body, "ok") == 0 || strcmp(body, "remove") == 0;
	return good ? NULL : confirmation ?
	    "the answer is not the confirmation string, not a byte more or "
	    "less" : "VK takes only exactly ok, remove or version N for done, "
	    "not a byte more or less";
}

static int
trigger_judge(const struct trigger *trigger,
    const struct http_post_response *answer, double ms)
{
	int len = (int)(answer->len < ANSWER_SHOWN ? answer->len :
	    ANSWER_SHOWN);
	const char *fault = answer->status == 200 ?
	    find_fault(trigger, answer) : NULL;
	bool good = answer->status == 200 && fault == NULL;

	if (trigger->count == 1)
		printf("answer: %ld %.*s (%.1f ms)\n", answer->status, len,
		    answer->body, ms);
	else if (!good)
		(void)report_fail(trigger->url, "answered %ld %.*s",
		    answer->status, len, answer->body);
	if (trigger->count == 1 && fault != NULL)
		(void)report_fail(trigger->url, "%s", fault);
	return good ? EXIT_OK : EXIT_ERROR;
}

static int
post_one(struct trigger *trigger, int64_t nth, double *ms)
{
	const char *text = trigger_text(trigger, nth);
	struct http_post_response answer;
	char retry[40];
	struct http_post_request out = {
		.url = trigger->url,
		.body = text,
		.len = strlen(text),
		.ca_file = trigger->conf->ca_file,
		.headers = { "Content-Type: application/json",
		    trigger->retry > 0 ? retry : NULL },
		.connect_ms = 3000,
		.total_ms = 30000,
	};
	int64_t start = clock_us();
	int status;

	snprintf(retry, sizeof(retry), "X-Retry-Counter: %" PRId64,
	    trigger->retry);
	if (http_post(&out, &answer) != POST_ANSWERED)
		return report_fail(trigger->url, "%s", answer.why);
	*ms = (double)(clock_us() - start) / 1000;
	status = trigger_judge(trigger, &answer, *ms);
	free(answer.body);
	return status;
}

static int
by_size(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;

	return (left > right) - (left < right);
}

static int
summarize(double *ms, size_t count, double seconds)
{
	size_t good = 0, i;

	for (i = 0; i < count; i++)
		if (ms[i] > 0)
			ms[good++] = ms[i];
	printf("%zu of %zu answered ok in %.2f s: %.0f a second\n", good,
	    count, seconds, (double)count / (seconds > 0 ? seconds : 1));
	if (good == 0)
		return EXIT_ERROR;
	qsort(ms, good, sizeof(*ms), by_size);
	printf("milliseconds: p50 %.2f, p90 %.2f, p99 %.2f, slowest %.2f\n",
	    ms[(good * 50 + 99) / 100 - 1], ms[(good * 90 + 99) / 100 - 1],
	    ms[(good * 99 + 99) / 100 - 1], ms[good - 1]);
	return good == count ? EXIT_OK : EXIT_ERROR;
}

/* Every `parallel`th event from the first one on; failures leave 0 in ms. */
static void
post_share(struct trigger *trigger, int64_t first, double *ms)
{
	int64_t i;
	double taken;

	for (i = first; i < trigger->count; i += trigger->parallel)
		if (post_one(trigger, i + 1, &taken) == EXIT_OK)
			ms[i] = taken;
	fflush(stdout);
	_exit(0);
}

static int
post_load(struct trigger *trigger)
{
	size_t count = (size_t)trigger->count;
	double *ms = mmap(NULL, count * sizeof(*ms), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int64_t start = clock_us(), i;
	pid_t pid;

	if (ms == MAP_FAILED)
		return report_fail("trigger", "%s", strerror(errno));
	fflush(stdout);
	for (i = 0; i < trigger->parallel; i++) {
		pid = fork();
		if (pid == 0)
			post_share(trigger, i, ms);
		if (pid == -1)
			(void)report_fail("trigger", "fork: %s",
			    strerror(errno));
	}
	while (wait(NULL) > 0)
		;
	return summarize(ms, count, (double)(clock_us() - start) / 1e6);
}

static int
cmd_trigger(int argc, char **argv)
{
	struct trigger trigger = { .count = 1, .parallel = 1 };
	int status = cmd_trigger_options(&trigger, argc, argv);
	double ms;

	if (status == EXIT_OK)
		status = cmd_trigger_configure(&trigger);
	if (status != EXIT_OK)
		return status;
	status = trigger_make_body(&trigger, argv + optind, argc - optind);
	if (status == EXIT_OK && trigger.print)
		command_print_json(json_object_get(trigger.body), true);
	else if (status == EXIT_OK)
		status = trigger.url == NULL ? run_here(&trigger) :
		    trigger.count == 1 ? post_one(&trigger, 0, &ms) :
		    post_load(&trigger);
	json_object_put(trigger.body);
	conf_free(trigger.conf);
	return status;
}
