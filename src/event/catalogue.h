/* catalogue.h - events.def, objects.def and handlers.def as tables. */
#ifndef CATALOGUE_H
#define CATALOGUE_H

#include <stdbool.h>
#include <stddef.h>

#include "vkcb.h"

enum field_kind {
	FIELD_INT,
	FIELD_BOOL,
	FIELD_DOUBLE,
	FIELD_STR,		/* the last of one value */
	FIELD_OBJ,
	FIELD_LIST,
	FIELD_INTS,
	FIELD_STRS,
	FIELD_JSON,
};

struct field {
	enum field_kind kind;
	const char *kind_name;	/* "INT", "LIST", … */
	const char *name;	/* in the struct; NULL ends a table */
	const char *object;	/* for OBJ and LIST: the tag of their objects */
	const char *example;	/* the text of a STR; else JSON */
	const char *text;
};

struct object_type {
	const char *tag;	/* struct vk_TAG; NULL ends the table */
	const char *text;
	const struct field *fields;
};

struct event_info {
	const char *name;	/* NULL ends the table */
	size_t len;
	enum vkcb_event_type type;
	const char *object;	/* tag; NULL: raw JSON, or none at all */
	const char *alias_of;	/* NULL: not an alias */
	bool settable;		/* groups.setCallbackSettings can enable it */
	bool has_handlers;	/* false: vkcb answers it by itself */
	const char *text;
};

extern const struct object_type object_types[];
extern const struct event_info event_infos[];

/* An alias has the type of its event; VKCB_EVENT_unknown: no such event. */
enum vkcb_event_type catalogue_type(const char *name, size_t len);

/* NULL: there is none. */
const struct object_type *object_type(const char *tag);
const struct event_info *event_info(const char *name);

/* The event with the name most like a misspelt one; NULL: none is. */
const char *event_nearest(const char *name);

#define HANDLER_NAME_MAX 63	/* bytes; list-handlers reads this line */
#define HANDLER_NAME "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz" \
	"0123456789_-"

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
