/* press.c - answers a callback button, for tests of calls. */
#include "vkcb.h"

static enum vkcb_outcome
press(struct vkcb_event *ev, const struct vk_message_event *event)
{
	return vkcb_answer_event(ev, event, "Корзина пуста");
}

const struct vkcb_handler handler_press = {
	ON(message_event, press),
	.summary = "answers a callback button",
};
