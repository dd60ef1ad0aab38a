/* 00-audit.c - sees every event; its file name has a '-'. */
#include "vkcb.h"

static enum vkcb_outcome
audit(struct vkcb_event *ev)
{
	vkcb_log(ev, "audited");
	return VKCB_OK;
}

const struct vkcb_handler handler_00_audit = {
	ON(any, audit),
	.summary = "logs that an event came",
};
