/*
 * file.c - small files, and the folders they are in.
 *
 * A file is read whole or not at all; one that would make a reader wait, a FIFO
 * or a device, is none. What was read may be a secret: it is wiped here, and by
 * who frees it.
 */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "banned.h"

static int
file_check(const struct stat *st, size_t ceiling)
{
	errno = S_ISDIR(st->st_mode) ? EISDIR : !S_ISREG(st->st_mode) ?
	    EINVAL : (uintmax_t)st->st_size > ceiling ? EFBIG : 0;
	return errno == 0 ? 0 : -1;
}

/* Up to size bytes; fewer if the file became shorter. -1 with errno. */
static int
read_all(int fd, char *into, size_t size, size_t *len)
{
	ssize_t got;

	for (*len = 0; *len < size; *len += (size_t)got) {
		got = read(fd, into + *len, size - *len);
		if (got == 0)
			break;
		if (got == -1 && errno != EINTR)
			return -1;
		if (got == -1)
			got = 0;
	}
	into[*len] = '\0';
	return 0;
}

char *
file_read(const char *path, size_t ceiling, size_t *len, struct stat *st)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	char *text = NULL;
	int saved;

	if (fd == -1)
		return NULL;
	if (fstat(fd, st) == 0 && file_check(st, ceiling) == 0)
		text = malloc((size_t)st->st_size + 1);
	if (text != NULL &&
	    read_all(fd, text, (size_t)st->st_size, len) == -1) {
		explicit_bzero(text, (size_t)st->st_size);
		free(text);
		text = NULL;
	}
	saved = errno;
	close(fd);
	errno = saved;
	return text;
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
