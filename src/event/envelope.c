/*
 * envelope.c - finds type, group, secret and object in a body.
 *
 * The body comes from outside. Members may come in any order. A member that
 * vkcb reads may come only once, with or without escapes in its key, so that no
 * two readers of a body can disagree. Other members are skipped: VK adds some
 * without notice. Nothing here takes memory.
 */
#include "event/envelope.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "json/walk.h"
#include "text.h"

#include "banned.h"

#define TYPE_MAX 48	/* bytes of a type in a conversation's name */

enum { TYPE, GROUP_ID, EVENT_ID, VERSION, SECRET, OBJECT, N_MEMBERS };

/* A string, or the text of a number. */
static void
read_text(struct text *text, struct json_value *value)
{
	*text = (struct text){ "", 0 };
	if (value->kind == JSON_STRING) {
		text->at = json_unescape(value, &text->len);
	} else if (value->kind == JSON_NUMBER) {
		/* The byte behind a number is a comma, a brace or space. */
		value->at[value->len] = '\0';
		*text = (struct text){ value->at, value->len };
	}
}

/* A secret without its escapes is shorter: the rest is cleared. */
static void
read_secret(struct text *secret, struct json_value *value)
{
	char *end = value->at + value->len;
	char *at = json_unescape(value, &secret->len);

	secret->at = at;
	explicit_bzero(at + secret->len, (size_t)(end - at) - secret->len);
}

/* An id is 12, not "12", 12.0 or 12e0: VK sends none of these. */
static bool
envelope_read_id(int64_t *id, const struct json_value *value)
{
	return value->kind == JSON_NUMBER &&
	    number_read(value->at, value->len, 1, INT64_MAX, id);
}

static const char *
take_members(struct envelope *envelope, struct json_member *members)
{
	struct json_value *type = &members[TYPE].value;
	struct json_value *secret = &members[SECRET].value;

	envelope->secret_kind = secret->kind;
	envelope->object = members[OBJECT].value;
	if (type->kind != JSON_STRING)
		return "no type";
	if (!envelope_read_id(&envelope->group_id, &members[GROUP_ID].value))
		return "no group_id that is a positive 64-bit integer";
	envelope->type.at = json_unescape(type, &envelope->type.len);
	if (envelope->type.len == 0)
		return "no usable type";
	read_text(&envelope->event_id, &members[EVENT_ID].value);
	read_text(&envelope->version, &members[VERSION].value);
	if (secret->kind == JSON_STRING)
		read_secret(&envelope->secret, secret);
	return NULL;
}

const char *
envelope_read(struct envelope *envelope, char *body, size_t len,
    size_t *where)
{
	struct json_member members[N_MEMBERS] = {
		[TYPE] = JSON_MEMBER("type"),
		[GROUP_ID] = JSON_MEMBER("group_id"),
		[EVENT_ID] = JSON_MEMBER("event_id"),
		[VERSION] = JSON_MEMBER("v"),
		[SECRET] = JSON_MEMBER("secret"),
		[OBJECT] = JSON_MEMBER("object"),
	};
	const char *error;
	int i;

	*envelope = (struct envelope){ .group_id = 0 };
	error = json_check(body, len, members, N_MEMBERS, where);
	if (error != NULL)
		return error;
	*where = 0;
	for (i = 0; i < N_MEMBERS; i++)
		if (members[i].times > 1)
			return "duplicate key at top level";
	return take_members(envelope, members);
}

void
envelope_restore(struct envelope *envelope, const char *type, int64_t group_id,
    const char *event_id, const char *version, char *object, size_t object_len)
{
	*envelope = (struct envelope){
		.type = { type, strlen(type) },
		.group_id = group_id,
		.event_id = { event_id, strlen(event_id) },
		.version = { version, strlen(version) },
		.object = { object_len > 0 ? json_kind_of(*object) :
		    JSON_ABSENT, object, object_len },
	};
}

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

/* The best id among an object's members; 0: it has none. */
static int64_t
conversation_find_id(const struct json_value *object,
    struct json_value *message)
{
	static const char names[][12] = {	/* the best one first */
		"peer_id", "user_id", "from_id", "liker_id",
	};
	enum { N_IDS = sizeof(names) / sizeof(names[0]) };
	struct json_value key, value;
	int64_t ids[N_IDS] = { 0 };
	const char *at;
	size_t i;

	if (object->kind != JSON_OBJECT)
		return 0;
	at = object->at + 1;
	while (json_walk(&at, object->at + object->len, &key, &value)) {
		if (json_spells(&key, "message", 7))
			*message = value;
		for (i = 0; i < N_IDS; i++)
			if (json_spells(&key, names[i], strlen(names[i])))
				ids[i] = conversation_read_id(&value);
	}
	for (i = 0; i < N_IDS - 1 && ids[i] == 0; i++)
		;
	return ids[i];
}

void
conversation_name(const struct envelope *envelope, char out[CONVERSATION_MAX])
{
	struct json_value message = { .kind = JSON_ABSENT };
	struct json_value inner = { .kind = JSON_ABSENT };
	int64_t id = conversation_find_id(&envelope->object, &message);

	/* The message of message_new is one level down. */
	if (id == 0)
		id = conversation_find_id(&message, &inner);
	if (id != 0)
		snprintf(out, CONVERSATION_MAX, "%" PRId64 "/%" PRId64,
		    envelope->group_id, id);
	else
		snprintf(out, CONVERSATION_MAX, "%" PRId64 "/%.*s",
		    envelope->group_id, TYPE_MAX, envelope->type.at);
}
