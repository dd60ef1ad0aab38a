/*
 * family.h - the workers of an inbox: one family of processes, never two.
 *
 * Two files stand beside the inbox. PATH-lock is locked (flock) by the parent
 * and, through it, by its children: the lock is free when the last of them is
 * gone, however they went. PATH-wake is a FIFO that the family reads: a byte
 * in it wakes an idle worker at once, and where nobody reads it there is no
 * family. A FIFO costs a writer a few microseconds, an idle reader nothing,
 * and it cannot fill up with trouble: a full one wakes just as well.
 */
#ifndef FAMILY_H
#define FAMILY_H

#include <stdbool.h>
#include <stddef.h>

#define FAMILY_ERROR_MAX 512

struct family {
	char path[4096];	/* the inbox's */
	int lock;		/* held as long as any process has it open */
	int wake;		/* -1: deaf */
};

enum family_entry {
	FAMILY_ENTERED,
	FAMILY_THERE_IS_ONE,
	FAMILY_FAILED,
};

/*
 * Becomes the family of this inbox. A service takes over from one that was
 * started by a web server's program: asks it to leave, and waits for that.
 * Unless ENTERED, error says why not.
 */
enum family_entry family_enter(struct family *, const char *inbox,
    bool service, char error[FAMILY_ERROR_MAX]);

/* From now on family_wake() finds us. 0, or -1 and error. */
int family_listen(struct family *, char error[FAMILY_ERROR_MAX]);

/* From now on it finds nobody. Look into the inbox once more after this. */
void family_deafen(struct family *);

/* Is the lock still beside the inbox? Else both were moved away or deleted. */
bool family_is_valid(const struct family *);

/*
 * Takes the wakes that came: how many. One process may take what was meant for
 * several: once it has something to do, it passes a wake on to the next.
 */
size_t family_heard(struct family *);
void family_pass_on(struct family *);

/* Is there a family? */
bool family_is_there(const char *inbox);

/* Wakes a worker. 1; 0: there is no family; -1, with errno. */
int family_wake(const char *inbox);

/*
 * Starts a family that works until the inbox is empty, from a program of a web
 * server: it shares nothing with that, and lives on when that ends. 0, or -1
 * with errno.
 */
int family_start(const char *conf_path);

#endif
