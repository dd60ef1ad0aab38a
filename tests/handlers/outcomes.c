/*
 * outcomes.c - every outcome, chosen by the message's text:
 *
 *	fail, retry STATUS SECONDS, remove, version VERSION; else ok
 */
#include "vkcb.h"

#include <stdio.h>

static enum vkcb_outcome
obey(struct vkcb_event *ev, const struct vk_message_new *new)
{
	const char *text = new->message->text;
	int status, seconds;

	if (strcmp(text, "fail") == 0)
		return VKCB_FAIL;
	if (strcmp(text, "remove") == 0)
		return vkcb_remove(ev);
	if (strncmp(text, "version ", 8) == 0)
		return vkcb_set_version(ev, text + 8);
	if (sscanf(text, "retry %d %d", &status, &seconds) == 2)
		return vkcb_retry_after(ev, status, seconds);
	return VKCB_OK;
}

const struct vkcb_handler handler_outcomes = {
	ON(message_new, obey),
	.summary = "the outcome that the text names",
};
