/*
 * hold-exit.c - loaded before workers (LD_PRELOAD), keeps their parent, when it
 * ends, before it has let go of anything: it makes the file $HOLD_EXIT.held,
 * then waits up to 20 s for $HOLD_EXIT.go. So with $HOLD_LEAVE, before it
 * unlocks the byte that says that it accepts events.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

static int is_cgi;

/* A web server's program has its variables, until it starts workers. */
__attribute__((constructor)) static void
hold_begin(void)
{
	is_cgi = getenv("GATEWAY_INTERFACE") != NULL;
}

/* Workers end with their parent. */
static int
is_parent(void)
{
	int signal = 0;

	return prctl(PR_GET_PDEATHSIG, &signal) == 0 && signal == 0 && !is_cgi;
}

static void
hold(const char *path)
{
	static const struct timespec tick = { .tv_nsec = 10000000 };
	char name[4096];
	int fd, i;

	if (path == NULL || !is_parent())
		return;
	snprintf(name, sizeof(name), "%s.held", path);
	fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
	if (fd != -1)
		close(fd);
	snprintf(name, sizeof(name), "%s.go", path);
	for (i = 0; i < 2000 && access(name, F_OK) == -1; i++)
		nanosleep(&tick, NULL);
}

__attribute__((destructor)) static void
hold_exit(void)
{
	hold(getenv("HOLD_EXIT"));
}

/* All commands of vkcb and SQLite have a third argument of a word, or none. */
static int
hold_fcntl(const char *name, int fd, int command, void *argument)
{
	int (*real)(int, int, ...);
	const struct flock *lock = argument;

	*(void **)&real = dlsym(RTLD_NEXT, name);
	if (command == F_OFD_SETLK && lock->l_type == F_UNLCK &&
	    lock->l_start == 1)
		hold(getenv("HOLD_LEAVE"));
	return real(fd, command, argument);
}

#define FCNTL(name) \
int \
name(int fd, int command, ...) \
{ \
	va_list args; \
	void *argument; \
\
	va_start(args, command); \
	argument = va_arg(args, void *); \
	va_end(args); \
	return hold_fcntl(#name, fd, command, argument); \
}

FCNTL(fcntl)
FCNTL(fcntl64)
