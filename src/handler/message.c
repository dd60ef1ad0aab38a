/*
 * message.c - messages: sent, answered, edited, marked as read.
 *
 * Each function is vkcb_api() with the parameters filled in. A text that is
 * too long for VK becomes several messages; if a message fails, the rest is not
 * sent, and a repeat of the event sends what is missing.
 */
#include "handler/message.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "utf8.h"
#include "vk/params.h"
#include "vkcb.h"

#include "banned.h"

#define BLANK " \t\n\r"

size_t
message_cut(const char *text, size_t max, size_t *skip)
{
	size_t at, len, units = 0, line = 0, word = 0;

	*skip = 0;
	for (at = 0; text[at] != '\0'; at += len) {
		if (text[at] == '\n')
			line = at;
		if (strchr(BLANK, text[at]) != NULL)
			word = at;
		len = utf8_length(text + at, 4);
		/* Counted as in UTF-16; a bad byte is a character. */
		units += len == 4 ? 2 : 1;
		if (units > max)
			break;
		len += len == 0;
	}
	if (text[at] == '\0')
		return at;
	if (line > at / 2)
		at = line;
	else if (word > at / 2)
		at = word;
	*skip = strspn(text + at, BLANK);
	return at;
}

/* Takes params over, which lack the message. */
static enum vkcb_outcome
send_part(struct vkcb_event *ev, struct json_object *params, const char *text,
    size_t len)
{
	if (params != NULL && params_add(params, "message",
	    json_object_new_string_len(text, (int)len)) == -1) {
		json_object_put(params);
		params = NULL;
	}
	return vkcb_api(ev, "messages.send", params, NULL);
}

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
	size_t len, skip;

	if (text == NULL)
		text = "";	/* as in VK_STR(): VK refuses it with words */
	for (;;) {
		len = message_cut(text, MESSAGE_MAX, &skip);
		if (strspn(text, BLANK) >= len && text[len + skip] != '\0') {
			text += len + skip;
			continue;
		}
		outcome = send_part(ev, params, text, len);
		text += len + skip;
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
static struct json_object *
answered(const struct vk_message *message)
{
	struct json_object *ids = params_made(json_object_new_array()), *id;

	id = VK_INT(message->conversation_message_id);
	if (id == NULL || ids == NULL || json_object_array_add(ids, id) != 0) {
		json_object_put(id);
		json_object_put(ids);
		ids = params_made(NULL);
	}
	return VK_PARAMS("peer_id", VK_INT(message->peer_id),
	    "conversation_message_ids", ids, "is_reply", VK_INT(1));
}

enum vkcb_outcome
vkcb_reply(struct vkcb_event *ev, const struct vk_message *message,
    const char *text)
{
	return send_parts(ev, message->peer_id, text,
	    VK_PARAMS("peer_id", VK_INT(message->peer_id),
	    "forward", answered(message)));
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
	struct json_object *params;

	if (text == NULL || *text == '\0')
		params = VK_PARAMS("event_id", VK_STR(press->event_id),
		    "user_id", VK_INT(press->user_id),
		    "peer_id", VK_INT(press->peer_id));
	else
		params = VK_PARAMS("event_id", VK_STR(press->event_id),
		    "user_id", VK_INT(press->user_id),
		    "peer_id", VK_INT(press->peer_id),
		    "event_data", VK_PARAMS("type", VK_STR("show_snackbar"),
		    "text", VK_STR(text)));
	return vkcb_api(ev, "messages.sendMessageEventAnswer", params, NULL);
}
