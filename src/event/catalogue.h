/* catalogue.h - the events of events.def, by name and by number. */
#ifndef CATALOGUE_H
#define CATALOGUE_H

#include <stddef.h>

#include "vkcb.h"

/* VKCB_EVENT_unknown for a name that is not in the catalogue. */
enum vkcb_event_type catalogue_type(const char *name, size_t len);

/* Its name, an alias's canonical one; "" for what is no event of VK's. */
const char *catalogue_name(enum vkcb_event_type);

#endif
