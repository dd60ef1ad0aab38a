/*
 * alloc.h - counts a test's allocations, and makes them fail.
 *
 * Included once by a test: the program's malloc is then this one, for the
 * libraries too. With a sanitizer, which has its own, nothing is counted and
 * ALLOC_COUNTS is 0.
 */
#ifndef ALLOC_H
#define ALLOC_H

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

static struct {
	long taken;		/* allocations so far */
	long live;		/* of them, not freed */
	long fail_at;		/* the one to fail, once; 0: none */
	int failed;
} alloc;

#if defined(__SANITIZE_ADDRESS__)
#define ALLOC_COUNTS 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ALLOC_COUNTS 0
#endif
#endif
#ifndef ALLOC_COUNTS
#define ALLOC_COUNTS 1

/* glibc's own functions, by names that remain if a program defines others. */
extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void __libc_free(void *);

static int
alloc_fails(void)
{
	if (++alloc.taken != alloc.fail_at)
		return 0;
	alloc.failed = 1;
	errno = ENOMEM;
	return 1;
}

void *
malloc(size_t size)
{
	void *memory = alloc_fails() ? NULL : __libc_malloc(size);

	alloc.live += memory != NULL;
	return memory;
}

void *
calloc(size_t n, size_t size)
{
	void *memory = alloc_fails() ? NULL : __libc_calloc(n, size);

	alloc.live += memory != NULL;
	return memory;
}

void *
realloc(void *old, size_t size)
{
	void *memory = alloc_fails() ? NULL : __libc_realloc(old, size);

	alloc.live += old == NULL && memory != NULL;
	return memory;
}

void
free(void *memory)
{
	alloc.live -= memory != NULL;
	__libc_free(memory);
}
#endif

/* The nth allocation from now on fails; 0: none. */
static inline void
alloc_fail_at(long n)
{
	alloc.taken = 0;
	alloc.failed = 0;
	alloc.fail_at = n;
}

#endif
