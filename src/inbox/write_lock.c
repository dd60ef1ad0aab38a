/*
 * write_lock.c - a lock of the kernel's, free when its owner is killed, and a
 * futex to wait on until it is given up.
 *
 * Whatever fails here costs time, and no more.
 */
#include "inbox/write_lock.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "private_file.h"

#include "banned.h"

#define BOARD_SIZE 4096
#define WAIT_NS 5000000L	/* an owner that is killed wakes nobody */

struct write_lock_board {
	_Atomic uint32_t given;		/* futex: changes with each turn */
	_Atomic uint32_t waiters;	/* one that was killed stays counted */
};

_Static_assert(sizeof(struct write_lock_board) <= BOARD_SIZE, "board");

/* Its bytes are written, not only promised: a mapping must never miss them. */
static bool
make_board(int fd)
{
	static const char zeros[BOARD_SIZE];
	char bytes[BOARD_SIZE];

	return pread(fd, bytes, sizeof(bytes), 0) == sizeof(bytes) ||
	    pwrite(fd, zeros, sizeof(zeros), 0) == sizeof(zeros);
}

void
write_lock_open(struct turn *turn, const char *path)
{
	void *board = MAP_FAILED;

	*turn = (struct turn){ .fd = private_file_open(path, O_RDWR |
	    O_CREAT) };
	if (turn->fd == -1)
		return;
	if (make_board(turn->fd))
		board = mmap(NULL, BOARD_SIZE, PROT_READ | PROT_WRITE,
		    MAP_SHARED, turn->fd, 0);
	if (board != MAP_FAILED)
		turn->board = board;
	else
		write_lock_close(turn);
}

void
write_lock_close(struct turn *turn)
{
	if (turn->board != NULL)
		(void)munmap(turn->board, BOARD_SIZE);
	if (turn->fd != -1)
		close(turn->fd);
	*turn = (struct turn){ .fd = -1 };
}

/* Of the open file, so that a process may have several, as tests have. */
static bool
set_lock(const struct turn *turn, short type)
{
	struct flock whole = { .l_type = type, .l_whence = SEEK_SET };

	return fcntl(turn->fd, F_OFD_SETLK, &whole) == 0;
}

void
write_lock_acquire(struct turn *turn, int64_t milliseconds)
{
	const struct timespec limit = { .tv_nsec = WAIT_NS };
	struct write_lock_board *board = turn->board;
	int64_t until = clock_ms() + milliseconds;
	uint32_t given;

	while (board != NULL && !turn->taken) {
		given = atomic_load(&board->given);
		turn->taken = set_lock(turn, F_WRLCK);
		if (turn->taken || clock_ms() >= until)
			return;
		/* Who gives it up after this looks at the waiters. */
		atomic_fetch_add(&board->waiters, 1);
		(void)syscall(SYS_futex, &board->given, FUTEX_WAIT, given,
		    &limit, NULL, 0);
		atomic_fetch_sub(&board->waiters, 1);
	}
}

void
write_lock_release(struct turn *turn)
{
	struct write_lock_board *board = turn->board;

	if (!turn->taken)
		return;
	turn->taken = false;
	(void)set_lock(turn, F_UNLCK);
	atomic_fetch_add(&board->given, 1);
	if (atomic_load(&board->waiters) > 0)
		(void)syscall(SYS_futex, &board->given, FUTEX_WAKE, 1, NULL,
		    NULL, 0);
}
