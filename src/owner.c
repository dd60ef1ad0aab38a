/*
 * owner.c - commands that root runs on another user's files.
 *
 * In a folder of another user root would follow links that this user has put
 * there, and make files that this user cannot open. As the user it can do only
 * what that user may do anyway. Anything in doubt is refused.
 */
#include "owner.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"

#include "banned.h"

const char *
owner_name(uid_t user, char out[OWNER_NAME_MAX])
{
	const struct passwd *entry = getpwuid(user);

	if (entry != NULL)
		snprintf(out, OWNER_NAME_MAX, "%s", entry->pw_name);
	else
		snprintf(out, OWNER_NAME_MAX, "user %ld", (long)user);
	return out;
}

/* The groups first: only root may change them. */
static int
owner_switch(const struct stat *owner)
{
	const struct passwd *entry = getpwuid(owner->st_uid);
	gid_t group = entry != NULL ? entry->pw_gid : owner->st_gid;

	if ((entry != NULL ? initgroups(entry->pw_name, group) :
	    setgroups(0, NULL)) == -1 || setresgid(group, group, group) == -1)
		return -1;
	return setresuid(owner->st_uid, owner->st_uid, owner->st_uid);
}

/* The folder, else the nearest one above it, where others may make it. */
static void
owner_stat_folder(const char *path, struct stat *st)
{
	char name[PATH_MAX], *slash;

	file_folder(path, name);
	while (stat(name, st) == -1) {
		slash = strrchr(name, '/');
		if (slash == NULL || slash[1] == '\0')
			snprintf(name, sizeof(name), "/");
		else
			slash[slash == name] = '\0';
	}
}

bool
owner_is_roots_folder(const char *path)
{
	struct stat st;

	owner_stat_folder(path, &st);
	return st.st_uid == 0 && (st.st_mode & S_IWOTH) == 0 &&
	    ((st.st_mode & S_IWGRP) == 0 || st.st_gid == 0);
}

static int
owner_stay_root(const char *path, bool is_log, char *error)
{
	if (is_log || owner_is_roots_folder(path))
		return 0;
	snprintf(error, OWNER_ERROR_MAX, "%.256s: root makes no files in a "
	    "folder to which others may write: run vkcb as the user that the "
	    "web server runs it as, or chown the folder to that user", path);
	return -1;
}

int
owner_become(const char *path, bool is_log, char error[OWNER_ERROR_MAX])
{
	struct stat folder, file;
	char names[2][OWNER_NAME_MAX];

	if (geteuid() != 0)
		return 0;
	owner_stat_folder(path, &folder);
	if (lstat(path, &file) == -1)
		file = folder;
	if (file.st_uid != folder.st_uid && folder.st_uid != 0) {
		snprintf(error, OWNER_ERROR_MAX, "%.256s: it belongs to %s, "
		    "its folder to %s: chown both to the user that vkcb runs "
		    "as", path, owner_name(file.st_uid, names[0]),
		    owner_name(folder.st_uid, names[1]));
		return -1;
	}
	if (file.st_uid == 0)
		return owner_stay_root(path, is_log, error);
	if (owner_switch(&file) == 0)
		return 1;
	snprintf(error, OWNER_ERROR_MAX, "%.256s: root cannot become its "
	    "owner, %s: %s: run vkcb as that user", path,
	    owner_name(file.st_uid, names[0]), strerror(errno));
	return -1;
}

int
owner_check_folder(const char *path, char error[OWNER_ERROR_MAX])
{
	char name[PATH_MAX];
	struct stat st;

	file_folder(path, name);
	if (stat(name, &st) == -1 || (st.st_mode & S_IWOTH) == 0 ||
	    (st.st_mode & S_ISVTX) != 0)
		return 0;
	snprintf(error, OWNER_ERROR_MAX, "%.256s: everybody may replace files "
	    "in its folder: chmod o-w the folder", path);
	return -1;
}
