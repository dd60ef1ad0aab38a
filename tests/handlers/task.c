/*
 * task.c - does the action of an event "test_task", and keeps a book, for tests
 * of the inbox. Its object:
 *
 *	{"book": PATH, "peer_id": N, "seq": N, "do": ACTION, "until": N,
 *	 "ms": N, "hold": PATH, "at_exit": COMMAND}
 *
 * ACTION: ok, fail, crash, hang, exit, quit (exit status 0), stop (SIGSTOP),
 * block (all signals, and hang), retry (after 0 s), giveup, remove, version;
 * fork (a process that stays), twice (one that returns as well), close
 * (descriptors that are not its own), chdir (to /); as long as the attempt is
 * below "until" (0: always), then ok. The book gets a line "begin PEER SEQ
 * ATTEMPT PID PPID" and, "ms" later, one that begins with "end", and one with
 * "stays" of the forked process that stays. The handler first waits up to 60 s
 * for the file PATH of "hold". The command is run when the process exits.
 */
#include "vkcb.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define CLOSED_UPTO 200

static const char *
text_of(struct vkcb_event *ev, const char *key)
{
	return vk_get_str(vkcb_json(ev, &ev->object), key);
}

static long long
number_of(struct vkcb_event *ev, const char *key)
{
	return (long long)vk_get_int(vkcb_json(ev, &ev->object), key);
}

static void
note(struct vkcb_event *ev, const char *what)
{
	char line[160];
	int fd = open(text_of(ev, "book"), O_WRONLY | O_APPEND | O_CREAT |
	    O_CLOEXEC, 0666);
	int len = snprintf(line, sizeof(line), "%s %lld %lld %d %ld %ld\n",
	    what, number_of(ev, "peer_id"), number_of(ev, "seq"), ev->attempt,
	    (long)getpid(), (long)getppid());

	if (fd == -1 || write(fd, line, (size_t)len) != len)
		vkcb_log(ev, "cannot write the book");
	if (fd != -1)
		close(fd);
}

static void
wait_for(long long ms)
{
	struct timespec time = {
		.tv_sec = (time_t)(ms / 1000),
		.tv_nsec = (long)(ms % 1000) * 1000000,
	};

	if (ms > 0)
		nanosleep(&time, NULL);
}

static void
wait_for_file(const char *path)
{
	int i;

	for (i = 0; *path != '\0' && i < 6000 && access(path, F_OK) == -1; i++)
		wait_for(10);
}

static char command[4096];

static void
run_command(void)
{
	(void)!system(command);
}

static void
run_at_exit(const char *text)
{
	if (*text != '\0' && *command == '\0')
		(void)atexit(run_command);
	snprintf(command, sizeof(command), "%s", text);
}

/* Child processes take no part in this. */
static void
misbehave(struct vkcb_event *ev, const char *action)
{
	int fd;

	if (strcmp(action, "fork") == 0 && fork() == 0) {
		note(ev, "stays");
		for (;;)
			pause();
	}
	if (strcmp(action, "twice") == 0)
		(void)!fork();
	for (fd = 3; strcmp(action, "close") == 0 && fd < CLOSED_UPTO; fd++)
		close(fd);
	if (strcmp(action, "chdir") == 0)
		(void)!chdir("/");
}

static void
block_signals(void)
{
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	signal(SIGTERM, SIG_IGN);
	signal(SIGALRM, SIG_IGN);
}

static enum vkcb_outcome
obey(struct vkcb_event *ev, const char *action)
{
	if (strcmp(action, "fail") == 0)
		return VKCB_FAIL;
	misbehave(ev, action);
	if (strcmp(action, "crash") == 0) {
		/* A sanitizer would turn the signal into an exit. */
		signal(SIGSEGV, SIG_DFL);
		raise(SIGSEGV);
	}
	if (strcmp(action, "stop") == 0)
		raise(SIGSTOP);
	if (strcmp(action, "block") == 0)
		block_signals();
	while (strcmp(action, "hang") == 0 || strcmp(action, "block") == 0)
		wait_for(1000);
	if (strcmp(action, "quit") == 0)
		exit(0);
	if (strcmp(action, "exit") == 0)
		exit(3);
	if (strcmp(action, "retry") == 0)
		return vkcb_retry_after(ev, 503, 0);
	if (strcmp(action, "giveup") == 0)
		return VKCB_GIVE_UP;
	if (strcmp(action, "remove") == 0)
		return vkcb_remove(ev);
	if (strcmp(action, "version") == 0)
		return vkcb_set_version(ev, "5.199");
	return VKCB_OK;
}

static enum vkcb_outcome
run_task(struct vkcb_event *ev)
{
	long long until = number_of(ev, "until");

	note(ev, "begin");
	run_at_exit(text_of(ev, "at_exit"));
	wait_for(number_of(ev, "ms"));
	wait_for_file(text_of(ev, "hold"));
	if (until == 0 || ev->attempt < until) {
		enum vkcb_outcome outcome = obey(ev, text_of(ev, "do"));

		if (outcome == VKCB_FAIL || outcome == VKCB_RETRY_AFTER ||
		    outcome == VKCB_GIVE_UP)
			return outcome;
		note(ev, "end");
		return outcome;
	}
	note(ev, "end");
	return VKCB_OK;
}

const struct vkcb_handler handler_task = {
	ON_TYPE("test_task", run_task),
	.summary = "does what test_task says, and keeps a book",
};
