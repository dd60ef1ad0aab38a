/*
 * sync.c - loaded before a program (LD_PRELOAD), writes each flush to the file
 * $SYNC_BOOK, and fails flushes while the file $SYNC_BOOK.fails exists.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

int
fdatasync(int file)
{
	const char *path = getenv("SYNC_BOOK");
	char name[4096];
	int fd;

	snprintf(name, sizeof(name), "%s.fails", path);
	if (access(name, F_OK) == 0) {
		errno = EIO;
		return -1;
	}
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
	if (fd != -1) {
		(void)!write(fd, "flushed\n", 8);
		close(fd);
	}
	return (int)syscall(SYS_fdatasync, file);
}
