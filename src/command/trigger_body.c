/*
 * trigger_body.c - the body of an event: a sample or a saved file, with the
 * changes of the command line.
 */
#include "command/trigger.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <json-c/json.h>

#include "buffer.h"
#include "command/command.h"
#include "command/json_edit.h"
#include "command/sample.h"
#include "conf/conf.h"
#include "event/catalogue.h"
#include "event/handler_table.h"
#include "json/tree.h"

#include "banned.h"

#define READ_SIZE ((size_t)65536)

static void
read_whole(FILE *in, struct buffer *text)
{
	size_t got = READ_SIZE;
	char *room;

	while (got > 0 && (room = buffer_room(text, READ_SIZE)) != NULL) {
		got = fread(room, 1, READ_SIZE, in);
		room[got] = '\0';
		text->len += got;
	}
}

static struct json_object *
read_file(const char *path)
{
	FILE *in = strcmp(path, "-") == 0 ? stdin : fopen(path, "r");
	struct buffer text = { .max = TRIGGER_BODY_MAX + READ_SIZE };
	struct json_object *body = NULL;
	char error[JSON_EDIT_ERROR_MAX];

	if (in == NULL) {
		(void)report_fail(path, "%s", strerror(errno));
		return NULL;
	}
	read_whole(in, &text);
	if (ferror(in))
		(void)report_fail(path, "cannot be read");
	else if (text.failed != BUFFER_GOOD)
		(void)report_fail(path, text.failed == BUFFER_TOO_LONG ?
		    "longer than 64 MiB" : "out of memory");
	else if (json_edit_parse(text.at, text.len, &body, error) == -1)
		(void)report_fail(path, "%s", error);
	else if (!json_object_is_type(body, json_type_object)) {
		(void)report_fail(path, "not a JSON object");
		json_object_put(body);
		body = NULL;
	}
	if (in != stdin)
		fclose(in);
	buffer_free(&text);
	return body;
}

/* The id of the group that stands first in the file; 0: there is none. */
static int64_t
first_group(const struct conf *conf)
{
	const struct conf_group *first = NULL;
	size_t i;

	for (i = 0; i < conf->n_groups; i++)
		if (first == NULL || conf->groups[i].line < first->line)
			first = &conf->groups[i];
	return first != NULL ? first->id : 0;
}

/* Does a handler take this event by ON_TYPE, since the catalogue lacks it? */
static bool
is_new_event(const char *name)
{
	const struct handler *handler;

	for (handler = handlers; handler->name != NULL; handler++)
		if (handler->def->event == VKCB_EVENT_unknown &&
		    strcmp(handler_event(handler), name) == 0)
			return event_info(name) == NULL;
	return false;
}

static struct json_object *
make_sample(const struct trigger *trigger)
{
	struct event_info unlisted = { .name = trigger->event,
	    .has_handlers = true };
	const struct event_info *info = is_new_event(trigger->event) ?
	    &unlisted : command_event(trigger->event);
	struct json_object *body;

	if (info == NULL)
		return NULL;
	body = sample_body(info);
	if (body == NULL)
		(void)report_fail("trigger", "out of memory");
	else if (trigger->conf->n_groups > 0)
		json_put(body, "group_id",
		    json_object_new_int64(first_group(trigger->conf)));
	return body;
}

static int
edit_body(struct trigger *trigger, char **changes, int n)
{
	char error[JSON_EDIT_ERROR_MAX];
	int i;

	for (i = 0; i < n; i++) {
		if (strncmp(changes[i], "event_id", 8) == 0)
			trigger->has_event_id = true;
		if (strncmp(changes[i], "secret", 6) == 0)
			trigger->has_secret = true;
		if (json_edit_apply(trigger->body, changes[i], error) == -1)
			return report_fail("trigger", "%s", error);
		if (error[0] != '\0')
			(void)report_fail("note", "%s", error);
	}
	return EXIT_OK;
}

const struct conf_group *
trigger_group(const struct trigger *trigger)
{
	return conf_group(trigger->conf, json_object_get_int64(
	    json_object_object_get(trigger->body, "group_id")));
}

/* The configuration's secret is for handlers and URLs, never to be printed. */
static void
set_secret(struct trigger *trigger)
{
	const struct conf_group *group = trigger_group(trigger);

	if (trigger->has_secret)
		return;
	if (trigger->print)
		json_object_object_del(trigger->body, "secret");
	else if (group != NULL && group->secret != NULL)
		json_put(trigger->body, "secret",
		    json_object_new_string(group->secret));
}

int
trigger_make_body(struct trigger *trigger, char **changes, int n)
{
	trigger->has_event_id = trigger->file != NULL;
	trigger->body = trigger->file != NULL ? read_file(trigger->file) :
	    make_sample(trigger);
	if (trigger->body == NULL || edit_body(trigger, changes, n) != EXIT_OK)
		return EXIT_ERROR;
	set_secret(trigger);
	return EXIT_OK;
}

const char *
trigger_text(struct trigger *trigger, int64_t nth)
{
	char event_id[SAMPLE_ID_MAX];

	if (nth > 0 && !trigger->has_event_id) {
		sample_event_id(event_id);
		json_put(trigger->body, "event_id",
		    json_object_new_string(event_id));
	}
	return json_object_to_json_string_ext(trigger->body,
	    JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
}
