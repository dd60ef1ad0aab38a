/*
 * owner.c - who owns what, and who shares it. A file that cannot be given away
 * stays root's: who needs it then says that it cannot be opened.
 *
 * The folder's owner may have put another file in the place of root's own: a
 * link to one that is not theirs must not become theirs. Only an empty file
 * without a second name, and under this one, is given or opened to others.
 */
#include "owner.h"

#include <limits.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"

#include "banned.h"

static bool
is_just_made(int fd, const char *path)
{
	struct stat st, named;

	return fstat(fd, &st) == 0 && lstat(path, &named) == 0 &&
	    st.st_dev == named.st_dev && st.st_ino == named.st_ino &&
	    (S_ISREG(st.st_mode) || S_ISFIFO(st.st_mode)) &&
	    st.st_nlink == 1 && st.st_size == 0 && st.st_uid == geteuid();
}

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

void
owner_from_directory(int fd, const char *path)
{
	char folder[PATH_MAX];
	struct stat st;

	if (geteuid() != 0 || !is_just_made(fd, path))
		return;
	file_folder(path, folder);
	if (stat(folder, &st) == 0 && st.st_uid != 0)
		(void)!fchown(fd, st.st_uid, st.st_gid);
}

void
mode_from_directory(int fd, const char *path)
{
	mode_t mode = S_IRUSR | S_IWUSR;
	char folder[PATH_MAX];
	struct stat st;

	file_folder(path, folder);
	if (!is_just_made(fd, path) || stat(folder, &st) == -1)
		return;
	if ((st.st_mode & S_IWGRP) != 0 &&
	    fchown(fd, (uid_t)-1, st.st_gid) == 0)
		mode |= S_IRGRP | S_IWGRP;
	if ((st.st_mode & S_IWOTH) != 0)
		mode |= S_IROTH | S_IWOTH;
	(void)fchmod(fd, mode);
}
