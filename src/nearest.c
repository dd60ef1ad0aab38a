/*
 * nearest.c - edit distance over short words; a swap of neighbours is one edit,
 * a letter in another case none.
 *
 * Takes no memory. Words over the ceiling are close to nothing.
 */
#include "nearest.h"

#include <string.h>

#include "banned.h"

#define WORD_MAX 48

static unsigned int
min3(unsigned int a, unsigned int b, unsigned int c)
{
	unsigned int least = a < b ? a : b;

	return least < c ? least : c;
}

static char
small(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static unsigned int
distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
	unsigned int rows[3][WORD_MAX + 1];
	unsigned int *before = rows[0], *last = rows[1], *row = rows[2], *spare;
	size_t i, j;

	for (j = 0; j <= b_len; j++)
		last[j] = (unsigned int)j;
	for (i = 1; i <= a_len; i++) {
		row[0] = (unsigned int)i;
		for (j = 1; j <= b_len; j++) {
			row[j] = min3(last[j] + 1, row[j - 1] + 1,
			    last[j - 1] + (small(a[i - 1]) !=
			    small(b[j - 1])));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1] && before[j - 2] + 1 < row[j])
				row[j] = before[j - 2] + 1;
		}
		spare = before;
		before = last;
		last = row;
		row = spare;
	}
	return last[b_len];
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
	size_t word_len = strlen(nearest->word), len = strlen(candidate);
	unsigned int d;

	if (word_len > WORD_MAX || len > WORD_MAX)
		return;
	d = distance(nearest->word, word_len, candidate, len);
	if (d < nearest->distance) {
		nearest->distance = d;
		nearest->best = candidate;
	}
}
