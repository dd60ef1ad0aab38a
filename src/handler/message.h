/* message.h - what VK takes of a message at once. */
#ifndef MESSAGE_H
#define MESSAGE_H

#include <stddef.h>

#define MESSAGE_MAX 9000	/* characters; some count as two */

/*
 * How many bytes of this text make up the next message: all of them if they
 * are no more than max characters. Else up to the end of a line or word, which
 * is looked for in its second half; *skip is the white space after it.
 */
size_t message_cut(const char *text, size_t max, size_t *skip);

#endif
