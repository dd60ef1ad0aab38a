/*
 * envelope.c - finds type, group, secret and object in a body.
 *
 * The body comes from outside. Members may come in any order. A member that
 * vkcb reads may come only once, with or without escapes in its key, so that no
 * two readers of a body can disagree. Other members are skipped: VK adds some
 * without notice. Nothing here takes memory.
 */
#include "event/envelope.h"

#include <stdbool.h>
#include <string.h>

#include "json/escape.h"
#include "number.h"

#include "banned.h"

enum member {
	TYPE,
	GROUP_ID,
	EVENT_ID,
	VERSION,
	SECRET,
	OBJECT,
	N_MEMBERS
};

#define MEMBER(name) { name, sizeof(name) - 1 }
static const struct {
	const char *name;
	size_t len;
} members[N_MEMBERS] = {
	[TYPE] = MEMBER("type"),
	[GROUP_ID] = MEMBER("group_id"),
	[EVENT_ID] = MEMBER("event_id"),
	[VERSION] = MEMBER("v"),
	[SECRET] = MEMBER("secret"),
	[OBJECT] = MEMBER("object"),
};

struct found {
	struct json_value values[N_MEMBERS];
	bool twice;
};

static void
envelope_find(void *arg, const struct json_value *key,
    const struct json_value *value)
{
	struct found *found = arg;
	int i;

	for (i = 0; i < N_MEMBERS; i++) {
		if (!json_spells(key, members[i].name, members[i].len))
			continue;
		if (found->values[i].kind != JSON_ABSENT)
			found->twice = true;
		found->values[i] = *value;
		return;
	}
}

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

static bool
has_nul(const struct text *text)
{
	return memchr(text->at, '\0', text->len) != NULL;
}

static const char *
take_members(struct envelope *envelope, struct found *found)
{
	struct json_value *values = found->values;

	envelope->secret_kind = values[SECRET].kind;
	envelope->object = values[OBJECT];
	if (values[TYPE].kind != JSON_STRING)
		return "no type";
	if (!envelope_read_id(&envelope->group_id, &values[GROUP_ID]))
		return "no group_id that is a positive 64-bit integer";
	envelope->type.at = json_unescape(&values[TYPE], &envelope->type.len);
	if (envelope->type.len == 0 || has_nul(&envelope->type))
		return "no usable type";
	read_text(&envelope->event_id, &values[EVENT_ID]);
	read_text(&envelope->version, &values[VERSION]);
	if (has_nul(&envelope->event_id) || has_nul(&envelope->version))
		return "NUL in event_id or v";
	if (values[SECRET].kind == JSON_STRING)
		read_secret(&envelope->secret, &values[SECRET]);
	return NULL;
}

const char *
envelope_read(struct envelope *envelope, char *body, size_t len,
    size_t *where)
{
	struct found found = { .twice = false };
	const char *error;

	*envelope = (struct envelope){ .group_id = 0 };
	error = json_check(body, len, envelope_find, &found, where);
	if (error != NULL)
		return error;
	*where = 0;
	if (found.twice)
		return "duplicate key at top level";
	return take_members(envelope, &found);
}
