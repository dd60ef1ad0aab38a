/* talkative.c - prints to standard output, as no handler should. */
#include "vkcb.h"

#include <stdio.h>

static enum vkcb_outcome
talk(struct vkcb_event *ev, const struct vk_message_new *new)
{
	(void)ev;
	if (strcmp(new->message->text, "talk") != 0)
		return VKCB_OK;
	printf("Content-Type: text/html\r\n\r\nNot the answer!\n");
	fflush(stdout);
	return VKCB_OK;
}

const struct vkcb_handler handler_talkative = {
	ON(message_new, talk),
	.summary = "prints when the text is talk",
};
