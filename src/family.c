/*
 * family.c - the lock, the FIFO, and starting workers from a responder.
 *
 * A family that leaves first goes deaf, then looks once more; a responder first
 * commits, then wakes. So an event is seen by that last look, or its responder
 * finds nobody and starts another family.
 */
#include "family.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "host.h"

#include "banned.h"

#define SERVICE "service"
#define TRANSIENT "until-idle"

extern char **environ;

static int
beside(char path[4096], const char *inbox, const char *suffix)
{
	int len = snprintf(path, 4096, "%s%s", inbox, suffix);

	if (len > 0 && len < 4096)
		return 0;
	errno = ENAMETOOLONG;
	return -1;
}

static int
fail(char error[FAMILY_ERROR_MAX], const char *path)
{
	snprintf(error, FAMILY_ERROR_MAX, "%.256s: %s: see that the inbox's "
	    "folder is there and writable", path, strerror(errno));
	return -1;
}

/* Who has the lock: its process, and whether it is one to take over from. */
static pid_t
read_owner(int lock, bool *transient)
{
	char text[64];
	ssize_t len = pread(lock, text, sizeof(text) - 1, 0);
	long pid;
	char *end;

	if (len <= 0)
		return 0;
	text[len] = '\0';
	pid = strtol(text, &end, 10);
	*transient = strcmp(end, " " TRANSIENT "\n") == 0;
	return pid > 1 ? (pid_t)pid : 0;
}

static void
write_owner(int lock, bool service)
{
	char text[64];
	int len = snprintf(text, sizeof(text), "%ld %s\n", (long)getpid(),
	    service ? SERVICE : TRANSIENT);

	/* Read by people and by read_owner(), which takes what there is. */
	if (pwrite(lock, text, (size_t)len, 0) == len)
		(void)!ftruncate(lock, len);
}

static int
there_is_one(char error[FAMILY_ERROR_MAX], pid_t owner)
{
	snprintf(error, FAMILY_ERROR_MAX, "workers are running already "
	    "(process %ld)", (long)owner);
	errno = EWOULDBLOCK;
	return -1;
}

/*
 * A service takes over from workers that an event started: they finish what
 * they have in hand. It looks again meanwhile, as another service may be
 * quicker; to wait for the lock would be to wait for that one's end.
 */
static int
take_lock(int lock, bool service, char error[FAMILY_ERROR_MAX],
    const char *path)
{
	const struct timespec pause = { .tv_nsec = 20000000 };
	pid_t owner, told = 0;
	bool transient;

	while (flock(lock, LOCK_EX | LOCK_NB) == -1) {
		if (errno != EWOULDBLOCK)
			return fail(error, path);
		transient = false;
		owner = read_owner(lock, &transient);
		if (!service || !transient || owner == 0)
			return there_is_one(error, owner);
		if (owner != told)
			(void)kill(owner, SIGTERM);
		told = owner;
		nanosleep(&pause, NULL);
	}
	return 0;
}

enum family_entry
family_enter(struct family *family, const char *inbox, bool service,
    char error[FAMILY_ERROR_MAX])
{
	char path[4096];
	bool there;

	*family = (struct family){ .lock = -1, .wake = -1 };
	if (beside(family->path, inbox, "") == -1 ||
	    beside(path, inbox, "-lock") == -1 ||
	    (family->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC |
	    O_NOCTTY, 0600)) == -1) {
		(void)fail(error, inbox);
		return FAMILY_FAILED;
	}
	if (take_lock(family->lock, service, error, path) == -1) {
		there = errno == EWOULDBLOCK;
		close(family->lock);
		return there ? FAMILY_THERE_IS_ONE : FAMILY_FAILED;
	}
	write_owner(family->lock, service);
	return FAMILY_ENTERED;
}

int
family_listen(struct family *family, char error[FAMILY_ERROR_MAX])
{
	char path[4096];

	if (beside(path, family->path, "-wake") == -1)
		return fail(error, family->path);
	if (mkfifo(path, 0600) == -1 && errno != EEXIST)
		return fail(error, path);
	/* Open for writing too: it never ends, and a wake can be passed on. */
	family->wake = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	return family->wake != -1 ? 0 : fail(error, path);
}

void
family_deafen(struct family *family)
{
	if (family->wake != -1)
		close(family->wake);
	family->wake = -1;
}

bool
family_is_valid(const struct family *family)
{
	struct stat held, there;
	char path[4096];

	return beside(path, family->path, "-lock") == 0 &&
	    fstat(family->lock, &held) == 0 && stat(path, &there) == 0 &&
	    held.st_dev == there.st_dev && held.st_ino == there.st_ino;
}

size_t
family_heard(struct family *family)
{
	char bytes[4096];
	ssize_t got = read(family->wake, bytes, sizeof(bytes));

	return got > 0 ? (size_t)got : 0;
}

void
family_pass_on(struct family *family)
{
	(void)!write(family->wake, "", 1);
}

/* -1 with errno: ENXIO and ENOENT say that nobody reads it. */
static int
open_wake(const char *inbox)
{
	char path[4096];
	struct stat st;
	int fd;

	if (beside(path, inbox, "-wake") == -1)
		return -1;
	fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	if (fd == -1 || (fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode)))
		return fd;
	close(fd);
	errno = EEXIST;
	return -1;
}

bool
family_is_there(const char *inbox)
{
	int fd = open_wake(inbox);

	if (fd != -1)
		close(fd);
	return fd != -1;
}

int
family_wake(const char *inbox)
{
	int fd = open_wake(inbox), result;

	if (fd == -1)
		return errno == ENXIO || errno == ENOENT ? 0 : -1;
	/* Full: then it will be read. Broken: the reader left just now. */
	result = write(fd, "", 1) == 1 || errno == EAGAIN ? 1 :
	    errno == EPIPE ? 0 : -1;
	close(fd);
	return result;
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
become_worker(char **environment)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGUSR1, SIGPIPE };
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
	execve("/proc/self/exe", argv, environment);
	_exit(1);
}

int
family_start(const char *conf_path)
{
	char **environment = make_environment(conf_path);
	int status = -1;
	pid_t pid;

	if (environment == NULL)
		return -1;
	pid = fork();
	if (pid == 0)
		become_worker(environment);
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
