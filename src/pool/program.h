/*
 * program.h - the file that this process runs, and what is in its place now.
 */
#ifndef PROGRAM_H
#define PROGRAM_H

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

struct program {
	char path[PATH_MAX];
	dev_t device;
	ino_t inode;
};

/* Once, early: a path from where the process was started. */
void program_init(struct program *);

/*
 * Does another program stand at its path? No, if that is gone, or none yet.
 */
bool program_is_replaced(const struct program *);

/*
 * Becomes what stands there now, else this program again; or returns. Where it
 * waits for a file that is still written, it closes fd first.
 */
void program_exec(const struct program *, char *const argv[],
    char *const environment[], int fd);

#endif
