/*
 * loadtest.c - a small load: processes that repeat a job, and a summary.
 *
 * A process that dies counts the jobs it did not do as failed.
 */
#include "command/loadtest.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "command/command.h"

#include "banned.h"

#define BAR_WIDTH 40

/* What a process tells of one job, in one write to the pipe. */
struct told {
	int status;
	double ms;
};

static void
loadtest_work(int out, int first, int step, int count, loadtest_fn *job,
    void *arg)
{
	struct told told;
	int nth;

	for (nth = first; nth < count; nth += step) {
		told = (struct told){ .ms = 0 };
		/* From 1 on: each job makes an event_id of its own. */
		told.status = job(arg, nth + 1, &told.ms);
		if (write(out, &told, sizeof(told)) != sizeof(told))
			break;
	}
	fflush(stdout);
	_exit(0);
}

static void
loadtest_show_progress(int done, int count)
{
	static int shown = -1;
	int filled = (int)((long long)done * BAR_WIDTH / count);

	if (!isatty(STDERR_FILENO) || (filled == shown && done < count))
		return;
	shown = filled;
	fprintf(stderr, "\r[%.*s%*s] %d/%d%s", filled,
	    "########################################", BAR_WIDTH - filled,
	    "", done, count, done == count ? "\n" : "");
}

static int
by_size(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;

	return (left > right) - (left < right);
}

static double
percentile(const double *sorted, int n, int p)
{
	return sorted[((long long)n * p + 99) / 100 - 1];
}

static void
summarize(double *ms, int good, int count, double seconds)
{
	printf("%d of %d answered ok in %.2f s: %.0f a second\n", good, count,
	    seconds, count / (seconds > 0 ? seconds : 1));
	if (good == 0)
		return;
	qsort(ms, (size_t)good, sizeof(*ms), by_size);
	printf("milliseconds: p50 %.2f, p90 %.2f, p99 %.2f, slowest %.2f\n",
	    percentile(ms, good, 50), percentile(ms, good, 90),
	    percentile(ms, good, 99), ms[good - 1]);
}

static bool
read_told(int in, struct told *told)
{
	ssize_t got;

	do
		got = read(in, told, sizeof(*told));
	while (got == -1 && errno == EINTR);
	return got == sizeof(*told);
}

static int
gather(int in, int count, double *ms)
{
	int64_t start = clock_us();
	struct told told;
	int done = 0, good = 0;

	while (done < count && read_told(in, &told)) {
		if (told.status == EXIT_OK)
			ms[good++] = told.ms;
		loadtest_show_progress(++done, count);
	}
	summarize(ms, good, count, (double)(clock_us() - start) / 1e6);
	return good == count ? EXIT_OK : EXIT_ERROR;
}

int
loadtest_run(int count, int parallel, loadtest_fn *job, void *arg)
{
	double *ms = calloc((size_t)count, sizeof(*ms));
	int ends[2], i, status = EXIT_ERROR;
	pid_t pid;

	if (ms == NULL || pipe(ends) == -1) {
		free(ms);
		return report_fail("load", "%s", strerror(errno));
	}
	fflush(stdout);
	for (i = 0; i < parallel; i++) {
		pid = fork();
		if (pid == 0) {
			close(ends[0]);
			loadtest_work(ends[1], i, parallel, count, job, arg);
		}
		if (pid == -1)
			report_fail("load", "fork: %s", strerror(errno));
	}
	close(ends[1]);
	status = gather(ends[0], count, ms);
	close(ends[0]);
	while (wait(NULL) > 0)
		;
	free(ms);
	return status;
}
