/* own.h - files that one user makes for others. */
#ifndef OWN_H
#define OWN_H

#include <sys/types.h>

#define OWN_NAME_MAX 64

/* A user's name, or number. */
const char *own_name(uid_t, char out[OWN_NAME_MAX]);

/*
 * Root, who runs `vkcb setup`, `check` or `work`, gives a file or FIFO it has
 * just made, still empty, to the owner of its folder, whose processes share it.
 * Others: nothing.
 */
void own_by_folder(int fd, const char *path);

/*
 * Makes a file that this user has just made, still empty, as shared as its
 * folder, whatever the umask: who may make files there may read and write it.
 */
void own_share(int fd, const char *path);

#endif
