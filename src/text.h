/* text.h - decimal integers in text; characters of one to four bytes. */
#ifndef TEXT_H
#define TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Are these bytes, all of them, an integer from min to max? Digits, with a
 * minus before them if min is negative; no plus, no space, in any locale. *out
 * is set if so. A prefix such as the 10 of "10s" is read by its length.
 */
bool number_read(const char *text, size_t len, int64_t min, int64_t max,
    int64_t *out);

/* The same of digits alone, up to 2^64-1. */
bool number_read_digits(const char *text, size_t len, uint64_t *out);

#define NUMBER_DIGITS "0123456789"	/* for strspn() */

/*
 * A version of VK's API as one number, for comparison: 5 * NUMBER_VERSION_MAJOR
 * + 199 for "5.199". 0: it is not two plain numbers with a point between them.
 */
#define NUMBER_VERSION_MAJOR 100000
/* VK sends whole events from version 5.81 on. */
#define NUMBER_VERSION_MIN (5 * NUMBER_VERSION_MAJOR + 81)
int64_t number_version(const char *text);

/*
 * How many bytes the character at `at` has: its shortest form, no surrogate; 0:
 * it is not UTF-8. Reads at most `left` bytes, and none behind a bad one, so
 * that a NUL is enough of an end.
 */
size_t utf8_length(const char *at, size_t left);

/* The character that these bytes are. */
uint32_t utf8_character(const char *at, size_t length);

/* The number of bytes up to its end, or up to one that is not UTF-8. */
size_t utf8_span(const char *text);

/* Writes a character of up to 4 bytes; returns the end of them. */
char *utf8_write(char *out, uint32_t character);

/*
 * The number of bytes of this text for a message: all, if they are at most max
 * characters, counted as in UTF-16. Else the text is cut at a line or a word in
 * the second half of these, or between two characters; *skip is the white space
 * there, UTF8_BLANK.
 */
#define UTF8_BLANK " \t\n\r"
size_t utf8_cut(const char *text, size_t max, size_t *skip);

#endif
