/* wipe.h - secrets in memory that is no longer in use. */
#ifndef WIPE_H
#define WIPE_H

/*
 * Overwrites what functions called before left on the stack: inih has the line
 * in hand there, and the last one may be a token.
 */
void wipe_stack(void);

#endif
