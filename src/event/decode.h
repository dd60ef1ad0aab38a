/* decode.h - json-c's tree of an event's object into the structs of vkcb.h. */
#ifndef DECODE_H
#define DECODE_H

#include <stdbool.h>
#include <stddef.h>

#include "vkcb.h"

struct arena;
struct decode_place;

#define DECODE_PATH_MAX 256

/*
 * Told of a value that was not taken: where it stands, what it is ("text") and
 * what was wanted ("integer").
 */
typedef void decode_odd_fn(void *arg, const struct decode_place *,
    const char *got, const char *wanted);

/*
 * A place as its path, "object.message.date"; what is too deep has .. in its
 * middle. Not made unless asked for: a body may have hundreds of thousands of
 * odd values, deep inside.
 */
void decode_path(const struct decode_place *, char out[DECODE_PATH_MAX]);

enum decode_result {
	DECODE_OK,
	DECODE_NO_OBJECT,	/* not a JSON object: nothing to decode */
	DECODE_NO_MEMORY,
};

/*
 * Makes the struct that handlers of this event get, in the arena; it points
 * into the tree. Absent is safe, odd JSON is survived: vkcb-handler(7) has the
 * rules. *typed is NULL unless the result is DECODE_OK.
 */
enum decode_result decode_event(enum vkcb_event_type, struct json_object *,
    struct arena *, decode_odd_fn *, void *arg, const void **typed)
    __attribute__((warn_unused_result));

/* Is there a struct for this event, or raw JSON only? */
bool decode_is_typed(enum vkcb_event_type);

#endif
