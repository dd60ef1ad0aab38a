/*
 * file_stamp.c - sees changes of files by device, inode, size and times.
 *
 * A file modified within the clock's granularity counts as unsettled until its
 * times are old enough to prove that it has not changed since.
 */
#include "file_stamp.h"

#include <stddef.h>
#include <sys/stat.h>
#include <time.h>

#include "banned.h"

/* Nanoseconds; they wrap in 2554, which does no harm to differences. */
static uint64_t
stamp_time(struct timespec time)
{
	return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

struct file_stamp
file_stamp(const char *path)
{
	struct timespec now;
	struct file_stamp stamp = { .settled = true };
	struct stat st;

	if (stat(path, &st) == -1)
		return stamp;
	clock_gettime(CLOCK_REALTIME, &now);
	stamp.device = st.st_dev;
	stamp.inode = st.st_ino;
	stamp.size = st.st_size;
	stamp.written = stamp_time(st.st_mtim);
	stamp.changed = stamp_time(st.st_ctim);
	/* A file system's clock may tick as seldom as every 10 ms. */
	stamp.settled =
	    (int64_t)(stamp_time(now) - stamp.written) > 50000000 ||
	    (int64_t)(stamp_time(now) - stamp.changed) > 50000000;
	return stamp;
}

enum file_change
file_stamp_compare(const struct file_stamp *was, const char *path)
{
	struct file_stamp is;

	if (path == NULL || *path == '\0')
		return FILE_UNCHANGED;
	is = file_stamp(path);
	if (was->device != is.device || was->inode != is.inode ||
	    was->size != is.size || was->written != is.written ||
	    was->changed != is.changed)
		return FILE_CHANGED;
	return was->settled ? FILE_UNCHANGED : FILE_UNSETTLED;
}
