/* utf8.h - characters of one to four bytes. */
#ifndef UTF8_H
#define UTF8_H

#include <stddef.h>
#include <stdint.h>

/*
 * How many bytes the character at `at` has: its shortest form, no surrogate; 0:
 * it is not UTF-8. Reads at most `left` bytes, and none behind a bad one, so
 * that a NUL is enough of an end.
 */
size_t utf8_length(const char *at, size_t left);

/* The character that these bytes are. */
uint32_t utf8_character(const char *at, size_t length);

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
