/* message.h - the length of a message to VK. */
#ifndef MESSAGE_H
#define MESSAGE_H

#include <stddef.h>

#define MESSAGE_MAX 9000	/* characters; some count as two */

/*
 * The number of bytes of this text for the next message: all, if they are at
 * most max characters. Else the text is cut at a line or a word in the second
 * half of these, or between two characters; *skip is the white space there.
 */
size_t message_cut(const char *text, size_t max, size_t *skip);

#endif
