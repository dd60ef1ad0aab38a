/*
 * report.c - errors for the person who runs a command.
 *
 * Text from outside is escaped. A longer message is cut.
 */
#include "report.h"

#include <stdarg.h>
#include <stdio.h>

#include "log.h"

#include "banned.h"

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
