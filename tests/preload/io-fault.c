/*
 * io-fault.c - LD_PRELOAD: a write, flush or truncation of a file whose name
 * begins with $FAULT_PREFIX fails with $FAULT_ERRNO, or is incomplete, one time
 * in $FAULT_ONE_IN, while the file $FAULT_ON exists.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static uint64_t state;

static const char *
setting(const char *name)
{
	const char *value = getenv(name);

	return value != NULL ? value : "";
}

static uint64_t
random_number(void)
{
	struct timespec now;

	if (state == 0) {
		(void)clock_gettime(CLOCK_MONOTONIC, &now);
		state = (uint64_t)now.tv_nsec ^ ((uint64_t)getpid() << 20 | 1);
	}
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static bool
fails(int fd)
{
	const char *prefix = setting("FAULT_PREFIX");
	uint64_t one_in = strtoull(setting("FAULT_ONE_IN"), NULL, 10);
	char link[64], path[4096];
	ssize_t len;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = readlink(link, path, sizeof(path) - 1);
	if (len <= 0 || one_in == 0)
		return false;
	path[len] = '\0';
	if (strncmp(path, prefix, strlen(prefix)) != 0 ||
	    access(setting("FAULT_ON"), F_OK) == -1 ||
	    random_number() % one_in != 0)
		return false;
	errno = (int)strtol(setting("FAULT_ERRNO"), NULL, 10);
	return true;
}

#define NEXT(type, name) \
	static type; \
	if (next == NULL) \
		*(void **)&next = dlsym(RTLD_NEXT, name)

ssize_t
pwrite64(int fd, const void *bytes, size_t n, off64_t at)
{
	NEXT(ssize_t (*next)(int, const void *, size_t, off64_t), "pwrite64");
	if (!fails(fd))
		return next(fd, bytes, n, at);
	return random_number() % 3 == 0 && n > 1 ?
	    next(fd, bytes, n / 2, at) : -1;
}

ssize_t
pwrite(int fd, const void *bytes, size_t n, off_t at)
{
	return pwrite64(fd, bytes, n, at);
}

int
ftruncate64(int fd, off64_t size)
{
	NEXT(int (*next)(int, off64_t), "ftruncate64");
	return fails(fd) ? -1 : next(fd, size);
}

int
ftruncate(int fd, off_t size)
{
	return ftruncate64(fd, size);
}

int
fsync(int fd)
{
	NEXT(int (*next)(int), "fsync");
	return fails(fd) ? -1 : next(fd);
}

int
fdatasync(int fd)
{
	NEXT(int (*next)(int), "fdatasync");
	return fails(fd) ? -1 : next(fd);
}
