/* talk.c - makes the calls that a message names, for tests of calls. */
#include "vkcb.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define LONG_WORDS 2600

static enum vkcb_outcome
send_long(struct vkcb_event *ev, int64_t peer)
{
	static char text[LONG_WORDS * 12];
	size_t len = 0;
	int i;

	for (i = 0; i < LONG_WORDS; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len,
		    "%04d🚀 ", i);
	return vkcb_send(ev, peer, text);
}

/* The first half is blank, with 9001 units. */
static enum vkcb_outcome
send_blank(struct vkcb_event *ev, int64_t peer)
{
	char text[9100];

	(void)snprintf(text, sizeof(text), "%9001s\r\n%s", "", "behind it");
	return vkcb_send(ev, peer, text);
}

static enum vkcb_outcome
send_many(struct vkcb_event *ev, int64_t peer, int n)
{
	enum vkcb_outcome outcome = VKCB_OK;
	char text[32];
	int i;

	for (i = 0; i < n && outcome == VKCB_OK; i++) {
		snprintf(text, sizeof(text), "number %d", i);
		outcome = vkcb_send(ev, peer, text);
	}
	return outcome;
}

/* VK takes 0 for a missing number. */
static enum vkcb_outcome
send_numbered(struct vkcb_event *ev, int64_t peer)
{
	enum vkcb_outcome outcome;

	outcome = vkcb_api(ev, "messages.send", VK_PARAMS("peer_id",
	    VK_INT(peer), "random_id", VK_INT(0), "message", VK_STR("a 0")),
	    NULL);
	if (outcome != VKCB_OK)
		return outcome;
	return vkcb_api(ev, "messages.send", VK_PARAMS("peer_id",
	    VK_INT(peer), "random_id", VK_INT(7), "message", VK_STR("a 7")),
	    NULL);
}

static enum vkcb_outcome
name_user(struct vkcb_event *ev, int64_t user)
{
	struct json_object *users, *name;
	enum vkcb_outcome outcome;

	outcome = vkcb_api(ev, "users.get",
	    VK_PARAMS("user_ids", VK_INT(user)), &users);
	if (outcome != VKCB_OK)
		return outcome;
	json_object_object_get_ex(json_object_array_get_idx(users, 0),
	    "first_name", &name);
	vkcb_log(ev, "name=%s", json_object_get_string(name));
	return VKCB_OK;
}

static enum vkcb_outcome
send_keyboard(struct vkcb_event *ev, int64_t peer)
{
	return vkcb_send_keyboard(ev, peer, "Что дальше?",
	    VK_KEYBOARD(VK_INLINE,
	    VK_ROW(vk_button("Да", VK_POSITIVE,
	            VK_PARAMS("cmd", VK_STR("yes"))),
	        vk_callback_button("Нет", VK_NEGATIVE,
	            VK_PARAMS("cmd", VK_STR("no")))),
	    VK_ROW(vk_link_button("Сайт", "https://example.com/"))));
}

static enum vkcb_outcome
run_script(struct vkcb_event *ev)
{
	struct json_object *response;
	enum vkcb_outcome outcome;

	outcome = vkcb_execute(ev, "return {\"a\":[1,2]};", &response);
	vkcb_log(ev, "script=%s", json_object_to_json_string_ext(response,
	    JSON_C_TO_STRING_PLAIN));
	return outcome;
}

/* All kinds of parameters, for a method that VK does not know. */
static enum vkcb_outcome
odd_calls(struct vkcb_event *ev, int64_t peer)
{
	const struct vkcb_error *error;

	(void)vkcb_api(ev, "no.such", VK_PARAMS("a&b=c", VK_STR("d e\n%+"),
	    "flag", VK_BOOL(true), "number", VK_DOUBLE(1.5),
	    "empty", VK_STR(NULL), "big", VK_INT(INT64_MIN)), NULL);
	error = vkcb_error(ev);
	vkcb_log(ev, "unknown: %d %s", error->code, error->message);
	(void)vkcb_api(ev, "execute.proc_1", VK_NO_PARAMS, NULL);
	(void)vkcb_api(ev, "messages.send?x=", VK_NO_PARAMS, NULL);
	vkcb_log(ev, "bad name: %d", error->code);
	(void)vkcb_api(ev, "users.get", NULL, NULL);
	vkcb_log(ev, "no params: %d %s", error->code, error->message);
	return vkcb_send(ev, peer, "fine");
}

/* A child has its own connection, and the parent's stays open. */
static enum vkcb_outcome
fork_and_send(struct vkcb_event *ev, int64_t peer)
{
	enum vkcb_outcome outcome = vkcb_send(ev, peer, "before");
	int status = 1;
	pid_t child;

	if (outcome != VKCB_OK)
		return outcome;
	child = fork();
	if (child == 0)
		_exit(vkcb_send(ev, peer, "from the child") != VKCB_OK);
	if (child == -1 || waitpid(child, &status, 0) != child || status != 0)
		return VKCB_FAIL;
	outcome = vkcb_send(ev, peer, "unseen: the child took this number");
	return outcome == VKCB_OK ? vkcb_send(ev, peer, "after") : outcome;
}

static enum vkcb_outcome
talk(struct vkcb_event *ev, const struct vk_message_new *new)
{
	const struct vk_message *message = new->message;
	const char *text = message->text;
	int64_t peer = message->peer_id;

	if (strcmp(text, "привет") == 0)
		return vkcb_send(ev, peer, "И тебе привет!");
	if (strcmp(text, "twice") == 0)
		return send_many(ev, peer, 2);
	if (strncmp(text, "many ", 5) == 0)
		return send_many(ev, peer, (int)strtol(text + 5, NULL, 10));
	if (strcmp(text, "stop here") == 0)
		return raise(SIGSTOP) == 0 ? VKCB_OK : VKCB_FAIL;
	if (strcmp(text, "numbered") == 0)
		return send_numbered(ev, peer);
	if (strcmp(text, "long") == 0)
		return send_long(ev, peer);
	if (strcmp(text, "blank") == 0)
		return send_blank(ev, peer);
	if (strcmp(text, "reply") == 0)
		return vkcb_reply(ev, message, "в ответ");
	if (strcmp(text, "edit") == 0)
		return vkcb_edit(ev, peer, 97, "иначе");
	if (strcmp(text, "read") == 0)
		return vkcb_mark_as_read(ev, peer);
	if (strcmp(text, "typing") == 0)
		return vkcb_typing(ev, peer);
	if (strcmp(text, "keyboard") == 0)
		return send_keyboard(ev, peer);
	if (strcmp(text, "away") == 0)
		return vkcb_send_keyboard(ev, peer, "Всё", VK_NO_KEYBOARD);
	if (strcmp(text, "no keyboard") == 0)
		return vkcb_send_keyboard(ev, peer, "?", NULL);
	if (strcmp(text, "no payload") == 0)
		return vkcb_send_keyboard(ev, peer, "?", VK_KEYBOARD(0,
		    VK_ROW(vk_button("?", VK_PRIMARY, NULL))));
	if (strcmp(text, "script") == 0)
		return run_script(ev);
	if (strcmp(text, "name") == 0)
		return name_user(ev, message->from_id);
	if (strcmp(text, "odd") == 0)
		return odd_calls(ev, peer);
	if (strcmp(text, "fork") == 0)
		return fork_and_send(ev, peer);
	if (strcmp(text, "forbidden") == 0)
		return vkcb_send(ev, 901000901, "нельзя");
	if (strcmp(text, "nothing") == 0)
		return vkcb_send(ev, peer, "");
	if (strcmp(text, "null") == 0)
		return vkcb_send(ev, peer, NULL);
	return VKCB_OK;
}

const struct vkcb_handler handler_talk = {
	ON(message_new, talk),
	.summary = "does at VK what a message says",
};
