/* handler_table.h - the handlers compiled in, in the order they are called. */
#ifndef HANDLER_TABLE_H
#define HANDLER_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "vkcb.h"

#define HANDLER_NAME_MAX 63	/* bytes; list-handlers reads this line */

struct handler {
	const char *name;	/* the file's, without .c */
	const struct vkcb_handler *def;
};

extern const struct handler handlers[];	/* ends with a NULL name */
extern const char *const handler_names[];	/* the same, in their order */
extern const size_t n_handlers;

/* Does this handler take events of this type? (name: as VK spells it) */
bool handler_takes(const struct handler *, enum vkcb_event_type,
    const char *name);

/* Does it get the event's struct, or the event alone? */
bool handler_is_typed(const struct handler *);

/* Does it name, by ON_TYPE, an event that the catalogue lacks? */
bool handler_names_new(const struct handler *);

/* "message_new", "any", or the name given to ON_TYPE; "" if it has neither. */
const char *handler_event(const struct handler *);

#endif
