/* file.h - small files, read whole, and the folders they are in. */
#ifndef FILE_H
#define FILE_H

#include <limits.h>
#include <stddef.h>
#include <sys/stat.h>

/*
 * All of a regular file, with a NUL behind it; to be freed. *st is what it was
 * like before it was read. NULL with errno: EFBIG over the ceiling, EISDIR or
 * EINVAL for what is no file.
 */
char *file_read(const char *path, size_t ceiling, size_t *len,
    struct stat *st) __attribute__((warn_unused_result));

/* "/etc" of "/etc/vkcb.conf", "/" of "/x", "." of "x". */
void file_folder(const char *path, char out[PATH_MAX]);

/* The path of a name in the folder of this file. -1: it is too long. */
int file_beside(const char *path, const char *name, char out[PATH_MAX])
    __attribute__((warn_unused_result));

/*
 * A new or renamed file is on disk when its folder is. 0, also if this user may
 * not read the folder: then it cannot be; or -1 with errno.
 */
int file_sync_folder(const char *path);

#endif
