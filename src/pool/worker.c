/*
 * worker.c - one worker: takes a task, runs its handler, records the result.
 *
 * Handlers are not trusted: one may crash, hang or end the process. So each
 * attempt is counted before it begins, a timer kills a handler that takes too
 * long, and the parent ends the task of a worker that died. A result that
 * cannot be written (a full disk) is written again until it can: a task that
 * is done must not be run twice.
 *
 * A store that gives errors is asked again each second; meanwhile no handler
 * runs, and a pool that an event started leaves after a while.
 *
 * SIGTERM stays blocked and pending: it asks for a stop, which ends a wait.
 */
#include "pool/worker.h"

#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "arena.h"
#include "clock.h"
#include "conf/conf.h"
#include "event/event.h"
#include "event/handler_table.h"
#include "inbox/inbox.h"
#include "log.h"
#include "pool/pool.h"
#include "pool/program.h"

#include "banned.h"

#define TROUBLE_PAUSE 1000
#define TROUBLE_SAID_EVERY 60000
#define TROUBLE_OVER 10000	/* without another report */
#define TROUBLE_MAX 30000
#define PURGE_EVERY 60000
#define LOOK_AGAIN 1000
#define LOOK_UNWATCHED 250	/* without inotify */
#define LINGER 2000		/* an idle worker of an event's stays so long */
#define RETRY_MIN 1000		/* whatever a handler asks for */
#define CLOCK_SET 2000		/* a jump of the clock that is no drift */

struct work {
	const struct worker *worker;
	struct conf *conf;
	struct inbox *inbox;
	struct arena arena;
	timer_t timer;		/* kills this process */
	int stop;		/* a signalfd, readable when told to stop */
	bool unwatched;		/* said that there is no inotify */
	bool unsure;		/* the last claim failed, but may be there */
	int64_t idle_since;	/* clock_ms(); 0: something waits */
	int64_t purge_at;	/* clock_ms() */
	int64_t clock_offset;	/* of the inbox's clock to clock_ms() */
	struct trouble trouble;
	bool gives_up;		/* since it has lasted too long */
};

bool
trouble_report(struct trouble *trouble, const char *what, const char *why)
{
	int64_t now = clock_ms();

	if (trouble->what != what || now - trouble->said > TROUBLE_SAID_EVERY) {
		trouble->what = what;
		trouble->said = now;
		log_msg(LOG_LEVEL_ERROR, "%s: %s", what, why);
	}
	if (trouble->since == 0 || now - trouble->last > TROUBLE_OVER)
		trouble->since = now;
	trouble->last = now;
	return now - trouble->since <= TROUBLE_MAX;
}

static bool
is_stopping(void)
{
	sigset_t pending;

	return sigpending(&pending) == 0 && sigismember(&pending, SIGTERM) == 1;
}

/* A stop that comes ends the pause. False: leave, it has lasted too long. */
static bool __attribute__((warn_unused_result))
pause_for_trouble(struct work *work, const char *what)
{
	struct pollfd stop = { .fd = is_stopping() ? -1 : work->stop,
	    .events = POLLIN };

	work->gives_up = !trouble_report(&work->trouble, what,
	    work->inbox->error) && (work->worker->once ||
	    work->worker->until_idle);
	if (work->gives_up)
		return false;
	(void)poll(&stop, 1, TROUBLE_PAUSE);
	return true;
}

/* For what can wait until it is tried next. */
static void
note_trouble(struct work *work, const char *what)
{
	(void)!trouble_report(&work->trouble, what, work->inbox->error);
}

void
worker_plan_retry(struct inbox *inbox, const struct conf *conf,
    const struct inbox_claim *claim, const char *reason, int64_t wait,
    struct inbox_end *end)
{
	const struct conf_times *times = &conf->backoff;
	size_t at = (size_t)claim->attempt - 1;

	if (wait == -1)
		wait = times->ms[at < times->n ? at : times->n - 1];
	inbox_try_again(inbox, claim, conf->attempts, reason, wait, end);
}

/* Goes on during a stop, until the parent kills. False: leave. */
static bool __attribute__((warn_unused_result))
write_end(struct work *work, const struct inbox_claim *claim,
    const struct inbox_end *end)
{
	while (pool_is_valid(work->worker->pool)) {
		if (inbox_finish(work->inbox, claim, end) != -1)
			return true;
		if (!pause_for_trouble(work, "cannot record the result of a "
		    "task"))
			return false;
	}
	return true;
}

/* A handler that inbox_claim() was told of. */
static const struct handler *
find_handler(const char *name)
{
	const struct handler *handler;

	for (handler = handlers; strcmp(handler->name, name) != 0; handler++)
		continue;
	return handler;
}

/* The envelope as it was when the event came; the object is ours to change. */
static void
make_envelope(const struct inbox_event *event, struct envelope *envelope)
{
	const char *object = event->object;

	*envelope = (struct envelope){
		.type = { event->type, strlen(event->type) },
		.group_id = event->group_id,
		.event_id = { event->event_id, strlen(event->event_id) },
		.version = { event->version, strlen(event->version) },
		.secret_kind = JSON_ABSENT,
		.object = { .kind = JSON_ABSENT },
	};
	if (event->object_len == 0)
		return;
	envelope->object.at = (char *)(uintptr_t)object;
	envelope->object.len = event->object_len;
	envelope->object.kind = json_kind_of(*object);
}

static void
plan_retry(struct work *work, const struct inbox_claim *claim,
    const char *reason, int64_t wait, struct inbox_end *end)
{
	worker_plan_retry(work->inbox, work->conf, claim, reason, wait, end);
}

static void
end_of_result(struct work *work, const struct inbox_claim *claim,
    const struct event_result *result, struct inbox_end *end)
{
	int64_t wait;

	switch (result->outcome) {
	case VKCB_FAIL:
		plan_retry(work, claim, "the handler failed", -1, end);
		return;
	case VKCB_RETRY_AFTER:
		wait = (int64_t)result->seconds * 1000;
		plan_retry(work, claim, "the handler asked for another time",
		    wait < RETRY_MIN ? RETRY_MIN : wait, end);
		return;
	case VKCB_GIVE_UP:
		inbox_give_up("the handler gave up: the log says why", end);
		return;
	default:
		break;
	}
	*end = (struct inbox_end){ .state = INBOX_DONE, .reason = "" };
	if (result->outcome == VKCB_REMOVE)
		end->command.remove = true;
	else if (result->outcome == VKCB_SET_VERSION)
		snprintf(end->command.version, sizeof(end->command.version),
		    "%s", result->version);
}

/* SIGKILL also ends what is stopped, blocks signals or called alarm(). */
static void
set_timer(struct work *work, int64_t ms)
{
	const struct itimerspec limit = { .it_value = {
		.tv_sec = (time_t)(ms / 1000),
		.tv_nsec = (long)(ms % 1000) * 1000000,
	} };

	(void)timer_settime(work->timer, 0, &limit, NULL);
}

/* As it is now: its token may be in a file that was changed. */
static const struct conf_group *
current_group(struct work *work, int64_t id)
{
	const struct conf_group *group = conf_group(work->conf, id);

	if (group != NULL && conf_refresh(&work->conf, group))
		group = conf_group(work->conf, id);
	return group;
}

/*
 * A handler that closed descriptors that are not its own may have closed the
 * inbox's and the log's: the parent records and logs it.
 */
static enum event_status
run_handler(struct work *work, struct event *event, const char *name,
    struct event_result *result)
{
	enum event_status status;

	set_timer(work, work->conf->handler_timeout);
	status = event_run(event, find_handler(name), result);
	if (!pool_is_open(work->worker->pool))
		_exit(WORKER_FDS_CLOSED);
	set_timer(work, 0);
	return status;
}

static void
run_task(struct work *work, const struct inbox_claim *claim,
    struct inbox_end *end)
{
	const struct conf_group *group = current_group(work,
	    claim->event.group_id);
	struct envelope envelope;
	struct event_result result;
	struct event event;

	make_envelope(&claim->event, &envelope);
	event_init(&event, &envelope, &work->arena,
	    claim->event.retry_counter);
	if (group != NULL)
		event_may_call(&event, work->conf, group);
	event.public.attempt = claim->attempt;
	event.public.received = claim->event.received;
	switch (run_handler(work, &event, claim->handler, &result)) {
	case EVENT_HANDLED:
		end_of_result(work, claim, &result, end);
		break;
	case EVENT_BAD_OBJECT:
		inbox_give_up(EVENT_BAD_OBJECT_WHY, end);
		break;
	case EVENT_NO_MEMORY:
		plan_retry(work, claim, "out of memory", -1, end);
		break;
	}
	event_release(&event);
	arena_reset(&work->arena);
}

/* False: leave. */
static bool
work_on(struct work *work, const struct inbox_claim *claim)
{
	struct inbox_end end;

	if (!claim->unknown)
		run_task(work, claim, &end);
	else if (!program_is_replaced(work->worker->program))
		inbox_give_up("this program has no such handler", &end);
	else
		end = (struct inbox_end){
			.state = INBOX_WAITING,
			.untried = true,
			.reason = "the program was replaced",
		};
	return write_end(work, claim, &end);
}

/* Retries are due by the clock on the wall: they move with it. */
static void
watch_clock(struct work *work)
{
	int64_t offset = inbox_now(work->inbox) - clock_ms();
	int64_t moved = offset - work->clock_offset;

	if (moved > -CLOCK_SET && moved < CLOCK_SET)
		return;
	if (inbox_shift_due(work->inbox, moved) == -1) {
		note_trouble(work, "the clock was set");
		return;
	}
	log_msg(LOG_LEVEL_WARNING, "the clock was set by %" PRId64 " s: "
	    "retries go on as planned", moved / 1000);
	work->clock_offset = offset;
}

/* Purging takes its time in small pieces, as long as work did in between. */
static void
purge(struct work *work)
{
	int64_t start = clock_ms();
	int looked;

	if (start < work->purge_at)
		return;
	looked = inbox_purge(work->inbox, inbox_now(work->inbox) -
	    work->conf->keep);
	if (looked == -1)
		note_trouble(work, "cannot forget old events");
	work->purge_at = clock_ms() + (looked > 0 ? clock_ms() - start :
	    PURGE_EVERY);
}

static int64_t
at_most(int64_t wait, int64_t limit)
{
	return wait == -1 || wait > limit ? limit : wait;
}

/* The milliseconds to wait, with nothing to do now; -1: until it is woken. */
static int
time_to(struct work *work, int64_t due)
{
	int64_t now = clock_ms(), wait = -1;

	if (due != 0 && due != INT64_MAX)
		wait = at_most(due - inbox_now(work->inbox), INT32_MAX);
	/* Nobody tells when other workers have emptied the inbox. */
	if (due == INT64_MAX && work->worker->until_idle)
		wait = LOOK_AGAIN;
	if (work->idle_since != 0)
		wait = at_most(wait, work->idle_since + LINGER - now);
	if (work->worker->number == 1)
		wait = at_most(wait, work->purge_at - now);
	if (work->unwatched)
		wait = at_most(wait, LOOK_UNWATCHED);
	return wait == 0 || wait < -1 ? 1 : (int)wait;
}

static void
wait_for_event(struct work *work, int64_t due)
{
	struct pollfd fds[2] = {
		{ .fd = work->stop, .events = POLLIN },
		{ .fd = inbox_wake_fd(work->inbox), .events = POLLIN },
	};

	if (fds[1].fd == -1 && !work->unwatched && work->worker->number == 1)
		log_msg(LOG_LEVEL_WARNING, "no inotify: workers look for "
		    "events each 250 ms");
	work->unwatched = fds[1].fd == -1;
	(void)poll(fds, 2, time_to(work, due));
	if (fds[1].fd != -1)
		inbox_drain_wakes(work->inbox);
}

/* False: leave. */
static bool
be_idle(struct work *work, int64_t due)
{
	int64_t now = clock_ms();

	if (inbox_flush(work->inbox) == -1)
		note_trouble(work, "cannot flush the inbox");
	if (work->worker->once)
		return false;
	if (due != 0 || !work->worker->until_idle)
		work->idle_since = 0;
	else if (work->idle_since == 0)
		work->idle_since = now;
	else if (now - work->idle_since >= LINGER)
		return false;
	wait_for_event(work, due);
	return true;
}

/* False: leave. */
static bool
work_once(struct work *work)
{
	struct inbox_claim claim;
	int64_t due;
	int result = inbox_claim(work->inbox, work->worker->number,
	    handler_names, n_handlers, &claim, &due);

	work->unsure = result == -1;
	if (work->unsure)
		return pause_for_trouble(work, "cannot take events");
	if (result == 0)
		return be_idle(work, due);
	work->idle_since = 0;
	return work_on(work, &claim);
}

static int
work_until_stopped(struct work *work)
{
	const struct worker *worker = work->worker;

	while (!is_stopping() && pool_is_valid(worker->pool) &&
	    !program_is_replaced(worker->program)) {
		(void)conf_refresh(&work->conf, NULL);
		if (worker->number == 1) {
			watch_clock(work);
			purge(work);
		}
		if (!work_once(work))
			break;
	}
	return work->gives_up ? WORKER_IN_TROUBLE : WORKER_LEFT;
}

/* A task that was claimed, but not flushed, never began. */
static void
give_back(struct work *work)
{
	const struct inbox_end end = {
		.state = INBOX_WAITING,
		.untried = true,
		.reason = "the inbox could not be flushed",
	};
	struct inbox_claim claim;
	int number = work->worker->number;

	if (work->unsure && pool_is_valid(work->worker->pool) &&
	    inbox_orphaned(work->inbox, number, number, &claim) == 1)
		(void)inbox_finish(work->inbox, &claim, &end);
}

/* Stop signals other than SIGTERM are for the parent: a terminal sends all. */
static int
set_signals(struct work *work)
{
	struct sigevent killed = { .sigev_notify = SIGEV_SIGNAL,
	    .sigev_signo = SIGKILL };
	sigset_t stop;

	sigemptyset(&stop);
	sigaddset(&stop, SIGCHLD);
	(void)sigprocmask(SIG_UNBLOCK, &stop, NULL);
	sigemptyset(&stop);
	sigaddset(&stop, SIGTERM);
	work->stop = signalfd(-1, &stop, SFD_CLOEXEC | SFD_NONBLOCK);
	return work->stop == -1 ? -1 :
	    timer_create(CLOCK_MONOTONIC, &killed, &work->timer);
}

static int
worker_set_up(struct work *work)
{
	char error[INBOX_ERROR_MAX] = "out of memory, or of signals";

	if (set_signals(work) == 0)
		/* The configuration may name another inbox by now. */
		work->inbox = inbox_open(work->worker->pool->inbox, true,
		    error);
	if (work->inbox == NULL) {
		log_msg(LOG_LEVEL_ERROR, "%s", error);
		return -1;
	}
	/* Before it looks for the first time. */
	(void)inbox_wake_fd(work->inbox);
	arena_init(&work->arena);
	work->clock_offset = inbox_now(work->inbox) - clock_ms();
	return 0;
}

int
worker_run(const struct worker *worker)
{
	struct work work = { .worker = worker, .conf = worker->conf };
	int status;

	pool_begin_worker(worker->pool);
	/* Killed with the parent: the next pool waits for all of this one. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) == -1 ||
	    getppid() != worker->parent || worker_set_up(&work) == -1)
		return WORKER_FAILED;
	status = work_until_stopped(&work);
	give_back(&work);
	/* What was done last, too, outlasts a power cut. */
	if (inbox_flush(work.inbox) == -1)
		note_trouble(&work, "cannot flush the inbox");
	/* Functions that handlers registered for the end must not hang. */
	set_timer(&work, work.conf->handler_timeout);
	inbox_close(work.inbox);
	arena_release(&work.arena);
	conf_free(work.conf);
	return status;
}
