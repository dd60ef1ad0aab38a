/* nearest.h - "did you mean": the word in a list that is closest to a typo. */
#ifndef NEAREST_H
#define NEAREST_H

/* Initialize it with { .word = ... }, and try each word of the list. */
struct nearest {
	const char *word;	/* as typed */
	const char *best;	/* NULL: none was close */
	unsigned int distance;	/* of best; too far, if there is none */
};

void nearest_try(struct nearest *, const char *candidate);

#endif
