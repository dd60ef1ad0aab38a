/*
 * handler.c - the events of one handler of the table. Nothing can fail.
 */
#include "event/handler_table.h"

#include <string.h>

#include "event/catalogue.h"

#include "banned.h"

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

const char *
handler_event(const struct handler *handler)
{
	const struct vkcb_handler *def = handler->def;

	if (def->event == VKCB_EVENT_any)
		return "any";
	if (def->event == VKCB_EVENT_unknown)
		return def->type != NULL ? def->type : "";
	return catalogue_name(def->event);
}
