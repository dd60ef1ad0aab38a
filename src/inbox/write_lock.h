/*
 * write_lock.h - processes that write to one file take turns, without polling.
 *
 * A courtesy between them, not a lock that anything is safe by: the file has
 * its own, which SQLite polls for. Who gets no turn in time goes on and meets
 * that one.
 */
#ifndef WRITE_LOCK_H
#define WRITE_LOCK_H

#include <stdbool.h>
#include <stdint.h>

struct write_lock_board;

struct turn {
	int fd;			/* -1: nothing is shared, nobody waits */
	struct write_lock_board *board;
	bool taken;
};

/*
 * Opens the file that the processes meet in, made if need be. Without it, as on
 * a full disk, there are no turns.
 */
void write_lock_open(struct turn *, const char *path);
void write_lock_close(struct turn *);

/* Waits for the turn, at most that long. */
void write_lock_acquire(struct turn *, int64_t milliseconds);
void write_lock_release(struct turn *);

#endif
