/*
 * rate.c - takes turns for calls, through a small file that processes share.
 *
 * The file holds when the last 20 calls of a token were, or will be, made. Who
 * wants to call locks it, enters the next time that leaves no more than 20 in a
 * window, unlocks it and sleeps until then: nobody waits for another process
 * longer than a write takes. The system drops the lock of a process that
 * ends; a turn it took is lost, no more. A file that makes no sense is begun
 * anew.
 *
 * It is named by a hash of the token, and shared by those who share its folder.
 * Who cannot open it there has one in a folder of its user's; where none can be
 * had either, each process counts for itself. VK then may say "too many", and
 * the call is tried again later.
 */
#include "vk/rate.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "conf/conf.h"
#include "hash.h"
#include "log.h"
#include "owner.h"

#include "banned.h"

#define MAGIC UINT32_C(0x766b6332)
#define LOCK_TRIES 500
/* No turn is further ahead: nobody waits for one any longer. */
#define FAR (CONF_API_TIMEOUT_MAX * INT64_C(1000000) + RATE_WINDOW)
#define OWN_BOOKS 16

static int64_t
nanoseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static void
rate_sleep_until(int64_t at)
{
	struct timespec when = {
		.tv_sec = at / 1000000000, .tv_nsec = at % 1000000000,
	};

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &when, NULL) ==
	    EINTR)
		;
}

/*
 * The clock starts anew at every boot: on a disk, times from before may lie
 * ahead. Those further than FAR are seen here; a nearer one holds calls up for
 * that long, no more.
 */
static bool
makes_sense(const struct rate_window *book, int64_t now)
{
	size_t i;

	if (book->magic != MAGIC || book->next >= RATE_CALLS)
		return false;
	for (i = 0; i < RATE_CALLS; i++)
		if (book->turns[i] < -RATE_WINDOW ||
		    book->turns[i] > now + FAR)
			return false;
	return true;
}

int64_t
rate_reserve(struct rate_window *book, int64_t now, int64_t max)
{
	int64_t at;
	size_t i;

	if (!makes_sense(book, now)) {
		*book = (struct rate_window){ .magic = MAGIC };
		for (i = 0; i < RATE_CALLS; i++)
			book->turns[i] = now - RATE_WINDOW;
	}
	at = book->turns[book->next] + RATE_WINDOW;
	if (at < now)
		at = now;
	if (at - now > max)
		return -1;
	book->turns[book->next] = at;
	book->next = (book->next + 1) % RATE_CALLS;
	return at;
}

/*
 * TMPDIR/vkcb-UID, made when it is not there. Only if nobody else can have put
 * it, or what is in it, there.
 */
static int
own_folder(char folder[PATH_MAX])
{
	const char *tmp = getenv("TMPDIR");
	struct stat st;

	if (tmp == NULL || *tmp != '/')
		tmp = "/tmp";
	if ((size_t)snprintf(folder, PATH_MAX, "%s/vkcb-%lu", tmp,
	    (unsigned long)geteuid()) >= PATH_MAX)
		return -1;
	if (mkdir(folder, 0700) == -1 && errno != EEXIST)
		return -1;
	if (lstat(folder, &st) == -1)
		return -1;
	if (S_ISDIR(st.st_mode) && st.st_uid == geteuid() &&
	    (st.st_mode & (S_IWGRP | S_IWOTH)) == 0)
		return 0;
	errno = EPERM;
	return -1;
}

/*
 * The first open makes nothing: in a folder like /tmp Linux lets nobody open
 * another's file with O_CREAT.
 */
static int
open_or_make(const char *path)
{
	const int flags = O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY |
	    O_NONBLOCK;
	int fd = open(path, flags);

	if (fd == -1 && errno == ENOENT)
		fd = open(path, flags | O_CREAT, 0600);
	return fd;
}

static int
open_in(const char *folder, uint64_t token)
{
	char path[PATH_MAX];
	struct stat st;
	int fd;

	if ((size_t)snprintf(path, sizeof(path), "%s/rate-%016" PRIx64,
	    folder, token) >= sizeof(path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	fd = open_or_make(path);
	/* A second name may be that of a file of ours that is none of these. */
	if (fd != -1 && (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode) ||
	    st.st_nlink > 1)) {
		close(fd);
		errno = EINVAL;
		return -1;
	}
	if (fd != -1 && st.st_size == 0) {
		mode_from_directory(fd, path);
		owner_from_directory(fd, path);
	}
	return fd;
}

/* Held for microseconds, unless its holder is stopped: then not waited for. */
static int
lock(int fd)
{
	const struct timespec nap = { .tv_nsec = 1000000 };
	int tries;

	for (tries = 0; flock(fd, LOCK_EX | LOCK_NB) == -1; tries++) {
		if (tries == LOCK_TRIES ||
		    (errno != EWOULDBLOCK && errno != EINTR))
			return -1;
		nanosleep(&nap, NULL);
	}
	return 0;
}

/*
 * Opened for every turn: a lock belongs to an open file, so that a descriptor
 * kept over a fork would be locked by both. 0, or -1 with errno.
 */
static int
shared_turn(int fd, int64_t max, int64_t *at)
{
	struct rate_window book = { .magic = 0 };
	ssize_t got;
	int result = -1;

	if (lock(fd) == -1)
		goto out;
	got = pread(fd, &book, sizeof(book), 0);
	if (got == -1)
		goto out;
	if (got != (ssize_t)sizeof(book))
		book.magic = 0;
	*at = rate_reserve(&book, nanoseconds(), max);
	if (*at != -1 &&
	    pwrite(fd, &book, sizeof(book), 0) != (ssize_t)sizeof(book))
		goto out;
	result = 0;
out:
	close(fd);
	return result;
}

/* Tokens that share one of these books are slower than they could be. */
static int64_t
own_turn(uint64_t token, int64_t max)
{
	/* The last resort, and so the process's own. */
	static struct rate_window books[OWN_BOOKS];

	return rate_reserve(&books[token % OWN_BOOKS], nanoseconds(), max);
}

/* -1: there is no such folder, or it is not this user's alone. */
static int
open_own(uint64_t token)
{
	char folder[PATH_MAX];

	return own_folder(folder) == -1 ? -1 : open_in(folder, token);
}

/* How it is where nobody has set anything up: a user needs no word of it. */
static bool
is_usual(const char *folder, int error)
{
	return error == ENOENT && strcmp(folder, CONF_STATE) == 0;
}

static void
say_alone(const char *who, const char *folder, int error)
{
	static bool said;	/* calls come by the thousand */

	if (said)
		return;
	said = true;
	log_msg(LOG_LEVEL_WARNING, "calls to VK are counted %s alone: no "
	    "shared file in %s: %s: set `state` to a folder that vkcb can "
	    "write to", who, folder, strerror(error));
}

int
rate_wait(const char *folder, const char *token, int64_t max_ms)
{
	uint64_t key = hash_bytes(HASH_START, token, strlen(token));
	int64_t at, max = max_ms * 1000000;
	int fd = open_in(folder, key), error = errno;

	if (fd == -1 && (fd = open_own(key)) != -1 && !is_usual(folder, error))
		say_alone("for each user", folder, error);
	if (fd == -1 || shared_turn(fd, max, &at) == -1) {
		say_alone("in each process", folder, fd == -1 ? error : errno);
		at = own_turn(key, max);
	}
	if (at == -1)
		return -1;
	rate_sleep_until(at);
	return 0;
}
