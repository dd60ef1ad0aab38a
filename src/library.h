/* library.h - shared libraries that are loaded when they are first needed. */
#ifndef LIBRARY_H
#define LIBRARY_H

#include <stddef.h>

struct library_function {
	const char *name;	/* NULL ends a list */
	size_t offset;		/* of its pointer in the table */
};

/*
 * Loads the first of these libraries that there is and fills the table of
 * pointers. 0, or -1 and the loader's reason.
 */
int library_load(const char *const names[], const struct library_function *,
    void *table, char *why, size_t size);

#endif
