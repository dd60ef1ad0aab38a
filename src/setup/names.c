/*
 * names.c - a line has room for a few names; the others are counted.
 */
#include "setup/names.h"

#include <stdio.h>
#include <string.h>

#include "banned.h"

#define MORE_MAX 24	/* " and 2147483647 more" */

void
names_add(struct names *names, const char *name)
{
	size_t room = sizeof(names->text) - MORE_MAX - names->len;

	names->n++;
	if (names->more > 0 || strlen(name) + 2 >= room) {
		names->more++;
		return;
	}
	names->len += (size_t)snprintf(names->text + names->len, room, "%s%s",
	    names->len > 0 ? ", " : "", name);
}

const char *
names_text(struct names *names)
{
	if (names->more > 0)
		snprintf(names->text + names->len, MORE_MAX, " and %d more",
		    names->more);
	return names->text;
}
