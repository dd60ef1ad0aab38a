/*
 * inbox.c - what all backends of the inbox share: opening, ends, times, names.
 *
 * Out of memory is an error like any other.
 */
#include "inbox/backend.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "conf/conf.h"
#include "log.h"
#include "owner.h"
#include "inbox/sqlite.h"

#include "banned.h"

#define CLOCK_SET 2000		/* a jump of the clock that is no drift */

int
inbox_check(const char *where, char error[INBOX_ERROR_MAX])
{
	_Static_assert(OWNER_ERROR_MAX <= INBOX_ERROR_MAX, "room for words");

	return sqlite_load(error, INBOX_ERROR_MAX) == NULL ? -1 :
	    owner_check_folder(where, error);
}

void
inbox_close(struct inbox *inbox)
{
	if (inbox != NULL)
		inbox->backend->close(inbox);
}

int64_t
inbox_now(struct inbox *inbox)
{
	return inbox->clock();
}

#define CALL(name, parameters, arguments) \
int \
inbox_##name parameters \
{ \
	return inbox->backend->name arguments; \
}
INBOX_CALLS
#undef CALL

void
inbox_drain_wakes(struct inbox *inbox)
{
	inbox->backend->drain_wakes(inbox);
}

int
inbox_claim(struct inbox *inbox, int worker, const char *const *names,
    size_t n_names, struct inbox_claim *claim, int64_t *due)
{
	int result = inbox->backend->claim(inbox, worker, claim, due);
	size_t i = 0;

	if (result != 1)
		return result;
	while (i < n_names && strcmp(names[i], claim->handler) != 0)
		i++;
	claim->unknown = i == n_names;
	return 1;
}

/* After the end was written: the same end may be tried again and again. */
static void
log_end_of(struct inbox *inbox, const struct inbox_claim *claim,
    const struct inbox_end *end)
{
	struct log_line line;
	bool parked = end->state == INBOX_FAILED;

	log_begin(&line, parked ? LOG_LEVEL_ERROR : LOG_LEVEL_WARNING, parked ?
	    "parked: see vkcb inbox list --failed" : "will be tried again");
	log_int(&line, "group", claim->event.group_id);
	log_text(&line, "event", claim->event.type);
	log_int(&line, "inbox", claim->event.id);
	log_text(&line, "handler", claim->handler);
	log_int(&line, "attempt", claim->attempt);
	log_text(&line, "reason", end->reason);
	if (!parked)
		log_int(&line, "seconds", (end->due - inbox_now(inbox) + 500) /
		    1000);
	log_end(&line);
}

int
inbox_finish(struct inbox *inbox, const struct inbox_claim *claim,
    const struct inbox_end *end)
{
	int result = inbox->backend->finish(inbox, claim, end);

	if (result == 1 && end->state != INBOX_DONE && !end->untried)
		log_end_of(inbox, claim, end);
	return result;
}

/* Retries are due by the wall clock: those set before it was set move. */
int
inbox_watch_clock(struct inbox *inbox)
{
	int64_t watched = clock_ms(), offset = inbox_now(inbox) - watched;
	int64_t moved;

	if (inbox->clock_offset == 0)
		inbox->clock_offset = offset;
	moved = offset - inbox->clock_offset;
	if (moved <= -CLOCK_SET || moved >= CLOCK_SET) {
		if (inbox->backend->shift_due(inbox, moved,
		    inbox->clock_watched + offset) == -1)
			return -1;
		log_msg(LOG_LEVEL_WARNING, "the clock was set by %" PRId64
		    " s: retries go on as planned", moved / 1000);
		inbox->clock_offset = offset;
	}
	inbox->clock_watched = watched;
	return 0;
}

void
inbox_wait(struct inbox *inbox, int milliseconds)
{
	struct pollfd fd = { .fd = inbox_wake_fd(inbox), .events = POLLIN };

	(void)poll(&fd, 1, milliseconds);
	inbox_drain_wakes(inbox);
}

void
inbox_try_again(struct inbox *inbox, const struct inbox_claim *claim,
    const struct conf *conf, const char *reason, int64_t wait,
    struct inbox_end *end)
{
	const struct conf_times *times = &conf->backoff;
	size_t at = (size_t)claim->attempt - 1;

	if (wait == -1)
		wait = times->ms[at < times->n ? at : times->n - 1];
	*end = (struct inbox_end){
		.state = claim->event.damaged ||
		    claim->attempt >= conf->attempts ? INBOX_FAILED :
		    INBOX_WAITING,
		.due = inbox_now(inbox) + wait,
		.reason = claim->event.damaged ? INBOX_DAMAGED : reason,
	};
}

int
inbox_end_orphans(struct inbox *inbox, const struct conf *conf)
{
	struct inbox_claim claim;
	struct inbox_end end;
	int held, ended;

	while ((held = inbox_orphaned(inbox, 1, INT32_MAX, &claim)) == 1) {
		inbox_try_again(inbox, &claim, conf,
		    "the workers were killed", 0, &end);
		ended = inbox_finish(inbox, &claim, &end);
		if (ended == 0)
			snprintf(inbox->error, INBOX_ERROR_MAX, "event %" PRId64
			    " cannot be ended: the file is damaged",
			    claim.event.id);
		if (ended != 1)
			return -1;
	}
	return held;
}

int64_t
inbox_bucket_end(int bucket)
{
	static const int64_t ends[INBOX_BUCKETS] = {
		1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000,
		20000, 50000, 100000, 200000, 500000, 1000000, 2000000,
		5000000, INT64_MAX,
	};

	return ends[bucket];
}

int
inbox_bucket(int64_t milliseconds)
{
	int bucket = 0;

	while (milliseconds > inbox_bucket_end(bucket))
		bucket++;
	return bucket;
}

int64_t
inbox_percentile(const struct inbox_histogram *histogram, double share)
{
	int64_t all = 0, sum = 0;
	int i;

	for (i = 0; i < INBOX_BUCKETS; i++)
		all += histogram->n[i];
	for (i = 0; all > 0 && i < INBOX_BUCKETS - 1; i++) {
		sum += histogram->n[i];
		if ((double)sum >= (double)all * share)
			break;
	}
	return all > 0 ? inbox_bucket_end(i) : -1;
}
