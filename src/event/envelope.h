/* envelope.h - the members of a request's body, beside the event's object. */
#ifndef ENVELOPE_H
#define ENVELOPE_H

#include <stddef.h>
#include <stdint.h>

#include "json/check.h"

/* Text from outside; a NUL stands behind it, and none in it. */
struct text {
	const char *at;
	size_t len;
};

struct envelope {
	struct text type;
	int64_t group_id;
	struct text event_id;		/* "" when absent */
	struct text version;		/* "" when absent */
	struct text secret;		/* at is NULL if it is not a string */
	enum json_kind secret_kind;	/* JSON_ABSENT: there is none */
	struct json_value object;	/* unchanged bytes of the body */
};

/*
 * Reads a body of len bytes (body[len] is a NUL) in place: the envelope points
 * into it. NULL: good; else the reason to refuse it, and *where in the body.
 */
const char *envelope_read(struct envelope *, char *body, size_t len,
    size_t *where) __attribute__((warn_unused_result));

/*
 * The envelope of an event that was stored. Its object, JSON of object_len
 * bytes (0: none), is read in place.
 */
void envelope_restore(struct envelope *, const char *type, int64_t group_id,
    const char *event_id, const char *version, char *object,
    size_t object_len);

#define CONVERSATION_MAX 96

/*
 * The name of an event's conversation: its group and its peer, else its user,
 * else its type. The peer of a private conversation is the user, so a user's
 * messages are in order with their other actions in the community.
 */
void conversation_name(const struct envelope *, char out[CONVERSATION_MAX]);

#endif
