/* members.c - logs each new member of the community, and how they joined. */
#include "vkcb.h"

static enum vkcb_outcome
note_member(struct vkcb_event *ev, const struct vk_group_member *member)
{
	vkcb_log(ev, "user %lld joined (%s)", (long long)member->user_id,
	    member->join_type);
	return VKCB_OK;
}

const struct vkcb_handler handler_members = {
	ON(group_join, note_member),
	.summary = "logs new members",
};
