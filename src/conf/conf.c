/*
 * conf.c - reads vkcb.conf, all or nothing.
 *
 * Any mistake in it, even a typo, refuses the whole file with one line that
 * says where and what to do: better no change than half of one. At start that
 * ends the program; in a running responder the settings before it stay.
 *
 * A configuration is one mapping without core dumps: its groups and all texts,
 * which are its file, cut into values in place, and the first lines of secret
 * files. Out of memory is a mistake like any other.
 */
#include "conf/conf.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "conf/ini.h"
#include "conf/keys.h"
#include "file.h"
#include "log.h"
#include "report.h"
#include "text.h"

#include "banned.h"

#define FILE_SIZE_MAX ((off_t)16 * 1024 * 1024)

static const char *const none[] = { "none", NULL };
static const char *const logs[] = { "stderr", "syslog", NULL };
static const char *const levels[] = {
	"error", "warning", "info", "debug", NULL
};
static const char *const switches[] = { "no", "yes", NULL };
static const char *const repeats[] = { "once", "again", NULL };
static const char *const orders[] = { "conversation", "none", NULL };

/* A key of [vkcb] has its field's name. */
#define MAIN(key, type, text, ...) \
	{ #key, CONF_##type, offsetof(struct conf, key), text, 0, __VA_ARGS__ }

const struct conf_key conf_keys[] = {
	MAIN(inbox, PATH, "none", .words = none),
	MAIN(log, PATH, "stderr", .words = logs),
	MAIN(log_level, WORD, "info", .words = levels),
	MAIN(max_body, BYTES, "1M", .min = 1024, .max = 64 << 20),
	MAIN(body_timeout, TIME, "10s", .min = 100, .max = 3600 * 1000),
	MAIN(confirm_without_secret, WORD, "no", .words = switches),
	MAIN(keys, PATH, "none", .words = none),
	MAIN(api_url, URL, "https://api.vk.ru/method/", .words = NULL),
	MAIN(api_timeout, TIME, "10s", .min = 100, .max = CONF_API_TIMEOUT_MAX),
	MAIN(ca_file, PATH, "none", .words = none),
	MAIN(repeats, WORD, "once", .words = repeats),
	MAIN(state, PATH, CONF_STATE, .words = NULL),
	MAIN(handler_timeout, TIME, "30s", .min = 1000, .max = 3600 * 1000),
	MAIN(workers, COUNT, "2", .min = 1, .max = CONF_WORKERS_MAX),
	MAIN(attempts, COUNT, "8", .min = 1, .max = 1000),
	MAIN(backoff, TIMES, "10s 1m 5m 30m 2h", .max = 24 * 3600 * 1000),
	MAIN(order, WORD, "conversation", .words = orders),
	MAIN(keep, TIME, "48h", .min = 60 * 1000,
	    .max = INT64_C(366) * 24 * 3600 * 1000),
	{ .name = NULL },
};

/* A file's key has the stamp of the file, which begins with its path. */
#define OF_GROUP(key, field, type, part, ...) { key, CONF_##type, \
	offsetof(struct conf_group, field), NULL, CONF_##part, __VA_ARGS__ }

const struct conf_key conf_group_keys[] = {
	OF_GROUP("secret", secret, TEXT, SECRET, .hidden = true),
	OF_GROUP("old_secret", old_secret, TEXT, SECRET, .hidden = true),
	OF_GROUP("secret_file", secret_file, PATH, SECRET, .max = 0),
	OF_GROUP("confirmation", confirmation, CODE, CONFIRMATION, .max = 0),
	OF_GROUP("token", token, TEXT, TOKEN, .hidden = true),
	OF_GROUP("token_file", token_file, PATH, TOKEN, .max = 0),
	OF_GROUP("events", events, TEXT, EVENTS, .max = 0),
	OF_GROUP("title", title, TEXT, TITLE, .max = 14),
	{ .name = NULL },
};

_Static_assert(offsetof(struct file_stamp, path) == 0, "set() writes it");

struct reader {
	struct conf *conf;
	struct conf_refused *refused;
	int line;			/* that a fault is in */
	const struct conf_key *table;	/* of this section; NULL: none yet */
	struct conf_group *group;	/* this section; NULL: [vkcb] */
	uint64_t seen;	/* keys by row: of [vkcb] 32 bits, of this group 32 */
};

__attribute__((format(printf, 2, 3))) static int
conf_fail(struct reader *reader, const char *fmt, ...)
{
	char *error = reader->refused->error;
	int len = snprintf(error, CONF_ERROR_MAX, "%s:%d: ",
	    reader->conf->path, reader->line);
	va_list args;

	va_start(args, fmt);
	if (len >= 0 && len < CONF_ERROR_MAX)
		vsnprintf(error + len, CONF_ERROR_MAX - (size_t)len, fmt, args);
	va_end(args);
	return -1;
}
#define conf_fail(...) FAILED(-1, conf_fail(__VA_ARGS__))

/* Some errors are not the file's: the next try may fare better. */
static void
retry_if_transient(struct conf_refused *refused, int error)
{
	if (error == ENOMEM || error == EMFILE || error == ENFILE ||
	    error == EIO)
		refused->stamp.settled = false;
}

/* The error goes when this file changes. */
static void
blame(struct reader *reader, const struct file_stamp *stamp)
{
	struct conf_refused *refused = reader->refused;

	retry_if_transient(refused, errno);
	snprintf(refused->named, sizeof(refused->named), "%s", stamp->path);
	refused->named_stamp = *stamp;
	refused->named_stamp.path = refused->named;
}

/* A copy that lives as long as the configuration; NULL: out of memory. */
static const char *
conf_keep(struct reader *reader, const char *text)
{
	struct conf *conf = reader->conf;
	size_t len = strlen(text) + 1;
	char *copy = conf->room;

	if (len > conf->left) {
		retry_if_transient(reader->refused, ENOMEM);
		conf_fail(reader, "out of memory");
		return NULL;
	}
	conf->room += len;
	conf->left -= len;
	return memcpy(copy, text, len);
}

static int
conf_take_line(struct reader *reader, const char *path, size_t len,
    const char **line)
{
	struct conf *conf = reader->conf;
	struct ini ini;

	ini_begin(&ini, conf->room, len);
	*line = ini_line(&ini);
	if (*line == NULL)
		return conf_fail(reader, "%s: %s", path, ini.fault);
	len = strlen(*line);
	if (len == 0)
		return conf_fail(reader, "%s: its first line is empty", path);
	if (len > CONF_SECRET_MAX)
		return conf_fail(reader, "%s: its first line is longer than %d "
		    "bytes: VK's secrets and tokens are shorter", path,
		    CONF_SECRET_MAX);
	len += (size_t)(*line - conf->room) + 1;
	conf->room += len;
	conf->left -= len;
	return 0;
}

/* `secret` and `secret_file`, or the two of the token: one of both. */
static int
take_file(struct reader *reader, const char *name, bool named,
    struct file_stamp *file, const char **text)
{
	struct conf *conf = reader->conf;
	size_t len, size = conf->left < INI_LINE_MAX + 2 ? conf->left :
	    INI_LINE_MAX + 2;

	if (file->path == NULL)
		return 0;
	if (named)
		return conf_fail(reader, "both %s and %s_file: keep one", name,
		    name);
	*file = file_stamp(file->path);
	if (file_read(file->path, conf->room, size, &len) == -1)
		conf_fail(reader, "cannot read %s: %s", file->path,
		    file_error(errno));
	else if (conf_take_line(reader, file->path, len, text) == 0)
		return 0;
	else
		errno = 0;
	blame(reader, file);
	return -1;
}

static int
take_group_key(struct reader *reader, const struct conf_key *key)
{
	struct conf_group *group = reader->group;

	group->has |= key->part;
	if (key == conf_group_keys)
		group->no_secret = group->secret == NULL;
	if (group->no_secret && group->old_secret != NULL)
		return conf_fail(reader, "old_secret without a secret");
	if (strncmp(key->name, "secret", 6) == 0)
		return take_file(reader, "secret", group->secret != NULL ||
		    group->no_secret, &group->secret_file, &group->secret);
	if (strncmp(key->name, "token", 5) == 0)
		return take_file(reader, "token", group->token != NULL,
		    &group->token_file, &group->token);
	return 0;
}

/*
 * Where the group stands, or would: before all with a higher id. Behind the
 * last stands one with the id 0.
 */
static size_t
place_of(const struct conf *conf, int64_t id)
{
	size_t low = 0, high = conf->n_groups, middle;

	while (low < high) {
		middle = (low + high) / 2;
		if (conf->groups[middle].id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int
add_group(struct reader *reader, const char *id_text)
{
	struct conf *conf = reader->conf;
	struct conf_group *group;
	int64_t id;

	if (*id_text == '0' || !number_read(id_text, strlen(id_text), 1,
	    INT64_MAX, &id))
		return conf_fail(reader, "[group %s]: after group stands the "
		    "community's id, a positive number", id_text);
	group = &conf->groups[place_of(conf, id)];
	if (group->id == id)
		return conf_fail(reader, "a second [group %" PRId64 "]", id);
	memmove(group + 1, group, (size_t)(&conf->groups[conf->n_groups++] -
	    group) * sizeof(*group));
	*group = (struct conf_group){ .id = id, .line = reader->line };
	reader->group = group;
	return 0;
}

static int
begin_section(struct reader *reader, const char *name)
{
	reader->seen &= UINT32_MAX;
	reader->table = conf_group_keys;
	reader->group = NULL;
	if (strncmp(name, "group ", 6) == 0)
		return add_group(reader, name + 6 + strspn(name + 6, " \t"));
	if (strcmp(name, "vkcb") == 0) {
		reader->table = conf_keys;
		return 0;
	}
	if (strcmp(name, "default") != 0)
		return conf_fail(reader, "unknown section [%s]: there are "
		    "[vkcb], [default] and [group ID]", name);
	if (reader->conf->fallback.line != 0)
		return conf_fail(reader, "a second [default]");
	reader->group = &reader->conf->fallback;
	reader->group->line = reader->line;
	return 0;
}

static const struct conf_key *
find_key(const struct conf_key *key, const char *name)
{
	for (; key->name != NULL; key++)
		if (strcmp(key->name, name) == 0)
			return key;
	return NULL;
}

static int
fail_key(struct reader *reader, const char *name)
{
	bool is_main = reader->table == conf_keys;
	const struct conf_key *key;
	struct nearest nearest = { .word = name };

	if (find_key(is_main ? conf_group_keys : conf_keys, name) != NULL)
		return conf_fail(reader, "unknown key \"%s\" in this section: "
		    "it belongs into %s", name, is_main ?
		    "[group ID] or [default]" : "[vkcb]");
	for (key = reader->table; key->name != NULL; key++)
		nearest_try(&nearest, key->name);
	if (nearest.best != NULL)
		return conf_fail(reader, "unknown key \"%s\": did you mean "
		    "\"%s\"?", name, nearest.best);
	return conf_fail(reader, "unknown key \"%s\": vkcb.conf(5) lists the "
	    "keys", name);
}

/* The path as it is opened later; NULL: a mistake was reported. */
static const char *
full_path(struct reader *reader, const struct conf_key *key, const char *text)
{
	char path[PATH_MAX];

	if (*text == '/' || conf_is_word(key, text))
		return text;
	if (file_beside(reader->conf->path, text, path) == 0)
		return conf_keep(reader, path);
	conf_fail(reader, "%s: the path is too long", key->name);
	return NULL;
}

/* The text stays where it is: it lives as long as the configuration. */
static int
set(struct reader *reader, const struct conf_key *key, void *into,
    const char *text)
{
	void *field = (char *)into + key->offset;
	bool is_text = key->type <= CONF_URL;
	char right[CONF_RIGHT_MAX];

	if (*text == '\0')
		return conf_fail(reader, "%s has no value", key->name);
	if (is_text && strcmp(text, "none") == 0) {
		if (key->default_text != NULL && !conf_is_word(key, text))
			return conf_fail(reader, "%s cannot be none",
			    key->name);
		*(const char **)field = NULL;
		return 0;
	}
	if (!conf_value(key, text, field, right))
		return conf_fail(reader, "%s = %s: %s", key->name, text, right);
	if (key->type == CONF_PATH)
		text = full_path(reader, key, text);
	if (is_text)
		*(const char **)field = text;
	return text != NULL ? 0 : -1;
}

static int
take_key(struct reader *reader, const char *name, const char *value)
{
	const struct conf_key *key;
	uint64_t bit;

	if (reader->table == NULL)
		return conf_fail(reader, "%s stands before any section: put "
		    "[vkcb], [default] or [group ID] above it", name);
	key = find_key(reader->table, name);
	if (key == NULL)
		return fail_key(reader, name);
	bit = UINT64_C(1) << (key - reader->table);
	if (reader->group != NULL)
		bit <<= 32;
	if ((reader->seen & bit) != 0)
		return conf_fail(reader, "%s a second time", name);
	reader->seen |= bit;
	if (reader->group == NULL)
		return set(reader, key, reader->conf, value);
	return set(reader, key, reader->group, value) == -1 ? -1 :
	    take_group_key(reader, key);
}

/* A stored value is used where the group's section has none. */
static void
add_key(struct reader *reader, struct conf_group *group, const struct key *key)
{
	if (group->secret == NULL && !group->no_secret &&
	    key->secret[0] != '\0') {
		group->secret = conf_keep(reader, key->secret);
		group->secret_from_keys_file = true;
	}
	if (group->confirmation == NULL && key->confirmation[0] != '\0')
		group->confirmation = conf_keep(reader, key->confirmation);
}

/* An open [default] opens no group that has a section. */
static void
inherit(struct conf_group *group, const struct conf_group *from)
{
	const struct conf_key *key = conf_group_keys;

	group->inherited = from->has & ~(group->has |
	    (group->secret != NULL || from->secret == NULL ? CONF_SECRET : 0) |
	    (group->confirmation != NULL ? CONF_CONFIRMATION : 0));
	for (; key->name != NULL; key++)
		if ((key->part & group->inherited) != 0)
			memcpy((char *)group + key->offset, (const char *)from +
			    key->offset, key->type == CONF_PATH ?
			    sizeof(struct file_stamp) : sizeof(char *));
}

/*
 * With keys and a token, setup makes the secret of a group. A [default] without
 * a secret may have keys for the groups.
 */
static int
finish_group(struct reader *reader, struct conf_group *group,
    const struct keys *keys)
{
	const struct conf *conf = reader->conf;
	const struct key *key = keys_find(keys, group->id);
	bool has_token, names_confirmation = group->confirmation != NULL;

	if (key != NULL)
		add_key(reader, group, key);
	if (reader->refused->error[0] != '\0')
		return -1;
	if (group->id != 0)
		inherit(group, &conf->fallback);
	has_token = conf->keys != NULL && group->token != NULL;
	group->asks_vk = has_token && !names_confirmation;
	if (group->secret != NULL || group->no_secret ||
	    (group->id != 0 ? has_token : conf->n_groups > 0))
		return 0;
	reader->line = group->line;
	return conf_fail(reader, "this section has no secret: add "
	    "`secret = ...` as set in the community's Callback API settings, "
	    "or `secret = none` to take events from anybody%s",
	    conf->fallback.no_secret ? "; [default]'s `none` is not taken" :
	    "");
}

static int
finish_groups(struct reader *reader)
{
	struct conf *conf = reader->conf;
	struct keys keys = { .n = 0 };
	int result = 0;
	size_t i;

	if (conf->keys != NULL)
		conf->keys_stamp = file_stamp(conf->keys);
	errno = 0;
	if (conf->keys != NULL &&
	    keys_read(&keys, conf->keys, reader->refused->error) == -1) {
		blame(reader, &conf->keys_stamp);
		return -1;
	}
	if (conf->fallback.has != 0)
		result = finish_group(reader, &conf->fallback, &keys);
	for (i = 0; i < conf->n_groups && result == 0; i++)
		result = finish_group(reader, &conf->groups[i], &keys);
	keys_free(&keys);
	return result;
}

static int
read_lines(struct reader *reader, struct ini *ini)
{
	enum ini_kind kind;
	int result = 0;

	while (result == 0 && (kind = ini_next(ini)) != INI_END) {
		reader->line = ini->line;
		if (kind == INI_FAULT)
			result = conf_fail(reader, "%s", ini->fault);
		else if (kind == INI_SECTION)
			result = begin_section(reader, ini->name);
		else
			result = take_key(reader, ini->name, ini->value);
	}
	return result == 0 ? finish_groups(reader) : -1;
}

/*
 * A configuration with room for so many bytes of text; NULL: out of memory. A
 * line has 8 bytes or more, and may begin a group, or add a text: the folder of
 * vkcb.conf before a path, a secret from a file, two values from the keys file.
 */
static struct conf *
conf_new(const char *path, size_t text)
{
	size_t lines = text / 8 + 2, len = strlen(path) + 1;
	size_t left = 2 * text + 4 * (size_t)PATH_MAX + lines *
	    (len + CONF_SECRET_MAX);
	size_t size = sizeof(struct conf) + lines * sizeof(struct conf_group) +
	    left;
	struct conf *conf = secret_map(size);

	if (conf == NULL)
		return NULL;
	conf->size = size;
	conf->groups = (struct conf_group *)(conf + 1);
	conf->path = memcpy(conf->groups + lines, path, len);
	conf->room = (char *)(conf->groups + lines) + len;
	conf->left = left - len;
	return conf;
}

/* The text stands where the room begins; conf is freed if it is wrong. */
static struct conf *
conf_parse_text(struct conf *conf, size_t len, struct conf_refused *refused)
{
	struct reader reader = { .conf = conf, .refused = refused };
	const struct conf_key *key;
	struct ini ini;

	conf->stamp = refused->stamp;
	conf->stamp.path = conf->path;
	ini_begin(&ini, conf->room, len);
	conf->room += len + 1;
	conf->left -= len + 1;
	for (key = conf_keys; key->name != NULL; key++)
		(void)set(&reader, key, conf, key->default_text);
	if (read_lines(&reader, &ini) == 0)
		return conf;
	conf_free(conf);
	return NULL;
}

static struct conf *
conf_fail_errno(struct conf *conf, const char *path,
    struct conf_refused *refused)
{
	retry_if_transient(refused, errno);
	snprintf(refused->error, CONF_ERROR_MAX, "%s: %s", path,
	    file_error(errno));
	conf_free(conf);
	return NULL;
}

struct conf *
conf_parse(const char *path, const char *text, size_t len,
    struct conf_refused *refused)
{
	struct conf *conf = conf_new(path, len);

	*refused = (struct conf_refused){ .error = "" };
	if (conf == NULL)
		return conf_fail_errno(conf, path, refused);
	memcpy(conf->room, text, len);
	return conf_parse_text(conf, len, refused);
}

struct conf *
conf_read(const char *path, struct conf_refused *refused)
{
	struct file_stamp stamp = file_stamp(path);
	/* The file may have grown a little since. */
	size_t size = stamp.size > FILE_SIZE_MAX ? FILE_SIZE_MAX :
	    (size_t)stamp.size + INI_LINE_MAX, len;
	struct conf *conf = conf_new(path, size);

	*refused = (struct conf_refused){ .stamp = stamp };
	if (conf == NULL || file_read(path, conf->room, size + 1, &len) == -1)
		return conf_fail_errno(conf, path, refused);
	return conf_parse_text(conf, len, refused);
}

void
conf_free(struct conf *conf)
{
	if (conf != NULL)
		(void)munmap(conf, conf->size);
}

const struct conf_group *
conf_group(const struct conf *conf, int64_t id)
{
	const struct conf_group *group = &conf->groups[place_of(conf, id)];

	if (id != 0 && group->id == id)
		return group;
	return conf->fallback.secret != NULL || conf->fallback.no_secret ?
	    &conf->fallback : NULL;
}

static enum file_change
change_of_either(const struct file_stamp *a, const struct file_stamp *b)
{
	enum file_change change = file_stamp_compare(a);
	enum file_change other = file_stamp_compare(b);

	return change > other ? change : other;
}

/*
 * The last failure is remembered: requests come by the thousand, and a broken
 * file is to be read, and logged, once.
 */
bool
conf_refresh(struct conf **conf, const struct conf_group *group)
{
	static struct conf_refused refused;
	enum file_change change = group == NULL ?
	    change_of_either(&(*conf)->stamp, &(*conf)->keys_stamp) :
	    change_of_either(&group->secret_file, &group->token_file);
	enum file_change since = FILE_CHANGED;
	char before[CONF_ERROR_MAX];
	struct conf *fresh;

	refused.stamp.path = (*conf)->path;
	/* FILE_UNCHANGED: the load would fail again. */
	if (refused.error[0] != '\0')
		since = change_of_either(&refused.stamp, &refused.named_stamp);
	if (since == FILE_CHANGED)
		refused.error[0] = '\0';
	if (change == FILE_UNCHANGED || since == FILE_UNCHANGED)
		return false;
	memcpy(before, refused.error, sizeof(before));
	fresh = conf_read((*conf)->path, &refused);
	if (fresh == NULL) {
		if (strcmp(before, refused.error) != 0)
			log_msg(LOG_LEVEL_ERROR, "new configuration is "
			    "invalid, keeping the old one: %s",
			    refused.error);
		return false;
	}
	conf_free(*conf);
	*conf = fresh;
	if (log_open(fresh->log, (enum log_level)fresh->log_level) == -1)
		log_msg(LOG_LEVEL_ERROR, "cannot open the log %s: %s",
		    fresh->log, strerror(errno));
	if (change == FILE_CHANGED)
		log_msg(LOG_LEVEL_INFO, "configuration reloaded");
	return true;
}
