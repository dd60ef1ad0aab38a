/*
 * pool.c - the locks of a worker pool: three bytes of PATH-lock.
 *
 *	0, running:   the parent and its workers, through one descriptor
 *	1, accepting: the parent whose pool will handle what is stored
 *	2, service:   the parent of a service, from its start until it leaves
 *
 * All are locks of an open file (F_OFD_SETLK). The kernel drops such a lock
 * with the last copy of its descriptor, however the processes end. No pool
 * unlocks byte 0: F_UNLCK in the parent would unlock it for the workers too.
 * A pool takes byte 1, then waits for byte 0, so pools never overlap.
 *
 * Storing: a responder commits, reads a byte of the file, which wakes those
 * who watch it, then asks for byte 1. Free: the responder starts a pool.
 * Leaving: the parent unlocks byte 1, then looks into the inbox once. A
 * responder that found byte 1 locked had committed before that look, which
 * sees its event. The parent then starts a pool as a responder does: that pool,
 * or another that has byte 1, looks into the inbox when byte 0 is free.
 * Waking: workers watch the file before they look into the inbox, so an event
 * was committed before the look or its byte is read after it.
 * Taking over: a service locks byte 2, reads a byte, then waits for byte 1. A
 * pool that an event started watches the file before it asks for byte 2, so
 * that it finds byte 2 locked or is woken.
 *
 * Told to stop, a pool does not look: the next pool handles what is left. The
 * same goes for events left by a pool that was killed, even one killed while
 * waiting for byte 0.
 *
 * The number in the file is for people: no signal is sent to it.
 */
#include "pool/private.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"
#include "log.h"

#include "banned.h"

enum pool_byte { RUNNING, ACCEPTING, SERVICE };

/* 0; with F_OFD_GETLK, 1: locked by another descriptor. -1: cannot be had. */
static int
pool_lock(int fd, int command, enum pool_byte byte)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET,
	    .l_start = byte, .l_len = 1 };

	if (fcntl(fd, command, &lock) == -1)
		return -1;
	return command == F_OFD_GETLK && lock.l_type != F_UNLCK;
}

static int
pool_path(char path[PATH_MAX], const char *inbox)
{
	int len = snprintf(path, PATH_MAX, "%s-lock", inbox);

	if (len > 0 && len < PATH_MAX)
		return 0;
	errno = ENAMETOOLONG;
	return -1;
}

/* An empty file has no byte to read: a hole is one, also on a full disk. */
static int
pool_open(struct pool *pool)
{
	struct stat st;

	pool->running = file_open_private(pool->path, O_RDWR | O_CREAT);
	pool->accepting = pool->running == -1 ? -1 :
	    file_open_private(pool->path, O_RDWR);
	if (pool->accepting == -1 || fstat(pool->accepting, &st) == -1)
		return -1;
	pool->device = st.st_dev;
	pool->inode = st.st_ino;
	return st.st_size == 0 ? ftruncate(pool->accepting, 1) : 0;
}

/*
 * Takes the locks of the file that is there now. 1, 0, or -1 with errno. A byte
 * that is locked already is locked again without harm.
 */
static int
enter(struct pool *pool)
{
	bool service = pool->until == WORK_STOPPED;
	char byte;

	if (pool_open(pool) == -1)
		return -1;
	if ((!service && pool_has_service(pool)) || pool_lock(pool->accepting,
	    F_OFD_SETLK, service ? SERVICE : ACCEPTING) == -1)
		return 0;
	if (service)
		(void)!pread(pool->accepting, &byte, 1, 0);
	if (service &&
	    (pool_lock(pool->accepting, F_OFD_SETLK, ACCEPTING) == -1 ||
	    pool_lock(pool->running, F_OFD_SETLK, RUNNING) == -1))
		log_msg(LOG_LEVEL_INFO, "waiting for workers to finish: fuser "
		    "%s shows them", pool->path);
	if (pool_lock(pool->accepting, F_OFD_SETLKW, ACCEPTING) == -1)
		return -1;
	return pool_lock(pool->running, F_OFD_SETLKW, RUNNING) == 0 ? 1 : -1;
}

/* Starts anew if the file was moved away while its locks were waited for. */
int
pool_enter(struct pool *pool, const char *inbox, char error[POOL_ERROR_MAX])
{
	int entered = -1, len;

	snprintf(pool->inbox, sizeof(pool->inbox), "%s", inbox);
	if (pool_path(pool->path, inbox) == 0)
		entered = enter(pool);
	if (entered == 1 && !(pool_is_open(pool) && pool_is_valid(pool))) {
		close(pool->running);
		close(pool->accepting);
		return pool_enter(pool, inbox, error);
	}
	if (entered == 1 &&
	    (len = dprintf(pool->running, "%ld\n", (long)getpid())) > 0)
		(void)!ftruncate(pool->running, len);
	if (entered == -1)
		snprintf(error, POOL_ERROR_MAX, "%.256s: %s", pool->path,
		    errno == ENOENT ? "see that the inbox's folder is there" :
		    file_error(errno));
	return entered;
}

/* Both bytes at once: the next pool finds neither of them locked. */
void
pool_stop_accepting(struct pool *pool)
{
	struct flock lock = { .l_type = F_UNLCK, .l_whence = SEEK_SET,
	    .l_start = ACCEPTING, .l_len = 2 };

	(void)fcntl(pool->accepting, F_OFD_SETLK, &lock);
}

bool
pool_has_service(const struct pool *pool)
{
	return pool_lock(pool->accepting, F_OFD_GETLK, SERVICE) == 1;
}

static bool
is_lock(const struct pool *pool, const struct stat *st)
{
	return st->st_dev == pool->device && st->st_ino == pool->inode;
}

bool
pool_is_valid(const struct pool *pool)
{
	struct stat st;

	return stat(pool->path, &st) == 0 && is_lock(pool, &st);
}

bool
pool_is_open(const struct pool *pool)
{
	struct stat st;

	return fstat(pool->running, &st) == 0 && is_lock(pool, &st);
}

/* The pool of this worker process: pthread_atfork() hands no argument on. */
static const struct pool *pool_of_worker;

static void
pool_leave(void)
{
	close(pool_of_worker->running);
}

void
pool_begin_worker(struct pool *pool)
{
	close(pool->accepting);
	pool_of_worker = pool;
	(void)pthread_atfork(NULL, NULL, pool_leave);
}

static int
open_lock(const char *inbox, int flags)
{
	char path[PATH_MAX];

	return pool_path(path, inbox) == 0 ? file_open_private(path, flags) :
	    -1;
}

bool
pool_is_there(const char *inbox)
{
	int fd = open_lock(inbox, O_RDONLY);
	bool there = pool_lock(fd, F_OFD_GETLK, ACCEPTING) == 1;

	if (fd != -1)
		close(fd);
	return there;
}

int
pool_lock_out(const char *inbox)
{
	int fd = open_lock(inbox, O_RDWR);

	if (fd == -1 || pool_lock(fd, F_OFD_SETLK, RUNNING) == 0)
		return fd;
	close(fd);
	return -1;
}
