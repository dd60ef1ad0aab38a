/*
 * family.h - the workers of an inbox: one family of processes, never two.
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
#ifndef FAMILY_H
#define FAMILY_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define FAMILY_ERROR_MAX 512

struct family {
	char path[4096];	/* the inbox's */
	int lock;		/* held as long as a worker has it open */
	dev_t device;		/* of the lock */
	ino_t inode;
	int wake;		/* -1: deaf */
};

enum family_entry {
	FAMILY_ENTERED,
	FAMILY_THERE_IS_ONE,
	FAMILY_FAILED,
};

/*
 * Becomes the family of this inbox, and listens. One that is leaving is waited
 * for. A service takes over from one that was started by a web server's
 * program: asks it to leave, and waits for that. Unless ENTERED, error says why
 * not.
 */
enum family_entry family_enter(struct family *, const char *inbox,
    bool service, char error[FAMILY_ERROR_MAX]);

/* From now on family_wake() finds nobody: look once more after this. */
void family_deafen(struct family *);

/*
 * Listens again. ENTERED; THERE_IS_ONE: another one listens by now and waits
 * for the lock; FAILED, and error.
 */
enum family_entry family_listen(struct family *,
    char error[FAMILY_ERROR_MAX]);

/* Is the lock still beside the inbox? Else both were moved away or deleted. */
bool family_is_valid(const struct family *);

/* For the parent: is the FIFO there, if it listens? */
bool family_is_heard(const struct family *);

/* For a worker: processes that it forks shall not count as workers. */
void family_disown_forks(struct family *);

/* Does this process still have open what makes it a worker? */
bool family_is_open(const struct family *);

/*
 * Takes the wakes that came: how many. One process may take what was meant for
 * several: once it has something to do, it passes a wake on to the next.
 */
size_t family_heard(struct family *);
void family_pass_on(struct family *);

/* Is there a family, one that listens? */
bool family_is_there(const char *inbox);

/*
 * Keeps a family from beginning until this descriptor is closed; -1: there is
 * one, or there never was.
 */
int family_keep_out(const char *inbox);

/* Wakes a worker. 1; 0: there is no family; -1, with errno. */
int family_wake(const char *inbox);

#endif
