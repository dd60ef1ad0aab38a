/*
 * pool.h - the worker pool of an inbox: at most one runs per inbox. Its locks
 * are three bytes of PATH-lock; pool.c says which.
 */
#ifndef POOL_H
#define POOL_H

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

#define POOL_ERROR_MAX 512

struct conf;

enum work_until {
	WORK_STOPPED,		/* a service: until it is told to stop */
	WORK_ONCE,		/* until nothing is due */
	WORK_IDLE,		/* until the inbox is empty */
};

/*
 * Runs a pool; takes the configuration over. The exit status, with a line in
 * error, or "", that says why there was no pool.
 */
int work_run(struct conf *, enum work_until, char error[POOL_ERROR_MAX]);

/* Does a pool accept events of this inbox? */
bool pool_is_there(const char *inbox);

/*
 * Keeps a pool from beginning until this descriptor is closed; -1: one runs,
 * or none ever did.
 */
int pool_lock_out(const char *inbox);

/* The file that this process runs, and the one in its place now. */
struct program {
	char path[PATH_MAX];
	dev_t device;
	ino_t inode;
};

/* Once, early: the path may be relative to where the process was started. */
void program_init(struct program *);

/* False also while there is no program at its path. */
bool program_is_replaced(const struct program *);

/*
 * Starts a pool of the program in place now, which works until the inbox is
 * empty and outlives this process; a failure is logged. The caller is done with
 * its environment, and waits for no child process. Standard error stays if it
 * is a file, or with keep_stderr; with waits, a file that is being copied is
 * waited for.
 */
void program_start_pool(const struct program *, const struct conf *,
    bool keep_stderr, bool waits);

#endif
