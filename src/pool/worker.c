/*
 * worker.c - one worker: takes a task, runs its handler, records the result.
 *
 * Handlers are not trusted: one may crash, hang or end the process. So each
 * attempt is counted before it begins, a timer kills a handler that takes too
 * long, and the parent ends the task of a worker that died. A result that
 * cannot be written (a full disk) is written again until it can: a task that
 * is done must not be run twice.
 *
 * SIGTERM stays blocked and pending: it asks for a stop, and ends a wait.
 */
#include "pool/private.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "arena.h"
#include "clock.h"
#include "conf/conf.h"
#include "event/catalogue.h"
#include "event/event.h"
#include "inbox/inbox.h"
#include "log.h"

#include "banned.h"

#define TROUBLE_PAUSE 1000
#define PURGE_EVERY 60000
#define LOOK_AGAIN 1000
#define LOOK_UNWATCHED 250	/* without inotify */
#define LINGER 2000		/* an idle worker of an event's stays so long */
#define RETRY_MIN 1000		/* whatever a handler asks for */
#define GIVE_UP(why) \
	(struct inbox_end){ .state = INBOX_FAILED, .reason = (why) }

struct work {
	const struct pool *pool;
	struct conf *conf;
	int number;		/* 1, 2, ... */
	struct inbox *inbox;
	struct arena arena;
	char reason[INBOX_REASON_MAX];	/* why the handler failed or gave up */
	timer_t timer;		/* kills this process */
	int stop;		/* a signalfd, readable when told to stop */
	bool unwatched;		/* there is no inotify, and it was said */
	bool unsure;		/* the last claim failed, but may be there */
	bool leaves;
	enum worker_status status;	/* with which the worker leaves */
	int64_t busy_at;	/* clock_ms(); since then nothing waits */
	int64_t purge_at;	/* clock_ms() */
	struct log_repeat trouble;
};

static bool
is_stopping(void)
{
	sigset_t pending;

	return sigpending(&pending) == 0 && sigismember(&pending, SIGTERM) == 1;
}

/* Returns for how long errors have come, in milliseconds. */
static int64_t
note_trouble(struct work *work, const char *what)
{
	return log_again(&work->trouble, what, work->inbox->error);
}

/* A stop that comes ends the pause. */
static void
pause_for_trouble(struct work *work, const char *what)
{
	struct pollfd stop = { .fd = is_stopping() ? -1 : work->stop,
	    .events = POLLIN };

	if (note_trouble(work, what) <= TROUBLE_MAX ||
	    work->pool->until == WORK_STOPPED) {
		(void)poll(&stop, 1, TROUBLE_PAUSE);
		return;
	}
	work->leaves = true;
	work->status = WORKER_IN_TROUBLE;
}

/* A handler that returns the outcome of a failed call has its reason. */
static void
end_of_result(struct work *work, const struct inbox_claim *claim,
    const struct event *event, const struct event_result *result,
    struct inbox_end *end)
{
	int64_t wait = (int64_t)result->seconds * 1000;
	bool call = result->outcome == event->failed_call.outcome;

	snprintf(work->reason, sizeof(work->reason), "the handler %s%s%s",
	    result->outcome == VKCB_FAIL ? "failed" : "gave up",
	    call ? ": " : "", call ? event->failed_call.words : "");
	*end = (struct inbox_end){ .state = INBOX_DONE, .reason = "" };
	if (result->outcome == VKCB_GIVE_UP)
		*end = GIVE_UP(work->reason);
	else if (result->outcome == VKCB_FAIL)
		inbox_try_again(work->inbox, claim, work->conf, work->reason,
		    -1, end);
	else if (result->outcome == VKCB_RETRY_AFTER)
		inbox_try_again(work->inbox, claim, work->conf,
		    "the handler asked for another time",
		    wait < RETRY_MIN ? RETRY_MIN : wait, end);
	else if (result->outcome == VKCB_REMOVE)
		end->command.remove = true;
	else if (result->outcome == VKCB_SET_VERSION)
		snprintf(end->command.version, sizeof(end->command.version),
		    "%s", result->version);
}

/* SIGKILL also ends what is stopped, blocks signals or called alarm(). */
static void
set_timer(struct work *work, int64_t ms)
{
	struct itimerspec limit = { .it_value.tv_sec = (time_t)(ms / 1000),
	    .it_value.tv_nsec = (long)(ms % 1000) * 1000000 };

	(void)timer_settime(work->timer, 0, &limit, NULL);
}

/*
 * A handler that closed descriptors that are not its own may have closed the
 * inbox's and the log's: the parent records and logs it.
 */
static enum event_status
run_handler(struct work *work, struct event *event, const char *name,
    struct event_result *result)
{
	const struct handler *handler = handlers;
	enum event_status status;

	while (strcmp(handler->name, name) != 0)
		handler++;
	set_timer(work, work->conf->handler_timeout);
	status = event_run(event, handler, result);
	if (!pool_is_open(work->pool))
		_exit(WORKER_FDS_CLOSED);
	set_timer(work, 0);
	return status;
}

static void
run_task(struct work *work, const struct inbox_claim *claim,
    struct inbox_end *end)
{
	const struct inbox_event *stored = &claim->event;
	const struct conf_group *group = conf_group(work->conf,
	    stored->group_id);
	struct envelope envelope;
	struct event_result result;
	struct event event;

	/* The group's token may be in a file that was changed. */
	if (group != NULL && conf_refresh(&work->conf, group))
		group = conf_group(work->conf, stored->group_id);
	envelope_restore(&envelope, stored->type, stored->group_id,
	    stored->event_id, stored->version,
	    (char *)(uintptr_t)stored->object, stored->object_len);
	event_init(&event, &envelope, &work->arena, stored->retry_counter);
	if (group != NULL)
		event_may_call(&event, work->conf, group);
	event.public.attempt = claim->attempt;
	event.public.received = stored->received;
	switch (run_handler(work, &event, claim->handler, &result)) {
	case EVENT_HANDLED:
		end_of_result(work, claim, &event, &result, end);
		break;
	case EVENT_BAD_OBJECT:
		*end = GIVE_UP(EVENT_BAD_OBJECT_WHY);
		break;
	case EVENT_NO_MEMORY:
		inbox_try_again(work->inbox, claim, work->conf,
		    "out of memory", -1, end);
		break;
	}
	event_release(&event);
	arena_reset(&work->arena);
}

/* Tries to record the end until the parent kills. */
static void
work_on(struct work *work, const struct inbox_claim *claim)
{
	struct inbox_end end = { .state = INBOX_WAITING, .untried = true,
	    .reason = "the program was replaced" };

	if (claim->event.damaged)
		end = GIVE_UP(INBOX_DAMAGED);
	else if (!claim->unknown)
		run_task(work, claim, &end);
	else if (!program_is_replaced(&work->pool->program))
		end = GIVE_UP("this program has no such handler");
	while (!work->leaves && pool_is_valid(work->pool) &&
	    inbox_finish(work->inbox, claim, &end) == -1)
		pause_for_trouble(work, "cannot record the result of a task");
	work->busy_at = clock_ms();
}

/* Purging comes in small pieces, with as much time between as they took. */
static void
keep_house(struct work *work)
{
	int64_t start = clock_ms();
	int looked;

	if (inbox_watch_clock(work->inbox) == -1)
		(void)note_trouble(work, "the clock was set");
	if (start < work->purge_at)
		return;
	looked = inbox_purge(work->inbox, inbox_now(work->inbox) -
	    work->conf->keep);
	if (looked == -1)
		(void)note_trouble(work, "cannot forget old events");
	work->purge_at = clock_ms() + (looked > 0 ? clock_ms() - start :
	    PURGE_EVERY);
}

/*
 * The milliseconds to wait, with nothing to do now. Nobody tells an idle pool's
 * worker when others have emptied the inbox.
 */
static int
time_to(const struct work *work, int64_t due)
{
	bool looks = work->pool->until == WORK_IDLE &&
	    (due == 0 || due == INT64_MAX);
	int64_t wait = looks ? LOOK_AGAIN : PURGE_EVERY;

	if (due != 0 && due - inbox_now(work->inbox) < wait)
		wait = due - inbox_now(work->inbox);
	if (work->number == 1 && work->purge_at - clock_ms() < wait)
		wait = work->purge_at - clock_ms();
	if (work->unwatched && wait > LOOK_UNWATCHED)
		wait = LOOK_UNWATCHED;
	return wait > 0 ? (int)wait : 1;
}

static void
wait_for_event(struct work *work, int64_t due)
{
	struct pollfd fds[2] = {
		{ .fd = work->stop, .events = POLLIN },
		{ .fd = inbox_wake_fd(work->inbox), .events = POLLIN },
	};

	if (fds[1].fd == -1 && !work->unwatched && work->number == 1)
		log_msg(LOG_LEVEL_WARNING, "no inotify: workers look for "
		    "events each 250 ms");
	work->unwatched = fds[1].fd == -1;
	(void)poll(fds, 2, time_to(work, due));
	inbox_drain_wakes(work->inbox);
}

static void
be_idle(struct work *work, int64_t due)
{
	enum work_until until = work->pool->until;

	if (inbox_flush(work->inbox) == -1)
		(void)note_trouble(work, "cannot flush the inbox");
	if (due != 0)
		work->busy_at = clock_ms();
	work->leaves = until == WORK_ONCE ||
	    (until == WORK_IDLE && clock_ms() - work->busy_at >= LINGER);
	if (!work->leaves)
		wait_for_event(work, due);
}

/* A task that was claimed, but not flushed, never began. 0, 1, or -1. */
static int
give_back(const struct work *work)
{
	const struct inbox_end end = { .state = INBOX_WAITING, .untried = true,
	    .reason = "the inbox could not be flushed" };
	struct inbox_claim claim;
	int held = inbox_orphaned(work->inbox, work->number, work->number,
	    &claim);

	return held == 1 ? inbox_finish(work->inbox, &claim, &end) : held;
}

static void
work_once(struct work *work)
{
	struct inbox_claim claim;
	int64_t due;
	int result;

	(void)conf_refresh(&work->conf, NULL);
	if (work->number == 1)
		keep_house(work);
	result = work->unsure ? give_back(work) : 0;
	if (result != -1) {
		result = inbox_claim(work->inbox, work->number, handler_names,
		    n_handlers, &claim, &due);
		work->unsure = result == -1;
	}
	if (result != -1)
		work->trouble.since = 0;
	if (result == -1)
		pause_for_trouble(work, "cannot take events");
	else if (result == 0)
		be_idle(work, due);
	else
		work_on(work, &claim);
}

/* Stop signals other than SIGTERM are for the parent: a terminal sends all. */
static int
worker_set_up(struct work *work)
{
	char error[INBOX_ERROR_MAX];
	struct sigevent killed = { .sigev_notify = SIGEV_SIGNAL,
	    .sigev_signo = SIGKILL };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	(void)sigprocmask(SIG_UNBLOCK, &set, NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	work->stop = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (work->stop == -1 ||
	    timer_create(CLOCK_MONOTONIC, &killed, &work->timer) == -1)
		return -1;
	/* The configuration may name another inbox by now. */
	work->inbox = inbox_open(work->pool->inbox, INBOX_CREATE, error);
	if (work->inbox == NULL)
		return -1;
	/* The watch must begin before the first look, see pool.c. */
	(void)inbox_wake_fd(work->inbox);
	return 0;
}

int
worker_run(struct pool *pool, struct conf *conf, int number, pid_t parent)
{
	struct work work = { .pool = pool, .conf = conf, .number = number,
	    .busy_at = clock_ms() };

	pool_begin_worker(pool);
	/* Killed with the parent: the next pool waits for all of this one. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) == -1 || getppid() != parent ||
	    worker_set_up(&work) == -1)
		return WORKER_NOT_BEGUN;
	while (!work.leaves && !is_stopping() && pool_is_valid(pool) &&
	    !program_is_replaced(&pool->program))
		work_once(&work);
	if (work.unsure && pool_is_valid(pool))
		(void)give_back(&work);
	/* The last results, too, must outlast a power cut. */
	if (inbox_flush(work.inbox) == -1)
		(void)note_trouble(&work, "cannot flush the inbox");
	/* Functions that handlers registered for the end must not hang. */
	set_timer(&work, work.conf->handler_timeout);
	inbox_close(work.inbox);
	arena_release(&work.arena);
	conf_free(work.conf);
	return work.status;
}
