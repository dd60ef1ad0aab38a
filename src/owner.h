/* owner.h - users, and root's way to become one. */
#ifndef OWNER_H
#define OWNER_H

#include <stdbool.h>
#include <sys/types.h>

#define OWNER_NAME_MAX 64
#define OWNER_ERROR_MAX 512

/* A user's name, or number. */
const char *owner_name(uid_t, char out[OWNER_NAME_MAX]);

/*
 * Root becomes the user that owns this file, or its folder where there is no
 * file yet, for good. Root stays root where that is root; it refuses a folder
 * to which others may write, but for a log. Any other user: nothing. 1: root
 * became this user; 0: nothing changed; or -1 and the reason, with the cure.
 */
int owner_become(const char *path, bool is_log, char error[OWNER_ERROR_MAX])
    __attribute__((warn_unused_result));

/* May nobody but root make and replace files in the folder of this file? */
bool owner_is_roots_folder(const char *path);

/*
 * May only known users replace files in the folder of this file? -1 and the
 * reason if everybody may. A folder that is not there has no fault.
 */
int owner_check_folder(const char *path, char error[OWNER_ERROR_MAX])
    __attribute__((warn_unused_result));

#endif
