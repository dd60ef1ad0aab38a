/* unlisted.c - takes an event that is not in the catalogue. */
#include "vkcb.h"

static enum vkcb_outcome
unlisted(struct vkcb_event *ev)
{
	vkcb_log(ev, "taken by its name");
	return VKCB_OK;
}

const struct vkcb_handler handler_unlisted = {
	ON_TYPE("unlisted_event", unlisted),
	.summary = "takes unlisted_event",
};
