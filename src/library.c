/*
 * library.c - the one dynamic loader, for libcurl and SQLite.
 *
 * A missing library is a result like any other: the caller says what to
 * install, and a later call looks again. A library stays once it is loaded.
 */
#include "library.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#include "banned.h"

int
library_load(const char *const names[], const char *const functions[],
    void *table, char *why, size_t size)
{
	void *library = NULL, *symbol;
	size_t i;

	for (; library == NULL && *names != NULL; names++)
		library = dlopen(*names, RTLD_NOW | RTLD_LOCAL);
	for (i = 0; library != NULL && functions[i] != NULL; i++) {
		symbol = dlsym(library, functions[i]);
		if (symbol == NULL)
			break;
		/* C has no cast from an object's to a function's address. */
		memcpy((char *)table + i * sizeof(symbol), &symbol,
		    sizeof(symbol));
	}
	if (library != NULL && functions[i] == NULL)
		return 0;
	snprintf(why, size, "%s", dlerror());
	return -1;
}
