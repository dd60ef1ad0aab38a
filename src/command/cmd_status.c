/*
 * cmd_status.c - `vkcb status`: how the inbox does, at a glance, as JSON, or
 * for Prometheus.
 *
 * Percentiles come from histograms: they are the upper bounds of buckets.
 */
#include "command/command.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
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

typedef void print_fn(const struct report *);

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
	const struct inbox_histogram *histogram;
	char time[24];
	size_t i;

	printf("  %-18s %8" PRId64 " %7" PRId64 " %7" PRId64 "  ",
	    handler->name, handler->done, handler->failed, handler->parked);
	for (i = 0; i < 2 * N_SHARES; i++) {
		histogram = i < N_SHARES ? &handler->wait : &handler->run;
		show_time(inbox_percentile(histogram, shares[i % N_SHARES]),
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
	    (double)now->bytes / 1e6, report->workers ? "running" :
	    "not running, the next event starts some");
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

/* Counts, as members in JSON and as metrics. */
struct count {
	const char *name;
	size_t offset;		/* of an int64_t in what is counted */
	const char *metric;
	const char *help;
};

#define OF_INBOX(field) #field, offsetof(struct inbox_status, field)
static const struct count counts[] = {
	{ OF_INBOX(waiting), "inbox_waiting_events",
	    "Events with a handler that is still to run." },
	{ OF_INBOX(retrying), "inbox_retrying_events",
	    "Waiting events whose time for another attempt is to come." },
	{ OF_INBOX(running), "inbox_running_events",
	    "Events that a handler runs for." },
	{ OF_INBOX(parked), "inbox_parked_tasks",
	    "Handlers of events that were given up." },
	{ OF_INBOX(bytes), "inbox_size_bytes",
	    "What the inbox takes on disk." },
	{ .name = NULL },
};

#define OF_HANDLER(field) offsetof(struct inbox_handler_status, field)
static const struct count handler_counts[] = {
	{ "done", OF_HANDLER(done), "handler_done_total",
	    "Events that the handler is done with." },
	{ "failed_attempts", OF_HANDLER(failed),
	    "handler_failed_attempts_total",
	    "Attempts of the handler that failed." },
	{ "parked", OF_HANDLER(parked), "handler_parked_total",
	    "Events that were given up on for the handler." },
	{ .name = NULL },
};

static int64_t
count_of(const struct count *count, const void *counted)
{
	return *(const int64_t *)(const void *)
	    ((const char *)counted + count->offset);
}

static struct json_object *
counts_as_json(const struct count *count, const void *counted)
{
	struct json_object *out = json_object_new_object();

	for (; count->name != NULL; count++)
		json_put_int(out, count->name, count_of(count, counted));
	return out;
}

static void
add_rate(struct json_object *to, const char *key, const int64_t rate[2])
{
	struct json_object *out = json_object_new_object();

	json_put_int(out, "minute", rate[0]);
	json_put_int(out, "hour", rate[1]);
	json_put(to, key, out);
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

static void
print_json(const struct report *report)
{
	const struct inbox_status *now = &report->now;
	struct json_object *out = counts_as_json(counts, now), *one;
	struct json_object *rows = json_object_new_object();
	size_t i;

	json_put_int(out, "oldest_waiting_ms", age(now));
	json_put(out, "workers", json_object_new_boolean(report->workers));
	add_rate(out, "stored", now->stored_rate);
	add_rate(out, "done", now->done_rate);
	add_rate(out, "failed", now->failed_rate);
	for (i = 0; i < now->n_handlers; i++) {
		one = counts_as_json(handler_counts, &now->handlers[i]);
		json_put(one, "to_start_ms",
		    times_as_json(&now->handlers[i].wait));
		json_put(one, "to_end_ms",
		    times_as_json(&now->handlers[i].run));
		json_put(rows, now->handlers[i].name, one);
	}
	json_put(out, "handlers", rows);
	command_print_json(out, false);
}

static void
print_metric(const char *name, const char *type, const char *help)
{
	printf("# HELP vkcb_%s %s\n# TYPE vkcb_%s %s\n", name, help, name,
	    type);
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

static void
print_histograms(const struct inbox_status *now, const char *name,
    const char *help, size_t offset)
{
	size_t i;

	print_metric(name, "histogram", help);
	for (i = 0; i < now->n_handlers; i++)
		print_histogram(name, now->handlers[i].name,
		    (const void *)((const char *)&now->handlers[i] + offset));
}

/* Names of handlers are names of files: letters, digits, - and _. */
static void
print_prometheus(const struct report *report)
{
	const struct inbox_status *now = &report->now;
	const struct count *count;
	size_t i;

	for (count = counts; count->name != NULL; count++) {
		print_metric(count->metric, "gauge", count->help);
		printf("vkcb_%s %" PRId64 "\n", count->metric,
		    count_of(count, now));
	}
	print_metric("inbox_oldest_waiting_seconds", "gauge",
	    "Age of the oldest event that waits.");
	printf("vkcb_inbox_oldest_waiting_seconds %g\n",
	    (double)age(now) / 1000);
	print_metric("workers_up", "gauge", "Whether workers are running.");
	printf("vkcb_workers_up %d\n", report->workers);
	for (count = handler_counts; count->name != NULL; count++) {
		print_metric(count->metric, "counter", count->help);
		for (i = 0; i < now->n_handlers; i++)
			printf("vkcb_%s{handler=\"%s\"} %" PRId64 "\n",
			    count->metric, now->handlers[i].name,
			    count_of(count, &now->handlers[i]));
	}
	print_histograms(now, "handler_wait_seconds", "From an event's arrival "
	    "to the handler's first start.", OF_HANDLER(wait));
	print_histograms(now, "handler_run_seconds", "From the handler's start "
	    "to its success.", OF_HANDLER(run));
}

static int
cmd_status_look(void *print, const struct conf *conf, struct inbox *inbox)
{
	struct report report = { .inbox = conf->inbox };

	if (inbox_status(inbox, &report.now) == -1)
		return report_fail("status", "%s", inbox->error);
	report.workers = pool_is_there(conf->inbox);
	(*(print_fn **)print)(&report);
	free(report.now.handlers);
	return EXIT_OK;
}

static int
status(int argc, char **argv)
{
	bool json = false, prometheus = false;
	const struct command_option options[] = {
		{ "json", .flag = &json },
		{ "prometheus", .flag = &prometheus },
		{ .name = NULL },
	};
	print_fn *print;

	if (command_options(&command_status, options, argc, argv, 0) != EXIT_OK)
		return EXIT_USAGE;
	print = prometheus ? print_prometheus : json ? print_json :
	    print_terminal;
	return command_with_inbox("status", INBOX_READ, cmd_status_look,
	    &print);
}
