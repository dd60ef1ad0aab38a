/*
 * pool.h - the workers of an inbox: one family of processes, never two.
 *
 * Two files stand beside the inbox. PATH-lock is locked (flock) by the parent
 * and, through it, by its workers: the lock is free when the last of them is
 * gone, however they went. The parent alone has a lock of its process on it
 * too (fcntl), so that it can be found. PATH-wake is a FIFO that one family
 * listens to: a byte in it wakes an idle worker at once, and where nobody reads
 * it no family will look into the inbox any more. A FIFO costs a writer a few
 * microseconds, an idle reader nothing, and it cannot fill up with trouble: a
 * full one wakes just as well.
 */
#ifndef POOL_H
#define POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define POOL_ERROR_MAX 512

struct pool {
	char path[4096];	/* the inbox's */
	int lock;		/* held as long as a worker has it open */
	dev_t device;		/* of the lock */
	ino_t inode;
	int wake;		/* -1: deaf */
};

enum pool_entry {
	POOL_ENTERED,
	POOL_ALREADY_RUNNING,
	POOL_FAILED,
};

/*
 * Becomes the family of this inbox, and listens. One that is leaving is waited
 * for. A service takes over from one that was started by a web server's
 * program: asks it to leave, and waits for that. Unless ENTERED, error says why
 * not.
 */
enum pool_entry pool_enter(struct pool *, const char *inbox,
    bool service, char error[POOL_ERROR_MAX]);

/* From now on pool_wake() finds nobody: look once more after this. */
void pool_stop_listening(struct pool *);

/*
 * Listens again. ENTERED; THERE_IS_ONE: another one listens by now and waits
 * for the lock; FAILED, and error.
 */
enum pool_entry pool_listen(struct pool *,
    char error[POOL_ERROR_MAX]);

/* Is the lock still beside the inbox? Else both were moved away or deleted. */
bool pool_is_valid(const struct pool *);

/* For the parent: is the FIFO there, if it listens? */
bool pool_fifo_exists(const struct pool *);

/* For a worker: processes that it forks shall not count as workers. */
void pool_close_in_children(struct pool *);

/* Does this process still have open what makes it a worker? */
bool pool_is_open(const struct pool *);

/*
 * Takes the wakes that came: how many. One process may take what was meant for
 * several: once it has something to do, it passes a wake on to the next.
 */
size_t pool_drain_wakeups(struct pool *);
void pool_wake_next(struct pool *);

/* Is there a family, one that listens? */
bool pool_is_there(const char *inbox);

/*
 * Keeps a family from beginning until this descriptor is closed; -1: there is
 * one, or there never was.
 */
int pool_lock_out(const char *inbox);

/* Wakes a worker. 1; 0: there is no family; -1, with errno. */
int pool_wake(const char *inbox);

#endif
