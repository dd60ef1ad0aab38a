/* nearest.h - "did you mean": the word in a list that is closest to a typo. */
#ifndef NEAREST_H
#define NEAREST_H

struct nearest {
	const char *word;	/* as typed */
	const char *best;	/* NULL: none was close */
	unsigned int distance;
};

void nearest_begin(struct nearest *, const char *word);
void nearest_try(struct nearest *, const char *candidate);

#endif
