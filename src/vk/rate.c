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
 * configured folder, a file of the user's own is used; failing that, calls are
 * not counted. VK may then answer "too many requests", and the call is repeated
 * later. The process's own variables here keep the log from saying so each
 * time, and strangers from causing a call each.
 */
#include "vk/rate.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "clock.h"
#include "conf/conf.h"
#include "hash.h"
#include "log.h"
#include "file.h"

#include "banned.h"

#define MAGIC UINT32_C(0x766b6333)
#define LOCK_TRIES 500
/* The furthest slot: no caller waits longer. */
#define FAR (CONF_API_TIMEOUT_MAX * INT64_C(1000000) + RATE_WINDOW)

/*
 * The clock starts at 0 with each boot, so a file on a disk may hold times that
 * lie ahead. A time beyond FAR is detected; a nearer one delays calls for that
 * long at most.
 */
static void
rate_repair(struct rate_window *window, int64_t now)
{
	bool valid = window->magic == MAGIC && window->next < RATE_CALLS;
	size_t i;

	for (i = 0; valid && i < RATE_CALLS; i++)
		valid = window->slots[i] >= -RATE_WINDOW &&
		    window->slots[i] <= now + FAR;
	if (valid)
		return;
	*window = (struct rate_window){ .magic = MAGIC };
	for (i = 0; i < RATE_CALLS; i++)
		window->slots[i] = now - RATE_WINDOW;
}

int64_t
rate_reserve(struct rate_window *window, int64_t now, int64_t max)
{
	int64_t at;

	rate_repair(window, now);
	at = window->slots[window->next] + RATE_WINDOW;
	if (at < now)
		at = now;
	if (at - now > max)
		return -1;
	window->slots[window->next] = at;
	window->next = (window->next + 1) % RATE_CALLS;
	return at;
}

/*
 * Opens the token's file: the shared one in the folder, or, with folder NULL,
 * this user's own in TMPDIR.
 */
static int
open_file(const char *folder, uint64_t token)
{
	char name[32], path[PATH_MAX];

	snprintf(name, sizeof(name), "rate-%016" PRIx64, token);
	errno = ENAMETOOLONG;
	if (folder == NULL)
		return file_own_path(NULL, name, path) == -1 ? -1 :
		    file_open_private(path, O_RDWR | O_CREAT);
	if (snprintf(path, sizeof(path), "%s/%s", folder, name) >= PATH_MAX)
		return -1;
	return file_open_shared(path);
}

/* The lock is held for microseconds, unless its holder was stopped. */
static int
lock(int fd)
{
	int tries;

	for (tries = 0; flock(fd, LOCK_EX | LOCK_NB) == -1; tries++) {
		if (tries == LOCK_TRIES ||
		    (errno != EWOULDBLOCK && errno != EINTR))
			return -1;
		clock_sleep_until(clock_ns() + 1000000);
	}
	return 0;
}

static void
log_once(const char *how, const char *folder, int error)
{
	static bool logged;	/* calls come by the thousand */

	if (logged)
		return;
	logged = true;
	log_msg(LOG_LEVEL_WARNING, "calls to VK are %s: no shared file in %s: "
	    "%s: set `state` to a folder that vkcb can write to", how, folder,
	    file_error(error));
}

/*
 * Locks the token's file and reads it. -1: there is none. It is opened for each
 * call, since descriptors that are kept over a fork share a lock.
 */
static int
rate_open(const char *folder, const char *token, struct rate_window *window)
{
	uint64_t key = hash_bytes(HASH_START, token, strlen(token));
	int fd = open_file(folder, key), error = errno;

	if (fd == -1) {
		fd = open_file(NULL, key);
		/* The default folder is missing on most machines. */
		if (fd == -1)
			log_once("not counted", folder, error);
		else if (error != ENOENT || strcmp(folder, CONF_STATE) != 0)
			log_once("counted for each user alone", folder, error);
	}
	if (fd != -1 && lock(fd) == -1) {
		log_once("not counted", folder, errno);
		close(fd);
		fd = -1;
	}
	if (fd == -1 || pread(fd, window, sizeof(*window), 0) !=
	    (ssize_t)sizeof(*window))
		window->magic = 0;
	return fd;
}

static void
rate_close(int fd, const char *folder, const struct rate_window *window)
{
	if (pwrite(fd, window, sizeof(*window), 0) !=
	    (ssize_t)sizeof(*window))
		log_once("not counted", folder, errno);
	close(fd);
}

int
rate_wait(const char *folder, const char *token, int64_t max_ms)
{
	struct rate_window window;
	int fd = rate_open(folder, token, &window);
	int64_t at;

	if (fd == -1)
		return 0;
	at = rate_reserve(&window, clock_ns(), max_ms * 1000000);
	rate_close(fd, folder, &window);
	if (at == -1)
		return -1;
	clock_sleep_until(at);
	return 0;
}

bool
rate_once(const char *folder, const char *token, int64_t ms)
{
	static struct rate_window alone;	/* where there is no file */
	struct rate_window shared, *window;
	int fd = rate_open(folder, token, &shared);
	int64_t now = clock_ns(), since;
	bool due;

	window = fd != -1 ? &shared : &alone;
	rate_repair(window, now);
	since = now - window->once;
	due = window->once == 0 || since < 0 || since >= ms * 1000000;
	if (due)
		window->once = now;
	if (fd != -1)
		rate_close(fd, folder, window);
	return due;
}
