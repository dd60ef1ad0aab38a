/*
 * conversation.c - finds an event's conversation in its object, without a tree.
 *
 * Takes no memory and cannot fail: an object without ids is in the
 * conversation of its type.
 */
#include "event/conversation.h"

#include <inttypes.h>
#include <stdio.h>

#include "json/integer.h"

#include "banned.h"

#define TYPE_MAX 48	/* bytes of a type in a name */

/* A number, or a string of one; 0: none. */
static int64_t
conversation_read_id(const struct json_value *value)
{
	bool quoted = value->kind == JSON_STRING;
	int64_t id;

	return (quoted || value->kind == JSON_NUMBER) &&
	    json_integer(value->at + quoted, value->len - 2 * quoted, &id) ?
	    id : 0;
}

/* 0: the object has none. */
static int64_t
conversation_find_id(const struct json_value *object,
    struct json_value *message)
{
	enum { N_IDS = 4 };	/* the best one first */
	struct json_member members[] = {
		JSON_MEMBER("peer_id"), JSON_MEMBER("user_id"),
		JSON_MEMBER("from_id"), JSON_MEMBER("liker_id"),
		JSON_MEMBER("message"),
	};
	int64_t id = 0;
	size_t i, where;

	if (object->kind != JSON_OBJECT || json_check(object->at, object->len,
	    members, N_IDS + 1, &where) != NULL)
		return 0;
	for (i = 0; i < N_IDS && id == 0; i++)
		id = conversation_read_id(&members[i].value);
	*message = members[N_IDS].value;
	return id;
}

void
conversation_name(const struct envelope *envelope, char out[CONVERSATION_MAX])
{
	struct json_value message = { .kind = JSON_ABSENT };
	int64_t id = conversation_find_id(&envelope->object, &message);

	/* The message of message_new is one level down. */
	if (id == 0)
		id = conversation_find_id(&message, &message);
	if (id != 0)
		snprintf(out, CONVERSATION_MAX, "%" PRId64 "/%" PRId64,
		    envelope->group_id, id);
	else
		snprintf(out, CONVERSATION_MAX, "%" PRId64 "/%.*s",
		    envelope->group_id, TYPE_MAX, envelope->type.at);
}
