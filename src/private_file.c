/*
 * private_file.c - opens vkcb's own files where others may have put something
 * else under their names: a link to a file of this user's, a FIFO, a device.
 *
 * Anything but a plain file of ours is refused and left as it is.
 */
#include "private_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"
#include "owner.h"

#include "banned.h"

#define SAFE (O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)

/* A second name may be that of a file of this user's somewhere else. */
static int
private_file_check(const struct stat *st, bool shared)
{
	errno = S_ISLNK(st->st_mode) ? ELOOP : !S_ISREG(st->st_mode) ? EINVAL :
	    st->st_nlink > 1 ? EMLINK : !shared && st->st_uid != geteuid() ?
	    EPERM : 0;
	return errno == 0 ? 0 : -1;
}

static int
private_file_checked(int fd, bool shared)
{
	struct stat st;
	int saved;

	if (fd == -1 || (fstat(fd, &st) == 0 &&
	    private_file_check(&st, shared) == 0))
		return fd;
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

int
private_file_look(const char *path)
{
	struct stat st;

	if (lstat(path, &st) == -1)
		return errno == ENOENT ? 0 : -1;
	if (private_file_check(&st, false) == -1)
		return -1;
	return faccessat(AT_FDCWD, path, R_OK | W_OK, AT_EACCESS);
}

/*
 * The first open makes nothing: in a sticky folder Linux lets nobody open
 * another user's file with O_CREAT.
 */
int
private_file_open(const char *path, int flags)
{
	int fd = open(path, (flags & ~O_CREAT) | SAFE);

	if (fd == -1 && errno == ENOENT && (flags & O_CREAT) != 0)
		fd = open(path, flags | SAFE, 0600);
	return private_file_checked(fd, false);
}

/*
 * The mode of a file as shared as its folder. -1: only root's privilege would
 * let this user make a file there, and its owner could not open it then.
 */
static int
private_file_mode(const char *path)
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
private_file_open_shared(const char *path)
{
	int mode, fd = open(path, O_RDWR | SAFE);

	if (fd != -1 || errno != ENOENT)
		return private_file_checked(fd, true);
	mode = private_file_mode(path);
	if (mode == -1)
		return -1;
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | SAFE, 0600);
	if (fd == -1 && errno == EEXIST)	/* another process was faster */
		return private_file_checked(open(path, O_RDWR | SAFE), true);
	if (fd != -1)
		(void)fchmod(fd, (mode_t)mode);	/* whatever the umask */
	return fd;
}

int
private_file_open_log(const char *path)
{
	const int flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC |
	    O_NOCTTY | O_NONBLOCK;

	if (geteuid() != 0 || owner_is_roots_folder(path))
		return open(path, flags, 0640);
	return private_file_checked(open(path, flags | O_NOFOLLOW, 0640), true);
}

const char *
private_file_error(int error)
{
	return error == ELOOP ? "a symbolic link: remove it" :
	    error == EMLINK ? "a file with a second name: remove it" :
	    error == EINVAL || error == EISDIR || error == ENXIO ?
	    "no regular file: remove it" : error == EPERM ?
	    "a file of another user: remove it, or run vkcb as that user" :
	    strerror(error);
}
