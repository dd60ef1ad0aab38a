/*
 * file_stamp.c - sees changes of files by device, inode, size and times.
 *
 * A file modified within the clock's granularity counts as unsettled until its
 * times are old enough to prove that it has not changed since.
 */
#include "file_stamp.h"

#include <stddef.h>
#include <sys/stat.h>

#include "banned.h"

/* A file system's clock may tick as seldom as every 10 ms. */
static bool
is_past(const struct timespec *time, const struct timespec *now)
{
	return now->tv_sec > time->tv_sec + 1 ||
	    (now->tv_sec - time->tv_sec) * 1000000000L +
	    now->tv_nsec - time->tv_nsec > 50000000L;
}

struct file_stamp
file_stamp(const char *path)
{
	struct timespec now;
	struct stat st;

	if (stat(path, &st) == -1)
		return (struct file_stamp){ .settled = true };
	clock_gettime(CLOCK_REALTIME, &now);
	return (struct file_stamp){
		.device = st.st_dev,
		.inode = st.st_ino,
		.size = st.st_size,
		.written = st.st_mtim,
		.changed = st.st_ctim,
		.settled = is_past(&st.st_mtim, &now) ||
		    is_past(&st.st_ctim, &now),
	};
}

static bool
is_same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

enum file_change
file_stamp_compare(const struct file_stamp *was, const char *path)
{
	struct stat st;

	if (path == NULL || *path == '\0')
		return FILE_UNCHANGED;
	if (stat(path, &st) == -1)
		return was->inode == 0 ? FILE_UNCHANGED : FILE_CHANGED;
	if (was->device != st.st_dev || was->inode != st.st_ino ||
	    was->size != st.st_size ||
	    !is_same_time(&was->written, &st.st_mtim) ||
	    !is_same_time(&was->changed, &st.st_ctim))
		return FILE_CHANGED;
	return was->settled ? FILE_UNCHANGED : FILE_UNSETTLED;
}
