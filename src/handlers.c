/*
 * handlers.c - the table of handlers, from the list that make writes.
 *
 * Constant: nothing is built at start-up, and nothing can fail.
 */
#include "handlers.h"

#include <string.h>

#include "catalogue.h"
#include "decode.h"

#include "banned.h"

#define HANDLER(name, symbol) extern const struct vkcb_handler symbol;
#include "handlers.def"
#undef HANDLER

const struct handler handlers[] = {
#define HANDLER(name, symbol) { name, &symbol },
#include "handlers.def"
#undef HANDLER
	{ NULL, NULL },
};

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
	return decode_is_typed(handler->def->event);
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
