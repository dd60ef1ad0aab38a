/*
 * handler_table.c - the table of handlers, from the list that make writes.
 *
 * Constant: nothing is built at start-up, and nothing can fail.
 */
#include "event/catalogue.h"

#include "banned.h"

#define HANDLER(name, symbol) extern const struct vkcb_handler symbol;
#include "handlers.def"

const struct handler handlers[] = {
#define HANDLER(name, symbol) { name, &(symbol) },
#include "handlers.def"
	{ NULL, NULL },
};

const char *const handler_names[] = {
#define HANDLER(name, symbol) name,
#include "handlers.def"
	NULL,
};

const size_t n_handlers = sizeof(handlers) / sizeof(handlers[0]) - 1;
