/*
 * file.c - small files, and the folders they are in.
 *
 * A file is read whole or not at all. FIFOs and devices, which would make a
 * reader wait, are refused.
 */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "banned.h"

static int
file_read_all(int fd, char *into, size_t size, size_t *len)
{
	struct stat st;
	ssize_t got = 1;

	if (fstat(fd, &st) == -1)
		return -1;
	errno = S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
	if (!S_ISREG(st.st_mode))
		return -1;
	for (*len = 0; got != 0 && *len < size; *len += (size_t)got) {
		got = TEMP_FAILURE_RETRY(read(fd, into + *len, size - *len));
		if (got == -1)
			return -1;
	}
	errno = EFBIG;
	if (*len == size)
		return -1;
	into[*len] = '\0';
	return 0;
}

int
file_read(const char *path, char *into, size_t size, size_t *len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	int result, saved;

	if (fd == -1)
		return -1;
	result = file_read_all(fd, into, size, len);
	saved = errno;
	close(fd);
	errno = saved;
	return result;
}

void
file_folder(const char *path, char out[PATH_MAX])
{
	const char *slash = strrchr(path, '/');

	if (slash == NULL)
		snprintf(out, PATH_MAX, ".");
	else
		snprintf(out, PATH_MAX, "%.*s", slash == path ? 1 :
		    (int)(slash - path), path);
}

int
file_beside(const char *path, const char *name, char out[PATH_MAX])
{
	const char *slash = strrchr(path, '/');
	int before = slash != NULL ? (int)(slash + 1 - path) : 0;
	int len = snprintf(out, PATH_MAX, "%.*s%s", before, path, name);

	return len >= 0 && len < PATH_MAX ? 0 : -1;
}

int
file_sync_folder(const char *path)
{
	char folder[PATH_MAX];
	int fd, result, saved;

	file_folder(path, folder);
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1)
		return errno == EACCES ? 0 : -1;
	result = fsync(fd);
	saved = errno;
	close(fd);
	errno = saved;
	return result;
}
