/*
 * dump.c - runs a program until it stops itself with SIGSTOP, writes the
 * contents of a core dump at that point to a file, and kills the program.
 *
 *	dump FILE PROGRAM [ARGUMENT ...]
 *
 * The kernel's own dumps depend on the settings of the machine.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "banned.h"

#define MAPPING_MAX (UINT64_C(1) << 30)

/*
 * Unreadable pages are left out, as in a core dump. A mapping of terabytes is
 * reserved, not used; read here, it would fill the disk with zeros.
 */
static void
copy(int memory, FILE *out, uint64_t at, uint64_t end)
{
	static char page[4096];

	if (end - at > MAPPING_MAX)
		return;
	for (; at < end; at += sizeof(page))
		if (pread(memory, page, sizeof(page), (off_t)at) ==
		    (ssize_t)sizeof(page))
			fwrite(page, 1, sizeof(page), out);
}

/* A mapping, then lines about it, of which VmFlags is the last: dd is out. */
static void
dump(pid_t pid, FILE *out)
{
	char path[64], line[4096];
	uint64_t at = 0, end = 0, first, last;
	FILE *maps;
	int memory;

	snprintf(path, sizeof(path), "/proc/%d/mem", (int)pid);
	memory = open(path, O_RDONLY | O_CLOEXEC);
	snprintf(path, sizeof(path), "/proc/%d/smaps", (int)pid);
	maps = fopen(path, "re");
	if (memory == -1 || maps == NULL) {
		perror(path);
		exit(1);
	}
	while (fgets(line, sizeof(line), maps) != NULL) {
		if (sscanf(line, "%" SCNx64 "-%" SCNx64, &first, &last) == 2) {
			at = first;
			end = last;
		} else if (strncmp(line, "VmFlags:", 8) == 0 &&
		    strstr(line, " dd") == NULL) {
			copy(memory, out, at, end);
		}
	}
	fclose(maps);
	close(memory);
}

int
main(int argc, char **argv)
{
	FILE *out = argc > 2 ? fopen(argv[1], "we") : NULL;
	pid_t child;
	int status;

	if (out == NULL) {
		fprintf(stderr, "usage: dump FILE PROGRAM [ARGUMENT ...]\n");
		return 2;
	}
	child = fork();
	if (child == 0) {
		execv(argv[2], argv + 2);
		_exit(127);
	}
	if (child == -1 || waitpid(child, &status, WUNTRACED) != child)
		return 1;
	if (!WIFSTOPPED(status)) {
		fprintf(stderr, "dump: it did not stop\n");
		return 1;
	}
	dump(child, out);
	kill(child, SIGKILL);
	return fclose(out) == 0 && waitpid(child, &status, 0) == child ? 0 : 1;
}
