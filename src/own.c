/*
 * own.c - who owns what. A file that cannot be given away stays root's: who needs
 * it then says that it cannot be opened.
 */
#include "own.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "banned.h"

void
own_by_folder(int fd, const char *path)
{
	char folder[PATH_MAX];
	struct stat st;
	char *slash;

	if (geteuid() != 0)
		return;
	snprintf(folder, sizeof(folder), "%s", path);
	slash = strrchr(folder, '/');
	if (slash == NULL)
		snprintf(folder, sizeof(folder), ".");
	else
		slash[slash == folder] = '\0';
	if (stat(folder, &st) == 0 && st.st_uid != 0)
		(void)!fchown(fd, st.st_uid, st.st_gid);
}
