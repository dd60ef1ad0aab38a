/*
 * program.c - starts a pool of the program that stands where this process's
 * own stood.
 *
 * A file that is still being copied cannot be run (ETXTBSY), and an answer must
 * not wait for it: the pool is one of the old program, which finds that it was
 * replaced, leaves, and waits for the new one.
 */
#include "pool/pool.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "clock.h"
#include "conf/conf.h"
#include "log.h"

#include "banned.h"

#define ITSELF "/proc/self/exe"
#define BUSY_PAUSE 100000000L	/* ns */
#define BUSY_MAX 100
#define FDS_MAX 1024

extern char **environ;

/*
 * The name that it was started by, since a link may be switched to another
 * program; spawn() hands it on where it is not the kernel's.
 */
void
program_init(struct program *program)
{
	const char *name = (const char *)getauxval(AT_EXECFN);
	char folder[PATH_MAX - 1] = "";
	struct stat st = { .st_ino = 0 };

	if (name == NULL || strncmp(name, "/proc/", 6) == 0 ||
	    strncmp(name, "/dev/fd/", 8) == 0)
		name = program_invocation_name;
	if (*name != '/')
		(void)!getcwd(folder, sizeof(folder));
	snprintf(program->path, PATH_MAX, "%s%s%s", folder,
	    *name == '/' ? "" : "/", name);
	/* The running file's numbers, whatever stands at its path by now. */
	(void)stat(ITSELF, &st);
	program->device = st.st_dev;
	program->inode = st.st_ino;
}

static bool
may_be_run(const char *path, struct stat *st)
{
	return stat(path, st) == 0 && S_ISREG(st->st_mode) &&
	    access(path, X_OK) == 0;
}

bool
program_is_replaced(const struct program *program)
{
	struct stat st;

	return may_be_run(program->path, &st) &&
	    (st.st_dev != program->device || st.st_ino != program->inode);
}

/* Without a web server's variables: they tell of a request, and of CGI. */
static int
set_environment(const char *conf_path)
{
	static const char *const names[] = {
		"HTTP_", "GATEWAY_INTERFACE=", "REQUEST_", "CONTENT_", "QUERY_",
		"REMOTE_", "SCRIPT_", "PATH_INFO=", "PATH_TRANSLATED=",
		"REDIRECT_", "NOTIFY_SOCKET=", NULL,
	};
	char **from, **to = environ;
	const char *const *name;

	for (from = environ; *from != NULL; from++) {
		for (name = names; *name != NULL; name++)
			if (strncmp(*from, *name, strlen(*name)) == 0)
				break;
		if (*name == NULL)
			*to++ = *from;
	}
	*to = NULL;
	return setenv("VKCB_CONF", conf_path, 1);
}

/*
 * A CGI program's answer is complete for its web server when every copy of its
 * pipes and sockets is closed.
 */
static void
program_close_fds(void)
{
	const unsigned int cloexec = 1U << 2;	/* CLOSE_RANGE_CLOEXEC */
	int fd;

	if (syscall(SYS_close_range, STDERR_FILENO + 1U, ~0U, cloexec) == 0)
		return;
	for (fd = STDERR_FILENO + 1; fd < FDS_MAX; fd++)
		(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
}

/* A session of its own: no signal for the web server's group ends it. */
static int
spawn(const char *file, const char *path, bool keep_stderr)
{
	char *const argv[] = { (char *)(uintptr_t)path, (char[]){ "work" },
	    (char[]){ "--until-idle" }, NULL };
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	sigset_t none;
	pid_t pid;
	int error;

	sigemptyset(&none);
	(void)posix_spawnattr_init(&attributes);
	(void)posix_spawnattr_setsigmask(&attributes, &none);
	(void)posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK |
	    POSIX_SPAWN_SETSID);
	(void)posix_spawn_file_actions_init(&files);
	(void)posix_spawn_file_actions_addopen(&files, STDIN_FILENO,
	    "/dev/null", O_RDWR, 0);
	(void)posix_spawn_file_actions_adddup2(&files, STDIN_FILENO,
	    STDOUT_FILENO);
	if (!keep_stderr)
		(void)posix_spawn_file_actions_adddup2(&files, STDIN_FILENO,
		    STDERR_FILENO);
	error = posix_spawn(&pid, file, &files, &attributes, argv, environ);
	(void)posix_spawn_file_actions_destroy(&files);
	(void)posix_spawnattr_destroy(&attributes);
	return error;
}

void
program_start_pool(const struct program *program, const struct conf *conf,
    bool keep_stderr, bool waits)
{
	const char *path = program->path;
	struct stat st;
	int i, error;

	/* The kernel reaps the pool, so that none is left as a zombie. */
	(void)signal(SIGCHLD, SIG_IGN);
	error = set_environment(conf->path) == -1 ? ENOMEM : ETXTBSY;
	program_close_fds();
	keep_stderr |= fstat(STDERR_FILENO, &st) == 0 && S_ISREG(st.st_mode);
	for (i = 0; error == ETXTBSY && i < (waits ? BUSY_MAX : 1); i++) {
		if (i > 0)
			clock_sleep_until(clock_ns() + BUSY_PAUSE);
		error = may_be_run(path, &st) ?
		    spawn(path, path, keep_stderr) : ENOENT;
	}
	if (error == ETXTBSY || error == ENOENT)
		error = spawn(ITSELF, path, keep_stderr);
	if (error != 0)
		log_msg(LOG_LEVEL_ERROR, "cannot wake or start a worker for "
		    "inbox %s: %s: start `vkcb work`", conf->inbox,
		    strerror(error));
}
