/* report.h - one line to a person on standard error, and exit statuses. */
#ifndef REPORT_H
#define REPORT_H

#include "failed.h"

enum {
	EXIT_OK = 0,
	EXIT_ERROR = 1,	/* it found or met one */
	EXIT_USAGE = 2,
};

/* "vkcb: what: why" on standard error; returns EXIT_ERROR. */
int report_fail(const char *what, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
#define report_fail(...) FAILED(EXIT_ERROR, report_fail(__VA_ARGS__))

#endif
