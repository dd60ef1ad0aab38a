/*
 * read-all.h - for fuzzers: handlers that take every event with its struct, and
 * read every field.
 */
#ifndef READ_ALL_H
#define READ_ALL_H

#include <stdint.h>
#include <string.h>

#include "event/catalogue.h"

/* The sink for values, so that they are really read. */
static volatile uint64_t sum;

/* A function per object reads all its fields. */
#define OBJECT(tag, text) static void read_##tag(const struct vk_##tag *);
#include "src/objects.def"

#define OBJECT(tag, text) \
static void \
read_##tag(const struct vk_##tag *object) \
{ \
	size_t i; \
	\
	(void)i; \
	if (!vk_has(object)) \
		return;
#define INT(name, example, text) sum += (uint64_t)object->name;
#define BOOL(name, example, text) sum += object->name;
#define DOUBLE(name, example, text) sum += object->name > 0;
#define STR(name, example, text) sum += strlen(object->name);
#define JSON(name, example, meaning) \
	for (i = 0; i < object->name.len; i++) \
		sum += (unsigned char)object->name.text[i];
#define OBJ(name, tag, text) read_##tag(object->name);
#define OBJ_TEXT(name, tag, text) read_##tag(object->name);
#define LIST(name, tag, text) \
	for (i = 0; i < object->n_##name; i++) \
		read_##tag(&object->name[i]);
#define INTS(name, example, text) \
	for (i = 0; i < object->n_##name; i++) \
		sum += (uint64_t)object->name[i];
#define STRS(name, example, text) \
	for (i = 0; i < object->n_##name; i++) \
		sum += strlen(object->name[i]);
#define END(tag) \
}
#include "src/objects.def"

static enum vkcb_outcome
read_any(struct vkcb_event *ev)
{
	vkcb_log(ev, "%s %s %s", ev->type, ev->event_id, ev->version);
	sum += vk_get_len(vkcb_json(ev, &ev->object), "message.attachments");
	switch (ev->group_id % 5) {
	case 1:
		return VKCB_FAIL;
	case 2:
		return vkcb_retry_after(ev, 503, (int)strlen(ev->event_id));
	case 3:
		return vkcb_remove(ev);
	case 4:
		return vkcb_set_version(ev, ev->version);
	default:
		return VKCB_OK;
	}
}

#define EVENT(type, tag, settable, text) \
static enum vkcb_outcome \
take_##type(struct vkcb_event *ev, const struct vk_##tag *object) \
{ \
	(void)ev; \
	read_##tag(object); \
	return VKCB_OK; \
} \
static const struct vkcb_handler handler_##type = { ON(type, take_##type) };
#define EVENT_JSON(type, settable, text) \
static enum vkcb_outcome \
take_##type(struct vkcb_event *ev, const struct vk_json *object) \
{ \
	(void)ev; \
	sum += object != NULL; \
	return VKCB_OK; \
} \
static const struct vkcb_handler handler_##type = { ON(type, take_##type) };
#include "src/events.def"

static const struct vkcb_handler handler_any = { ON(any, read_any) };

const struct handler handlers[] = {
#define EVENT(type, tag, settable, text) { #type, &handler_##type },
#define EVENT_JSON(type, settable, text) { #type, &handler_##type },
#include "src/events.def"
	{ "any", &handler_any },
	{ NULL, NULL },
};
const char *const handler_names[] = {
#define EVENT(type, tag, settable, text) #type,
#define EVENT_JSON(type, settable, text) #type,
#include "src/events.def"
	"any", NULL,
};
const size_t n_handlers = sizeof(handlers) / sizeof(handlers[0]) - 1;

#endif
