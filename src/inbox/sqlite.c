/*
 * sqlite.c - loads SQLite at run time, once per process. Without it, or with
 * one too old, there is no inbox; all else works.
 *
 * The table of functions is the process's, and constant once it is loaded.
 */
#include "inbox/sqlite.h"

#include <stdbool.h>
#include <stdio.h>

#include "library.h"

#include "banned.h"

#define OLDEST 3025000		/* 3.25.0: RENAME COLUMN */

static const char *const names[] = { "libsqlite3.so.0", NULL };

static const char *const functions[] = {
#define CALL(result, name, arguments) "sqlite3_" #name,
	SQLITE_CALLS
#undef CALL
	NULL,
};

const struct sqlite *
sqlite_load(char *error, size_t size)
{
	static struct sqlite sqlite;
	static bool loaded;
	char reason[256];

	if (loaded)
		return &sqlite;
	if (library_load(names, functions, &sqlite, reason, sizeof(reason)) ==
	    -1)
		snprintf(error, size, "the inbox needs SQLite: %s: install "
		    "Debian's libsqlite3-0, or set inbox = none", reason);
	else if (sqlite.libversion_number() < OLDEST)
		snprintf(error, size, "%s is older than 3.25: install a newer "
		    "SQLite, or set inbox = none", names[0]);
	else
		loaded = true;
	return loaded ? &sqlite : NULL;
}
