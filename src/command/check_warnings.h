/* check_warnings.h - what `vkcb check` warns of, as unwise though valid. */
#ifndef CHECK_WARNINGS_H
#define CHECK_WARNINGS_H

struct conf;

/* Prints a line for each, with what to do. */
void check_warnings(const struct conf *);

#endif
