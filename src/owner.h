/* owner.h - files that one user makes for others. */
#ifndef OWNER_H
#define OWNER_H

#include <sys/types.h>

#define OWNER_NAME_MAX 64

/* A user's name, or number. */
const char *owner_name(uid_t, char out[OWNER_NAME_MAX]);

/*
 * Root, who runs `vkcb setup`, `check` or `work`, gives a file or FIFO it has
 * just made, still empty, to the owner of its folder, whose processes share it.
 * Others: nothing.
 */
void owner_from_directory(int fd, const char *path);

/*
 * Makes a file that this user has just made, still empty, as shared as its
 * folder, whatever the umask: who may make files there may read and write it.
 */
void mode_from_directory(int fd, const char *path);

#endif
