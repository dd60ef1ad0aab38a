/*
 * catalogue.c - objects.def and events.def as tables, and the events that a
 * handler takes. All of it is constant.
 */
#include "event/catalogue.h"

#include <string.h>

#include "report.h"

#include "banned.h"

#define ROW(kind, name, object, example, text) \
	{ FIELD_##kind, #kind, #name, object, example, text },
#define OBJECT(tag, text) static const struct field fields_of_##tag[] = {
#define INT(name, example, text) ROW(INT, name, NULL, #example, text)
#define BOOL(name, example, text) \
	ROW(BOOL, name, NULL, BOOL_TEXT_##example, text)
#define DOUBLE(name, example, text) ROW(DOUBLE, name, NULL, #example, text)
#define STR(name, example, text) ROW(STR, name, NULL, example, text)
#define OBJ(name, tag, text) ROW(OBJ, name, #tag, NULL, text)
#define OBJ_TEXT(name, tag, text) ROW(OBJ, name, #tag, NULL, text)
#define LIST(name, tag, text) ROW(LIST, name, #tag, NULL, text)
#define ROWS(name, tag, example, text) \
	{ FIELD_JSON, "LIST", #name, #tag, example, text },
#define INTS(name, example, text) ROW(INTS, name, NULL, example, text)
#define STRS(name, example, text) ROW(STRS, name, NULL, example, text)
#define JSON(name, example, text) ROW(JSON, name, NULL, example, text)
#define END(tag) { .name = NULL } };
/* true and false are macros of their own: pasted, they stay as written. */
#define BOOL_TEXT_true "true"
#define BOOL_TEXT_false "false"
#include "objects.def"

const struct object_type object_types[] = {
#define OBJECT(tag, text) { #tag, text, fields_of_##tag },
#include "objects.def"
	{ .tag = NULL },
};

#define NAME(name, type) #name, sizeof(#name) - 1, VKCB_EVENT_##type
const struct event_info event_infos[] = {
#define EVENT(type, object, settable, text) \
	{ NAME(type, type), #object, NULL, settable, true, text },
#define EVENT_JSON(type, settable, text) \
	{ NAME(type, type), NULL, NULL, settable, true, text },
#define EVENT_ALIAS(type, canonical, object, text) \
	{ NAME(type, canonical), #object, #canonical, false, true, text },
#define EVENT_SERVER(type, text) \
	{ NAME(type, unknown), NULL, NULL, false, false, text },
#include "events.def"
	{ .name = NULL },
};

const struct object_type *
object_type(const char *tag)
{
	const struct object_type *type;

	for (type = object_types; type->tag != NULL; type++)
		if (strcmp(type->tag, tag) == 0)
			return type;
	return NULL;
}

static const struct event_info *
catalogue_find(const char *name, size_t len)
{
	const struct event_info *info;

	for (info = event_infos; info->name != NULL; info++)
		if (info->len == len && memcmp(info->name, name, len) == 0)
			return info;
	return NULL;
}

const struct event_info *
event_info(const char *name)
{
	return catalogue_find(name, strlen(name));
}

enum vkcb_event_type
catalogue_type(const char *name, size_t len)
{
	const struct event_info *info = catalogue_find(name, len);

	return info != NULL ? info->type : VKCB_EVENT_unknown;
}

const char *
event_nearest(const char *name)
{
	const struct event_info *info;
	struct nearest nearest = { .word = name };

	for (info = event_infos; info->name != NULL; info++)
		nearest_try(&nearest, info->name);
	return nearest.best;
}

bool
handler_takes(const struct handler *handler, enum vkcb_event_type type,
    const char *name)
{
	const struct vkcb_handler *def = handler->def;

	if (def->event == VKCB_EVENT_unknown)
		return def->type != NULL && strcmp(def->type, name) == 0;
	return def->event == VKCB_EVENT_any || def->event == type;
}

bool
handler_is_typed(const struct handler *handler)
{
	switch (handler->def->event) {
#define EVENT(event, object, settable, text) \
	case VKCB_EVENT_##event:
#include "events.def"
		return true;
	default:
		return false;
	}
}

bool
handler_names_new(const struct handler *handler)
{
	const struct vkcb_handler *def = handler->def;

	return def->event == VKCB_EVENT_unknown && def->type != NULL &&
	    *def->type != '\0' && event_info(def->type) == NULL;
}

const char *
handler_event(const struct handler *handler)
{
	const struct vkcb_handler *def = handler->def;
	const struct event_info *info = event_infos;

	if (def->event == VKCB_EVENT_any)
		return "any";
	if (def->event == VKCB_EVENT_unknown)
		return def->type != NULL ? def->type : "";
	while (info->type != def->event || info->alias_of != NULL)
		info++;
	return info->name;
}
