/*
 * parent.c - the parent of the workers: forks them, and replaces what died.
 *
 * It runs no handler, so nothing that an event does can hurt it. A worker's
 * status proves nothing, since a handler may call exit(0): after the end of
 * each worker the parent asks the inbox which task that worker still held, and
 * ends that task with a reason. The inbox is closed again before a fork, which
 * SQLite does not survive.
 *
 * A worker of an event's pool leaves by itself when it is idle, and comes back
 * when an event is stored; when all are gone the pool leaves, see pool.c.
 *
 * When the parent is killed, the kernel kills its workers, and byte 0 of the
 * lock is free with the last of them: nothing runs twice. The next pool ends
 * what they held.
 */
#include "pool/parent.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "command/command.h"
#include "conf/conf.h"
#include "inbox/inbox.h"
#include "log.h"
#include "notify.h"
#include "pool/pool.h"
#include "pool/program.h"
#include "pool/worker.h"
#include "stop.h"

#include "banned.h"

#define PAUSE 1000		/* before what failed is tried again */
#define STOP_MARGIN 2000
#define LOOK_UNWATCHED 250	/* without inotify */

/* A worker's place; its number is the index + 1. */
struct child {
	enum child_state {
		CHILD_WANTED,
		CHILD_RUNS,
		CHILD_ENDED,	/* its task is still to be ended */
		CHILD_RESTS,	/* it found nothing to do, and left */
	} state;
	pid_t pid;
	int status;
};

enum leaving { STAYS, STOPPED, REPLACED, MOVED, SERVICE_COMES, IN_TROUBLE };

struct parent {
	struct conf *conf;
	enum work_until until;
	struct pool pool;
	struct program program;
	struct inbox *wakes;	/* only to wait for an event */
	struct child *children;
	int n;
	int signals;		/* a signalfd */
	bool begun;		/* what earlier pools held was ended */
	bool ready;		/* said so to systemd */
	enum leaving leaving;
	int64_t stop_by;	/* clock_ms(); then all are killed */
	int64_t pause_until;	/* clock_ms() */
	struct trouble trouble;
};

static int
parent_set_up(struct parent *parent, char error[POOL_ERROR_MAX])
{
	sigset_t mask;

	sigemptyset(&mask);
	sigaddset(&mask, SIGHUP);	/* as under nohup(1) */
	sigaddset(&mask, SIGCHLD);
	stop_block(&mask);
	(void)signal(SIGPIPE, SIG_IGN);
	parent->n = (int)parent->conf->workers;
	parent->children = calloc((size_t)parent->n,
	    sizeof(*parent->children));
	parent->signals = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
	snprintf(error, POOL_ERROR_MAX, "%s", strerror(errno));
	if (parent->children == NULL || parent->signals == -1)
		return -1;
	parent->wakes = inbox_open(parent->pool.inbox, true, error);
	if (parent->wakes == NULL)
		return -1;
	/* Watches before the first look: see pool.c. */
	(void)inbox_wake_fd(parent->wakes);
	return 0;
}

static int
count_children(const struct parent *parent, enum child_state state)
{
	int i, n = 0;

	for (i = 0; i < parent->n; i++)
		n += parent->children[i].state == state;
	return n;
}

static void
kill_all(const struct parent *parent, int signal)
{
	int i;

	for (i = 0; i < parent->n; i++)
		if (parent->children[i].state == CHILD_RUNS)
			(void)kill(parent->children[i].pid, signal);
}

static void
leave(struct parent *parent, enum leaving why)
{
	if (parent->leaving != STAYS)
		return;
	notify("STOPPING=1");
	parent->leaving = why;
	parent->stop_by = clock_ms() + parent->conf->handler_timeout +
	    STOP_MARGIN;
	pool_stop_accepting(&parent->pool);
	kill_all(parent, SIGTERM);
}

static void
leave_if_outdated(struct parent *parent)
{
	if (parent->leaving != STAYS)
		return;
	if (!pool_is_valid(&parent->pool)) {
		log_msg(LOG_LEVEL_ERROR, "inbox %s was moved or deleted while "
		    "in use: workers leave", parent->pool.inbox);
		leave(parent, MOVED);
	} else if (program_is_replaced(&parent->program)) {
		log_msg(LOG_LEVEL_INFO, "the program was replaced: workers "
		    "finish what they do, and leave");
		leave(parent, REPLACED);
	} else if (parent->until != WORK_STOPPED &&
	    pool_has_service(&parent->pool)) {
		leave(parent, SERVICE_COMES);
	}
}

/* What failed is tried again; a pool that an event started leaves in time. */
static void
meet_trouble(struct parent *parent, const char *what, const char *why)
{
	parent->pause_until = clock_ms() + PAUSE;
	if (!trouble_report(&parent->trouble, what, why) &&
	    parent->until != WORK_STOPPED)
		leave(parent, IN_TROUBLE);
}

static void
run_child(struct parent *parent, int number, pid_t self)
{
	const struct worker worker = {
		.conf = parent->conf,
		.pool = &parent->pool,
		.program = &parent->program,
		.number = number,
		.parent = self,
		.once = parent->until == WORK_ONCE,
		.until_idle = parent->until == WORK_IDLE,
	};

	close(parent->signals);
	inbox_close(parent->wakes);
	/* Not _exit(): handlers may have registered functions that run now. */
	exit(worker_run(&worker));
}

static void
start_child(struct parent *parent, int i)
{
	struct child *child = &parent->children[i];
	pid_t self = getpid();

	child->pid = fork();
	if (child->pid == 0)
		run_child(parent, i + 1, self);
	if (child->pid != -1)
		child->state = CHILD_RUNS;
	else
		meet_trouble(parent, "cannot start a worker", strerror(errno));
}

static void
start_children(struct parent *parent)
{
	int i;

	for (i = 0; i < parent->n && parent->begun &&
	    parent->leaving == STAYS && parent->pause_until <= clock_ms(); i++)
		if (parent->children[i].state == CHILD_WANTED)
			start_child(parent, i);
	if (parent->ready || count_children(parent, CHILD_RUNS) < parent->n)
		return;
	parent->ready = true;
	notify("READY=1");
	if (parent->until == WORK_STOPPED)
		log_msg(LOG_LEVEL_INFO, "%d workers take events from inbox %s",
		    parent->n, parent->pool.inbox);
}

/* ran: how long its task ran by the inbox's clock; -1: it held none. */
static void
explain(const struct parent *parent, int status, int64_t ran,
    char out[INBOX_REASON_MAX])
{
	int signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;

	if (signal == SIGKILL && ran >= parent->conf->handler_timeout)
		snprintf(out, INBOX_REASON_MAX, "killed: it ran longer than "
		    "handler_timeout (%" PRId64 " s)",
		    parent->conf->handler_timeout / 1000);
	else if (signal == SIGKILL && ran == -1)
		snprintf(out, INBOX_REASON_MAX, "killed: if not by kill(1), "
		    "atexit(3) functions of handlers ran longer than "
		    "handler_timeout");
	else if (signal != 0)
		snprintf(out, INBOX_REASON_MAX, "crashed: signal %d (%s)",
		    signal, strsignal(signal));
	else if (WEXITSTATUS(status) == WORKER_FDS_CLOSED)
		snprintf(out, INBOX_REASON_MAX, "the handler closed vkcb's "
		    "own descriptors");
	else if (WEXITSTATUS(status) == WORKER_IN_TROUBLE)
		snprintf(out, INBOX_REASON_MAX, "its result could not be "
		    "recorded");
	else
		snprintf(out, INBOX_REASON_MAX, "the %s ended its process "
		    "with status %d", ran != -1 ? "handler" : "worker",
		    WEXITSTATUS(status));
}

static bool
exited_with(const struct child *child, enum worker_status status)
{
	return WIFEXITED(child->status) &&
	    WEXITSTATUS(child->status) == (int)status;
}

/* The task that a worker held, if any, is one that failed. */
static int
end_worker(struct parent *parent, struct inbox *inbox, int i)
{
	struct child *child = &parent->children[i];
	char reason[INBOX_REASON_MAX];
	struct inbox_claim claim;
	struct inbox_end end;
	int held = inbox_orphaned(inbox, i + 1, i + 1, &claim);

	if (held == -1)
		return -1;
	explain(parent, child->status, held == 1 ? inbox_now(inbox) -
	    claim.started : -1, reason);
	if (held == 1) {
		worker_plan_retry(inbox, parent->conf, &claim, reason, -1,
		    &end);
		if (inbox_finish(inbox, &claim, &end) == -1)
			return -1;
		log_msg(LOG_LEVEL_ERROR, "worker %d (process %ld) ended: %s",
		    i + 1, (long)child->pid, reason);
	} else if (!exited_with(child, WORKER_LEFT)) {
		meet_trouble(parent, "a worker ended", reason);
	}
	child->state = held == 0 && parent->until != WORK_STOPPED &&
	    exited_with(child, WORKER_LEFT) ? CHILD_RESTS : CHILD_WANTED;
	return 0;
}

static void
end_tasks(struct parent *parent)
{
	char error[INBOX_ERROR_MAX];
	struct inbox *inbox;
	int i, result = 0;

	if ((parent->begun && count_children(parent, CHILD_ENDED) == 0) ||
	    parent->pause_until > clock_ms() || !pool_is_valid(&parent->pool))
		return;
	inbox = inbox_open(parent->pool.inbox, true, error);
	if (inbox == NULL) {
		meet_trouble(parent, "cannot open the inbox", error);
		return;
	}
	if (!parent->begun && (result = inbox_end_orphans(inbox,
	    parent->conf->attempts)) == 0)
		parent->begun = (result = inbox_shift_due(inbox, 0)) == 0;
	for (i = 0; i < parent->n && result == 0; i++)
		if (parent->children[i].state == CHILD_ENDED)
			result = end_worker(parent, inbox, i);
	if (result == -1)
		meet_trouble(parent, "cannot end the tasks of dead workers",
		    inbox->error);
	inbox_close(inbox);
}

static void
reap(struct parent *parent)
{
	struct child *child;
	int status, i;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		for (i = 0; i < parent->n; i++) {
			child = &parent->children[i];
			if (child->state != CHILD_RUNS || child->pid != pid)
				continue;
			child->state = CHILD_ENDED;
			child->status = status;
			if (exited_with(child, WORKER_IN_TROUBLE) &&
			    parent->until != WORK_STOPPED)
				leave(parent, IN_TROUBLE);
		}
}

static void
read_signals(struct parent *parent)
{
	struct signalfd_siginfo info;

	while (read(parent->signals, &info, sizeof(info)) == sizeof(info))
		if (info.ssi_signo != SIGCHLD && info.ssi_signo != SIGHUP)
			leave(parent, STOPPED);
	reap(parent);
}

static void
wake_resting(struct parent *parent)
{
	int i;

	for (i = 0; i < parent->n; i++)
		if (parent->children[i].state == CHILD_RESTS)
			parent->children[i].state = CHILD_WANTED;
}

/* The milliseconds to sleep; -1: until something happens. */
static int
time_to_sleep(const struct parent *parent, bool unwatched)
{
	int64_t now = clock_ms(), until = INT64_MAX;

	if (parent->pause_until > now)
		until = parent->pause_until;
	if (parent->leaving != STAYS && parent->stop_by > now &&
	    parent->stop_by < until)
		until = parent->stop_by;
	if (unwatched && until > now + LOOK_UNWATCHED)
		until = now + LOOK_UNWATCHED;
	return until == INT64_MAX ? -1 : (int)(until - now);
}

static void
await_news(struct parent *parent)
{
	bool watches = parent->until != WORK_STOPPED &&
	    parent->leaving == STAYS;
	struct pollfd fds[2] = {
		{ .fd = parent->signals, .events = POLLIN },
		{ .fd = watches ? inbox_wake_fd(parent->wakes) : -1,
		    .events = POLLIN },
	};

	(void)poll(fds, 2, time_to_sleep(parent, watches && fds[1].fd == -1));
	if (fds[1].revents != 0) {
		inbox_drain_wakes(parent->wakes);
		wake_resting(parent);
	}
	read_signals(parent);
	if (parent->leaving != STAYS && clock_ms() >= parent->stop_by)
		kill_all(parent, SIGKILL);
	(void)conf_refresh(&parent->conf, NULL);
}

static bool
has_more(const struct parent *parent)
{
	char error[INBOX_ERROR_MAX];
	struct inbox *inbox = inbox_open(parent->pool.inbox, true, error);
	int64_t due = 0, now = 0;
	int result = -1;

	if (inbox != NULL) {
		result = inbox_next_due(inbox, &due);
		now = inbox_now(inbox);
	}
	inbox_close(inbox);
	/* Workers meet what failed here, and know when it has lasted. */
	return result == -1 || (due != 0 && (due <= now ||
	    parent->until == WORK_IDLE));
}

/* All are idle: looks once more, without byte 1 of the lock. */
static bool
comes_back(struct parent *parent)
{
	pool_stop_accepting(&parent->pool);
	if (!has_more(parent) || !pool_accept_again(&parent->pool))
		return false;
	wake_resting(parent);
	return true;
}

static bool
is_over(struct parent *parent)
{
	if (count_children(parent, CHILD_RUNS) > 0)
		return false;
	if (parent->leaving == STAYS)
		return count_children(parent, CHILD_RESTS) == parent->n &&
		    !comes_back(parent);
	return count_children(parent, CHILD_ENDED) == 0 || parent->leaving == MOVED ||
	    parent->leaving == IN_TROUBLE || clock_ms() >= parent->stop_by;
}

static int
parent_run(struct parent *parent)
{
	bool service = parent->until == WORK_STOPPED;

	for (;;) {
		leave_if_outdated(parent);
		end_tasks(parent);
		if (is_over(parent))
			break;
		start_children(parent);
		await_news(parent);
	}
	/* A service is started again by its supervisor. */
	if (parent->leaving == REPLACED && !service &&
	    program_start_pool(&parent->program, parent->conf->path,
	    true) == -1)
		log_msg(LOG_LEVEL_ERROR, "cannot wake or start a worker for "
		    "inbox %s: %s: start `vkcb work`", parent->pool.inbox,
		    strerror(errno));
	return parent->leaving == MOVED || parent->leaving == IN_TROUBLE ||
	    (parent->leaving == REPLACED && service) ? 1 : 0;
}

int
work_run(struct conf *conf, enum work_until until, char error[POOL_ERROR_MAX])
{
	struct parent parent = { .conf = conf, .until = until };
	bool service = until == WORK_STOPPED;
	int status = 1;

	*error = '\0';
	(void)prctl(PR_SET_NAME, "vkcb");
	program_init(&parent.program);
	switch (pool_enter(&parent.pool, conf->inbox, service, error)) {
	case POOL_ENTERED:
		if (parent_set_up(&parent, error) == 0) {
			*error = '\0';
			status = parent_run(&parent);
		}
		break;
	case POOL_ALREADY_RUNNING:
		/* That pool does what this one was started for. */
		status = service ? 1 : 0;
		if (!service)
			*error = '\0';
		break;
	case POOL_FAILED:
		break;
	}
	inbox_close(parent.wakes);
	free(parent.children);
	conf_free(parent.conf);
	return status;
}
