/*
 * hold-exit.c - loaded before workers (LD_PRELOAD), keeps their parent, when it
 * ends, before it has let go of anything: it makes the file $HOLD_EXIT.held,
 * then waits up to 20 s for $HOLD_EXIT.go. So with $HOLD_WAKE, before it takes
 * away the FIFO on which it is woken.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#define WAKE "-wake"

/* Workers end with their parent; a web server's program has its variables. */
static int
is_parent(void)
{
	int signal = 0;

	return prctl(PR_GET_PDEATHSIG, &signal) == 0 && signal == 0 &&
	    getenv("GATEWAY_INTERFACE") == NULL;
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

int
unlink(const char *path)
{
	size_t len = strlen(path);

	if (len >= strlen(WAKE) &&
	    strcmp(path + len - strlen(WAKE), WAKE) == 0)
		hold(getenv("HOLD_WAKE"));
	return unlinkat(AT_FDCWD, path, 0);
}
