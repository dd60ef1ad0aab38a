/*
 * failed.h - results of failures that static analyzers see.
 *
 * They do not look into a variadic function, and would take each
 * "return x_fail(...)" for a success, too. A macro of the function's name helps:
 *
 *	#define x_fail(...) FAILED(-1, x_fail(__VA_ARGS__))
 */
#ifndef FAILED_H
#define FAILED_H

/* A call, since a constant behind a comma is warned of in a statement. */
static inline int
failed(int result)
{
	return result;
}

#define FAILED(result, report) ((void)(report), failed(result))

#endif
