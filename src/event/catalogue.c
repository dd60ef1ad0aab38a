/*
 * catalogue.c - names and numbers of events. Constant; nothing can fail.
 */
#include "event/catalogue.h"

#include <string.h>

#include "banned.h"

enum vkcb_event_type
catalogue_type(const char *name, size_t len)
{
#define IS(type) (len == sizeof(#type) - 1 && memcmp(name, #type, len) == 0)
#define EVENT(type, object, settable, text) \
	if (IS(type)) \
		return VKCB_EVENT_##type;
#define EVENT_JSON(type, settable, text) \
	if (IS(type)) \
		return VKCB_EVENT_##type;
#define EVENT_ALIAS(type, canonical, object, text) \
	if (IS(type)) \
		return VKCB_EVENT_##type;
#include "events.def"
	return VKCB_EVENT_unknown;
}

const char *
catalogue_name(enum vkcb_event_type type)
{
	switch (type) {
#define EVENT(name, object, settable, text) \
	case VKCB_EVENT_##name: \
		return #name;
#define EVENT_JSON(name, settable, text) \
	case VKCB_EVENT_##name: \
		return #name;
#include "events.def"
	default:
		return "";
	}
}
