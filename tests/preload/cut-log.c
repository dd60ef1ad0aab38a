/*
 * cut-log.c - LD_PRELOAD: appends all writes and flushes of the database
 * $CUT_PREFIX and its log to the file $CUT_LOG, for tests/torture/disks.py. A
 * record is a struct head, the file's name ("db" or "-wal") and the bytes.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

struct head {
	uint8_t op;		/* W write, T truncate, S flush; small: ended */
	uint8_t name_len;
	uint16_t unused;
	uint32_t len;
	uint64_t offset;
	uint32_t pid;
	uint32_t number;	/* the same when it begins and ends */
};

static int log_fd = -1;
static uint32_t number;

static bool
open_log(void)
{
	const char *path = getenv("CUT_LOG");
	int fd;

	/* A handler may have closed it. */
	if (log_fd != -1 && fcntl(log_fd, F_GETFD) != -1)
		return true;
	if (path == NULL || (fd = open(path, O_WRONLY | O_APPEND | O_CREAT |
	    O_CLOEXEC, 0600)) == -1)
		return false;
	log_fd = fcntl(fd, F_DUPFD_CLOEXEC, 900);
	close(fd);
	return log_fd != -1;
}

/* NULL: it is none of the two files. */
static const char *
name_of(int fd)
{
	static char path[4096];
	const char *prefix = getenv("CUT_PREFIX");
	char link[64];
	ssize_t len;

	if (prefix == NULL || !open_log())
		return NULL;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = readlink(link, path, sizeof(path) - 1);
	if (len <= 0)
		return NULL;
	path[len] = '\0';
	if (strncmp(path, prefix, strlen(prefix)) != 0)
		return NULL;
	if (path[strlen(prefix)] == '\0')
		return "db";
	return strcmp(path + strlen(prefix), "-wal") == 0 ? "-wal" : NULL;
}

static void
append(char op, const char *name, int64_t offset, const void *bytes,
    size_t len, uint32_t id)
{
	struct head head = {
		.op = (uint8_t)op,
		.name_len = (uint8_t)strlen(name),
		.len = (uint32_t)len,
		.offset = (uint64_t)offset,
		.pid = (uint32_t)getpid(),
		.number = id,
	};
	struct iovec parts[] = {
		{ &head, sizeof(head) },
		{ (void *)(uintptr_t)name, strlen(name) },
		{ (void *)(uintptr_t)bytes, len },
	};
	int error = errno;

	(void)!writev(log_fd, parts, 3);
	errno = error;
}

#define NEXT(type, name) \
	static type; \
	if (next == NULL) \
		*(void **)&next = dlsym(RTLD_NEXT, name)

ssize_t
pwrite64(int fd, const void *bytes, size_t n, off64_t at)
{
	const char *name = name_of(fd);
	uint32_t id = ++number;
	ssize_t done;

	NEXT(ssize_t (*next)(int, const void *, size_t, off64_t), "pwrite64");
	if (name == NULL)
		return next(fd, bytes, n, at);
	append('W', name, at, bytes, n, id);
	done = next(fd, bytes, n, at);
	append('w', name, at, NULL, 0, id);
	return done;
}

ssize_t
pwrite(int fd, const void *bytes, size_t n, off_t at)
{
	return pwrite64(fd, bytes, n, at);
}

int
ftruncate64(int fd, off64_t size)
{
	const char *name = name_of(fd);
	uint32_t id = ++number;
	int result;

	NEXT(int (*next)(int, off64_t), "ftruncate64");
	if (name == NULL)
		return next(fd, size);
	append('T', name, size, NULL, 0, id);
	result = next(fd, size);
	append('t', name, size, NULL, 0, id);
	return result;
}

int
ftruncate(int fd, off_t size)
{
	return ftruncate64(fd, size);
}

static int
flush(int fd, int (*next)(int))
{
	const char *name = name_of(fd);
	uint32_t id = ++number;
	int result;

	if (name == NULL)
		return next(fd);
	append('S', name, 0, NULL, 0, id);
	result = next(fd);
	if (result == 0)
		append('s', name, 0, NULL, 0, id);
	return result;
}

int
fsync(int fd)
{
	NEXT(int (*next)(int), "fsync");
	return flush(fd, next);
}

int
fdatasync(int fd)
{
	NEXT(int (*next)(int), "fdatasync");
	return flush(fd, next);
}
