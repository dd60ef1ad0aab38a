/*
 * ini.h - reads `[section]` and `key = value`, a line at a time.
 *
 * A line that begins with ; or # is a comment, and so is the rest of a line
 * from a ; that follows a blank. Quotes have no meaning, no line goes on in the
 * next one.
 */
#ifndef INI_H
#define INI_H

#include <stddef.h>

#define INI_LINE_MAX 4096

enum ini_kind {
	INI_END,
	INI_SECTION,	/* name */
	INI_KEY,	/* name and value, without the blanks around them */
	INI_FAULT,	/* fault */
};

struct ini {
	char *at;		/* the text still to be read */
	size_t left;
	int line;		/* of what was read last; from 1 */
	const char *name;
	const char *value;
	const char *fault;	/* with the cure, if INI_FAULT */
};

/* The text is cut into strings in place; a byte behind it is writable. */
void ini_begin(struct ini *, char *text, size_t len);

/* The next line without its end and the blanks around it; NULL: a fault. */
char *ini_line(struct ini *);

enum ini_kind ini_next(struct ini *);

#endif
