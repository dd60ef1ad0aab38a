/*
 * spawn.c - starts workers from a responder: a daemon's two forks, with nothing
 * of the web server's but what may be a log, and the program that is in place
 * now.
 *
 * What fails in the children before that program runs is told by a pipe, which
 * its start closes, or the wait for a file that is still written.
 */
#include "pool/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pool/program.h"

#include "banned.h"

#define PIPE_FD 3		/* of the child */

extern char **environ;

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

/* An environment of pointers to ours, and one text of its own; to be freed. */
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
 * pipes and sockets is closed. Standard error stays, as a log, if it is a file,
 * or a FastCGI responder's: the journal, say. 0, or -1 with errno.
 */
static int
close_inherited(int pipe, bool is_cgi)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), fd;
	struct stat st;

	if (null == -1)
		return -1;
	(void)dup2(null, STDIN_FILENO);
	(void)dup2(null, STDOUT_FILENO);
	if (is_cgi && (fstat(STDERR_FILENO, &st) == -1 ||
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
tell_errno(int pipe)
{
	int error = errno;

	(void)!write(pipe, &error, sizeof(error));
	_exit(1);
}

/* In the child of a fork: calls nothing that could wait for a lock. */
static void
become_worker(const struct program *program, char **environment, int pipe,
    bool is_cgi)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGUSR1, SIGPIPE,
	    SIGHUP };
	char *const argv[] = { (char[]){ "vkcb" }, (char[]){ "work" },
	    (char[]){ "--until-idle" }, NULL };
	sigset_t none;
	size_t i;

	if (setsid() == -1)
		tell_errno(pipe);
	switch (fork()) {
	case -1:
		tell_errno(pipe);
		break;
	case 0:
		break;
	default:
		_exit(0);
	}
	if (close_inherited(pipe, is_cgi) == -1)
		tell_errno(pipe);
	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		(void)signal(signals[i], SIG_DFL);
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	program_exec(program, argv, environment, PIPE_FD);
	tell_errno(PIPE_FD);
}

/* 0, or an errno. */
static int
start(const struct program *program, char **environment, bool is_cgi)
{
	int ends[2], error;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) == -1)
		return errno;
	pid = fork();
	if (pid == 0)
		become_worker(program, environment, ends[1], is_cgi);
	error = pid == -1 ? errno : 0;
	close(ends[1]);
	while (pid != -1 && waitpid(pid, NULL, 0) == -1 && errno == EINTR)
		continue;
	while (read(ends[0], &error, sizeof(error)) == -1 && errno == EINTR)
		continue;
	close(ends[0]);
	return error;
}

int
spawn_pool(const struct program *program, const char *conf_path, bool is_cgi)
{
	char **environment = make_environment(conf_path);
	int error = environment != NULL ? start(program, environment, is_cgi) :
	    ENOMEM;

	free(environment);
	errno = error;
	return error == 0 ? 0 : -1;
}
