/* names.h - names in a row: "a, b, c", and how many more there are. */
#ifndef NAMES_H
#define NAMES_H

#include <stddef.h>

#define NAMES_MAX 320

struct names {		/* all zero: none */
	char text[NAMES_MAX];
	size_t len;
	int n;
	int more;	/* that had no room */
};

void names_add(struct names *, const char *name);

/* Good until the next one is added. */
const char *names_text(struct names *);

#endif
