/* greet.c - answers whoever writes "привет". */
#include "vkcb.h"

static enum vkcb_outcome
greet(struct vkcb_event *ev, const struct vk_message_new *new)
{
	if (strcmp(new->message->text, "привет") != 0)
		return VKCB_OK;
	vkcb_log(ev, "%lld says hello", (long long)new->message->from_id);
	return VKCB_OK;
}

const struct vkcb_handler handler_greet = {
	ON(message_new, greet),
	.summary = "greets whoever says привет",
};
