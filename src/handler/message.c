/*
 * message.c - what bots do all day: messages sent, answered, edited, read.
 *
 * All of it is vkcb_api() with the parameters filled in, and fails as that
 * does. A text longer than VK takes goes out as several messages; when one of
 * them fails, the rest is not sent, and a repeat of the event sends what is
 * missing.
 */
#include "handler/message.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "vk/params.h"
#include "vkcb.h"

#include "banned.h"

#define BLANK " \t\n\r"

/* The character at text, and its bytes; a byte that begins none is its own. */
static uint32_t
message_character(const char *text, size_t *len)
{
	const unsigned char *at = (const unsigned char *)text;
	size_t more = *at >= 0xf0 ? 3 : *at >= 0xe0 ? 2 : *at >= 0xc0 ? 1 : 0;
	uint32_t c = more == 0 ? *at : *at & (0x3fu >> more);
	size_t i;

	for (i = 1; i <= more; i++) {
		if ((at[i] & 0xc0) != 0x80) {
			*len = 1;
			return *at;
		}
		c = c << 6 | (at[i] & 0x3fu);
	}
	*len = 1 + more;
	return c;
}

static bool
is_flag_letter(uint32_t c)
{
	return c >= 0x1f1e6 && c <= 0x1f1ff;
}

/* Accents, variants, skin tones: shown as one with what stands before. */
static bool
is_mark(uint32_t c)
{
	static const struct {
		uint32_t first, last;
	} ranges[] = {
		{ 0x300, 0x36f }, { 0x483, 0x489 }, { 0x591, 0x5c7 },
		{ 0x610, 0x61a }, { 0x64b, 0x65f }, { 0x900, 0x903 },
		{ 0x93a, 0x94f }, { 0xe31, 0xe3a }, { 0xe47, 0xe4e },
		{ 0x1ab0, 0x1aff }, { 0x1dc0, 0x1dff }, { 0x200d, 0x200d },
		{ 0x20d0, 0x20ff }, { 0xfe00, 0xfe0f }, { 0xfe20, 0xfe2f },
		{ 0x1f3fb, 0x1f3ff }, { 0xe0020, 0xe007f },
		{ 0xe0100, 0xe01ef },
	};
	size_t i;

	for (i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
		if (c >= ranges[i].first && c <= ranges[i].last)
			return true;
	return false;
}

/* Where a text may be parted, from its start to where it has to be. */
struct cut {
	size_t line;		/* behind the last line that fits */
	size_t word;
	size_t sign;		/* behind what looks like one sign */
	size_t any;		/* behind the last character */
};

/* Counts as VK may: characters above U+FFFF are two in its servers' UTF-16. */
static bool
find_cut(const char *text, size_t max, struct cut *cut)
{
	size_t at, len, units = 0, flags = 0;
	uint32_t c, before = 0;

	*cut = (struct cut){ .line = 0 };
	for (at = 0; text[at] != '\0'; at += len) {
		c = message_character(text + at, &len);
		units += c > 0xffff ? 2 : 1;
		if (!is_mark(c) && before != 0x200d &&
		    !(is_flag_letter(c) && flags % 2 == 1))
			cut->sign = at;
		cut->any = at;
		if (units > max)
			return true;
		flags = is_flag_letter(c) ? flags + 1 : 0;
		if (c == '\n')
			cut->line = at;
		if (c == '\n' || c == ' ' || c == '\t')
			cut->word = at;
		before = c;
	}
	return false;
}

size_t
message_cut(const char *text, size_t max, size_t *skip)
{
	struct cut cut;
	size_t at;

	*skip = 0;
	if (!find_cut(text, max, &cut))
		return strlen(text);
	/* White space right behind the limit is as good as any. */
	if (strchr(" \t\n", text[cut.any]) != NULL)
		cut.word = cut.any;
	if (text[cut.any] == '\n')
		cut.line = cut.any;
	at = cut.line > cut.any / 2 ? cut.line :
	    cut.word > cut.any / 2 ? cut.word :
	    cut.sign > 0 ? cut.sign : cut.any;
	*skip = strspn(text + at, BLANK);
	return at;
}

/* params without a message, taken over; each part gets its own. */
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
 * `forward` goes with the first part: it is what the text answers. VK refuses a
 * blank part, which only the first can be: white space at a cut goes.
 */
static enum vkcb_outcome
send_parts(struct vkcb_event *ev, int64_t peer_id, const char *text,
    struct json_object *params)
{
	enum vkcb_outcome outcome;
	size_t len, skip;

	if (text == NULL)
		text = "";	/* as of VK_STR(): VK refuses it, in words */
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

/* In 5.199 an answer is a forwarded message that is marked as answered. */
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
