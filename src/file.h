/*
 * file.h - small files, read whole; the folders they are in; files that vkcb
 * makes for itself; has a file changed since it was read?
 */
#ifndef FILE_H
#define FILE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

/*
 * Reads all of a regular file, at most size - 1 bytes, and puts a NUL behind
 * them. 0, or -1 with errno: EFBIG if it is longer, EISDIR or EINVAL if it is
 * no regular file.
 */
int file_read(const char *path, char *into, size_t size, size_t *len)
    __attribute__((warn_unused_result));

/* "/etc" of "/etc/vkcb.conf", "/" of "/x", "." of "x". */
void file_folder(const char *path, char out[PATH_MAX]);

/* The path of a name in the folder of this file. -1: it is too long. */
int file_beside(const char *path, const char *name, char out[PATH_MAX])
    __attribute__((warn_unused_result));

/*
 * The path of a file of this user's in the folder, or, with folder NULL, in
 * TMPDIR: "/tmp/vkcb-33-NAME". -1: it is too long.
 */
int file_own_path(const char *folder, const char *name, char out[PATH_MAX])
    __attribute__((warn_unused_result));

/*
 * A new or renamed file is on disk when its folder is. 0, also if this user may
 * not read the folder, so that it cannot be flushed; or -1 with errno.
 */
int file_sync_folder(const char *path);

/*
 * Opens a regular file with one name that belongs to this user; with O_CREAT
 * in flags it is made, mode 0600. A descriptor, or -1 with errno, which
 * file_error() has words for.
 */
int file_open_private(const char *path, int flags)
    __attribute__((warn_unused_result));

/*
 * The same for reading and writing a file that several users may share: any
 * owner will do, and a new file is as writable as its folder.
 */
int file_open_shared(const char *path)
    __attribute__((warn_unused_result));

/*
 * Opens a log to append to; it is made with mode 0640. Root follows a link only
 * where nobody else can have put one.
 */
int file_open_log(const char *path)
    __attribute__((warn_unused_result));

/*
 * May this user read and write the file, and is it one that may be opened? 0,
 * also if there is none; or -1 with errno.
 */
int file_look(const char *path) __attribute__((warn_unused_result));

/* The reason, and the cure: "a symbolic link: remove it". */
const char *file_error(int error);

struct file_stamp {
	const char *path;		/* NULL: no file: it does not change */
	dev_t device;
	ino_t inode;			/* 0: there was no file */
	off_t size;
	uint64_t written;		/* what `touch -d` sets */
	uint64_t changed;		/* always by the system's clock */
	bool settled;	/* old enough, when read, to show a later change */
};

/* In the order of their weight. */
enum file_change {
	FILE_UNCHANGED,
	FILE_UNSETTLED,		/* as read, but too young to be sure */
	FILE_CHANGED,
};

/* Taken before the file is read: a change while it is read is found later. */
struct file_stamp file_stamp(const char *path);

enum file_change file_stamp_compare(const struct file_stamp *);

#endif
