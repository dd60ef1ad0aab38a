/*
 * message.c - messages: sent, answered, edited, marked as read.
 *
 * Each function is vkcb_api() with the parameters filled in. A text that is
 * too long for VK becomes several messages; if a message fails, the rest is not
 * sent, and a repeat of the event sends what is missing.
 */
#include <string.h>

#include "text.h"
#include "vk/params.h"
#include "vkcb.h"

#include "banned.h"

#define MESSAGE_MAX 9000	/* characters; some count as two */

/*
 * Takes params over for the first part: `forward` is among them in a reply. VK
 * refuses a blank part, which can only be the first, since white space at a cut
 * is left out.
 */
static enum vkcb_outcome
send_parts(struct vkcb_event *ev, int64_t peer_id, const char *text,
    struct json_object *params)
{
	enum vkcb_outcome outcome;
	const char *part;
	size_t len, skip;

	if (text == NULL)
		text = "";	/* as in VK_STR(): VK refuses it with words */
	for (;;) {
		len = utf8_cut(text, MESSAGE_MAX, &skip);
		part = text;
		text += len + skip;
		if (strspn(part, UTF8_BLANK) >= len && *text != '\0')
			continue;
		outcome = vkcb_api(ev, "messages.send",
		    params_add(params, "message", params_made(
		    json_object_new_string_len(part, (int)len))), NULL);
		if (outcome != VKCB_OK || *text == '\0')
			return outcome;
		params = VK_PARAMS("peer_id", VK_INT(peer_id));
	}
}

enum vkcb_outcome
vkcb_send(struct vkcb_event *ev, int64_t peer_id, const char *text)
{
	return send_parts(ev, peer_id, text,
	    VK_PARAMS("peer_id", VK_INT(peer_id)));
}

/* In 5.199 a reply forwards a message, with a mark. */
enum vkcb_outcome
vkcb_reply(struct vkcb_event *ev, const struct vk_message *message,
    const char *text)
{
	struct json_object *forward = VK_PARAMS(
	    "peer_id", VK_INT(message->peer_id),
	    "conversation_message_ids",
	    VK_ROW(VK_INT(message->conversation_message_id)),
	    "is_reply", VK_INT(1));

	return send_parts(ev, message->peer_id, text,
	    VK_PARAMS("peer_id", VK_INT(message->peer_id),
	    "forward", forward));
}

enum vkcb_outcome
vkcb_send_keyboard(struct vkcb_event *ev, int64_t peer_id, const char *text,
    struct json_object *keyboard)
{
	if (keyboard == NULL)
		params_mistake("the keyboard is NULL: write VK_NO_KEYBOARD, "
		    "or call vkcb_send()");
	return vkcb_api(ev, "messages.send",
	    VK_PARAMS("peer_id", VK_INT(peer_id), "message", VK_STR(text),
	    "keyboard", keyboard), NULL);
}

enum vkcb_outcome
vkcb_edit(struct vkcb_event *ev, int64_t peer_id,
    int64_t conversation_message_id, const char *text)
{
	return vkcb_api(ev, "messages.edit",
	    VK_PARAMS("peer_id", VK_INT(peer_id),
	    "cmid", VK_INT(conversation_message_id),
	    "message", VK_STR(text)), NULL);
}

enum vkcb_outcome
vkcb_mark_as_read(struct vkcb_event *ev, int64_t peer_id)
{
	return vkcb_api(ev, "messages.markAsRead",
	    VK_PARAMS("peer_id", VK_INT(peer_id),
	    "mark_conversation_as_read", VK_BOOL(true)), NULL);
}

enum vkcb_outcome
vkcb_typing(struct vkcb_event *ev, int64_t peer_id)
{
	return vkcb_api(ev, "messages.setActivity",
	    VK_PARAMS("peer_id", VK_INT(peer_id), "type", VK_STR("typing")),
	    NULL);
}

enum vkcb_outcome
vkcb_answer_event(struct vkcb_event *ev, const struct vk_message_event *press,
    const char *text)
{
	struct json_object *params = VK_PARAMS(
	    "event_id", VK_STR(press->event_id),
	    "user_id", VK_INT(press->user_id),
	    "peer_id", VK_INT(press->peer_id));

	if (text != NULL && *text != '\0')
		params = params_add(params, "event_data", VK_PARAMS(
		    "type", VK_STR("show_snackbar"), "text", VK_STR(text)));
	return vkcb_api(ev, "messages.sendMessageEventAnswer", params, NULL);
}
