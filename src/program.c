/*
 * program.c - the file that this process runs, and what is in its place now.
 *
 * A file that is copied there is no program as long as it is written: what is
 * started then waits for the end of that.
 */
#include "program.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "banned.h"

#define ITSELF "/proc/self/exe"
#define GONE " (deleted)"	/* how the kernel says it */
#define BUSY_PAUSE 100000000L	/* ns */
#define BUSY_MAX 100

void
program_init(struct program *program)
{
	ssize_t len = readlink(ITSELF, program->path,
	    sizeof(program->path) - 1);
	struct stat st;
	char *gone;

	program->path[len > 0 ? len : 0] = '\0';
	program->device = 0;
	program->inode = 0;
	if (stat(program->path, &st) == 0) {
		program->device = st.st_dev;
		program->inode = st.st_ino;
		return;
	}
	gone = strstr(program->path, GONE);
	if (gone != NULL && gone[sizeof(GONE) - 1] == '\0')
		*gone = '\0';
}

bool
program_is_replaced(const struct program *program)
{
	struct stat st;

	return stat(program->path, &st) == 0 && S_ISREG(st.st_mode) &&
	    (st.st_dev != program->device || st.st_ino != program->inode) &&
	    access(program->path, X_OK) == 0;
}

void
program_exec(const struct program *program, char *const argv[],
    char *const environment[])
{
	const struct timespec pause = { .tv_nsec = BUSY_PAUSE };
	int i;

	if (!program_is_replaced(program))
		execve(ITSELF, argv, environment);
	for (i = 0; i < BUSY_MAX; i++) {
		execve(program->path, argv, environment);
		if (errno != ETXTBSY)
			return;
		nanosleep(&pause, NULL);
	}
}
