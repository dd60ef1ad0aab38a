/*
 * logfmt.c - logfmt FILE ...: prints the lines of these logs that are not
 * vkcb's in logfmt. The errors of a command, "vkcb: ...", are left out.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../logfmt.h"
#include "text.c"

static int
check(const char *path)
{
	FILE *in = fopen(path, "re");
	char *line = NULL;
	size_t size = 0;
	ssize_t len;
	int bad = 0;

	if (in == NULL) {
		perror(path);
		return 1;
	}
	while ((len = getline(&line, &size, in)) > 0) {
		if (strncmp(line, "vkcb: ", 6) == 0)
			continue;
		if (line[--len] == '\n' && logfmt_begins(line, (size_t)len) &&
		    logfmt_line(line, (size_t)len))
			continue;
		printf("%s: not logfmt: %.*s\n", path, (int)len, line);
		bad = 1;
	}
	free(line);
	fclose(in);
	return bad;
}

int
main(int argc, char **argv)
{
	int bad = 0, i;

	for (i = 1; i < argc; i++)
		bad |= check(argv[i]);
	return bad;
}
