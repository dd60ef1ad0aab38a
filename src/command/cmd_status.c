/*
 * cmd_status.c - `vkcb status`: how the inbox does, at a glance, as JSON, or
 * for Prometheus.
 *
 * Percentiles come from histograms: they are the upper bounds of buckets.
 */
#include "command/command.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <json-c/json.h>

#include "clock.h"
#include "conf/conf.h"
#include "pool/pool.h"
#include "inbox/inbox.h"
#include "json/tree.h"

#include "banned.h"

static int status(int, char **);

const struct command command_status = {
	.name = "status",
	.args = "[--json|--prometheus]",
	.summary = "counts, ages, latencies and failures of the inbox",
	.help =
	    "--json        one JSON object; times are milliseconds\n"
	    "--prometheus  metrics in Prometheus' text format\n",
	.run = status,
};

struct report {
	const char *inbox;
	bool workers;		/* some are there */
	struct inbox_status now;
};

static const double shares[] = { 0.5, 0.95, 0.99 };

#define N_SHARES (sizeof(shares) / sizeof(shares[0]))

/* 5ms, 2s, 10m: one number, one unit. */
static void
show_time(int64_t ms, char *out, size_t size)
{
	if (ms < 0)
		snprintf(out, size, "-");
	else if (ms == INT64_MAX)
		snprintf(out, size, "hours");
	else if (ms < 1000)
		snprintf(out, size, "%" PRId64 "ms", ms);
	else if (ms < 120 * 1000)
		snprintf(out, size, "%" PRId64 "s", ms / 1000);
	else if (ms < 120 * 60 * 1000)
		snprintf(out, size, "%" PRId64 "m", ms / 60000);
	else
		snprintf(out, size, "%" PRId64 "h", ms / 3600000);
}

static int64_t
age(const struct inbox_status *now)
{
	int64_t ms = clock_wall_ms() - now->oldest;

	return now->oldest == 0 || ms < 0 ? 0 : ms;
}

static void
print_handler(const struct inbox_handler_status *handler)
{
	const struct inbox_histogram *histograms[] = {
		&handler->wait, &handler->run,
	};
	char time[24];
	size_t i, j;

	printf("  %-18s %8" PRId64 " %7" PRId64 " %7" PRId64 "  ",
	    handler->name, handler->done, handler->failed, handler->parked);
	for (i = 0; i < 2; i++)
		for (j = 0; j < N_SHARES; j++) {
			show_time(inbox_percentile(histograms[i], shares[j]),
			    time, sizeof(time));
			printf(" %6s", time);
		}
	putchar('\n');
}

static void
print_rate(const char *name, const int64_t rate[2])
{
	printf("  %-8s %8" PRId64 " in the last minute, %" PRId64 " in the "
	    "last hour\n", name, rate[0], rate[1]);
}

static void
print_terminal(const struct report *report)
{
	const struct inbox_status *now = &report->now;
	char oldest[24];
	size_t i;

	show_time(age(now), oldest, sizeof(oldest));
	printf("inbox %s, %.1f MB; workers: %s\n", report->inbox,
	    (double)now->bytes / 1e6, report->workers ? "there" :
	    "none, the next event starts some");
	printf("  waiting  %8" PRId64, now->waiting);
	if (now->retrying > 0)
		printf(", %" PRId64 " of them for another attempt",
		    now->retrying);
	if (now->oldest != 0)
		printf(", the oldest for %s", oldest);
	printf("\n  running  %8" PRId64 "\n", now->running);
	printf("  parked   %8" PRId64 "%s\n", now->parked, now->parked > 0 ?
	    "  (vkcb inbox list --failed)" : "");
	print_rate("stored", now->stored_rate);
	print_rate("done", now->done_rate);
	print_rate("failed", now->failed_rate);
	if (now->n_handlers == 0)
		return;
	printf("%50sto start 50/95/99%%      to end 50/95/99%%\n", "");
	printf("  %-18s %8s %7s %7s\n", "handler", "done", "failed",
	    "parked");
	for (i = 0; i < now->n_handlers; i++)
		print_handler(&now->handlers[i]);
}

static void
add_int(struct json_object *to, const char *key, int64_t value)
{
	json_put(to, key, json_object_new_int64(value));
}

static struct json_object *
rate_as_json(const int64_t rate[2])
{
	struct json_object *out = json_object_new_object();

	add_int(out, "minute", rate[0]);
	add_int(out, "hour", rate[1]);
	return out;
}

static struct json_object *
times_as_json(const struct inbox_histogram *histogram)
{
	static const char *const names[N_SHARES] = { "p50", "p95", "p99" };
	struct json_object *out = json_object_new_object();
	int64_t ms;
	size_t i;

	for (i = 0; i < N_SHARES; i++) {
		ms = inbox_percentile(histogram, shares[i]);
		json_put(out, names[i], ms < 0 || ms == INT64_MAX ? NULL :
		    json_object_new_int64(ms));
	}
	return out;
}

static struct json_object *
handler_as_json(const struct inbox_handler_status *handler)
{
	struct json_object *out = json_object_new_object();

	add_int(out, "done", handler->done);
	add_int(out, "failed_attempts", handler->failed);
	add_int(out, "parked", handler->parked);
	json_put(out, "to_start_ms", times_as_json(&handler->wait));
	json_put(out, "to_end_ms", times_as_json(&handler->run));
	return out;
}

static void
print_json(const struct report *report)
{
	const struct inbox_status *now = &report->now;
	struct json_object *out = json_object_new_object();
	struct json_object *rows = json_object_new_object();
	size_t i;

	add_int(out, "waiting", now->waiting);
	add_int(out, "retrying", now->retrying);
	add_int(out, "running", now->running);
	add_int(out, "parked", now->parked);
	add_int(out, "oldest_waiting_ms", age(now));
	add_int(out, "bytes", now->bytes);
	json_put(out, "workers", json_object_new_boolean(report->workers));
	json_put(out, "stored", rate_as_json(now->stored_rate));
	json_put(out, "done", rate_as_json(now->done_rate));
	json_put(out, "failed", rate_as_json(now->failed_rate));
	for (i = 0; i < now->n_handlers; i++)
		json_put(rows, now->handlers[i].name,
		    handler_as_json(&now->handlers[i]));
	json_put(out, "handlers", rows);
	command_print_json(out, JSON_C_TO_STRING_PLAIN);
}

static void
print_metric(const char *name, const char *type, const char *help)
{
	printf("# HELP vkcb_%s %s\n# TYPE vkcb_%s %s\n", name, help, name,
	    type);
}

static void
print_gauge(const char *name, const char *help, int64_t value)
{
	print_metric(name, "gauge", help);
	printf("vkcb_%s %" PRId64 "\n", name, value);
}

static void
print_counters(const struct inbox_status *now)
{
	size_t i;

	print_metric("handler_done_total", "counter",
	    "Events that the handler is done with.");
	for (i = 0; i < now->n_handlers; i++)
		printf("vkcb_handler_done_total{handler=\"%s\"} %" PRId64 "\n",
		    now->handlers[i].name, now->handlers[i].done);
	print_metric("handler_failed_attempts_total", "counter",
	    "Attempts of the handler that failed.");
	for (i = 0; i < now->n_handlers; i++)
		printf("vkcb_handler_failed_attempts_total{handler=\"%s\"} %"
		    PRId64 "\n", now->handlers[i].name,
		    now->handlers[i].failed);
	print_metric("handler_parked_total", "counter",
	    "Events that were given up on for the handler.");
	for (i = 0; i < now->n_handlers; i++)
		printf("vkcb_handler_parked_total{handler=\"%s\"} %" PRId64
		    "\n", now->handlers[i].name, now->handlers[i].parked);
}

static void
print_histogram(const char *name, const char *handler,
    const struct inbox_histogram *histogram)
{
	int64_t sum = 0;
	int i;

	for (i = 0; i < INBOX_BUCKETS; i++) {
		sum += histogram->n[i];
		printf("vkcb_%s_bucket{handler=\"%s\",le=\"", name, handler);
		if (i == INBOX_BUCKETS - 1)
			printf("+Inf");
		else
			printf("%g", (double)inbox_bucket_end(i) / 1000);
		printf("\"} %" PRId64 "\n", sum);
	}
	printf("vkcb_%s_sum{handler=\"%s\"} %.3f\n", name, handler,
	    (double)histogram->sum / 1000);
	printf("vkcb_%s_count{handler=\"%s\"} %" PRId64 "\n", name, handler,
	    sum);
}

/* Names of handlers are names of files: letters, digits, - and _. */
static void
print_prometheus(const struct report *report)
{
	const struct inbox_status *now = &report->now;
	size_t i;

	print_gauge("inbox_waiting_events", "Events with a handler that is "
	    "still to run.", now->waiting);
	print_gauge("inbox_retrying_events", "Waiting events whose time for "
	    "another attempt is to come.", now->retrying);
	print_gauge("inbox_running_events", "Events that a handler runs for.",
	    now->running);
	print_gauge("inbox_parked_tasks", "Handlers of events that were given "
	    "up.", now->parked);
	print_metric("inbox_oldest_waiting_seconds", "gauge",
	    "Age of the oldest event that waits.");
	printf("vkcb_inbox_oldest_waiting_seconds %g\n",
	    (double)age(now) / 1000);
	print_gauge("inbox_size_bytes", "What the inbox takes on disk.",
	    now->bytes);
	print_gauge("workers_up", "Whether workers are running.",
	    report->workers);
	print_counters(now);
	print_metric("handler_wait_seconds", "histogram",
	    "From an event's arrival to the handler's first start.");
	for (i = 0; i < now->n_handlers; i++)
		print_histogram("handler_wait_seconds", now->handlers[i].name,
		    &now->handlers[i].wait);
	print_metric("handler_run_seconds", "histogram",
	    "From the handler's start to its success.");
	for (i = 0; i < now->n_handlers; i++)
		print_histogram("handler_run_seconds", now->handlers[i].name,
		    &now->handlers[i].run);
}

typedef void print_fn(const struct report *);

static int
cmd_status_look(const char *path, print_fn *print)
{
	struct report report = { .inbox = path };
	char error[INBOX_ERROR_MAX];
	struct inbox *inbox = inbox_open(path, INBOX_READ, error);
	int result = EXIT_OK;

	if (inbox == NULL)
		return report_fail("status", "%s", error);
	if (inbox_status(inbox, &report.now) == -1) {
		result = report_fail("status", "%s", inbox->error);
	} else {
		report.workers = pool_is_there(path);
		print(&report);
		inbox_status_free(&report.now);
	}
	inbox_close(inbox);
	return result;
}

static int
status(int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "prometheus", no_argument, NULL, 'p' },
		{ NULL, 0, NULL, 0 },
	};
	print_fn *print = print_terminal;
	struct conf *conf;
	int option, result;

	opterr = 0;
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == '?')
			return command_misused(&command_status,
			    "unknown option %s", argv[optind - 1]);
		print = option == 'j' ? print_json : print_prometheus;
	}
	if (optind < argc)
		return command_misused(&command_status, "unknown argument %s",
		    argv[optind]);
	conf = command_configure_inbox("status");
	if (conf == NULL)
		return EXIT_ERROR;
	result = cmd_status_look(conf->inbox, print);
	conf_free(conf);
	return result;
}
