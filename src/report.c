/*
 * report.c - errors for the person who runs a command, with "did you mean".
 *
 * Text from outside is escaped. A longer message is cut. Words over the ceiling
 * are close to nothing.
 */
#include "report.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/param.h>

#include "log.h"

#include "banned.h"

#define WORD_MAX 48
#define REPORT_MAX 8192	/* of one message, with two paths in it */

#undef report_fail
int
report_fail(const char *what, const char *fmt, ...)
{
	char text[REPORT_MAX];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	fputs("vkcb: ", stderr);
	log_print(stderr, what);
	fputs(": ", stderr);
	log_print(stderr, text);
	fputc('\n', stderr);
	return EXIT_ERROR;
}

/* The edit distance, without regard to case. */
static unsigned int
distance(const char *a, const char *b)
{
	unsigned int row[WORD_MAX + 1], corner, above;
	size_t i, j, len = strlen(b);

	for (j = 0; j <= len; j++)
		row[j] = (unsigned int)j;
	for (i = 0; a[i] != '\0'; i++) {
		corner = row[0]++;
		for (j = 0; j < len; j++) {
			above = row[j + 1];
			corner += tolower((unsigned char)a[i]) !=
			    tolower((unsigned char)b[j]);
			row[j + 1] = MIN(corner, MIN(above, row[j]) + 1);
			corner = above;
		}
	}
	return row[len];
}

void
nearest_try(struct nearest *nearest, const char *candidate)
{
	size_t len = strlen(nearest->word);
	unsigned int d;

	if (nearest->best == NULL)
		nearest->distance = len < 4 ? 2 : (unsigned int)len / 3 + 2;
	if (len > WORD_MAX || strlen(candidate) > WORD_MAX)
		return;
	d = distance(nearest->word, candidate);
	if (d < nearest->distance) {
		nearest->distance = d;
		nearest->best = candidate;
	}
}
