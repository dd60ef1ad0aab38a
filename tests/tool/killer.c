/*
 * killer.c - kills processes of one program at random, with SIGKILL.
 *
 *	killer PROGRAM KILLS MS SECONDS FILE
 *
 * A process whose executable is PROGRAM is killed about every MS milliseconds,
 * after its pid is appended to FILE. Status 1: fewer than KILLS were killed in
 * SECONDS.
 */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define VICTIMS_MAX 256

static size_t
find(const char *program, long *victims)
{
	char path[300], target[4096];
	struct dirent *entry;
	size_t n = 0;
	ssize_t len;
	DIR *dir = opendir("/proc");

	while (dir != NULL && n < VICTIMS_MAX &&
	    (entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] < '1' || entry->d_name[0] > '9')
			continue;
		snprintf(path, sizeof(path), "/proc/%s/exe", entry->d_name);
		len = readlink(path, target, sizeof(target) - 1);
		if (len <= 0)
			continue;
		target[len] = '\0';
		if (strcmp(target, program) == 0)
			victims[n++] = strtol(entry->d_name, NULL, 10);
	}
	if (dir != NULL)
		closedir(dir);
	return n;
}

int
main(int argc, char **argv)
{
	long victims[VICTIMS_MAX], ms, victim, kills;
	struct timespec pause;
	char line[32];
	size_t n;
	int fd, len;

	time_t end;

	if (argc != 6)
		return 2;
	kills = strtol(argv[2], NULL, 10);
	ms = strtol(argv[3], NULL, 10);
	end = time(NULL) + strtol(argv[4], NULL, 10);
	fd = open(argv[5], O_WRONLY | O_CREAT | O_APPEND, 0644);
	srand((unsigned int)getpid());
	while (kills > 0) {
		if (time(NULL) > end)
			return 1;
		pause.tv_sec = 0;
		pause.tv_nsec = (rand() % (2 * ms) + 1) * 1000000L;
		nanosleep(&pause, NULL);
		n = find(argv[1], victims);
		if (n == 0)
			continue;
		victim = victims[(size_t)rand() % n];
		len = snprintf(line, sizeof(line), "%ld\n", victim);
		if (write(fd, line, (size_t)len) != len)
			return 1;
		kills -= kill((pid_t)victim, SIGKILL) == 0;
	}
	return 0;
}
