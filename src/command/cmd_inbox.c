/*
 * cmd_inbox.c - `vkcb inbox`: what is in the inbox, and what to do about it.
 *
 * Reading changes nothing and waits for nobody. No secret is in the inbox; what
 * calls itself one inside an event's object is masked. Text from outside is
 * made harmless for a terminal.
 */
#include "command/command.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <time.h>

#include <json-c/json.h>

#include "buffer.h"
#include "clock.h"
#include "conf/conf.h"
#include "pool/pool.h"
#include "inbox/inbox.h"
#include "json/tree.h"
#include "log.h"
#include "text.h"

#include "banned.h"

#define LISTED 100		/* without --all */
#define TAIL_FIRST 10
#define TAIL_LOOK 1000		/* ms; also when nothing is noticed */

static int inbox_command(int, char **);

const struct command command_inbox = {
	.name = "inbox",
	.args = "[list|show|retry|drop|tail] [OPTION ...] [ID ...]",
	.summary = "shows the events in the inbox, retries or drops them",
	.help =
	    "list              the newest events, oldest first; the options:\n"
	    "  --failed        those with a handler that was given up\n"
	    "  --waiting       those with a handler still to run\n"
	    "  --done          those with a handler that is done\n"
	    "  --group N       of this community\n"
	    "  --type TYPE     such as message_new\n"
	    "  --since TIME    of the last 10m, 1h, 2d\n"
	    "  --all           not only the newest 100\n"
	    "  --json          a JSON object per line\n"
	    "show ID           the whole event, its handlers, their errors\n"
	    "retry ID ...      failed handlers of these events run again\n"
	    "retry --failed    all that failed run again, or, with --group, "
	    "--type and\n"
	    "                  --since, these\n"
	    "drop ID ...       forgets these events, unhandled\n"
	    "tail              shows events as they come and get done; takes "
	    "list's\n"
	    "                  options\n",
	.run = inbox_command,
};

struct request {
	const struct verb *verb;
	const struct conf *conf;
	struct inbox *inbox;
	struct inbox_filter filter;
	bool failed;		/* the options; some are in the filter */
	bool waiting;
	bool done;
	bool all;
	bool json;
	const char *since;
	bool retried;		/* something will run again */
	int n_ids;
	char **ids;
};

static int
inbox_failed(const struct request *request)
{
	return report_fail("inbox", "%s", request->inbox->error);
}

static void
print_time(int64_t time)
{
	time_t seconds = (time_t)(time / 1000);
	char text[32];
	struct tm tm;

	if (localtime_r(&seconds, &tm) != NULL &&
	    strftime(text, sizeof(text), "%F %T", &tm) > 0)
		fputs(text, stdout);
}

static const char *
name_of_state(enum inbox_state state)
{
	static const char *const names[] = {
		"waiting", "running", "done", "failed",
	};

	return state <= INBOX_FAILED ? names[state] : "unknown";
}

static struct json_object *
task_as_json(const struct inbox_task *task)
{
	struct json_object *out = json_object_new_object();

	json_put_text(out, "handler", task->handler);
	json_put_text(out, "state", name_of_state(task->state));
	json_put_int(out, "attempts", task->attempts);
	if (task->due != 0)
		json_put_int(out, "due", task->due);
	if (task->started != 0)
		json_put_int(out, "started", task->started);
	if (task->ended != 0)
		json_put_int(out, "ended", task->ended);
	if (*task->reason != '\0')
		json_put_text(out, "reason", task->reason);
	return out;
}

static struct json_object *
event_as_json(const struct inbox_event *event, const struct inbox_task *tasks,
    size_t n)
{
	struct json_object *out = json_object_new_object();
	struct json_object *list = json_object_new_array();
	size_t i;

	json_put_int(out, "id", event->id);
	json_put_int(out, "received", event->received);
	json_put_int(out, "group_id", event->group_id);
	json_put_text(out, "type", event->type);
	json_put_text(out, "event_id", event->event_id);
	json_put_text(out, "v", event->version);
	json_put_int(out, "retry_counter", event->retry_counter);
	if (event->conversation != NULL)
		json_put_text(out, "conversation", event->conversation);
	if (event->damaged)
		json_put(out, "damaged", json_object_new_boolean(1));
	for (i = 0; i < n; i++)
		(void)json_object_array_add(list, task_as_json(&tasks[i]));
	json_put(out, "handlers", list);
	return out;
}

/* The task's state; attempts and the reason if it did not succeed yet. */
static void
print_task(const struct inbox_task *task)
{
	bool again = task->state == INBOX_WAITING && task->attempts > 0;

	printf("  %s %s", task->handler, name_of_state(task->state));
	if (task->attempts > 1 || again)
		printf(" (%d)", task->attempts);
	if ((task->state == INBOX_FAILED || again) && *task->reason != '\0') {
		printf(": ");
		log_print(stdout, task->reason);
	}
}

static bool
list_event(void *arg, const struct inbox_event *event,
    const struct inbox_task *tasks, size_t n)
{
	const struct request *request = arg;
	size_t i;

	if (request->json) {
		command_print_json(event_as_json(event, tasks, n), false);
		return true;
	}
	printf("%8" PRId64 "  ", event->id);
	print_time(event->received);
	printf("  %-11" PRId64 " ", event->group_id);
	log_print(stdout, event->type);
	for (i = 0; i < n; i++)
		print_task(&tasks[i]);
	putchar('\n');
	return true;
}

static int
cmd_inbox_list(struct request *request)
{
	if (!request->all)
		request->filter.limit = LISTED;
	if (inbox_list(request->inbox, &request->filter,
	    list_event, request) == -1)
		return inbox_failed(request);
	return EXIT_OK;
}

static void
mask(struct json_object *value)
{
	size_t i, n;

	if (json_object_is_type(value, json_type_array)) {
		n = json_object_array_length(value);
		for (i = 0; i < n; i++)
			mask(json_object_array_get_idx(value, i));
	}
	if (!json_object_is_type(value, json_type_object))
		return;
	json_object_object_foreach(value, key, member) {
		if (strcmp(key, "secret") == 0 || strcmp(key, "token") == 0 ||
		    strcmp(key, "access_token") == 0)
			json_put_text(value, key, "(masked)");
		else
			mask(member);
	}
}

static bool
show_event(void *arg, const struct inbox_event *event,
    const struct inbox_task *tasks, size_t n)
{
	struct json_object *out = event_as_json(event, tasks, n), *object;
	char error[64];
	bool *found = arg;

	if (json_parse(event->object, event->object_len, &object, error,
	    sizeof(error)) == 0)
		mask(object);
	json_put(out, "object", object);
	command_print_json(out, true);
	*found = true;
	return true;
}

static int
no_event(int64_t id)
{
	return report_fail("inbox", "%" PRId64 ": no such event", id);
}

static int
cmd_inbox_show(struct request *request, int64_t id)
{
	bool found = false;

	request->filter = (struct inbox_filter){
		.id = id, .state = INBOX_ANY,
	};
	if (inbox_list(request->inbox, &request->filter,
	    show_event, &found) == -1)
		return inbox_failed(request);
	return found ? EXIT_OK : no_event(id);
}

/*
 * If the whole pool was killed, the tasks that it ran wait again, as the next
 * pool would see to. Errors are ignored: the command that follows meets the
 * same error and reports it.
 */
static void
end_what_is_held(struct request *request)
{
	struct inbox *inbox = request->inbox;
	int lock = pool_lock_out(request->conf->inbox);
	struct inbox_claim claim;

	if (lock == -1)
		return;
	if (inbox_orphaned(inbox, 1, INT32_MAX, &claim) == 1) {
		(void)command_open_log(request->conf);
		(void)inbox_end_orphans(inbox, request->conf);
	}
	close(lock);
}

static int
cmd_inbox_drop(struct request *request, int64_t id)
{
	int dropped = inbox_drop(request->inbox, id);

	if (dropped == -1)
		return inbox_failed(request);
	return dropped > 0 ? EXIT_OK : no_event(id);
}

/* An id of 0 stands for all failed tasks that the options select. */
static int
retry_one(struct request *request, int64_t id)
{
	int tasks;

	request->filter.id = id;
	tasks = inbox_retry(request->inbox, &request->filter);
	if (tasks == -1)
		return inbox_failed(request);
	if (id != 0 && tasks == 0)
		return report_fail("inbox", "%" PRId64 ": no such event, or "
		    "nothing of it failed", id);
	request->retried |= tasks > 0;
	printf("%d handler%s will run again\n", tasks, tasks == 1 ? "" : "s");
	return EXIT_OK;
}

/* Wakes the workers when there may be something new to do; the worst status. */
static int
wake(const struct request *request, int status)
{
	if (inbox_wake(request->inbox) == -1)
		return report_fail("inbox", "%s: start `vkcb work`",
		    request->inbox->error);
	if (request->retried && !pool_is_there(request->conf->inbox))
		printf("no worker is running: the next event starts one, or "
		    "`vkcb work`\n");
	return status;
}

/* The state of tail: what was shown, and what is to be. */
struct tail {
	struct request *request;
	struct inbox_filter next;	/* the events to show */
	int64_t last;			/* the newest event's id; 0: none */
	int64_t received;		/* its time */
	struct buffer open;		/* ids of the unfinished, in order */
};

static bool
cmd_inbox_has_state(const struct inbox_task *tasks, size_t n, int state)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (state == INBOX_ANY || (int)tasks[i].state == state ||
		    (state == INBOX_UNFINISHED && tasks[i].state < INBOX_DONE))
			return true;
	return false;
}

static bool
tail_show(struct tail *tail, const struct inbox_event *event,
    const struct inbox_task *tasks, size_t n)
{
	return !cmd_inbox_has_state(tasks, n, tail->request->filter.state) ||
	    list_event(tail->request, event, tasks, n);
}

static bool
tail_newest(void *arg, const struct inbox_event *event,
    const struct inbox_task *tasks, size_t n)
{
	struct tail *tail = arg;

	(void)tasks;
	(void)n;
	/* The last was dropped, or the inbox replaced: show later events. */
	if (event->id < tail->last) {
		tail->next.after = 0;
		tail->next.since = tail->received + 1;
	}
	tail->last = event->id;
	tail->received = event->received;
	return true;
}

/* A new event may be there already. */
static bool
tail_open(void *arg, const struct inbox_event *event,
    const struct inbox_task *tasks, size_t n)
{
	struct buffer *open = &((struct tail *)arg)->open;
	int64_t last = 0;

	(void)tasks;
	(void)n;
	if (open->len > 0)
		memcpy(&last, open->at + open->len - sizeof(last),
		    sizeof(last));
	if (event->id > last)
		buffer_put(open, &event->id, sizeof(event->id));
	return true;
}

static bool
tail_new(void *arg, const struct inbox_event *event,
    const struct inbox_task *tasks, size_t n)
{
	struct tail *tail = arg;

	if (cmd_inbox_has_state(tasks, n, INBOX_UNFINISHED))
		(void)tail_open(tail, event, NULL, 0);
	if (event->id > tail->last)
		(void)tail_newest(tail, event, NULL, 0);
	return tail_show(tail, event, tasks, n);
}

static bool
tail_ended(void *arg, const struct inbox_event *event,
    const struct inbox_task *tasks, size_t n)
{
	return cmd_inbox_has_state(tasks, n, INBOX_UNFINISHED) ||
	    tail_show(arg, event, tasks, n);
}

/* Shows the events that were unfinished before, and are no more. */
static int
tail_show_ended(struct tail *tail, const struct buffer *before)
{
	const int64_t *ids = (void *)before->at, *open = (void *)tail->open.at;
	const size_t n = before->len / sizeof(*ids);
	const size_t n_open = tail->open.len / sizeof(*open);
	struct inbox_filter one = { .state = INBOX_ANY };
	size_t i, at = 0;

	for (i = 0; i < n; i++) {
		one.id = ids[i];
		while (at < n_open && open[at] < one.id)
			at++;
		if ((at == n_open || open[at] != one.id) && inbox_list(
		    tail->request->inbox, &one, tail_ended, tail) == -1)
			return -1;
	}
	return 0;
}

static int
tail_look_at_open(struct tail *tail)
{
	struct inbox_filter filter = tail->request->filter;
	struct buffer before = tail->open;
	int result;

	filter.state = INBOX_UNFINISHED;
	filter.ids_only = true;
	tail->open = (struct buffer){ .max = before.max };
	result = inbox_list(tail->request->inbox, &filter, tail_open, tail);
	if (result == 0)
		result = tail_show_ended(tail, &before);
	buffer_free(&before);
	return result;
}

static int
tail_look(struct tail *tail)
{
	const struct inbox_filter newest = { .state = INBOX_ANY, .limit = 1 };
	struct inbox *inbox = tail->request->inbox;

	if (inbox_list(inbox, &newest, tail_newest, tail) == -1 ||
	    tail_look_at_open(tail) == -1 ||
	    inbox_list(inbox, &tail->next, tail_new, tail) == -1)
		return inbox_failed(tail->request);
	if (tail->open.failed)
		return report_fail("inbox", "out of memory");
	tail->next = tail->request->filter;
	tail->next.state = INBOX_ANY;
	tail->next.after = tail->last;
	return fflush(stdout);
}

static int
tail(struct request *request)
{
	struct tail tail = { .request = request, .next = request->filter,
	    .open.max = SIZE_MAX / 2 };
	int status;

	tail.next.limit = TAIL_FIRST;
	while ((status = tail_look(&tail)) == EXIT_OK)
		inbox_wait(request->inbox, TAIL_LOOK);
	buffer_free(&tail.open);
	return status == EOF ? EXIT_OK : status;
}

struct verb {
	const char *name;
	int (*run)(struct request *);
	int (*run_one)(struct request *, int64_t id);	/* in its place */
	bool changes;
	const char *options;	/* that it takes */
};

static const struct verb verbs[] = {
	{ "list", .run = cmd_inbox_list,
	    .options = "failed waiting done group type since all json" },
	{ "show", .run_one = cmd_inbox_show, .options = "" },
	{ "retry", .run_one = retry_one, .changes = true,
	    .options = "failed group type since" },
	{ "drop", .run_one = cmd_inbox_drop, .changes = true, .options = "" },
	{ "tail", .run = tail,
	    .options = "failed waiting done group type since all json" },
	{ .name = NULL },
};

/* The time of --since, and the one state of the three. */
static int
read_filter(struct request *request)
{
	static const struct conf_key key = {
		.name = "--since", .type = CONF_TIME, .max = INT64_MAX,
	};
	char right[CONF_RIGHT_MAX];
	int64_t ago;

	if (request->since != NULL) {
		if (!conf_value(&key, request->since, &ago, right))
			return command_misused(&command_inbox, "--since %s: "
			    "expected a time such as 10m, 1h or 2d",
			    request->since);
		request->filter.since = clock_wall_ms() - ago;
	}
	if (request->failed + request->waiting + request->done > 1)
		return command_misused(&command_inbox, "--failed, --waiting, "
		    "--done: one at a time");
	request->filter.state = request->failed ? INBOX_FAILED :
	    request->waiting ? INBOX_WAITING :
	    request->done ? INBOX_DONE : INBOX_ANY;
	return EXIT_OK;
}

/* An option that was given, but for these; NULL: there is none. */
static const char *
given_beside(const struct command_option *option, const char *these)
{
	for (; option->name != NULL; option++)
		if ((option->flag != NULL ? *option->flag :
		    option->text != NULL ? *option->text != NULL :
		    *option->number != 0) &&
		    strstr(these, option->name) == NULL)
			return option->name;
	return NULL;
}

/* Nothing is done before all of what is asked for makes sense. */
static int
check_use(const struct request *request, const struct command_option *options)
{
	const struct verb *verb = request->verb;
	const char *option = given_beside(options, verb->options);
	int64_t id;
	int i;

	if (option != NULL)
		return command_misused(&command_inbox, "%s takes no --%s",
		    verb->name, option);
	if (verb->run_one == NULL && request->n_ids > 0)
		return command_misused(&command_inbox, "%s: unknown argument "
		    "%s", verb->name, request->ids[0]);
	if (verb->run_one == NULL)
		return EXIT_OK;
	if (request->n_ids > 0 && given_beside(options, "") != NULL)
		return command_misused(&command_inbox, "%s: events by their "
		    "ids, or by options", verb->name);
	if (request->n_ids == 0 && !request->failed)
		return command_misused(&command_inbox, "which event? `vkcb "
		    "inbox list` shows their ids");
	for (i = 0; i < request->n_ids; i++)
		if (!number_read(request->ids[i], strlen(request->ids[i]), 1,
		    INT64_MAX, &id))
			return command_misused(&command_inbox, "%s is not an "
			    "event's id", request->ids[i]);
	return EXIT_OK;
}

/* The ids were checked. The worst status. */
static int
run_verb(struct request *request)
{
	const struct verb *verb = request->verb;
	int status = EXIT_OK, i;
	int64_t id;

	if (verb->run != NULL)
		return verb->run(request);
	if (request->n_ids == 0)
		return verb->run_one(request, 0);
	for (i = 0; i < request->n_ids; i++)
		if (!number_read(request->ids[i], strlen(request->ids[i]), 1,
		    INT64_MAX, &id) ||
		    verb->run_one(request, id) != EXIT_OK)
			status = EXIT_ERROR;
	return status;
}

static int
cmd_inbox_run(void *arg, const struct conf *conf, struct inbox *inbox)
{
	struct request *request = arg;

	request->conf = conf;
	request->inbox = inbox;
	if (!request->verb->changes)
		return run_verb(request);
	end_what_is_held(request);
	/* Events behind a dropped one may begin, or no more is waited for. */
	return wake(request, run_verb(request));
}

static int
inbox_command(int argc, char **argv)
{
	struct request request = { .verb = verbs };
	const struct command_option options[] = {
		{ "failed", .flag = &request.failed },
		{ "waiting", .flag = &request.waiting },
		{ "done", .flag = &request.done },
		{ "group", .number = &request.filter.group_id, .min = 1,
		    .max = INT64_MAX, .wanted = "a community's id" },
		{ "type", .text = &request.filter.type },
		{ "since", .text = &request.since },
		{ "all", .flag = &request.all },
		{ "json", .flag = &request.json },
		{ .name = NULL },
	};
	bool named = argc > 1 && argv[1][0] != '-';
	const char *name = named ? argv[1] : "list";

	while (strcmp(request.verb->name, name) != 0)
		if ((++request.verb)->name == NULL)
			return command_misused(&command_inbox, "%s: it is "
			    "list, show, retry, drop or tail", name);
	if (command_options(&command_inbox, options, argc - named,
	    argv + named, argc) != EXIT_OK || read_filter(&request) != EXIT_OK)
		return EXIT_USAGE;
	request.ids = argv + named + optind;
	request.n_ids = argc - named - optind;
	return check_use(&request, options) != EXIT_OK ? EXIT_USAGE :
	    command_with_inbox("inbox", INBOX_WRITE, cmd_inbox_run, &request);
}
