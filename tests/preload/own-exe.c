/*
 * own-exe.c - loaded before vkcb under valgrind (LD_PRELOAD): vkcb runs, but
 * the kernel says that valgrind does. EXE is the program's path.
 */
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char *
real_path(const char *path)
{
	const char *own = getenv("EXE");

	return own != NULL && strcmp(path, "/proc/self/exe") == 0 ? own : path;
}

int
stat(const char *restrict path, struct stat *restrict st)
{
	int (*next)(const char *, struct stat *);

	*(void **)&next = dlsym(RTLD_NEXT, "stat");
	return next(real_path(path), st);
}

/* Its name where files are 64 bits wide. */
int
stat64(const char *restrict path, struct stat64 *restrict st)
{
	int (*next)(const char *, struct stat64 *);

	*(void **)&next = dlsym(RTLD_NEXT, "stat64");
	return next(real_path(path), st);
}
