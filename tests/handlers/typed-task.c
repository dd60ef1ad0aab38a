/* typed-task.c - takes an event with its struct, for events without one. */
#include "vkcb.h"

static enum vkcb_outcome
take(struct vkcb_event *ev, const struct vk_message_allow *allow)
{
	(void)allow;
	vkcb_log(ev, "allowed");
	return VKCB_OK;
}

const struct vkcb_handler handler_typed_task = {
	ON(message_allow, take),
	.summary = "takes message_allow",
};
