/*
 * conf_value.c - the values of vkcb.conf as text and as numbers.
 *
 * A value that does not fit its type or its bounds is refused with words that
 * say what would be right; nothing is rounded or clamped.
 */
#include "conf/conf.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "banned.h"

#define DAY (24 * 3600 * 1000)

struct unit {
	const char *name;
	int64_t factor;
};

static const struct unit count_units[] = {
	{ "", 1 }, { NULL, 0 }
};
static const struct unit byte_units[] = {
	{ "", 1 }, { "K", 1 << 10 }, { "M", 1 << 20 }, { NULL, 0 }
};
static const struct unit time_units[] = {
	{ "ms", 1 }, { "s", 1000 }, { "m", 60 * 1000 }, { "h", 3600 * 1000 },
	{ "d", DAY }, { NULL, 0 }
};
static const char *const levels[] = {
	"error", "warning", "info", "debug", NULL
};
static const char *const orders[] = { "conversation", "none", NULL };

static const struct unit *
units_of(enum conf_type type)
{
	return type == CONF_BYTES ? byte_units :
	    type == CONF_TIME || type == CONF_TIMES ? time_units : count_units;
}

static bool
conf_value_read_number(const struct unit *units, const char *text, int64_t *out)
{
	char *end;
	long long number;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	number = strtoll(text, &end, 10);
	if (errno != 0)
		return false;
	for (; units->name != NULL; units++) {
		if (strcmp(end, units->name) != 0)
			continue;
		if (number > INT64_MAX / units->factor)
			return false;
		*out = number * units->factor;
		return true;
	}
	return false;
}

/* The place of a word in a list that ends with NULL. */
static bool
read_word(const char *const *words, const char *text, int64_t *out)
{
	for (*out = 0; words[*out] != NULL; (*out)++)
		if (strcmp(words[*out], text) == 0)
			return true;
	return false;
}

const char *
conf_value(const struct conf_key *key, const char *text, int64_t *out)
{
	switch (key->type) {
	case CONF_BOOL:
		*out = strcmp(text, "yes") == 0;
		if (*out || strcmp(text, "no") == 0)
			return NULL;
		return "yes or no";
	case CONF_LEVEL:
		return read_word(levels, text, out) ? NULL :
		    "error, warning, info or debug";
	case CONF_ORDER:
		return read_word(orders, text, out) ? NULL :
		    "conversation or none";
	case CONF_COUNT:
	case CONF_BYTES:
	case CONF_TIME:
		if (conf_value_read_number(units_of(key->type), text, out) &&
		    *out >= key->min && *out <= key->max)
			return NULL;
		return key->type == CONF_TIME ?
		    "a time such as 10s, 5m, 48h or 7d" :
		    key->type == CONF_BYTES ?
		    "a size such as 4096, 64K or 1M" : "a whole number";
	default:
		return NULL;
	}
}

bool
conf_is_loopback(const char *host)
{
	size_t len = strcspn(host, ":/");
	struct in_addr address;
	char name[16];

	if (strncmp(host, "[::1]", 5) == 0)
		return host[5] == ':' || host[5] == '/' || host[5] == '\0';
	if (len >= sizeof(name))
		return false;
	memcpy(name, host, len);
	name[len] = '\0';
	if (strcmp(name, "localhost") == 0)
		return true;
	return inet_pton(AF_INET, name, &address) == 1 &&
	    ntohl(address.s_addr) >> 24 == 127;
}

const char *
conf_url(const char *text)
{
	const char *c;

	for (c = text; *c != '\0'; c++)
		if (*c <= ' ' || *c == 0x7f || strchr("@?#\\\"", *c) != NULL)
			return "an address without user, ? or #, such as "
			    "https://api.vk.ru/method/";
	if (c - text > 512)
		return "too long";
	if (strncmp(text, "https://", 8) == 0 && text[8] != '\0' &&
	    text[8] != '/')
		return NULL;
	if (strncmp(text, "http://", 7) != 0)
		return "expected https://...";
	if (conf_is_loopback(text + 7))
		return NULL;
	return "plain http is for 127.0.0.1, [::1] and localhost only, since "
	    "the token could be read on its way: use https://";
}

const char *
conf_text(const struct conf_key *key, const char *text)
{
	if (key->type == CONF_URL)
		return conf_url(text);
	if (key->type == CONF_PATH && strstr(text, "://") != NULL)
		return "unsupported URL: give a path";
	if (key->type == CONF_CODE && strpbrk(text, " \t") != NULL)
		return "expected one word; a comment begins with ;";
	return NULL;
}

const char *
conf_word(const struct conf_key *key, const char *text)
{
	const struct conf_word *word = key->words;

	for (; word != NULL && word->text != NULL; word++)
		if (strcasecmp(word->text, text) == 0)
			return word->meant;
	return NULL;
}

const char *
conf_times(const struct conf_key *key, const char *text,
    struct conf_times *times)
{
	static const char right[] = "up to 32 times such as 10s 1m 5m";
	char word[32];
	size_t len;

	for (times->n = 0; *text != '\0'; times->n++) {
		len = strcspn(text, " \t");
		if (len >= sizeof(word) || times->n == CONF_TIMES_MAX)
			return right;
		memcpy(word, text, len);
		word[len] = '\0';
		if (!conf_value_read_number(time_units, word,
			&times->ms[times->n]) ||
		    times->ms[times->n] < key->min ||
		    times->ms[times->n] > key->max)
			return right;
		text += len;
		text += strspn(text, " \t");
	}
	return times->n > 0 ? NULL : right;
}

/* In the largest unit that fits; below a week hours say it better than days. */
static void
show_number(const struct unit *units, int64_t value, char *out, size_t size)
{
	const struct unit *unit, *best = units;

	for (unit = units; unit->name != NULL; unit++)
		if (value != 0 && value % unit->factor == 0 &&
		    (unit->factor != DAY || value >= 7 * (int64_t)DAY))
			best = unit;
	snprintf(out, size, "%" PRId64 "%s", value / best->factor, best->name);
}

void
conf_show_number(const struct conf_key *key, int64_t number, char *out,
    size_t size)
{
	show_number(units_of(key->type), number, out, size);
}

static void
show_times(const struct conf_times *times, char *out, size_t size)
{
	size_t i, len = 0;

	for (i = 0; i < times->n && len + 32 < size; i++) {
		if (i > 0)
			out[len++] = ' ';
		show_number(time_units, times->ms[i], out + len, size - len);
		len += strlen(out + len);
	}
}

/* Among the keys of groups none says something of `secret` alone. */
static const char *
show_none(const struct conf_key *key, const void *from)
{
	if (key->default_text != NULL || (key == conf_group_keys &&
	    ((const struct conf_group *)from)->no_secret))
		return "none";
	return "(not set)";
}

void
conf_show(const struct conf_key *key, const void *from, char *out, size_t size)
{
	const char *field = (const char *)from + key->offset;
	const char *text;
	int64_t number;

	switch (key->type) {
	case CONF_TEXT:
	case CONF_CODE:
	case CONF_PATH:
	case CONF_URL:
		memcpy(&text, field, sizeof(text));
		if (text == NULL)
			text = show_none(key, from);
		else if (key->hidden)
			text = "(set)";
		snprintf(out, size, "%s", text);
		break;
	case CONF_BOOL:
		snprintf(out, size, "%s", *(const bool *)field ? "yes" : "no");
		break;
	case CONF_TIMES:
		show_times((const struct conf_times *)(const void *)field, out,
		    size);
		break;
	default:
		memcpy(&number, field, sizeof(number));
		if (key->type == CONF_LEVEL || key->type == CONF_ORDER)
			snprintf(out, size, "%s", key->type == CONF_LEVEL ?
			    levels[number] : orders[number]);
		else
			show_number(units_of(key->type), number, out, size);
		break;
	}
}
