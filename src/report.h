/* report.h - failures: a line on standard error, exit statuses, results. */
#ifndef REPORT_H
#define REPORT_H

/*
 * For functions that report and fail. Static analyzers do not look into a
 * variadic one, and would take each "return x_fail(...)" for a success, too. A
 * macro of the function's name helps:
 *
 *	#define x_fail(...) FAILED(-1, x_fail(__VA_ARGS__))
 */
#define FAILED(result, report) ((void)(report), failed(result))

/* A call, since a constant behind a comma is warned of in a statement. */
static inline int
failed(int result)
{
	return result;
}

enum {
	EXIT_OK = 0,
	EXIT_ERROR = 1,	/* it found or met one */
	EXIT_USAGE = 2,
};

/* "vkcb: what: why" on standard error; returns EXIT_ERROR. */
int report_fail(const char *what, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
#define report_fail(...) FAILED(EXIT_ERROR, report_fail(__VA_ARGS__))

/*
 * "Did you mean": the word in a list that is closest to a typo. Initialize it
 * with { .word = ... }, and try each word of the list.
 */
struct nearest {
	const char *word;	/* as typed */
	const char *best;	/* NULL: none was close */
	unsigned int distance;	/* of best; too far, if there is none */
};

void nearest_try(struct nearest *, const char *candidate);

#endif
