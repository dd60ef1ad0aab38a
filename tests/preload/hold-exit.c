/*
 * hold-exit.c - loaded before workers (LD_PRELOAD), keeps their parent, when it
 * ends, before it has let go of anything: it makes the file $HOLD_EXIT.held,
 * then waits up to 20 s for $HOLD_EXIT.go.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

/* Workers end with their parent; a web server's program has its variables. */
static int
is_parent(void)
{
	int signal = 0;

	return prctl(PR_GET_PDEATHSIG, &signal) == 0 && signal == 0 &&
	    getenv("GATEWAY_INTERFACE") == NULL;
}

__attribute__((destructor)) static void
hold(void)
{
	static const struct timespec tick = { .tv_nsec = 10000000 };
	const char *path = getenv("HOLD_EXIT");
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
