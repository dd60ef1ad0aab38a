/*
 * no-inotify.c - loaded before workers (LD_PRELOAD), is a system whose inotify
 * instances are used up.
 */
#include <errno.h>
#include <sys/inotify.h>

int
inotify_init1(int flags)
{
	(void)flags;
	errno = EMFILE;
	return -1;
}
