/*
 * parent.c - the parent of the workers: forks them, and replaces dead ones.
 *
 * The parent runs no handler, so that no event can hurt it. A worker's exit
 * status proves nothing, since a handler may call exit(0): after the end of
 * each worker the parent asks the inbox which task that worker still held, and
 * ends that task with a reason. The inbox is closed again before a fork, which
 * SQLite does not survive.
 *
 * A worker of an event's pool leaves by itself when it is idle, and is replaced
 * when an event is stored; when all are gone the pool leaves, see pool.c.
 *
 * When the parent is killed, the kernel kills its workers, and byte 0 of the
 * lock is free with the last of them: nothing runs twice. The next pool ends
 * what they held.
 */
#include "pool/private.h"

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
#include "conf/conf.h"
#include "inbox/inbox.h"
#include "log.h"
#include "supervisor.h"

#include "banned.h"

#define PAUSE 1000		/* before what failed is tried again */
#define STOP_MARGIN 2000

struct child {			/* its number as a worker is the index + 1 */
	enum child_state {
		CHILD_GONE,
		CHILD_RUNS,
		CHILD_ENDED,	/* its task is still to be ended */
	} state;
	pid_t pid;
	int status;
};

/* The next pool ends the tasks that a failed pool's workers held. */
enum leaving { STAYS, STOPPED, REPLACED, FAILED };

struct parent {
	struct conf *conf;
	struct pool pool;
	struct inbox *wakes;	/* to wait for an event, and for a last look */
	struct child children[CONF_WORKERS_MAX];
	int n;
	int running, ended;	/* children in these states */
	int signals;		/* a signalfd */
	bool begun;		/* what earlier pools held was ended */
	bool wanted;		/* workers that are gone are to be replaced */
	enum leaving leaving;
	int64_t stop_by;	/* clock_ms(); then all are killed */
	int64_t pause_until;	/* clock_ms() */
	struct log_repeat trouble;
	char *error;		/* why there was no pool */
};

static bool
is_service(const struct parent *parent)
{
	return parent->pool.until == WORK_STOPPED;
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
	supervisor_notify("STOPPING=1");
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
		leave(parent, FAILED);
	} else if (program_is_replaced(&parent->pool.program)) {
		log_msg(LOG_LEVEL_INFO, "the program was replaced: workers "
		    "finish what they do, and leave");
		leave(parent, REPLACED);
	} else if (!is_service(parent) && pool_has_service(&parent->pool)) {
		leave(parent, STOPPED);
	}
}

/*
 * A service tries on; a pool that an event started leaves when errors last;
 * `work --once` does not begin with an inbox that cannot be used.
 */
static void
meet_trouble(struct parent *parent, const char *what, const char *why)
{
	bool refuses = !parent->begun && parent->pool.until == WORK_ONCE;

	parent->wanted = true;
	parent->pause_until = clock_ms() + PAUSE;
	if (refuses)
		snprintf(parent->error, POOL_ERROR_MAX, "%s", why);
	if (refuses || (log_again(&parent->trouble, what, why) > TROUBLE_MAX &&
	    !is_service(parent)))
		leave(parent, FAILED);
}

static void
start_child(struct parent *parent, int i)
{
	pid_t self = getpid(), pid = fork();

	if (pid == 0) {
		close(parent->signals);
		inbox_close(parent->wakes);
		/* Not _exit(): handlers may have called atexit(3). */
		exit(worker_run(&parent->pool, parent->conf, i + 1, self));
	}
	if (pid == -1) {
		meet_trouble(parent, "cannot start a worker", strerror(errno));
		return;
	}
	parent->children[i] = (struct child){ CHILD_RUNS, pid, 0 };
	parent->running++;
}

static void
start_children(struct parent *parent)
{
	int i;

	if (!parent->wanted || !parent->begun || parent->leaving != STAYS ||
	    parent->pause_until > clock_ms())
		return;
	parent->wanted = false;
	for (i = 0; i < parent->n && !parent->wanted; i++)
		if (parent->children[i].state == CHILD_GONE)
			start_child(parent, i);
}

/* Now the inbox is known to work. */
static int
parent_begin(struct parent *parent, struct inbox *inbox)
{
	if (inbox_end_orphans(inbox, parent->conf) == -1)
		return -1;
	parent->begun = true;
	supervisor_notify("READY=1");
	if (is_service(parent))
		log_msg(LOG_LEVEL_INFO, "%d workers take events from inbox %s",
		    parent->n, parent->pool.inbox);
	return 0;
}

/* ran: how long its task ran by the inbox's clock; -1: it held none. */
static void
explain(const struct parent *parent, int status, int64_t ran,
    char out[INBOX_REASON_MAX])
{
	int signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	int64_t limit = parent->conf->handler_timeout;

	if (signal == SIGKILL && (ran == -1 || ran >= limit))
		snprintf(out, INBOX_REASON_MAX, "killed: %s ran longer than "
		    "handler_timeout (%" PRId64 " s)", ran != -1 ? "it" :
		    "if not by kill(1), atexit(3) functions of handlers",
		    limit / 1000);
	else if (signal != 0)
		snprintf(out, INBOX_REASON_MAX, "crashed: signal %d (%s)",
		    signal, strsignal(signal));
	else if (WEXITSTATUS(status) == WORKER_FDS_CLOSED)
		snprintf(out, INBOX_REASON_MAX, "the handler closed vkcb's "
		    "own descriptors");
	else if (WEXITSTATUS(status) == WORKER_NOT_BEGUN && ran == -1)
		snprintf(out, INBOX_REASON_MAX, "out of descriptors, timers "
		    "or memory");
	else
		snprintf(out, INBOX_REASON_MAX, "the %s ended its process "
		    "with status %d", ran != -1 ? "handler" : "worker",
		    WEXITSTATUS(status));
}

/*
 * Is there a task for workers that left? Each looked before it left, and what
 * was stored since may have waked nobody.
 */
static bool
is_needed(const struct parent *parent, struct inbox *inbox)
{
	int64_t due;

	if (inbox_next_due(inbox, &due) == -1)
		return true;	/* workers will meet the error, too */
	return due != 0 && due != INT64_MAX &&
	    (parent->pool.until == WORK_IDLE || due <= inbox_now(inbox));
}

/* The task that a worker held, if any, is one that failed. */
static int
end_worker(struct parent *parent, struct inbox *inbox, int i)
{
	struct child *child = &parent->children[i];
	bool left = WIFEXITED(child->status) &&
	    WEXITSTATUS(child->status) == WORKER_LEFT;
	char reason[INBOX_REASON_MAX];
	struct inbox_claim claim;
	struct inbox_end end;
	int held = inbox_orphaned(inbox, i + 1, i + 1, &claim);

	if (held == -1)
		return -1;
	explain(parent, child->status, held == 1 ? inbox_now(inbox) -
	    claim.started : -1, reason);
	if (held == 1) {
		inbox_try_again(inbox, &claim, parent->conf, reason, -1, &end);
		if (inbox_finish(inbox, &claim, &end) == -1)
			return -1;
		log_msg(LOG_LEVEL_ERROR, "worker %d (process %ld) ended: %s",
		    i + 1, (long)child->pid, reason);
	} else if (!left) {
		meet_trouble(parent, "a worker ended", reason);
	}
	child->state = CHILD_GONE;
	parent->ended--;
	parent->wanted |= held == 1 || is_service(parent) ||
	    is_needed(parent, inbox);
	return 0;
}

static void
end_tasks(struct parent *parent)
{
	char error[INBOX_ERROR_MAX];
	struct inbox *inbox;
	int i, result;

	if ((parent->begun && parent->ended == 0) ||
	    parent->pause_until > clock_ms() ||
	    parent->leaving == FAILED || !pool_is_valid(&parent->pool))
		return;
	inbox = inbox_open(parent->pool.inbox, INBOX_CREATE, error);
	result = inbox == NULL ? -1 : parent->begun ? 0 :
	    parent_begin(parent, inbox);
	for (i = 0; i < parent->n && result == 0; i++)
		if (parent->children[i].state == CHILD_ENDED)
			result = end_worker(parent, inbox, i);
	if (result == -1)
		meet_trouble(parent, parent->begun ? "cannot end the tasks of "
		    "dead workers" : "cannot open the inbox",
		    inbox != NULL ? inbox->error : error);
	inbox_close(inbox);
}

static void
reap(struct parent *parent)
{
	struct child *child;

	for (child = parent->children; child < parent->children + parent->n;
	    child++) {
		if (child->state != CHILD_RUNS ||
		    waitpid(child->pid, &child->status, WNOHANG) <= 0)
			continue;
		child->state = CHILD_ENDED;
		parent->running--;
		parent->ended++;
		if (!is_service(parent) && WIFEXITED(child->status) &&
		    WEXITSTATUS(child->status) == WORKER_IN_TROUBLE)
			leave(parent, FAILED);
	}
}

/* A service whose workers all run sleeps until it gets a signal. */
static void
await_news(struct parent *parent)
{
	bool sleeps = is_service(parent) && parent->leaving == STAYS &&
	    parent->running == parent->n;
	struct pollfd fds[2] = {
		{ .fd = parent->signals, .events = POLLIN },
		{ .fd = sleeps ? -1 : inbox_wake_fd(parent->wakes),
		    .events = POLLIN },
	};
	struct signalfd_siginfo info;

	(void)poll(fds, 2, sleeps ? -1 : PAUSE);
	if (fds[1].revents != 0) {
		inbox_drain_wakes(parent->wakes);
		parent->wanted = true;
	}
	while (read(parent->signals, &info, sizeof(info)) == sizeof(info))
		if (info.ssi_signo != SIGCHLD && info.ssi_signo != SIGHUP)
			leave(parent, STOPPED);
	reap(parent);
	if (clock_ms() >= parent->stop_by)
		kill_all(parent, SIGKILL);
	(void)conf_refresh(&parent->conf, NULL);
}

static bool
is_over(const struct parent *parent)
{
	if (parent->running > 0)
		return false;
	if (parent->ended > 0)
		return parent->leaving == FAILED ||
		    clock_ms() >= parent->stop_by;
	return parent->leaving != STAYS || !parent->wanted;
}

/* The exit status. A service is started again by its supervisor. */
static int
parent_run(struct parent *parent)
{
	for (;;) {
		leave_if_outdated(parent);
		end_tasks(parent);
		if (is_over(parent))
			break;
		start_children(parent);
		await_news(parent);
	}
	if (parent->leaving == FAILED ||
	    (parent->leaving == REPLACED && is_service(parent)))
		return 1;
	/* All are idle: the last look is without byte 1, see pool.c. */
	if (parent->leaving == STAYS)
		pool_stop_accepting(&parent->pool);
	if (parent->leaving == REPLACED ||
	    (parent->leaving == STAYS && is_needed(parent, parent->wakes)))
		program_start_pool(&parent->pool.program, parent->conf, true,
		    true);
	return 0;
}

static int
parent_set_up(struct parent *parent)
{
	sigset_t mask;

	sigemptyset(&mask);
	sigaddset(&mask, SIGHUP);	/* as under nohup(1) */
	sigaddset(&mask, SIGCHLD);
	supervisor_block_stops(&mask);
	parent->n = (int)parent->conf->workers;
	parent->wakes = inbox_open(parent->pool.inbox, INBOX_CREATE,
	    parent->error);
	if (parent->wakes == NULL)
		return -1;
	parent->signals = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
	if (parent->signals == -1)
		snprintf(parent->error, POOL_ERROR_MAX, "%s", strerror(errno));
	/* The watch must begin before the first look, see pool.c. */
	(void)inbox_wake_fd(parent->wakes);
	return parent->signals == -1 ? -1 : 0;
}

int
work_run(struct conf *conf, enum work_until until, char error[POOL_ERROR_MAX])
{
	struct parent parent = {
		.conf = conf,
		.pool.until = until,
		.wanted = true,
		.stop_by = INT64_MAX,
		.error = error,
	};
	int entered, status = 1;

	*error = '\0';
	(void)prctl(PR_SET_NAME, "vkcb");
	program_init(&parent.pool.program);
	entered = pool_enter(&parent.pool, conf->inbox, error);
	if (entered == 1 && parent_set_up(&parent) == 0)
		status = parent_run(&parent);
	if (entered == 0 && until == WORK_STOPPED)
		snprintf(error, POOL_ERROR_MAX, "already running");
	else if (entered == 0)	/* the other pool does the work */
		status = 0;
	inbox_close(parent.wakes);
	conf_free(parent.conf);
	return status;
}
