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
#include "json/escape.h"

#include "banned.h"

#define NAME(name) { name, sizeof(name) - 1 }
#define TYPE_MAX 48	/* bytes of a type in a name */

/* The ids that name a conversation, the best first. */
static const struct {
	const char *name;
	size_t len;
} ids[] = {
	NAME("peer_id"), NAME("user_id"), NAME("from_id"), NAME("liker_id"),
};

#define N_IDS (sizeof(ids) / sizeof(ids[0]))

struct found {
	int64_t ids[N_IDS];	/* 0: none */
	struct json_value message;
};

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

static void
conversation_find(void *arg, const struct json_value *key,
    const struct json_value *value)
{
	struct found *found = arg;
	size_t i;

	for (i = 0; i < N_IDS; i++)
		if (json_spells(key, ids[i].name, ids[i].len))
			found->ids[i] = conversation_read_id(value);
	if (json_spells(key, "message", 7) && value->kind == JSON_OBJECT)
		found->message = *value;
}

static int64_t
conversation_best(const struct found *found)
{
	size_t i;

	for (i = 0; i < N_IDS; i++)
		if (found->ids[i] != 0)
			return found->ids[i];
	return 0;
}

void
conversation_name(const struct envelope *envelope, char out[CONVERSATION_MAX])
{
	const struct json_value *object = &envelope->object;
	struct found found = { .ids = { 0 } };
	size_t where;
	int64_t id = 0;

	if (object->kind == JSON_OBJECT &&
	    json_check(object->at, object->len, conversation_find, &found,
		&where) == NULL)
		id = conversation_best(&found);
	/* The message of message_new is one level down. */
	if (id == 0 && found.message.kind == JSON_OBJECT &&
	    json_check(found.message.at, found.message.len, conversation_find,
		&found, &where) == NULL)
		id = conversation_best(&found);
	if (id != 0)
		snprintf(out, CONVERSATION_MAX, "%" PRId64 "/%" PRId64,
		    envelope->group_id, id);
	else
		snprintf(out, CONVERSATION_MAX, "%" PRId64 "/%.*s",
		    envelope->group_id, TYPE_MAX, envelope->type.at);
}
