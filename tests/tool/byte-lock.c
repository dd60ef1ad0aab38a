/*
 * byte-lock.c - locks a byte of a file as a worker pool does (src/pool/pool.c).
 *
 *	byte-lock FILE BYTE COMMAND ...
 *
 * Runs the command, which keeps the lock until it ends. Status 1: the byte is
 * locked, or there is no such file.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

int
main(int argc, char **argv)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET,
	    .l_len = 1 };
	int fd;

	if (argc < 4)
		return 2;
	lock.l_start = strtol(argv[2], NULL, 10);
	fd = open(argv[1], O_RDWR);
	if (fd == -1 || fcntl(fd, F_OFD_SETLK, &lock) == -1)
		return 1;
	execvp(argv[3], argv + 3);
	return 2;
}
