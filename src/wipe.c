/*
 * wipe.c - wipes what nobody uses any more before it is seen in a core dump.
 */
#include "wipe.h"

#include <string.h>

#include "banned.h"

#define DEPTH (16 * 1024)	/* of inih, its line and what it calls */

/* Not inlined: its room has to be where theirs was. */
__attribute__((noinline)) void
wipe_stack(void)
{
	char room[DEPTH];

	explicit_bzero(room, sizeof(room));
}
