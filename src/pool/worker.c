/*
 * worker.c - one worker: takes a task, runs its handler, says how it ended.
 *
 * Handlers are not trusted: one may crash, hang or end the process. So each
 * attempt is counted before it begins, and what this process leaves unfinished
 * is ended by the one that replaces it, with the reason the parent found out.
 * An end that cannot be written (a full disk) is tried again until it can: what
 * is done must not be done twice.
 *
 * A store that gives errors is asked again each second; meanwhile no handler
 * runs, and who is no service leaves after a while.
 *
 * It leaves when the parent says so, by SIGTERM, which arrives only while it
 * waits. Other stop signals are for the parent.
 */
#include "pool/worker.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "arena.h"
#include "clock.h"
#include "conf/conf.h"
#include "event/event.h"
#include "pool/pool.h"
#include "event/handler_table.h"
#include "inbox/inbox.h"
#include "log.h"
#include "pool/program.h"
#include "stop.h"

#include "banned.h"

#define TROUBLE_PAUSE 1000
#define TROUBLE_SAID_EVERY 60000
#define TROUBLE_MAX 30000	/* then only a service goes on */
#define PURGE_EVERY 60000
#define LOOK_AGAIN 1000
#define RETRY_MIN 1000		/* whatever a handler asks for */
#define CLOCK_SET 2000		/* a jump of the clock that is no drift */

struct work {
	struct worker *worker;
	struct worker_slot *slot;
	struct conf *conf;
	struct inbox *inbox;
	const char **names;	/* of the handlers */
	size_t n_names;
	struct arena arena;
	sigset_t waiting;	/* the signal mask while it waits */
	bool slept;		/* others may sleep still */
	bool unsure;		/* the last claim failed, but may be there */
	int64_t purge_at;	/* clock_ms() */
	int64_t clock_offset;	/* of the clock on the wall to clock_ms() */
	int64_t trouble_said;
	int64_t trouble_since;	/* 0: all is well */
};

static void
stop(int signal)
{
	(void)signal;
}

static bool
is_stopping(const struct work *work)
{
	return atomic_load(&work->worker->board->stopping);
}

/* Waits for a wake, a stop or the time. True: there may be something to do. */
static bool
wait_for(struct work *work, int64_t milliseconds)
{
	struct pollfd fd = { .fd = work->worker->family->wake,
	    .events = POLLIN };
	struct timespec limit = {
		.tv_sec = (time_t)(milliseconds / 1000),
		.tv_nsec = (long)(milliseconds % 1000) * 1000000,
	};
	int ready = ppoll(&fd, 1, milliseconds >= 0 ? &limit : NULL,
	    &work->waiting);

	if (ready == 1)
		return pool_drain_wakeups(work->worker->family) > 0;
	return ready == 0;
}

static void
tell_parent(const struct work *work)
{
	if (atomic_load(&work->worker->board->asleep))
		(void)!write(work->worker->news, "", 1);
}

/* Each cause again after a minute, not each second. */
static void
report_trouble(struct work *work, const char *what)
{
	int64_t now = clock_ms();

	if (work->trouble_said != 0 &&
	    now - work->trouble_said < TROUBLE_SAID_EVERY)
		return;
	work->trouble_said = now;
	log_msg(LOG_LEVEL_ERROR, "%s: %s", what, work->inbox->error);
}

/* A stop that comes ends the pause. False: leave, it has lasted too long. */
static bool
pause_for_trouble(struct work *work, const char *what)
{
	int64_t now = clock_ms(), until = now + TROUBLE_PAUSE;
	bool stopping = is_stopping(work);

	report_trouble(work, what);
	if (work->trouble_since == 0)
		work->trouble_since = now;
	if ((work->worker->once || work->worker->watches_idle) &&
	    now - work->trouble_since > TROUBLE_MAX) {
		atomic_store(&work->worker->board->lost, true);
		return false;
	}
	while (is_stopping(work) == stopping && (now = clock_ms()) < until)
		(void)wait_for(work, until - now);
	return true;
}

static int64_t
back_off(const struct conf *conf, int attempt)
{
	const struct conf_times *times = &conf->backoff;
	size_t at = (size_t)attempt - 1;

	return times->ms[at < times->n ? at : times->n - 1];
}

/* An attempt failed: another one after `wait` (-1: the usual), or never. */
static void
plan_retry(const struct work *work, const struct inbox_claim *claim,
    const char *reason, int64_t wait, struct inbox_end *end)
{
	if (wait == -1)
		wait = back_off(work->conf, claim->attempt);
	inbox_try_again(work->inbox, claim, work->conf->attempts, reason, wait,
	    end);
}

/*
 * False: leave. The inbox that is there now is another one, and may have
 * another family.
 */
static bool
is_home(struct work *work)
{
	const struct pool *family = work->worker->family;

	if (pool_is_valid(family))
		return true;
	if (!atomic_exchange(&work->worker->board->lost, true))
		log_msg(LOG_LEVEL_ERROR, "inbox %s: moved away or deleted "
		    "while workers had it: they leave", family->path);
	return false;
}

/* False: leave. Another program is to go on, with other handlers maybe. */
static bool
is_current(struct work *work)
{
	if (!program_is_replaced(work->worker->program))
		return true;
	if (!atomic_exchange(&work->worker->board->outdated, true))
		log_msg(LOG_LEVEL_INFO, "the program was replaced: workers "
		    "finish what they do, and leave");
	return false;
}

/* Goes on during a stop: the parent knows when that has lasted too long. */
static void
write_end(struct work *work, const struct inbox_claim *claim,
    const struct inbox_end *end)
{
	while (is_home(work)) {
		if (inbox_finish(work->inbox, claim, end) != -1) {
			atomic_fetch_add(&work->slot->handled, 1);
			return;
		}
		if (!pause_for_trouble(work, "cannot record the result of a "
		    "task"))
			return;
	}
}

/* The names of the handlers that this program has. */
static int
list_handlers(struct work *work)
{
	const struct handler *handler;

	for (handler = handlers; handler->name != NULL; handler++)
		work->n_names++;
	work->names = calloc(work->n_names + 1, sizeof(*work->names));
	if (work->names == NULL) {
		log_msg(LOG_LEVEL_ERROR, "out of memory");
		return -1;
	}
	for (handler = handlers; handler->name != NULL; handler++)
		work->names[handler - handlers] = handler->name;
	return 0;
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
		inbox_give_up(claim, "the handler gave up: the log says why",
		    end);
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

/*
 * Between these two the parent counts the time. If it has given up on us it
 * is about to kill: what the handler did counts as not done.
 */
static void
begin_handler(struct work *work)
{
	atomic_store(&work->slot->started, clock_ms());
	tell_parent(work);
}

static void
end_handler(struct work *work)
{
	int64_t started = atomic_load(&work->slot->started);

	if (started >= 0 && atomic_compare_exchange_strong(
	    &work->slot->started, &started, 0))
		return;
	for (;;)
		pause();
}

/*
 * A handler may have closed descriptors that are not its own. The inbox's are
 * not to be trusted then, nor is the log there: the parent says it.
 */
static void
die_if_robbed(struct work *work)
{
	if (pool_is_open(work->worker->family))
		return;
	atomic_store(&work->slot->robbed, true);
	_exit(1);
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

static void
run(struct work *work, const struct inbox_claim *claim,
    const struct handler *handler, struct inbox_end *end)
{
	const struct conf_group *group = current_group(work,
	    claim->event.group_id);
	struct envelope envelope;
	struct event_result result;
	enum event_status status;
	struct event event;

	make_envelope(&claim->event, &envelope);
	event_init(&event, &envelope, &work->arena,
	    claim->event.retry_counter);
	if (group != NULL)
		event_may_call(&event, work->conf, group);
	event.public.attempt = claim->attempt;
	event.public.received = claim->event.received;
	begin_handler(work);
	status = event_run(&event, handler, &result);
	die_if_robbed(work);
	end_handler(work);
	switch (status) {
	case EVENT_HANDLED:
		end_of_result(work, claim, &result, end);
		break;
	case EVENT_BAD_OBJECT:
		inbox_give_up(claim, EVENT_BAD_OBJECT_WHY, end);
		break;
	case EVENT_NO_MEMORY:
		plan_retry(work, claim, "out of memory", -1, end);
		break;
	}
	event_release(&event);
	arena_reset(&work->arena);
}

static void
work_on(struct work *work, const struct inbox_claim *claim)
{
	struct inbox_end end;

	if (!claim->unknown)
		run(work, claim, find_handler(claim->handler), &end);
	else if (is_current(work))
		inbox_give_up(claim, "this program has no such handler", &end);
	else
		end = (struct inbox_end){
			.state = INBOX_WAITING,
			.untried = true,
			.reason = "the program was replaced",
		};
	write_end(work, claim, &end);
}

/* Ends what a worker held that died. */
static void
end_held(struct work *work, int from, int to, const char *reason, int64_t wait)
{
	struct inbox_claim claim;
	struct inbox_end end;
	int held;

	while (!is_stopping(work) && is_home(work)) {
		held = inbox_orphaned(work->inbox, from, to, &claim);
		if (held == 0)
			return;
		if (held == -1) {
			if (!pause_for_trouble(work, "cannot open the inbox"))
				return;
			continue;
		}
		plan_retry(work, &claim, reason, wait, &end);
		write_end(work, &claim, &end);
	}
}

/*
 * The one before in this slot died: why was told. What is held without that
 * was held by an earlier family, which was killed as a whole: tried at once.
 */
static void
clean_up(struct work *work)
{
	const struct worker *worker = work->worker;
	int number = worker->number;

	if (work->slot->reason[0] != '\0')
		end_held(work, number, number, work->slot->reason, -1);
	else
		end_held(work, number, number, INBOX_KILLED, 0);
	if (number == 1)
		end_held(work, worker->workers + 1, INT32_MAX, INBOX_KILLED,
		    0);
	if (number == 1 && inbox_shift_due(work->inbox, 0) == -1)
		report_trouble(work, "cannot open the inbox");
	atomic_store(&work->slot->ready, true);
	tell_parent(work);
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
		report_trouble(work, "the clock was set");
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
		report_trouble(work, "cannot forget old events");
	work->purge_at = clock_ms() + (looked > 0 ? clock_ms() - start :
	    PURGE_EVERY);
}

static void
keep_house(struct work *work)
{
	(void)conf_refresh(&work->conf, NULL);
	if (work->worker->number != 1)
		return;
	watch_clock(work);
	purge(work);
}

/* How long to wait, with nothing to do now; -1: until it is woken. */
static int64_t
time_to(const struct work *work, int64_t due)
{
	int64_t wait = -1, purge;

	if (due != 0 && due != INT64_MAX) {
		wait = due - inbox_now(work->inbox);
		if (wait < 1)
			wait = 1;
	}
	/* Only others work: nobody tells when they have emptied the inbox. */
	if (due == INT64_MAX && work->worker->watches_idle)
		wait = LOOK_AGAIN;
	if (work->worker->number != 1)
		return wait;
	purge = work->purge_at - clock_ms();
	if (purge < 1)
		purge = 1;
	return wait == -1 || purge < wait ? purge : wait;
}

/* False: leave. */
static bool
be_idle(struct work *work, int64_t due)
{
	int64_t until;

	if (inbox_flush(work->inbox) == -1)
		report_trouble(work, "cannot flush the inbox");
	if (work->worker->once)
		return false;
	atomic_store(&work->slot->idle, due == 0 ? clock_ms() : 0);
	if (work->worker->watches_idle)
		tell_parent(work);
	until = time_to(work, due);
	while (!wait_for(work, until) && !is_stopping(work))
		until = time_to(work, due);
	work->slept = true;
	return true;
}

static void
work_until_stopped(struct work *work)
{
	struct inbox_claim claim;
	int64_t due;
	int result;

	/* Lost: also one whose end could not be written may be in hand. */
	while (!is_stopping(work) && is_home(work) && is_current(work) &&
	    !atomic_load(&work->worker->board->lost)) {
		keep_house(work);
		result = inbox_claim(work->inbox, work->worker->number,
		    work->names, work->n_names, &claim, &due);
		work->unsure = result == -1;
		if (work->unsure) {
			if (!pause_for_trouble(work, "cannot take events"))
				break;
			continue;
		}
		work->trouble_said = 0;
		work->trouble_since = 0;
		if (result == 1) {
			atomic_store(&work->slot->idle, 0);
			if (work->slept)
				pool_wake_next(work->worker->family);
			work->slept = false;
			work_on(work, &claim);
		} else if (!be_idle(work, due)) {
			break;
		}
	}
}

/* What was claimed, but not flushed, never began. */
static void
give_back(struct work *work)
{
	const struct inbox_end end = {
		.state = INBOX_WAITING,
		.untried = true,
		.reason = "the inbox could not be flushed",
	};
	struct inbox_claim claim;

	if (work->unsure && pool_is_valid(work->worker->family) &&
	    inbox_orphaned(work->inbox, work->worker->number,
	    work->worker->number, &claim) == 1)
		(void)inbox_finish(work->inbox, &claim, &end);
}

static void
set_signals(struct work *work)
{
	struct sigaction action = { .sa_handler = stop };

	sigemptyset(&work->waiting);
	sigaddset(&work->waiting, SIGHUP);
	stop_block(&work->waiting);
	/* A terminal's Ctrl-C reaches us too: the parent tells us to stop. */
	sigdelset(&work->waiting, SIGTERM);
	(void)sigaction(SIGTERM, &action, NULL);
	action.sa_handler = SIG_IGN;
	(void)sigaction(SIGPIPE, &action, NULL);
	action.sa_handler = SIG_DFL;
	(void)sigaction(SIGCHLD, &action, NULL);
}

int
worker_run(struct worker *worker)
{
	struct work work = {
		.worker = worker,
		.slot = &worker->board->slots[worker->number - 1],
		.conf = worker->conf,
	};
	char error[INBOX_ERROR_MAX];

	if (list_handlers(&work) == -1)
		return 1;
	set_signals(&work);
	pool_close_in_children(worker->family);
	/* Killed with the parent: its lock must not outlive the family. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) == -1 ||
	    getppid() != worker->parent)
		return 1;
	/* The configuration may name another by now, with its own family. */
	work.inbox = inbox_open(work.worker->family->path, true, error);
	if (work.inbox == NULL) {
		log_msg(LOG_LEVEL_ERROR, "%s", error);
		return 1;
	}
	arena_init(&work.arena);
	work.clock_offset = inbox_now(work.inbox) - clock_ms();
	clean_up(&work);
	if (!worker->only_cleans)
		work_until_stopped(&work);
	give_back(&work);
	/* What was done last, too, outlasts a power cut. */
	if (inbox_flush(work.inbox) == -1)
		report_trouble(&work, "cannot flush the inbox");
	inbox_close(work.inbox);
	arena_release(&work.arena);
	free(work.names);
	conf_free(work.conf);
	atomic_store(&work.slot->left, clock_ms());
	tell_parent(&work);
	return 0;
}
