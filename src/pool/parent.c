/*
 * parent.c - the parent of the workers.
 *
 * It touches neither events nor the store, so that nothing an event does can
 * hurt it: it forks, waits, kills what takes too long, and replaces what died.
 * What a dead worker held is ended by its replacement, which is told why.
 *
 * When it is killed itself, the kernel kills its workers, and with the last of
 * them the lock is free: another family can begin, and nothing runs twice.
 * Asleep it waits for signals and for a worker that begins something; while a
 * handler runs it wakes up each few seconds, to see a handler_timeout that was
 * made shorter.
 */
#include "pool/parent.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "conf/conf.h"
#include "pool/pool.h"
#include "log.h"
#include "report.h"
#include "pool/notify.h"
#include "pool/program.h"
#include "pool/spawn.h"
#include "stop.h"
#include "pool/worker.h"

#include "banned.h"

#define LINGER 2000		/* an idle family of WORK_IDLE stays so long */
#define RESTART_PAUSE 1000	/* of one that died before it did anything */
#define STOP_MARGIN 2000
#define CONF_EVERY 2000		/* the configuration, while a handler runs */

/* A worker's process; what both sides know is in its worker_slot. */
struct child {
	pid_t pid;		/* 0: none */
	int64_t forked;		/* clock_ms() */
	int64_t fork_at;	/* not before */
};

struct parent {
	struct conf *conf;
	enum work_until until;
	struct pool family;
	struct program program;
	struct worker_board *board;
	struct child *children;
	int n;			/* those that are looked after */
	int workers;
	int signals;		/* signalfd */
	int news[2];		/* workers write, we read */
	bool ready;		/* said so to systemd */
	bool told;		/* a signal said to stop */
	bool unheard;		/* the FIFO is gone: nobody can wake us */
	int64_t stop_by;	/* 0: not stopping; then all are killed */
};

static void
block_signals(sigset_t *mask)
{
	sigemptyset(mask);
	sigaddset(mask, SIGHUP);
	sigaddset(mask, SIGCHLD);
	stop_block(mask);
	/* As there: `nohup vkcb work` ignores it. */
	(void)signal(SIGHUP, SIG_DFL);
}

static int
set_up(struct parent *parent)
{
	int n = (int)parent->conf->workers;
	size_t size = sizeof(*parent->board) +
	    (size_t)n * sizeof(parent->board->slots[0]);
	sigset_t mask;

	block_signals(&mask);
	(void)signal(SIGPIPE, SIG_IGN);
	parent->n = parent->workers = n;
	parent->children = calloc((size_t)n, sizeof(*parent->children));
	parent->board = mmap(NULL, size, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (parent->children == NULL || parent->board == MAP_FAILED ||
	    (parent->signals = signalfd(-1, &mask, SFD_CLOEXEC |
	    SFD_NONBLOCK)) == -1 ||
	    pipe2(parent->news, O_CLOEXEC | O_NONBLOCK) == -1)
		return -1;
	return 0;
}

/* What a worker is started for. */
enum job { WORK, LAST_LOOK, CLEAN_UP };

static void
run_child(struct parent *parent, int i, enum job job, pid_t self)
{
	struct worker worker = {
		.conf = parent->conf,
		.family = &parent->family,
		.program = &parent->program,
		.board = parent->board,
		.number = i + 1,
		.workers = parent->workers,
		.news = parent->news[1],
		.parent = self,
		.once = job == LAST_LOOK || parent->until == WORK_ONCE,
		.only_cleans = job == CLEAN_UP,
		.watches_idle = parent->until == WORK_IDLE,
	};

	close(parent->signals);
	close(parent->news[0]);
	/* Not _exit(): handlers may have registered functions that run now. */
	exit(worker_run(&worker));
}

static pid_t
fork_child(struct parent *parent, int i, enum job job)
{
	struct worker_slot *slot = &parent->board->slots[i];
	pid_t self = getpid(), pid;

	atomic_store(&slot->started, 0);
	atomic_store(&slot->idle, 0);
	atomic_store(&slot->left, 0);
	atomic_store(&slot->robbed, false);
	pid = fork();
	if (pid == 0)
		run_child(parent, i, job, self);
	if (pid == -1)
		log_msg(LOG_LEVEL_ERROR, "cannot start a worker: %s: trying "
		    "again", strerror(errno));
	return pid;
}

static void
start_children(struct parent *parent)
{
	int64_t now = clock_ms();
	struct child *child;
	int i;

	for (i = 0; i < parent->n && parent->stop_by == 0; i++) {
		child = &parent->children[i];
		if (child->pid != 0 || child->fork_at > now)
			continue;
		child->pid = fork_child(parent, i, WORK);
		if (child->pid == -1) {
			child->pid = 0;
			child->fork_at = now + RESTART_PAUSE;
		}
		child->forked = now;
	}
}

/* Why it died, for its replacement and, through that, for the operator. */
static void
explain(struct parent *parent, struct worker_slot *slot, int status,
    int64_t started)
{
	char *out = slot->reason;
	int signal;

	if (started < 0) {
		snprintf(out, WORKER_REASON_MAX, "killed: it ran longer than "
		    "handler_timeout (%" PRId64 " s)",
		    parent->conf->handler_timeout / 1000);
	} else if (atomic_load(&slot->robbed)) {
		snprintf(out, WORKER_REASON_MAX, "the handler closed "
		    "descriptors that are not its own");
	} else if (WIFSIGNALED(status)) {
		signal = WTERMSIG(status);
		snprintf(out, WORKER_REASON_MAX, "crashed: signal %d (%s)",
		    signal, strsignal(signal));
	} else {
		snprintf(out, WORKER_REASON_MAX, "the %s ended its process "
		    "with status %d", started != 0 ? "handler" : "worker",
		    WEXITSTATUS(status));
	}
}

static void
begin_stop(struct parent *parent)
{
	int i;

	if (parent->stop_by != 0)
		return;
	notify("STOPPING=1");
	/* An event that comes now starts the family after this one. */
	pool_stop_listening(&parent->family);
	atomic_store(&parent->board->stopping, true);
	parent->stop_by = clock_ms() + parent->conf->handler_timeout +
	    STOP_MARGIN;
	for (i = 0; i < parent->n; i++)
		if (parent->children[i].pid != 0)
			(void)kill(parent->children[i].pid, SIGTERM);
}

static void
take_death(struct parent *parent, int i, int status)
{
	struct worker_slot *slot = &parent->board->slots[i];
	struct child *child = &parent->children[i];
	int64_t started = atomic_load(&slot->started), now = clock_ms();
	pid_t pid = child->pid;

	child->pid = 0;
	atomic_store(&slot->started, 0);
	slot->reason[0] = '\0';
	if (atomic_load(&parent->board->lost) ||
	    atomic_load(&parent->board->outdated))
		begin_stop(parent);
	if (atomic_load(&slot->left) != 0) {
		child->fork_at = parent->until == WORK_ONCE ? INT64_MAX : now;
		return;
	}
	explain(parent, slot, status, started);
	log_msg(LOG_LEVEL_ERROR, "worker %d (process %ld) ended: %s", i + 1,
	    (long)pid, slot->reason);
	child->fork_at = now;
	if (started == 0 && now - child->forked < RESTART_PAUSE)
		child->fork_at = now + RESTART_PAUSE;
}

static void
reap(struct parent *parent)
{
	int status, i;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		for (i = 0; i < parent->n; i++)
			if (parent->children[i].pid == pid)
				take_death(parent, i, status);
}

static void
read_signals(struct parent *parent)
{
	struct signalfd_siginfo info;
	bool stop = false;

	while (read(parent->signals, &info, sizeof(info)) == sizeof(info))
		stop |= info.ssi_signo != SIGCHLD && info.ssi_signo != SIGHUP;
	reap(parent);
	parent->told |= stop;
	if (stop)
		begin_stop(parent);
}

static int64_t
earliest(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/*
 * Kills it if it takes too long: a handler, or what handlers have registered
 * for the end of the process. When to look again; INT64_MAX: no need.
 */
static int64_t
kill_if_late(struct parent *parent, int i, int64_t now)
{
	struct worker_slot *slot = &parent->board->slots[i];
	int64_t left = atomic_load(&slot->left), end;
	_Atomic int64_t *since = left != 0 ? &slot->left : &slot->started;
	int64_t started = atomic_load(since);

	if (parent->children[i].pid == 0 || started <= 0)
		return INT64_MAX;
	end = started + parent->conf->handler_timeout;
	if (end > now)
		return end;
	/* Unless it returned just now. */
	if (!atomic_compare_exchange_strong(since, &started, -started))
		return INT64_MAX;
	if (left != 0)
		log_msg(LOG_LEVEL_ERROR, "worker %d (process %ld) ended: "
		    "killed: atexit(3) functions of handlers ran longer than "
		    "handler_timeout", i + 1, (long)parent->children[i].pid);
	(void)kill(parent->children[i].pid, SIGKILL);
	return INT64_MAX;
}

/* When to look again; INT64_MAX: no need. */
static int64_t
kill_late(struct parent *parent, int64_t now)
{
	int64_t next = INT64_MAX;
	int i;

	for (i = 0; i < parent->n; i++)
		next = earliest(next, kill_if_late(parent, i, now));
	if (parent->stop_by == 0)
		return next;
	for (i = 0; i < parent->n && now >= parent->stop_by; i++)
		if (parent->children[i].pid != 0)
			(void)kill(parent->children[i].pid, SIGKILL);
	return parent->stop_by < next ? parent->stop_by : next;
}

static int64_t
next_start(const struct parent *parent)
{
	int64_t next = INT64_MAX;
	int i;

	for (i = 0; i < parent->n && parent->stop_by == 0; i++)
		if (parent->children[i].pid == 0 &&
		    parent->children[i].fork_at < next)
			next = parent->children[i].fork_at;
	return next;
}

/* Of WORK_IDLE: when all will have been idle for long enough. */
static int64_t
leave_at(const struct parent *parent)
{
	int64_t latest = 0, idle;
	int i;

	for (i = 0; i < parent->n; i++) {
		idle = atomic_load(&parent->board->slots[i].idle);
		if (idle == 0 || parent->children[i].pid == 0)
			return INT64_MAX;
		latest = idle > latest ? idle : latest;
	}
	return latest + LINGER;
}

static void
say_ready(struct parent *parent)
{
	int i;

	if (parent->ready)
		return;
	for (i = 0; i < parent->n; i++)
		if (!atomic_load(&parent->board->slots[i].ready))
			return;
	parent->ready = true;
	notify("READY=1");
	if (parent->until == WORK_STOPPED)
		log_msg(LOG_LEVEL_INFO, "%d workers take events from inbox %s",
		    parent->n, parent->family.path);
}

static bool
all_gone(const struct parent *parent)
{
	int i;

	for (i = 0; i < parent->n; i++)
		if (parent->children[i].pid != 0)
			return false;
	return true;
}

static bool
is_over(const struct parent *parent)
{
	return all_gone(parent) &&
	    (parent->stop_by != 0 || next_start(parent) == INT64_MAX);
}

static void
sleep_until(struct parent *parent, int64_t until)
{
	struct pollfd fds[2] = {
		{ .fd = parent->signals, .events = POLLIN },
		{ .fd = parent->news[0], .events = POLLIN },
	};
	int64_t wait = until - clock_ms();
	char bytes[256];

	if (wait < 0)
		wait = 0;
	(void)poll(fds, 2, until == INT64_MAX || wait > INT32_MAX ? -1 :
	    (int)wait);
	atomic_store(&parent->board->asleep, false);
	while (read(parent->news[0], bytes, sizeof(bytes)) > 0)
		continue;
}

/* Its FIFO was taken away: events would start families that wait for us. */
static void
check_home(struct parent *parent)
{
	if (pool_fifo_exists(&parent->family))
		return;
	if (!pool_is_valid(&parent->family)) {
		if (!atomic_exchange(&parent->board->lost, true))
			log_msg(LOG_LEVEL_ERROR, "inbox %s: moved away or "
			    "deleted while workers had it: they leave",
			    parent->family.path);
	} else if (!parent->unheard) {
		parent->unheard = true;
		log_msg(LOG_LEVEL_ERROR, "%s-wake was removed: workers leave, "
		    "and others follow", parent->family.path);
	}
	begin_stop(parent);
}

/* Looks after the workers, then sleeps until there may be something to do. */
static void
step(struct parent *parent)
{
	int64_t until, now;

	check_home(parent);
	start_children(parent);
	/* Before looking: what begins after this wakes us. */
	atomic_store(&parent->board->asleep, true);
	say_ready(parent);
	now = clock_ms();
	until = kill_late(parent, now);
	if (until != INT64_MAX)
		until = earliest(until, now + CONF_EVERY);
	until = earliest(until, next_start(parent));
	if (parent->until == WORK_IDLE && parent->stop_by == 0) {
		if (leave_at(parent) <= now)
			begin_stop(parent);
		until = earliest(until, leave_at(parent));
	}
	sleep_until(parent, until);
	read_signals(parent);
	(void)conf_refresh(&parent->conf, NULL);
}

/* One more worker, when all are gone, for this alone. */
static void
run_last(struct parent *parent, int i, enum job job)
{
	struct child *child = &parent->children[i];

	atomic_store(&parent->board->stopping, false);
	child->pid = fork_child(parent, i, job);
	if (child->pid == -1) {
		child->pid = 0;
		return;
	}
	child->forked = clock_ms();
	while (child->pid != 0)
		step(parent);
}

/* Did one die, whose replacement is to end what it held? */
static bool
one_died(const struct parent *parent)
{
	int i;

	for (i = 0; i < parent->n; i++)
		if (parent->board->slots[i].reason[0] != '\0')
			return true;
	return false;
}

/*
 * Deaf, one worker looks once more: what was stored before we went deaf may
 * have woken nobody. True: there was something, so stay.
 */
static bool
had_more(struct parent *parent)
{
	int64_t before = atomic_load(&parent->board->slots[0].handled);

	pool_stop_listening(&parent->family);
	parent->stop_by = 0;
	atomic_store(&parent->board->stopping, false);
	if (one_died(parent))
		return true;
	parent->n = 1;
	run_last(parent, 0, LAST_LOOK);
	parent->n = parent->workers;
	return atomic_load(&parent->board->slots[0].handled) != before ||
	    one_died(parent);
}

static bool
must_leave(const struct parent *parent)
{
	return parent->told || parent->unheard ||
	    atomic_load(&parent->board->lost) ||
	    atomic_load(&parent->board->outdated);
}

/* What a worker held that died on the way out: nobody replaced it. */
static void
clean_up(struct parent *parent)
{
	int i;

	for (i = 0; i < parent->n && !atomic_load(&parent->board->lost); i++) {
		if (parent->board->slots[i].reason[0] == '\0')
			continue;
		parent->stop_by = clock_ms() + STOP_MARGIN;
		run_last(parent, i, CLEAN_UP);
	}
}

/*
 * What is left is for the program that is there now, or for those that can be
 * woken: not for the next event. A service's successor is started by others.
 */
static void
start_successor(struct parent *parent)
{
	if (parent->until == WORK_STOPPED || parent->told ||
	    (!parent->unheard && !atomic_load(&parent->board->outdated)))
		return;
	if (spawn_pool(&parent->program, parent->conf->path, false) == -1)
		log_msg(LOG_LEVEL_ERROR, "cannot wake or start a worker for "
		    "inbox %s: %s", parent->family.path, strerror(errno));
}

/* What a responder started has only the log. */
static int
fail(const struct parent *parent, const char *why)
{
	if (parent->until != WORK_IDLE)
		return report_fail("work", "%s", why);
	log_msg(LOG_LEVEL_ERROR, "no workers: %s", why);
	return EXIT_ERROR;
}

static int
run(struct parent *parent)
{
	enum pool_entry entry = POOL_ENTERED;
	char error[POOL_ERROR_MAX];
	int i;

	while (entry == POOL_ENTERED) {
		for (i = 0; i < parent->n; i++)
			parent->children[i].fork_at = 0;
		while (!is_over(parent))
			step(parent);
		if (must_leave(parent) || !had_more(parent) ||
		    must_leave(parent))
			break;
		/* One that waits for the lock is as good. */
		entry = pool_listen(&parent->family, error);
	}
	pool_stop_listening(&parent->family);
	clean_up(parent);
	start_successor(parent);
	if (entry == POOL_FAILED)
		return fail(parent, error);
	/* A service is started again by what looks after it. */
	return atomic_load(&parent->board->lost) || (parent->until ==
	    WORK_STOPPED && (parent->unheard ||
	    atomic_load(&parent->board->outdated))) ?
	    EXIT_ERROR : EXIT_OK;
}

int
work_run(struct conf *conf, enum work_until until)
{
	struct parent parent = { .conf = conf, .until = until };
	char error[POOL_ERROR_MAX];
	int status = EXIT_ERROR;

	(void)prctl(PR_SET_NAME, "vkcb");
	program_init(&parent.program);
	switch (pool_enter(&parent.family, conf->inbox,
	    until == WORK_STOPPED, error)) {
	case POOL_ENTERED:
		status = set_up(&parent) == 0 ? run(&parent) :
		    fail(&parent, strerror(errno));
		break;
	case POOL_ALREADY_RUNNING:
		/* They do what this one was started for. */
		status = until == WORK_STOPPED ? report_fail("work", "%s",
		    error) : EXIT_OK;
		break;
	case POOL_FAILED:
		status = fail(&parent, error);
		break;
	}
	free(parent.children);
	conf_free(parent.conf);
	return status;
}
