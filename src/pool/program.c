/*
 * program.c - the file that this process runs, and what is in its place now.
 *
 * A file that is copied there is no program as long as it is written: what is
 * started then waits for the end of that.
 */
#include "pool/program.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "banned.h"

#define ITSELF "/proc/self/exe"
#define GONE " (deleted)"	/* how the kernel says it */
#define BUSY_PAUSE 100000000L	/* ns */
#define BUSY_MAX 100

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
	/* Of what runs, whatever stands there by now. */
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

void
program_exec(const struct program *program, char *const argv[],
    char *const environment[], int fd)
{
	const struct timespec pause = { .tv_nsec = BUSY_PAUSE };
	struct stat st;
	int i;

	if (!may_be_run(program->path, &st))
		execve(ITSELF, argv, environment);
	for (i = 0; i < BUSY_MAX; i++) {
		execve(program->path, argv, environment);
		if (errno != ETXTBSY)
			return;
		close(fd);
		nanosleep(&pause, NULL);
	}
}
