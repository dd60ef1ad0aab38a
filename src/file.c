/*
 * file.c - small files, and the folders they are in.
 *
 * A file is read whole or not at all. FIFOs and devices, which would make a
 * reader wait, are refused. Device, inode, size and times show a change; a file
 * modified within the clock's granularity counts as unsettled until its times
 * are old enough to prove that it has not changed since.
 *
 * vkcb's own files stand where others may have put something else under their
 * names: a link to a file of this user's, a FIFO, a device. Anything but a
 * plain file of ours is refused and left as it is.
 */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "owner.h"

#include "banned.h"

#define SAFE (O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)

/* Leaves errno as it is. */
static int
file_close(int fd, int result)
{
	int saved = errno;

	close(fd);
	errno = saved;
	return result;
}

static int
file_read_all(int fd, char *into, size_t size, size_t *len)
{
	struct stat st;
	ssize_t got = 1;

	if (fstat(fd, &st) == -1)
		return -1;
	errno = S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
	if (!S_ISREG(st.st_mode))
		return -1;
	for (*len = 0; got != 0 && *len < size;) {
		got = read(fd, into + *len, size - *len);
		if (got == -1 && errno != EINTR)
			return -1;
		*len += got > 0 ? (size_t)got : 0;
	}
	errno = EFBIG;
	if (*len == size)
		return -1;
	into[*len] = '\0';
	return 0;
}

int
file_read(const char *path, char *into, size_t size, size_t *len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	return fd == -1 ? -1 : file_close(fd, file_read_all(fd, into, size,
	    len));
}

void
file_folder(const char *path, char out[PATH_MAX])
{
	const char *slash = strrchr(path, '/');

	if (slash == NULL)
		snprintf(out, PATH_MAX, ".");
	else
		snprintf(out, PATH_MAX, "%.*s", slash == path ? 1 :
		    (int)(slash - path), path);
}

int
file_beside(const char *path, const char *name, char out[PATH_MAX])
{
	const char *slash = strrchr(path, '/');
	int before = slash != NULL ? (int)(slash + 1 - path) : 0;
	int len = snprintf(out, PATH_MAX, "%.*s%s", before, path, name);

	return len >= 0 && len < PATH_MAX ? 0 : -1;
}

int
file_own_path(const char *folder, const char *name, char out[PATH_MAX])
{
	int len;

	if (folder == NULL)
		folder = getenv("TMPDIR");
	if (folder == NULL || *folder != '/')
		folder = "/tmp";
	len = snprintf(out, PATH_MAX, "%s/vkcb-%lu-%s", folder,
	    (unsigned long)geteuid(), name);
	return len >= 0 && len < PATH_MAX ? 0 : -1;
}

int
file_sync_folder(const char *path)
{
	char folder[PATH_MAX];
	int fd;

	file_folder(path, folder);
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1)
		return errno == EACCES ? 0 : -1;
	return file_close(fd, fsync(fd));
}

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
	struct file_stamp stamp = { .path = path, .settled = true };
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
file_stamp_compare(const struct file_stamp *was)
{
	struct file_stamp is;

	if (was->path == NULL)
		return FILE_UNCHANGED;
	is = file_stamp(was->path);
	if (was->device != is.device || was->inode != is.inode ||
	    was->size != is.size || was->written != is.written ||
	    was->changed != is.changed)
		return FILE_CHANGED;
	return was->settled ? FILE_UNCHANGED : FILE_UNSETTLED;
}

/* A second name may be that of a file of this user's somewhere else. */
static int
file_check(const struct stat *st, bool shared)
{
	errno = S_ISLNK(st->st_mode) ? ELOOP : !S_ISREG(st->st_mode) ? EINVAL :
	    st->st_nlink > 1 ? EMLINK : !shared && st->st_uid != geteuid() ?
	    EPERM : 0;
	return errno == 0 ? 0 : -1;
}

static int
file_checked(int fd, bool shared)
{
	struct stat st;

	if (fd == -1 || (fstat(fd, &st) == 0 && file_check(&st, shared) == 0))
		return fd;
	return file_close(fd, -1);
}

int
file_look(const char *path)
{
	struct stat st;

	if (lstat(path, &st) == -1)
		return errno == ENOENT ? 0 : -1;
	return file_check(&st, false) == -1 ? -1 :
	    faccessat(AT_FDCWD, path, R_OK | W_OK, AT_EACCESS);
}

/*
 * The first open makes nothing: in a sticky folder Linux lets nobody open
 * another user's file with O_CREAT.
 */
int
file_open_private(const char *path, int flags)
{
	int fd = open(path, (flags & ~O_CREAT) | SAFE);

	if (fd == -1 && errno == ENOENT && (flags & O_CREAT) != 0)
		fd = open(path, flags | SAFE, 0600);
	return file_checked(fd, false);
}

/*
 * The mode of a file as shared as its folder. -1: only root's privilege would
 * let this user make a file there, and its owner could not open it then.
 */
static int
file_mode(const char *path)
{
	char folder[PATH_MAX];
	struct stat st;

	file_folder(path, folder);
	if (stat(folder, &st) == -1)
		return -1;
	errno = EACCES;
	if (st.st_uid != geteuid() && (st.st_mode & (S_IWGRP | S_IWOTH)) == 0)
		return -1;
	return 0600 | ((st.st_mode & S_IWGRP) != 0 ? 0060 : 0) |
	    ((st.st_mode & S_IWOTH) != 0 ? 0006 : 0);
}

int
file_open_shared(const char *path)
{
	int mode, fd = open(path, O_RDWR | SAFE);

	if (fd != -1 || errno != ENOENT)
		return file_checked(fd, true);
	mode = file_mode(path);
	if (mode == -1)
		return -1;
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | SAFE, 0600);
	if (fd == -1 && errno == EEXIST)	/* another process was faster */
		return file_checked(open(path, O_RDWR | SAFE), true);
	if (fd != -1)
		(void)fchmod(fd, (mode_t)mode);	/* whatever the umask */
	return fd;
}

int
file_open_log(const char *path)
{
	const int flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC |
	    O_NOCTTY | O_NONBLOCK;

	if (geteuid() != 0 || owner_is_roots_folder(path))
		return open(path, flags, 0640);
	return file_checked(open(path, flags | O_NOFOLLOW, 0640), true);
}

const char *
file_error(int error)
{
	return error == ELOOP ? "a symbolic link: remove it" :
	    error == EMLINK ? "a file with a second name: remove it" :
	    error == EINVAL || error == ENXIO ?
	    "no regular file: remove it" : error == EPERM ?
	    "a file of another user: remove it, or run vkcb as that user" :
	    strerror(error);
}
