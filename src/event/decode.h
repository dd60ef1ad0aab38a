/* decode.h - json-c's tree of an event's object into the structs of vkcb.h. */
#ifndef DECODE_H
#define DECODE_H

#include <stddef.h>

#include "vkcb.h"

struct arena;
struct decode_place;

#define DECODE_PATH_MAX 256

/*
 * Called for a value that was not taken: its place, what it is ("string") and
 * what was wanted ("64-bit integer").
 */
typedef void decode_mismatch_fn(void *arg, const struct decode_place *,
    const char *got, const char *wanted);

/*
 * A place as its path, "object.message.date"; a long one is cut. Made only if
 * asked for: a body may have hundreds of thousands of mismatches, deep inside.
 */
void decode_path(const struct decode_place *, char out[DECODE_PATH_MAX]);

/*
 * Makes the struct that handlers of this event get, in the arena; it points
 * into the tree. vkcb-handler(7) has the rules for values of another type and
 * absent ones. NULL: not a JSON object, an event without a struct, or the arena
 * has failed.
 */
const void *decode_event(enum vkcb_event_type, struct json_object *,
    struct arena *, decode_mismatch_fn *, void *arg)
    __attribute__((warn_unused_result));

#endif
