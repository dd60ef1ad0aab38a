/*
 * private_file.h - files that vkcb makes for itself: beside the inbox and the
 * keys, and the rate limiter's.
 */
#ifndef PRIVATE_FILE_H
#define PRIVATE_FILE_H

/*
 * Opens a regular file with one name that belongs to this user; with O_CREAT
 * in flags it is made, mode 0600. A descriptor, or -1 with errno, which
 * private_file_error() has words for.
 */
int private_file_open(const char *path, int flags)
    __attribute__((warn_unused_result));

/*
 * The same for reading and writing a file that several users may share: any
 * owner will do, and a new file is as writable as its folder.
 */
int private_file_open_shared(const char *path)
    __attribute__((warn_unused_result));

/*
 * Opens a log to append to; it is made with mode 0640. Root follows a link only
 * where nobody else can have put one.
 */
int private_file_open_log(const char *path)
    __attribute__((warn_unused_result));

/*
 * May this user read and write the file, and is it one that may be opened? 0,
 * also if there is none; or -1 with errno.
 */
int private_file_look(const char *path) __attribute__((warn_unused_result));

/* The reason, and the cure: "a symbolic link: remove it". */
const char *private_file_error(int error);

#endif
