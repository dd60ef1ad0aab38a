/* file.h - small files, read whole, and the folders they are in. */
#ifndef FILE_H
#define FILE_H

#include <limits.h>
#include <stddef.h>

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
 * A new or renamed file is on disk when its folder is. 0, also if this user may
 * not read the folder, so that it cannot be flushed; or -1 with errno.
 */
int file_sync_folder(const char *path);

#endif
