/*
 * spawn.c - starts workers from a responder: a daemon's two forks, with nothing
 * of the web server's but what may be a log, and the program that is in place
 * now.
 *
 * What fails in the child before that program runs is told by its status.
 */
#include "spawn.h"

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

#include "host.h"
#include "program.h"

#include "banned.h"

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
 * or a FastCGI responder's: the journal, say.
 */
static void
close_inherited(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), fd;
	struct stat st;

	if (null == -1)
		_exit(1);
	(void)dup2(null, STDIN_FILENO);
	(void)dup2(null, STDOUT_FILENO);
	if (cgi_is_host() && (fstat(STDERR_FILENO, &st) == -1 ||
	    !S_ISREG(st.st_mode)))
		(void)dup2(null, STDERR_FILENO);
	if (syscall(SYS_close_range, 3U, ~0U, 0U) == 0)
		return;
	for (fd = 3; fd < 65536; fd++)
		close(fd);
}

/* In the child of a fork: calls nothing that could wait for a lock. */
static void
become_worker(const struct program *program, char **environment)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGUSR1, SIGPIPE,
	    SIGHUP };
	char *const argv[] = { (char[]){ "vkcb" }, (char[]){ "work" },
	    (char[]){ "--until-idle" }, NULL };
	sigset_t none;
	size_t i;

	if (setsid() == -1)
		_exit(1);
	switch (fork()) {
	case -1:
		_exit(1);
	case 0:
		break;
	default:
		_exit(0);
	}
	close_inherited();
	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		(void)signal(signals[i], SIG_DFL);
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	program_exec(program, argv, environment);
	_exit(1);
}

int
spawn_family(const struct program *program, const char *conf_path)
{
	char **environment = make_environment(conf_path);
	int status = -1;
	pid_t pid;

	if (environment == NULL)
		return -1;
	pid = fork();
	if (pid == 0)
		become_worker(program, environment);
	free(environment);
	if (pid == -1)
		return -1;
	while (waitpid(pid, &status, 0) == -1 && errno == EINTR)
		continue;
	if (status == 0)
		return 0;
	errno = EAGAIN;
	return -1;
}
