/*
 * conf_value.c - the values of vkcb.conf as text and as numbers.
 *
 * A value that does not fit its type or its bounds is refused, with the right
 * form; nothing is rounded or clamped.
 */
#include "conf/conf.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "text.h"

#include "banned.h"

#define DAY (24 * 3600 * 1000)

struct unit {
	const char *name;
	int64_t factor;
};

#define TIMES { "ms", 1 }, { "s", 1000 }, { "m", 60 * 1000 }, \
	{ "h", 3600 * 1000 }, { "d", DAY }

static const struct {
	const char *expected;
	struct unit units[6];		/* ends with a NULL name */
} numbers[] = {
	[CONF_COUNT] = { "a whole number", { { "", 1 } } },
	[CONF_BYTES] = { "a size such as 4096, 64K or 1M",
	    { { "", 1 }, { "K", 1 << 10 }, { "M", 1 << 20 } } },
	[CONF_TIME] = { "a time such as 10s, 5m, 48h or 7d", { TIMES } },
	[CONF_TIMES] = { "up to 32 times such as 10s 1m 5m", { TIMES } },
	[CONF_WORD] = { .expected = NULL },
};

static bool
conf_read_number(const struct conf_key *key, const char *text, size_t len,
    int64_t *out)
{
	const struct unit *unit = numbers[key->type].units;
	size_t digits = strspn(text, NUMBER_DIGITS);

	for (; unit->name != NULL; unit++)
		if (digits + strlen(unit->name) == len &&
		    memcmp(text + digits, unit->name, len - digits) == 0)
			break;
	if (unit->name == NULL || !number_read(text, digits, 0,
	    key->max / unit->factor, out))
		return false;
	*out *= unit->factor;
	return *out >= key->min;
}

static bool
read_times(const struct conf_key *key, const char *text,
    struct conf_times *times)
{
	size_t len;

	for (times->n = 0; *text != '\0'; times->n++) {
		len = strcspn(text, " \t");
		if (times->n == CONF_TIMES_MAX ||
		    !conf_read_number(key, text, len, &times->ms[times->n]))
			return false;
		text += len;
		text += strspn(text, " \t");
	}
	return times->n > 0;
}

static bool
read_word(const struct conf_key *key, const char *text, int64_t *out)
{
	for (*out = 0; key->words[*out] != NULL; (*out)++)
		if (strcmp(key->words[*out], text) == 0)
			return true;
	return false;
}

bool
conf_is_word(const struct conf_key *key, const char *text)
{
	int64_t place;

	return key->words != NULL && read_word(key, text, &place);
}

/* In the largest unit that fits; below a week hours say it better than days. */
static size_t
show_number(const struct unit *units, int64_t value, char *out, size_t size)
{
	const struct unit *unit, *best = units;

	for (unit = units; unit->name != NULL; unit++)
		if (value != 0 && value % unit->factor == 0 &&
		    (unit->factor != DAY || value >= 7 * (int64_t)DAY))
			best = unit;
	return (size_t)snprintf(out, size, "%" PRId64 "%s",
	    value / best->factor, best->name);
}

/* "expected a, b or c" */
static bool
expect_words(const char *const *words, char *out)
{
	size_t i, len = (size_t)snprintf(out, CONF_RIGHT_MAX, "expected ");

	for (i = 0; words[i] != NULL && len < CONF_RIGHT_MAX; i++)
		len += (size_t)snprintf(out + len, CONF_RIGHT_MAX - len,
		    "%s%s", i == 0 ? "" : words[i + 1] == NULL ? " or " : ", ",
		    words[i]);
	return false;
}

static bool
expect_number(const struct conf_key *key, char *out)
{
	const struct unit *units = numbers[key->type].units;
	char low[32], high[32];

	(void)show_number(units, key->min, low, sizeof(low));
	(void)show_number(units, key->max, high, sizeof(high));
	snprintf(out, CONF_RIGHT_MAX, "expected %s, from %s to %s",
	    numbers[key->type].expected, low, high);
	return false;
}

bool
conf_is_loopback(const char *host)
{
	struct in_addr address;
	char name[64];

	if (strncmp(host, "[::1]", 5) == 0)
		return strchr(":/", host[5]) != NULL;
	snprintf(name, sizeof(name), "%.*s", (int)strcspn(host, ":/"), host);
	return strcmp(name, "localhost") == 0 ||
	    (inet_pton(AF_INET, name, &address) == 1 &&
	    ntohl(address.s_addr) >> 24 == 127);
}

/* May a token be sent to this address? NULL, or what would be right. */
static const char *
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

static bool
conf_is_short(const char *text, int64_t max)
{
	size_t i, len = utf8_span(text);

	for (i = 0; i < len; i++)
		max -= (text[i] & 0xc0) != 0x80;
	return text[len] == '\0' && max >= 0;
}

bool
conf_value(const struct conf_key *key, const char *text, void *field,
    char right[CONF_RIGHT_MAX])
{
	const char *wrong = NULL;

	if (key->type == CONF_WORD)
		return read_word(key, text, field) ||
		    expect_words(key->words, right);
	if (key->type == CONF_TIMES)
		return read_times(key, text, field) ||
		    expect_number(key, right);
	if (numbers[key->type].expected != NULL)
		return conf_read_number(key, text, strlen(text), field) ||
		    expect_number(key, right);
	if (key->type == CONF_CODE && strpbrk(text, " \t") != NULL)
		wrong = "expected one word; a comment begins with ;";
	else if (key->type == CONF_PATH && strstr(text, "://") != NULL)
		wrong = "unsupported URL: give a path";
	else if (key->type == CONF_URL)
		wrong = conf_url(text);
	else if (key->max > 0 && !conf_is_short(text, key->max))
		wrong = "expected up to 14 characters of UTF-8";
	if (wrong != NULL)
		snprintf(right, CONF_RIGHT_MAX, "%s", wrong);
	return wrong == NULL;
}

/* `none` of a group is said only of the secret: there it has a meaning. */
static const char *
show_text(const struct conf_key *key, const void *from, const char *text)
{
	if (text != NULL)
		return key->hidden ? "(set)" : text;
	if (key->default_text != NULL || (key == conf_group_keys &&
	    ((const struct conf_group *)from)->no_secret))
		return "none";
	return "(not set)";
}

void
conf_show(const struct conf_key *key, const void *from, char *out, size_t size)
{
	const void *field = (const char *)from + key->offset;
	const struct unit *units = numbers[key->type].units;
	const struct conf_times *times = field;
	size_t i, len = 0;

	if (key->type <= CONF_URL)
		snprintf(out, size, "%s", show_text(key, from,
		    *(const char *const *)field));
	else if (key->type == CONF_WORD)
		snprintf(out, size, "%s", key->words[*(const int64_t *)field]);
	else if (key->type != CONF_TIMES)
		(void)show_number(units, *(const int64_t *)field, out, size);
	else
		for (i = 0; i < times->n && len + 32 < size; i++) {
			if (i > 0)
				out[len++] = ' ';
			len += show_number(units, times->ms[i], out + len,
			    size - len);
		}
}
