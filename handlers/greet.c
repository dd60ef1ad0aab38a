/* greet.c - replies to the message "привет". */
#include "vkcb.h"

static enum vkcb_outcome
greet(struct vkcb_event *ev, const struct vk_message_new *new)
{
	if (strcmp(new->message->text, "привет") != 0)
		return VKCB_OK;
	return vkcb_send(ev, new->message->peer_id, "И тебе привет!");
}

const struct vkcb_handler handler_greet = {
	ON(message_new, greet),
	.summary = "replies to привет",
};
