/*
 * program.h - the file that this process runs, and the one in its place now.
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

/* Once, early: the path may be relative to where the process was started. */
void program_init(struct program *);

/* False also if no program stands at its path, or none yet. */
bool program_is_replaced(const struct program *);

/*
 * Starts a pool of the program in place now, which works until the inbox is
 * empty and outlives this process. The caller is done with its environment, and
 * has no other child processes. Standard error stays if it is a file, or with
 * keep_stderr; with waits, a file that is being copied is waited for. 0, or -1
 * with errno.
 */
int program_start_pool(const struct program *, const char *conf_path,
    bool keep_stderr, bool waits);

#endif
