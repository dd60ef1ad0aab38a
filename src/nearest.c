/*
 * nearest.c - edit distance over short words, without regard to case.
 *
 * Takes no memory. Words over the ceiling are close to nothing.
 */
#include "nearest.h"

#include <ctype.h>
#include <string.h>

#include "banned.h"

#define WORD_MAX 48

static unsigned int
least(unsigned int a, unsigned int b, unsigned int c)
{
	a = a < b ? a : b;
	return a < c ? a : c;
}

static unsigned int
distance(const char *a, const char *b)
{
	unsigned int row[WORD_MAX + 1], corner, above;
	size_t i, j, len = strlen(b);

	for (j = 0; j <= len; j++)
		row[j] = (unsigned int)j;
	for (i = 0; a[i] != '\0'; i++) {
		corner = row[0]++;
		for (j = 0; j < len; j++) {
			above = row[j + 1];
			row[j + 1] = least(above + 1, row[j] + 1, corner +
			    (tolower((unsigned char)a[i]) !=
			    tolower((unsigned char)b[j])));
			corner = above;
		}
	}
	return row[len];
}

void
nearest_begin(struct nearest *nearest, const char *word)
{
	size_t len = strlen(word);

	nearest->word = word;
	nearest->best = NULL;
	nearest->distance = len < 4 ? 2 : (unsigned int)len / 3 + 2;
}

void
nearest_try(struct nearest *nearest, const char *candidate)
{
	unsigned int d;

	if (strlen(nearest->word) > WORD_MAX || strlen(candidate) > WORD_MAX)
		return;
	d = distance(nearest->word, candidate);
	if (d < nearest->distance) {
		nearest->distance = d;
		nearest->best = candidate;
	}
}
