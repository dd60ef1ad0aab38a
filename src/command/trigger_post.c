/*
 * trigger_post.c - posts events as VK would: one, or a small load by several
 * processes.
 *
 * A process that dies counts the events it did not post as failed.
 */
#include "command/trigger.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <json-c/json.h>

#include "clock.h"
#include "command/command.h"
#include "conf/conf.h"
#include "conf/keys.h"
#include "json/tree.h"
#include "vk/http_post.h"

#include "banned.h"

#define ANSWER_SHOWN ((size_t)200)

/* The configured string, or, if setup stores it elsewhere, one like VK's. */
static bool
confirms(const struct trigger *trigger, const char *body)
{
	const struct conf_group *group = trigger_group(trigger);

	/* A group of no file, on line 0, was made up for `trigger`. */
	if (group != NULL && group->line != 0 && group->confirmation != NULL &&
	    !group->confirmation_from_keys_file)
		return strcmp(body, group->confirmation) == 0;
	return keys_is_confirmation(body);
}

/* Why VK would refuse an answer of status 200; NULL: it would not. */
static const char *
find_fault(const struct trigger *trigger,
    const struct http_post_response *answer)
{
	bool confirmation = strcmp(json_get_string(trigger->body, "type"),
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

int
trigger_post(struct trigger *trigger)
{
	double ms;

	return trigger->count == 1 ? post_one(trigger, 0, &ms) :
	    post_load(trigger);
}
