/*
 * sqlite.c - finds SQLite's library and its functions, once per process.
 *
 * Without it, or with one too old, there is no inbox; all else works.
 */
#include "inbox/sqlite.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#include "banned.h"

#define LIBRARY "libsqlite3.so.0"
#define OLDEST 3024000		/* 3.24.0: UPSERT */

/* A function's address, by way of memory: C has no cast for it. */
static int
sqlite_find(void *library, const char *name, void *into, char *error,
    size_t size)
{
	void *at = dlsym(library, name);

	if (at == NULL) {
		snprintf(error, size, "%s has no %s: install Debian's "
		    "libsqlite3-0, or set inbox = none", LIBRARY, name);
		return -1;
	}
	memcpy(into, &at, sizeof(at));
	return 0;
}

static int
find_all(void *library, struct sqlite *sqlite, char *error, size_t size)
{
#define CALL(result, name, arguments) \
	if (sqlite_find(library, "sqlite3_" #name, &sqlite->name, error, \
		size) == -1) \
		return -1;
	SQLITE_CALLS
#undef CALL
	if (sqlite->libversion_number() >= OLDEST)
		return 0;
	snprintf(error, size, "%s is older than 3.24: install a newer SQLite, "
	    "or set inbox = none", LIBRARY);
	return -1;
}

const struct sqlite *
sqlite_load(char *error, size_t size)
{
	/* A library is loaded once per process; its functions are constant. */
	static struct sqlite sqlite;
	static int loaded;
	void *library;

	if (loaded)
		return &sqlite;
	library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
	if (library == NULL) {
		snprintf(error, size, "the inbox needs SQLite: %s: install "
		    "Debian's libsqlite3-0, or set inbox = none", dlerror());
		return NULL;
	}
	if (find_all(library, &sqlite, error, size) == -1) {
		dlclose(library);
		return NULL;
	}
	loaded = 1;
	return &sqlite;
}
