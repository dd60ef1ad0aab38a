/*
 * fail-alloc.c - loaded before a program (LD_PRELOAD), makes its FAIL_AT-th
 * allocation fail, once, and says so on standard error.
 */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);

static long left = -1;

/* The loader's allocations, before main(), do not count. */
__attribute__((constructor)) static void
begin(void)
{
	const char *at = getenv("FAIL_AT");

	left = at == NULL ? 0 : strtol(at, NULL, 10);
}

static int
fails(void)
{
	static const char said[] = "this allocation failed\n";
	ssize_t ignored;

	if (left <= 0 || --left > 0)
		return 0;
	ignored = write(STDERR_FILENO, said, sizeof(said) - 1);
	(void)ignored;
	errno = ENOMEM;
	return 1;
}

void *
malloc(size_t size)
{
	return fails() ? NULL : __libc_malloc(size);
}

void *
calloc(size_t n, size_t size)
{
	return fails() ? NULL : __libc_calloc(n, size);
}

void *
realloc(void *old, size_t size)
{
	return fails() ? NULL : __libc_realloc(old, size);
}

void *
mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset)
{
	return fails() ? MAP_FAILED : (void *)syscall(SYS_mmap, at, size,
	    protection, flags, fd, offset);
}

/* Its name where files are 64 bits wide. */
void *
mmap64(void *at, size_t size, int protection, int flags, int fd, off64_t offset)
{
	return mmap(at, size, protection, flags, fd, (off_t)offset);
}
