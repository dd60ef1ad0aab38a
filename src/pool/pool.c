/*
 * pool.c - the lock, and the FIFO on which responders wake workers.
 *
 * A family that leaves first goes deaf, then looks once more; a responder first
 * commits, then wakes. So an event is seen by that last look, or its responder
 * finds nobody and starts another family. That one listens at once, for all
 * responders that come after it, and waits for the lock; one more that is
 * started finds a listener, and leaves.
 *
 * So the rule is: who stops listening looks afterwards, with the lock, or has
 * seen after it that somebody else listens. Listening is a lock (flock) on the
 * FIFO, and the FIFO's name: who goes deaf takes that away, since workers have
 * it open until their handlers return.
 *
 * Told to stop, a family does not look: what it leaves is for the one after it.
 * So is what one leaves that is killed, also while it waits for the lock.
 */
#include "pool/pool.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "private_file.h"

#include "banned.h"

#define SERVICE "service"
#define TRANSIENT "until-idle"
#define LOOK_EVERY 20000000L	/* ns; at a lock that is to come free */
#define LOOKS_MAX 250		/* while nobody is there who has it */

static int
beside(char path[4096], const char *inbox, const char *suffix)
{
	int len = snprintf(path, 4096, "%s%s", inbox, suffix);

	if (len > 0 && len < 4096)
		return 0;
	errno = ENAMETOOLONG;
	return -1;
}

static void
fail(char error[POOL_ERROR_MAX], const char *path)
{
	snprintf(error, POOL_ERROR_MAX, "%.256s: %s: see that the inbox's "
	    "folder is there and writable", path, strerror(errno));
}

struct owner {
	bool lives;
	pid_t pid;		/* 0: unknown, or in another PID namespace */
	bool service;
};

/*
 * Who took the lock, if that process lives; what it is was written by itself.
 * A lock without such a process comes free: its workers die with it.
 */
static void
read_owner(int lock, struct owner *owner)
{
	struct flock of_process = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	char text[64];
	ssize_t len = pread(lock, text, sizeof(text) - 1, 0);
	char *end;

	*owner = (struct owner){ .lives = false };
	if (fcntl(lock, F_GETLK, &of_process) == -1 ||
	    of_process.l_type == F_UNLCK)
		return;
	owner->lives = true;
	if (len <= 0)
		return;
	text[len] = '\0';
	/* Another one means that the text is older than the lock. */
	if (strtol(text, &end, 10) != (long)of_process.l_pid &&
	    of_process.l_pid != 0)
		return;
	owner->pid = of_process.l_pid;
	owner->service = strcmp(end, " " SERVICE "\n") == 0;
}

static void
write_owner(int lock, bool service)
{
	struct flock of_process = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	char text[64];
	int len = snprintf(text, sizeof(text), "%ld %s\n", (long)getpid(),
	    service ? SERVICE : TRANSIENT);

	(void)fcntl(lock, F_SETLK, &of_process);
	/* Read by people and by read_owner(), which takes what there is. */
	if (pwrite(lock, text, (size_t)len, 0) == len)
		(void)!ftruncate(lock, len);
}

static enum pool_entry
there_is_one(char error[POOL_ERROR_MAX], pid_t owner)
{
	if (owner != 0)
		snprintf(error, POOL_ERROR_MAX, "workers are running already "
		    "(process %ld)", (long)owner);
	else
		snprintf(error, POOL_ERROR_MAX, "workers are running "
		    "already");
	return POOL_ALREADY_RUNNING;
}

static bool
is_at(int fd, const char *path)
{
	struct stat held, there;

	return fstat(fd, &held) == 0 && stat(path, &there) == 0 &&
	    held.st_dev == there.st_dev && held.st_ino == there.st_ino;
}

static bool
is_fifo(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode);
}

/* One try; errno is EWOULDBLOCK if somebody else listens, or did just now. */
static int
listen_once(struct pool *family, const char *path)
{
	bool fifo;

	if (mkfifo(path, 0600) == -1 && errno != EEXIST)
		return -1;
	/* Open for writing too: it never ends, and a wake can be passed on. */
	family->wake = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC |
	    O_NOFOLLOW);
	if (family->wake == -1) {
		errno = errno == ENOENT ? EWOULDBLOCK : errno;
		return -1;
	}
	fifo = is_fifo(family->wake);
	if (fifo && flock(family->wake, LOCK_EX | LOCK_NB) == 0 &&
	    is_at(family->wake, path))
		return 0;
	close(family->wake);
	family->wake = -1;
	errno = fifo ? EWOULDBLOCK : EEXIST;
	return -1;
}

/*
 * A responder may have taken a try of ours for a listener: so one is looked
 * for after it.
 */
enum pool_entry
pool_listen(struct pool *family, char error[POOL_ERROR_MAX])
{
	char path[4096];

	if (beside(path, family->path, "-wake") == -1) {
		fail(error, family->path);
		return POOL_FAILED;
	}
	while (listen_once(family, path) == -1) {
		if (errno != EWOULDBLOCK) {
			fail(error, path);
			return POOL_FAILED;
		}
		if (pool_is_there(family->path))
			return there_is_one(error, 0);
	}
	return POOL_ENTERED;
}

static void
go_deaf(struct pool *family)
{
	char path[4096];

	if (family->wake == -1)
		return;
	if (beside(path, family->path, "-wake") == 0 &&
	    is_at(family->wake, path))
		(void)unlink(path);
	(void)flock(family->wake, LOCK_UN);
	close(family->wake);
	family->wake = -1;
}

/* Who has the lock, and for how long it was seen without anybody alive. */
struct wait {
	struct owner owner;
	pid_t told;
	int looks;
};

/*
 * Somebody has the lock. One that listens is told to leave by a service; one
 * that does not is leaving, or its FIFO was taken away, which it is to notice.
 */
static enum pool_entry
wait_for_owner(struct pool *family, struct wait *wait,
    char error[POOL_ERROR_MAX])
{
	const struct timespec pause = { .tv_nsec = LOOK_EVERY };
	struct owner *owner = &wait->owner;
	bool listening = family->wake != -1;

	read_owner(family->lock, owner);
	wait->looks = owner->lives ? 0 : wait->looks + 1;
	if (wait->looks > LOOKS_MAX) {
		snprintf(error, POOL_ERROR_MAX, "%.256s-lock is locked, and "
		    "not by workers: see with fuser(1) what has it open",
		    family->path);
		return POOL_FAILED;
	}
	if (!listening && owner->service)
		return there_is_one(error, owner->pid);
	if (owner->pid != 0 && owner->pid != wait->told &&
	    kill(owner->pid, listening ? SIGHUP : SIGTERM) == -1 &&
	    errno == EPERM && !listening) {
		snprintf(error, POOL_ERROR_MAX, "workers are running already "
		    "(process %ld), and may not be stopped by this user",
		    (long)owner->pid);
		return POOL_FAILED;
	}
	wait->told = owner->pid;
	nanosleep(&pause, NULL);
	return POOL_ENTERED;
}

/* Listens first, then takes the lock, or waits for it; see the top. */
static enum pool_entry
enter(struct pool *family, bool service, char error[POOL_ERROR_MAX])
{
	struct wait wait = { .told = 0 };
	enum pool_entry entry = POOL_ENTERED;

	while (entry == POOL_ENTERED) {
		if (family->wake == -1)
			entry = pool_listen(family, error);
		if (entry == POOL_FAILED ||
		    (entry == POOL_ALREADY_RUNNING && !service))
			break;
		if (entry == POOL_ENTERED &&
		    flock(family->lock, LOCK_EX | LOCK_NB) == 0)
			break;
		entry = wait_for_owner(family, &wait, error);
	}
	return entry;
}

static int
open_lock(struct pool *family, const char *inbox)
{
	char path[4096];
	struct stat st;

	*family = (struct pool){ .lock = -1, .wake = -1 };
	if (beside(family->path, inbox, "") == -1 ||
	    beside(path, inbox, "-lock") == -1)
		return -1;
	family->lock = private_file_open(path, O_RDWR | O_CREAT);
	if (family->lock == -1 || fstat(family->lock, &st) == -1)
		return -1;
	family->device = st.st_dev;
	family->inode = st.st_ino;
	return 0;
}

enum pool_entry
pool_enter(struct pool *family, const char *inbox, bool service,
    char error[POOL_ERROR_MAX])
{
	enum pool_entry entry;

	if (open_lock(family, inbox) == -1) {
		fail(error, inbox);
		return POOL_FAILED;
	}
	entry = enter(family, service, error);
	if (entry == POOL_ENTERED) {
		write_owner(family->lock, service);
		return entry;
	}
	go_deaf(family);
	close(family->lock);
	return entry;
}

void
pool_stop_listening(struct pool *family)
{
	go_deaf(family);
	/* A service that starts now waits for us, whatever we were. */
	write_owner(family->lock, false);
}

/* This process's, if it is a worker. */
static struct pool *of_worker;

static void
leave_family(void)
{
	close(of_worker->lock);
	close(of_worker->wake);
}

void
pool_close_in_children(struct pool *family)
{
	of_worker = family;
	(void)pthread_atfork(NULL, NULL, leave_family);
}

bool
pool_is_open(const struct pool *family)
{
	struct stat st;

	return fstat(family->lock, &st) == 0 &&
	    st.st_dev == family->device && st.st_ino == family->inode &&
	    (family->wake == -1 || is_fifo(family->wake));
}

int
pool_lock_out(const char *inbox)
{
	char path[4096];
	int lock;

	if (beside(path, inbox, "-lock") == -1 ||
	    (lock = open(path, O_RDWR | O_CLOEXEC | O_NOCTTY)) == -1)
		return -1;
	if (flock(lock, LOCK_EX | LOCK_NB) == 0)
		return lock;
	close(lock);
	return -1;
}

bool
pool_is_valid(const struct pool *family)
{
	char path[4096];

	return beside(path, family->path, "-lock") == 0 &&
	    is_at(family->lock, path);
}

bool
pool_fifo_exists(const struct pool *family)
{
	char path[4096];

	return family->wake == -1 ||
	    (beside(path, family->path, "-wake") == 0 &&
	    is_at(family->wake, path));
}

size_t
pool_drain_wakeups(struct pool *family)
{
	char bytes[4096];
	ssize_t got = read(family->wake, bytes, sizeof(bytes));

	return got > 0 ? (size_t)got : 0;
}

void
pool_wake_next(struct pool *family)
{
	(void)!write(family->wake, "", 1);
}

/* -1 with errno: ENXIO and ENOENT say that nobody reads it. */
static int
open_wake(const char *inbox)
{
	char path[4096];
	int fd;

	if (beside(path, inbox, "-wake") == -1)
		return -1;
	fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	if (fd == -1 || is_fifo(fd))
		return fd;
	close(fd);
	errno = EEXIST;
	return -1;
}

bool
pool_is_there(const char *inbox)
{
	int fd = open_wake(inbox);

	if (fd != -1)
		close(fd);
	return fd != -1;
}

int
pool_wake(const char *inbox)
{
	int fd = open_wake(inbox), result;

	if (fd == -1)
		return errno == ENXIO || errno == ENOENT ? 0 : -1;
	/* Full: then it will be read. Broken: the reader left just now. */
	result = write(fd, "", 1) == 1 || errno == EAGAIN ? 1 :
	    errno == EPIPE ? 0 : -1;
	close(fd);
	return result;
}
