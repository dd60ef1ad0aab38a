/* library.h - shared libraries that are loaded when they are first needed. */
#ifndef LIBRARY_H
#define LIBRARY_H

#include <stddef.h>

/*
 * Loads the first of these libraries that there is and fills the table, a
 * struct of pointers to these functions. Both lists end with NULL. 0, or -1 and
 * the loader's reason.
 */
int library_load(const char *const names[], const char *const functions[],
    void *table, char *why, size_t size);

#endif
