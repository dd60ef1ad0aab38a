/*
 * program.c - the file that this process runs, and the one in its place now:
 * starting a pool of it.
 *
 * A pool is started as a daemon is, by two forks. Errors in the children before
 * the program runs come back through a pipe, which exec closes. A file that is
 * still being copied cannot be run (ETXTBSY): the child waits for its end, and
 * tells nothing.
 */
#include "pool/program.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "banned.h"

#define ITSELF "/proc/self/exe"
#define GONE " (deleted)"	/* appended by the kernel */
#define BUSY_PAUSE 100000000L	/* ns */
#define BUSY_MAX 100
#define PIPE_FD 3		/* of the child */

extern char **environ;

/*
 * The name that it was started by: a link may be switched to another program.
 * False: it was started by a descriptor.
 */
static bool
name_started(char path[PATH_MAX])
{
	const char *name = (const char *)getauxval(AT_EXECFN);
	char folder[PATH_MAX] = "";
	int len;

	if (name == NULL || strncmp(name, "/proc/", 6) == 0 ||
	    strncmp(name, "/dev/fd/", 8) == 0 ||
	    (*name != '/' && getcwd(folder, sizeof(folder)) == NULL))
		return false;
	len = snprintf(path, PATH_MAX, "%s%s%s", folder,
	    *name != '/' ? "/" : "", name);
	return len > 0 && len < PATH_MAX;
}

/* Without that name: the file's own. */
static void
read_own_path(char path[PATH_MAX])
{
	ssize_t len = readlink(ITSELF, path, PATH_MAX - 1);
	char *gone;

	path[len > 0 ? len : 0] = '\0';
	gone = strstr(path, GONE);
	if (gone != NULL && gone[sizeof(GONE) - 1] == '\0')
		*gone = '\0';
}

void
program_init(struct program *program)
{
	struct stat st = { .st_ino = 0 };

	if (!name_started(program->path))
		read_own_path(program->path);
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

/* A web server's variables tell of a request; one makes a program CGI. */
static bool
is_of_request(const char *variable)
{
	static const char *const names[] = {
		"HTTP_", "GATEWAY_INTERFACE=", "REQUEST_", "CONTENT_", "QUERY_",
		"REMOTE_", "SCRIPT_", "PATH_INFO=", "PATH_TRANSLATED=",
		"REDIRECT_", "VKCB_CONF=", "NOTIFY_SOCKET=",
	};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strncmp(variable, names[i], strlen(names[i])) == 0)
			return true;
	return false;
}

/* Pointers to our environment, and one text of its own; to be freed. */
static char **
make_environment(const char *conf_path)
{
	size_t n = 0, kept = 1, size = strlen(conf_path) + sizeof("VKCB_CONF=");
	char **environment, *own;

	while (environ[n] != NULL)
		n++;
	environment = malloc((n + 2) * sizeof(*environment) + size);
	if (environment == NULL)
		return NULL;
	own = (char *)(environment + n + 2);
	snprintf(own, size, "VKCB_CONF=%s", conf_path);
	environment[0] = own;
	for (n = 0; environ[n] != NULL; n++)
		if (!is_of_request(environ[n]))
			environment[kept++] = environ[n];
	environment[kept] = NULL;
	return environment;
}

/*
 * A CGI program's answer is complete for its web server when every copy of its
 * pipes and sockets is closed. Standard error may stay as a log.
 */
static int
close_inherited(int pipe, bool keep_stderr)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), fd;
	struct stat st;

	if (null == -1)
		return -1;
	(void)dup2(null, STDIN_FILENO);
	(void)dup2(null, STDOUT_FILENO);
	if (!keep_stderr && (fstat(STDERR_FILENO, &st) == -1 ||
	    !S_ISREG(st.st_mode)))
		(void)dup2(null, STDERR_FILENO);
	if (pipe != PIPE_FD && dup3(pipe, PIPE_FD, O_CLOEXEC) == -1)
		return -1;
	if (syscall(SYS_close_range, PIPE_FD + 1U, ~0U, 0U) == 0)
		return 0;
	for (fd = PIPE_FD + 1; fd < 65536; fd++)
		close(fd);
	return 0;
}

static void
reset_signals(void)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGUSR1, SIGPIPE,
	    SIGHUP };
	sigset_t none;
	size_t i;

	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		(void)signal(signals[i], SIG_DFL);
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static void
tell_errno(int pipe)
{
	int error = errno;

	(void)!write(pipe, &error, sizeof(error));
	_exit(1);
}

/* Runs the file in place now, else this program again; or returns. */
static void
exec_pool(const struct program *program, char **environment)
{
	const struct timespec pause = { .tv_nsec = BUSY_PAUSE };
	char *const argv[] = { (char[]){ "vkcb" }, (char[]){ "work" },
	    (char[]){ "--until-idle" }, NULL };
	struct stat st;
	int i;

	if (!may_be_run(program->path, &st))
		execve(ITSELF, argv, environment);
	for (i = 0; i < BUSY_MAX; i++) {
		execve(program->path, argv, environment);
		if (errno != ETXTBSY)
			return;
		close(PIPE_FD);
		nanosleep(&pause, NULL);
	}
}

/* In the child of a fork: calls nothing that could wait for a lock. */
static void
become_pool(const struct program *program, char **environment, int pipe,
    bool keep_stderr)
{
	pid_t pid = setsid() == -1 ? -1 : fork();

	if (pid == -1)
		tell_errno(pipe);
	if (pid != 0)
		_exit(0);
	if (close_inherited(pipe, keep_stderr) == -1)
		tell_errno(pipe);
	reset_signals();
	exec_pool(program, environment);
	tell_errno(PIPE_FD);
}

int
program_start_pool(const struct program *program, const char *conf_path,
    bool keep_stderr)
{
	char **environment = make_environment(conf_path);
	int ends[2], error;
	pid_t pid;

	if (environment == NULL || pipe2(ends, O_CLOEXEC) == -1) {
		free(environment);
		return -1;
	}
	pid = fork();
	if (pid == 0)
		become_pool(program, environment, ends[1], keep_stderr);
	error = pid == -1 ? errno : 0;
	close(ends[1]);
	while (pid != -1 && waitpid(pid, NULL, 0) == -1 && errno == EINTR)
		continue;
	while (read(ends[0], &error, sizeof(error)) == -1 && errno == EINTR)
		continue;
	close(ends[0]);
	free(environment);
	errno = error;
	return error == 0 ? 0 : -1;
}
