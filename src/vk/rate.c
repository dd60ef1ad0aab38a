/*
 * rate.c - the rate limiter, a small file that processes share.
 *
 * The file holds the times of a token's last 20 calls. A caller locks the file,
 * reserves the earliest slot that keeps at most 20 calls per window, unlocks it
 * and sleeps until its slot: the lock is held for one read and one write only,
 * and the kernel drops it when a process ends. A slot of a process that dies is
 * lost. A file with impossible contents is begun anew.
 *
 * The file is named by a hash of the token. If it cannot be opened in the
 * configured folder, a per-user folder is used; failing that, each process
 * limits itself, with windows that are this file's variables. VK may then
 * answer "too many requests", and the call is repeated later.
 */
#include "vk/rate.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
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
#include "private_file.h"

#include "banned.h"

#define MAGIC UINT32_C(0x766b6333)
#define LOCK_TRIES 500
/* The furthest slot: no caller waits longer. */
#define FAR (CONF_API_TIMEOUT_MAX * INT64_C(1000000) + RATE_WINDOW)
#define OWN_WINDOWS 16

/* A locked window; fd is -1 if it is the process's own. */
struct rate_file {
	int fd;
	struct rate_window shared;
	struct rate_window *window;
};

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
 * The clock starts at 0 with each boot, so a file on a disk may hold times that
 * lie ahead. A time beyond FAR is detected; a nearer one delays calls for that
 * long at most.
 */
static bool
is_valid(const struct rate_window *window, int64_t now)
{
	size_t i;

	if (window->magic != MAGIC || window->next >= RATE_CALLS)
		return false;
	for (i = 0; i < RATE_CALLS; i++)
		if (window->slots[i] < -RATE_WINDOW ||
		    window->slots[i] > now + FAR)
			return false;
	return true;
}

static void
repair(struct rate_window *window, int64_t now)
{
	size_t i;

	if (is_valid(window, now))
		return;
	*window = (struct rate_window){ .magic = MAGIC };
	for (i = 0; i < RATE_CALLS; i++)
		window->slots[i] = now - RATE_WINDOW;
}

int64_t
rate_reserve(struct rate_window *window, int64_t now, int64_t max)
{
	int64_t at;

	repair(window, now);
	at = window->slots[window->next] + RATE_WINDOW;
	if (at < now)
		at = now;
	if (at - now > max)
		return -1;
	window->slots[window->next] = at;
	window->next = (window->next + 1) % RATE_CALLS;
	return at;
}

static int
open_in(const char *folder, uint64_t token)
{
	char path[PATH_MAX];

	errno = ENAMETOOLONG;
	return (size_t)snprintf(path, sizeof(path), "%s/rate-%016" PRIx64,
	    folder, token) < sizeof(path) ? private_file_open_shared(path) : -1;
}

/* Opens in TMPDIR/vkcb-UID, made if need be, if no other user may write it. */
static int
open_per_user(uint64_t token)
{
	const char *tmp = getenv("TMPDIR");
	char folder[PATH_MAX];
	struct stat st;

	if (tmp == NULL || *tmp != '/')
		tmp = "/tmp";
	if ((size_t)snprintf(folder, sizeof(folder), "%s/vkcb-%lu", tmp,
	    (unsigned long)geteuid()) >= sizeof(folder))
		return -1;
	if (mkdir(folder, 0700) == -1 && errno != EEXIST)
		return -1;
	if (lstat(folder, &st) == -1)
		return -1;
	if (S_ISDIR(st.st_mode) && st.st_uid == geteuid() &&
	    (st.st_mode & (S_IWGRP | S_IWOTH)) == 0)
		return open_in(folder, token);
	errno = EPERM;
	return -1;
}

/* The lock is held for microseconds, unless its holder was stopped. */
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

static void
log_alone(const char *who, const char *folder, int error)
{
	static bool logged;	/* calls come by the thousand */

	if (logged)
		return;
	logged = true;
	log_msg(LOG_LEVEL_WARNING, "calls to VK are counted %s alone: no "
	    "shared file in %s: %s: set `state` to a folder that vkcb can "
	    "write to", who, folder, private_file_error(error));
}

/* Opened for each call: a lock is shared by descriptors kept over a fork. */
static int
open_locked(const char *folder, uint64_t key)
{
	int fd = open_in(folder, key), error = errno;

	if (fd == -1) {
		fd = open_per_user(key);
		/* The default folder is missing on most machines. */
		if (fd != -1 && (error != ENOENT ||
		    strcmp(folder, CONF_STATE) != 0))
			log_alone("for each user", folder, error);
		errno = error;
	}
	if (fd == -1 || lock(fd) == 0)
		return fd;
	error = errno;
	close(fd);
	errno = error;
	return -1;
}

static void
rate_open(struct rate_file *file, const char *folder, const char *token)
{
	/* Tokens with the same window are slower than they could be. */
	static struct rate_window own[OWN_WINDOWS];
	uint64_t key = hash_bytes(HASH_START, token, strlen(token));

	file->fd = open_locked(folder, key);
	if (file->fd == -1) {
		log_alone("in each process", folder, errno);
		file->window = &own[key % OWN_WINDOWS];
		return;
	}
	file->window = &file->shared;
	if (pread(file->fd, &file->shared, sizeof(file->shared), 0) !=
	    (ssize_t)sizeof(file->shared))
		file->shared.magic = 0;
}

static void
rate_close(struct rate_file *file, const char *folder)
{
	if (file->fd == -1)
		return;
	if (pwrite(file->fd, &file->shared, sizeof(file->shared), 0) !=
	    (ssize_t)sizeof(file->shared))
		log_alone("in each process", folder, errno);
	close(file->fd);
}

int
rate_wait(const char *folder, const char *token, int64_t max_ms)
{
	struct rate_file file;
	int64_t at;

	rate_open(&file, folder, token);
	at = rate_reserve(file.window, nanoseconds(), max_ms * 1000000);
	rate_close(&file, folder);
	if (at == -1)
		return -1;
	rate_sleep_until(at);
	return 0;
}

bool
rate_once(const char *folder, const char *token, int64_t ms)
{
	struct rate_file file;
	int64_t now, since;

	rate_open(&file, folder, token);
	now = nanoseconds();
	repair(file.window, now);
	since = now - file.window->once;
	if (file.window->once == 0 || since < 0 || since >= ms * 1000000) {
		file.window->once = now;
		since = -1;
	}
	rate_close(&file, folder);
	return since == -1;
}
