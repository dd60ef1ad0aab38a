/*
 * cmd_trigger.c - `vkcb trigger`: an event without VK.
 *
 * Makes a realistic body, or takes a saved one, and runs it through the
 * handlers here, posts it to a URL, or prints it.
 *
 * handler_runs is kept for atexit(): a handler may call exit().
 */
#include "command/command.h"

#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <json-c/json.h>

#include "command/json_edit.h"
#include "command/trigger.h"
#include "conf/conf.h"
#include "number.h"
#include "web/http.h"
#include "web/receive.h"

#include "banned.h"

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

static int
cmd_trigger_number(const char *option, const char *text, int64_t min,
    int64_t max, int64_t *out)
{
	return number_read(text, strlen(text), min, max, out) ? EXIT_OK :
	    command_misused(&command_trigger, "--%s %s: must be from %" PRId64
	    " to %" PRId64, option, text, min, max);
}

static int
cmd_trigger_options(struct trigger *trigger, int argc, char **argv)
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
			trigger->file = optarg;
		else if (option == 'p')
			trigger->print = true;
		else if (option == 'u')
			trigger->url = optarg;
		else if (option == 'r')
			status = cmd_trigger_number("retry", optarg, 0, 1000,
			    &trigger->retry);
		else if (option == 'c')
			status = cmd_trigger_number("count", optarg, 1,
			    1000000, &trigger->count);
		else if (option == 'm')
			status = cmd_trigger_number("parallel", optarg, 1, 64,
			    &trigger->parallel);
		else
			return command_misused(&command_trigger,
			    "unknown option or missing value: %s",
			    argv[optind - 1]);
	}
	return status;
}

/* Options that go together, and an event or a file. */
static int
cmd_trigger_check(struct trigger *trigger, char **rest, int n)
{
	char error[JSON_EDIT_ERROR_MAX];
	const char *url = trigger->url;
	int i;

	if (trigger->print && (url != NULL || trigger->count > 1))
		return command_misused(&command_trigger, "--print shows an "
		    "event, and posts none");
	if (trigger->file == NULL && n == 0)
		return command_misused(&command_trigger,
		    "give an event, or --file FILE");
	if (url != NULL && strncmp(url, "http://", 7) != 0 &&
	    strncmp(url, "https://", 8) != 0)
		return command_misused(&command_trigger,
		    "%s: a URL starts with http:// or https://", url);
	if (trigger->parallel > 1 && url == NULL)
		return command_misused(&command_trigger, "--parallel goes "
		    "with --url");
	for (i = trigger->file == NULL; i < n; i++)
		if (json_edit_check(rest[i], error) == -1)
			return command_misused(&command_trigger, "%s", error);
	return EXIT_OK;
}

/* A configuration without groups, or none at all, takes any group here. */
static int
cmd_trigger_configure(struct trigger *trigger)
{
	char path[PATH_MAX], error[CONF_ERROR_MAX];
	struct conf *conf;

	if (conf_find(path, error) == 0)
		conf = conf_read(path, error);
	else
		conf = conf_parse("no configuration", "", 0, error);
	if (conf == NULL)
		return report_fail("configuration", "%s", error);
	if (command_become_owner(conf) == -1) {
		conf_free(conf);
		return EXIT_ERROR;
	}
	if (conf->n_groups == 0 && !conf->has_fallback) {
		conf->has_fallback = true;
		conf->fallback = (struct conf_group){
			.no_secret = true,
			.confirmation = "confirmation-string",
		};
	}
	trigger->conf = conf;
	return EXIT_OK;
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
	printf("answer: %d %.*s\n", answer.status, (int)answer.len,
	    answer.body);
	good = answer.status == 200 && receiver->done;
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

	conf->max_body = (int64_t)TRIGGER_BODY_MAX;
	(void)log_open("stderr", conf->log_level < LOG_LEVEL_INFO ?
	    LOG_LEVEL_INFO : (enum log_level)conf->log_level);
	/* Handlers run here, now: nothing is put into the inbox. */
	conf->inbox = NULL;
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

static int
cmd_trigger(int argc, char **argv)
{
	struct trigger trigger = { .count = 1, .parallel = 1 };
	int status = cmd_trigger_options(&trigger, argc, argv), n;
	char **rest = argv + optind;

	n = argc - optind;
	if (status == EXIT_OK)
		status = cmd_trigger_check(&trigger, rest, n);
	if (status == EXIT_OK)
		status = cmd_trigger_configure(&trigger);
	if (status != EXIT_OK)
		return status;
	if (trigger.file == NULL) {
		trigger.event = *rest++;
		n--;
	}
	status = trigger_make_body(&trigger, rest, n);
	if (status == EXIT_OK && trigger.print)
		command_print_json(json_object_get(trigger.body),
		    JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED);
	else if (status == EXIT_OK)
		status = trigger.url != NULL ? trigger_post(&trigger) :
		    run_here(&trigger);
	json_object_put(trigger.body);
	conf_free(trigger.conf);
	return status;
}
