/*
 * conf.c - reads vkcb.conf, all or nothing.
 *
 * Any mistake in it, a typo too, refuses the whole file with one line that
 * says where and what to do: better no change than half of one. At start that
 * ends the program; in a running responder the settings before it stay.
 *
 * Memory: one mapping per configuration, kept out of core dumps, since it holds
 * secrets. Out of memory is a mistake like any other.
 */
#include "conf/conf.h"

#include <errno.h>
#include <ini.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "failed.h"
#include "file.h"
#include "conf/keys.h"
#include "nearest.h"
#include "wipe.h"

#include "banned.h"

#define SETTING(name) offsetof(struct conf, name)
#define OF_GROUP(name) offsetof(struct conf_group, name)

static const struct conf_word none_words[] = {
	{ "none", "none" }, { NULL, NULL }
};
static const struct conf_word log_words[] = {
	{ "stderr", "stderr" }, { "syslog", "syslog" }, { "stdout", "stderr" },
	{ NULL, NULL }
};

const struct conf_key conf_keys[] = {
	{ "inbox", CONF_PATH, SETTING(inbox), "none", .words = none_words },
	{ "log", CONF_PATH, SETTING(log), "stderr", .words = log_words },
	{ "log_level", CONF_LEVEL, SETTING(log_level), .default_text = "info" },
	{ "max_body", CONF_BYTES, SETTING(max_body), "1M",
	    .min = 1024, .max = 64 << 20 },
	{ "body_timeout", CONF_TIME, SETTING(body_timeout), "10s",
	    .min = 100, .max = 3600 * 1000 },
	{ "confirm_without_secret", CONF_BOOL,
	    SETTING(confirm_without_secret), .default_text = "no" },
	{ "keys", CONF_PATH, SETTING(keys), "none", .words = none_words },
	{ "api_url", CONF_URL, SETTING(api_url),
	    .default_text = "https://api.vk.ru/method/" },
	{ "api_timeout", CONF_TIME, SETTING(api_timeout), "10s",
	    .min = 100, .max = CONF_API_TIMEOUT_MAX },
	{ "ca_file", CONF_PATH, SETTING(ca_file), "none",
	    .words = none_words },
	{ "state", CONF_PATH, SETTING(state), .default_text = CONF_STATE },
	{ "handler_timeout", CONF_TIME, SETTING(handler_timeout), "30s",
	    .min = 1000, .max = 3600 * 1000 },
	{ "workers", CONF_COUNT, SETTING(workers), "2", .min = 1, .max = 256 },
	{ "attempts", CONF_COUNT, SETTING(attempts), "8",
	    .min = 1, .max = 1000 },
	{ "backoff", CONF_TIMES, SETTING(backoff), "10s 1m 5m 30m 2h",
	    .max = 24 * 3600 * 1000 },
	{ "order", CONF_ORDER, SETTING(order), .default_text = "conversation" },
	{ "keep", CONF_TIME, SETTING(keep), "48h", .min = 60 * 1000,
	    .max = INT64_C(366) * 24 * 3600 * 1000 },
	{ .name = NULL },
};

const struct conf_key conf_group_keys[] = {
	{ "secret", CONF_TEXT, OF_GROUP(secret), .hidden = true },
	{ "old_secret", CONF_TEXT, OF_GROUP(old_secret), .hidden = true },
	{ "secret_file", CONF_PATH, OF_GROUP(secret_file.path), .max = 0 },
	{ "confirmation", CONF_CODE, OF_GROUP(confirmation), .max = 0 },
	{ "token", CONF_TEXT, OF_GROUP(token), .hidden = true },
	{ "token_file", CONF_PATH, OF_GROUP(token_file.path), .max = 0 },
	{ "events", CONF_TEXT, OF_GROUP(events), .max = 0 },
	{ .name = NULL },
};

#define KEYS_MAX 32	/* of either table: a bit each in `seen` */

enum section { NO_SECTION, MAIN, DEFAULT, GROUP };

struct reader {
	struct conf *conf;
	const char *path;
	char *error;
	struct conf_refused *refused;
	const char *text;
	size_t left;
	int line;
	enum section section;
	struct conf_group *group;	/* in DEFAULT and GROUP */
	size_t groups_size;
	bool secret_named;		/* in this section: secret = …, none */
	unsigned int seen;		/* keys of this section, by row */
	int lines[KEYS_MAX];		/* of those that were seen */
	unsigned int seen_main;
	bool seen_default;
};

static int
conf_fail(struct reader *reader, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* The first mistake is the one that is told. */
static int
conf_fail(struct reader *reader, const char *fmt, ...)
{
	va_list args;
	int len;

	if (reader->error[0] != '\0')
		return -1;
	len = snprintf(reader->error, CONF_ERROR_MAX, "%s:%d: ", reader->path,
	    reader->line);
	if (len < 0 || len >= CONF_ERROR_MAX)
		return -1;
	va_start(args, fmt);
	vsnprintf(reader->error + len, CONF_ERROR_MAX - (size_t)len, fmt, args);
	va_end(args);
	return -1;
}
#define conf_fail(...) FAILED(-1, conf_fail(__VA_ARGS__))

/* Not the files' fault: the next try may fare better. */
static bool
is_transient(int error)
{
	return error == ENOMEM || error == EMFILE || error == ENFILE ||
	    error == EIO;
}

static int
fail_transient(struct reader *reader)
{
	reader->refused->transient = true;
	return conf_fail(reader, "out of memory");
}

/* A copy that lives as long as the configuration; NULL: no room. */
static char *
conf_keep(struct conf *conf, const char *text, size_t len)
{
	char *copy = conf->memory + conf->memory_used;

	if (len + 1 > conf->memory_size - conf->memory_used)
		return NULL;
	memcpy(copy, text, len);
	copy[len] = '\0';
	conf->memory_used += len + 1;
	return copy;
}

/* The line of a key of this section. */
static int
line_of(const struct reader *reader, const char *name)
{
	const struct conf_key *key = conf_group_keys;

	while (strcmp(key->name, name) != 0)
		key++;
	return reader->lines[key - conf_group_keys];
}

static void
skip_bom(const char **text, size_t *len)
{
	if (*len < 3 || memcmp(*text, "\xef\xbb\xbf", 3) != 0)
		return;
	*text += 3;
	*len -= 3;
}

/* The first line of a text, without what one does not see at its ends. */
static const char *
keep_first_line(struct reader *reader, const char *path, const char *text,
    size_t len)
{
	const char *kept = NULL;

	if (memchr(text, '\0', len) != NULL) {
		conf_fail(reader, "%s: a NUL byte: this is no text file", path);
		return NULL;
	}
	skip_bom(&text, &len);
	text += strspn(text, " \t");
	len = strcspn(text, "\r\n");
	while (len > 0 && strchr(" \t", text[len - 1]) != NULL)
		len--;
	if (len == 0)
		conf_fail(reader, "%s: its first line is empty", path);
	else if (len > CONF_SECRET_MAX)
		conf_fail(reader, "%s: its first line is longer than %d bytes: "
		    "VK's secrets and tokens are shorter", path,
		    CONF_SECRET_MAX);
	else if ((kept = conf_keep(reader->conf, text, len)) == NULL)
		fail_transient(reader);
	return kept;
}

/* Stamped first: a change while it is read is found later. */
static const char *
read_secret_file(struct reader *reader, struct conf_file *file)
{
	struct conf_refused *refused = reader->refused;
	const char *kept = NULL;
	struct stat st;
	size_t len;
	char *text;

	file->stamp = conf_stamp(file->path);
	text = file_read(file->path, CONF_LINE_MAX, &len, &st);
	if (text == NULL) {
		refused->transient = is_transient(errno);
		conf_fail(reader, "cannot read %s: %s", file->path,
		    strerror(errno));
	} else {
		kept = keep_first_line(reader, file->path, text, len);
		explicit_bzero(text, (size_t)st.st_size);
		free(text);
	}
	if (kept == NULL && refused->named[0] == '\0') {
		snprintf(refused->named, PATH_MAX, "%s", file->path);
		refused->named_stamp = file->stamp;
	}
	return kept;
}

/* A section ends where the next one begins, or the file. */
static int
end_section(struct reader *reader)
{
	struct conf_group *group = reader->group;
	int line = reader->line;
	int result = 0;

	if (reader->section != GROUP &&
	    (reader->section != DEFAULT || reader->seen == 0))
		return 0;
	reader->line = line_of(reader, "secret_file");
	if (group->secret_file.path != NULL && reader->secret_named)
		result = conf_fail(reader,
		    "both secret and secret_file: keep one");
	else if (group->secret_file.path != NULL)
		group->secret = read_secret_file(reader, &group->secret_file);
	else
		group->no_secret = reader->secret_named &&
		    group->secret == NULL;
	reader->line = line_of(reader, "old_secret");
	if (group->no_secret && group->old_secret != NULL)
		result = conf_fail(reader, "old_secret without a secret");
	reader->line = line_of(reader, "token_file");
	if (group->token_file.path != NULL && group->token != NULL)
		result = conf_fail(reader,
		    "both token and token_file: keep one");
	else if (group->token_file.path != NULL)
		group->token = read_secret_file(reader, &group->token_file);
	if (reader->section == DEFAULT)
		reader->conf->has_fallback = true;
	reader->line = line;
	return reader->error[0] != '\0' ? -1 : result;
}

static int
add_group(struct reader *reader, const char *id_text)
{
	struct conf *conf = reader->conf;
	struct conf_group *groups;
	size_t size = reader->groups_size;
	char *end;
	long long id;

	errno = 0;
	id = strtoll(id_text, &end, 10);
	if (*id_text < '1' || *id_text > '9' || *end != '\0' || errno != 0)
		return conf_fail(reader, "[group %s]: after group stands the "
		    "community's id, a positive number", id_text);
	if (conf->n_groups == size) {
		size = size == 0 ? 8 : 2 * size;
		groups = realloc(conf->groups, size * sizeof(*groups));
		if (groups == NULL)
			return fail_transient(reader);
		conf->groups = groups;
		reader->groups_size = size;
	}
	reader->group = &conf->groups[conf->n_groups++];
	*reader->group = (struct conf_group){ .id = id, .line = reader->line };
	return 0;
}

static int
begin_section(struct reader *reader, const char *name)
{
	struct nearest nearest;

	if (end_section(reader) == -1)
		return -1;
	if (reader->section == MAIN)
		reader->seen_main = reader->seen;
	reader->seen = 0;
	reader->secret_named = false;
	if (strcmp(name, "vkcb") == 0) {
		reader->section = MAIN;
		reader->seen = reader->seen_main;
		return 0;
	}
	if (strcmp(name, "default") == 0) {
		if (reader->seen_default)
			return conf_fail(reader, "a second [default]");
		reader->seen_default = true;
		reader->section = DEFAULT;
		reader->group = &reader->conf->fallback;
		reader->group->line = reader->line;
		return 0;
	}
	if (strncmp(name, "group ", 6) == 0) {
		reader->section = GROUP;
		return add_group(reader, name + 6 + strspn(name + 6, " \t"));
	}
	nearest_begin(&nearest, name);
	nearest_try(&nearest, "vkcb");
	nearest_try(&nearest, "default");
	nearest_try(&nearest, "group");
	if (nearest.best != NULL)
		return conf_fail(reader,
		    "unknown section [%s]: did you mean [%s]?", name,
		    strcmp(nearest.best, "group") == 0 ? "group ID" :
							 nearest.best);
	return conf_fail(reader,
	    "unknown section [%s]: there are [vkcb], [default] "
	    "and [group ID]",
	    name);
}

/* One line as a string, without its end: is it text? */
static int
check_line(struct reader *reader, const char *line, size_t len)
{
	size_t i;

	if (memchr(line, '\0', len) != NULL)
		return conf_fail(reader, "a NUL byte: this is no text file");
	if (len > CONF_LINE_MAX)
		return conf_fail(reader, "longer than %d bytes", CONF_LINE_MAX);
	for (i = 0; i < len; i++)
		if ((unsigned char)line[i] < ' ' && line[i] != '\t')
			return conf_fail(reader,
			    "a control character: only text "
			    "and tabs may stand here");
	return 0;
}

/* At a [: a name, a ], and nothing behind it but a comment. */
static int
take_section(struct reader *reader, const char *line)
{
	const char *end = strchr(line, ']');
	char name[CONF_LINE_MAX];
	size_t skip;

	if (end == NULL)
		return conf_fail(reader, "a section that does not end with ]");
	skip = strspn(end + 1, " \t");
	if (strchr(";#", end[1 + skip]) == NULL)
		return conf_fail(reader,
		    "something behind the section's ]: a key "
		    "stands on a line of its own");
	snprintf(name, sizeof(name), "%.*s", (int)(end - line - 1), line + 1);
	return begin_section(reader, name);
}

/*
 * Hands the file to inih line by line. inih tells no line numbers and nothing
 * of a section without keys, so both are seen to here.
 */
static char *
next_line(char *buffer, int size, void *arg)
{
	struct reader *reader = arg;
	const char *newline;
	size_t len, taken, skip;

	if (reader->left == 0 || reader->error[0] != '\0')
		return NULL;
	reader->line++;
	newline = memchr(reader->text, '\n', reader->left);
	len = newline != NULL ? (size_t)(newline - reader->text) : reader->left;
	taken = newline != NULL ? len + 1 : len;
	if (len > 0 && reader->text[len - 1] == '\r')
		len--;
	if (check_line(reader, reader->text, len) == -1 ||
	    len >= (size_t)size)
		return NULL;
	memcpy(buffer, reader->text, len);
	buffer[len] = '\0';
	reader->text += taken;
	reader->left -= taken;
	skip = strspn(buffer, " \t");
	if (buffer[skip] == '[' &&
	    take_section(reader, buffer + skip) == -1)
		return NULL;
	return buffer;
}

static bool
has_key(const struct conf_key *key, const char *name)
{
	while (key->name != NULL && strcmp(key->name, name) != 0)
		key++;
	return key->name != NULL;
}

static const struct conf_key *
find_key(struct reader *reader, const struct conf_key *keys, const char *name)
{
	const struct conf_key *key;
	struct nearest nearest;
	unsigned int bit;

	for (key = keys; key->name != NULL; key++) {
		if (strcmp(key->name, name) != 0)
			continue;
		bit = 1u << (key - keys);
		if ((reader->seen & bit) != 0) {
			conf_fail(reader, "%s a second time", name);
			return NULL;
		}
		reader->seen |= bit;
		reader->lines[key - keys] = reader->line;
		return key;
	}
	nearest_begin(&nearest, name);
	for (key = keys; key->name != NULL; key++)
		nearest_try(&nearest, key->name);
	if (has_key(keys == conf_keys ? conf_group_keys : conf_keys, name))
		conf_fail(reader,
		    "unknown key \"%s\" in this section: it belongs "
		    "into %s",
		    name,
		    keys == conf_keys ? "[group ID] or [default]" : "[vkcb]");
	else if (nearest.best != NULL)
		conf_fail(reader, "unknown key \"%s\": did you mean \"%s\"?",
		    name, nearest.best);
	else
		conf_fail(reader,
		    "unknown key \"%s\": vkcb.conf(5) lists the keys", name);
	return NULL;
}

static bool
is_text(enum conf_type type)
{
	return type == CONF_TEXT || type == CONF_CODE || type == CONF_PATH ||
	    type == CONF_URL;
}

static const char *
keep_path(struct reader *reader, const struct conf_key *key, const char *text)
{
	char path[PATH_MAX];

	if (*text != '/' && conf_word(key, text) == NULL) {
		if (file_beside(reader->path, text, path) == -1) {
			conf_fail(reader, "%s: the path is too long",
			    key->name);
			return NULL;
		}
		text = path;
	}
	return conf_keep(reader->conf, text, strlen(text));
}

static int
check_text(struct reader *reader, const struct conf_key *key, const char *text)
{
	const char *right = conf_text(key, text), *word;

	if (right != NULL)
		return conf_fail(reader, "%s = %s: %s", key->name, text, right);
	word = conf_word(key, text);
	if (word != NULL && strcmp(word, text) != 0)
		return conf_fail(reader,
		    "%s = %s: did you mean \"%s\"? A file of "
		    "that name is ./%s",
		    key->name, text, word, text);
	return 0;
}

static int
set_text(struct reader *reader, const struct conf_key *key, char *field,
    const char *text)
{
	const char *kept = NULL;

	if (strcmp(text, "none") != 0) {
		if (check_text(reader, key, text) == -1)
			return -1;
		kept = key->type == CONF_PATH ? keep_path(reader, key, text) :
		    conf_keep(reader->conf, text, strlen(text));
		if (kept == NULL)
			return reader->error[0] != '\0' ? -1 :
			    fail_transient(reader);
	} else if (key->default_text != NULL &&
	    strcmp(key->default_text, "none") != 0) {
		return conf_fail(reader, "%s cannot be none", key->name);
	}
	memcpy(field, &kept, sizeof(kept));
	return 0;
}

static int
refuse_value(struct reader *reader, const struct conf_key *key,
    const char *text, const char *right)
{
	char low[32], high[32];

	if (key->max == 0)
		return conf_fail(reader, "%s = %s: expected %s", key->name,
		    text, right);
	conf_show_number(key, key->min, low, sizeof(low));
	conf_show_number(key, key->max, high, sizeof(high));
	return conf_fail(reader, "%s = %s: expected %s, from %s to %s",
	    key->name, text, right, low, high);
}

static int
set(struct reader *reader, const struct conf_key *key, void *into,
    const char *text)
{
	char *field = (char *)into + key->offset;
	const char *right;
	int64_t number = 0;

	if (*text == '\0')
		return conf_fail(reader, "%s has no value", key->name);
	if (is_text(key->type))
		return set_text(reader, key, field, text);
	right = key->type == CONF_TIMES ?
	    conf_times(key, text, (struct conf_times *)(void *)field) :
	    conf_value(key, text, &number);
	if (right != NULL)
		return refuse_value(reader, key, text, right);
	if (key->type == CONF_BOOL)
		*(bool *)field = number != 0;
	else if (key->type != CONF_TIMES)
		memcpy(field, &number, sizeof(number));
	return 0;
}

/* inih's callback: 1 is fine, 0 an error. */
static int
take_key(void *arg, const char *section, const char *name, const char *value)
{
	struct reader *reader = arg;
	const struct conf_key *key;
	void *into = reader->section == MAIN ? (void *)reader->conf :
	    (void *)reader->group;

	(void)section;
	if (reader->error[0] != '\0')
		return 0;
	if (reader->section == NO_SECTION) {
		conf_fail(reader, "%s stands before any section: put [vkcb], "
		    "[default] or [group ID] above it", name);
		return 0;
	}
	key = find_key(reader, reader->section == MAIN ? conf_keys :
	    conf_group_keys, name);
	if (key == NULL)
		return 0;
	if (key->offset == OF_GROUP(secret) && key->hidden)
		reader->secret_named = true;
	return set(reader, key, into, value) == 0;
}

static int
by_id(const void *a, const void *b)
{
	const struct conf_group *left = a, *right = b;

	return (left->id > right->id) - (left->id < right->id);
}

static int
sort_groups(struct reader *reader)
{
	struct conf *conf = reader->conf;
	const struct conf_group *group;
	size_t i;

	if (conf->n_groups > 0)
		qsort(conf->groups, conf->n_groups, sizeof(*conf->groups),
		    by_id);
	for (i = 1; i < conf->n_groups; i++) {
		group = &conf->groups[i];
		if (group->id != group[-1].id)
			continue;
		reader->line = group->line > group[-1].line ? group->line :
		    group[-1].line;
		return conf_fail(reader, "a second [group %" PRId64 "]",
		    group->id);
	}
	return 0;
}

/* What setup keeps counts where vkcb.conf says nothing. */
static int
add_key(struct reader *reader, struct conf_group *group, const struct key *key)
{
	struct conf *conf = reader->conf;

	if (group->secret == NULL && !group->no_secret &&
	    key->secret[0] != '\0') {
		group->secret = conf_keep(conf, key->secret,
		    strlen(key->secret));
		group->secret_from_keys_file = true;
		if (group->secret == NULL)
			return fail_transient(reader);
	}
	if (group->confirmation == NULL && key->confirmation[0] != '\0') {
		group->confirmation = conf_keep(conf, key->confirmation,
		    strlen(key->confirmation));
		group->confirmation_from_keys_file = true;
		if (group->confirmation == NULL)
			return fail_transient(reader);
	}
	return 0;
}

static int
add_keys(struct reader *reader)
{
	struct conf *conf = reader->conf;
	char error[KEYS_ERROR_MAX];
	struct conf_group *group;
	struct keys keys;
	int result = 0;
	size_t i;

	if (conf->keys == NULL)
		return 0;
	/* Stamped first: a change while it is read is found later. */
	conf->keys_stamp = conf_stamp(conf->keys);
	snprintf(reader->refused->keys, PATH_MAX, "%s", conf->keys);
	reader->refused->keys_stamp = conf->keys_stamp;
	errno = 0;
	if (keys_read(&keys, conf->keys, error) == -1) {
		reader->refused->transient = is_transient(errno);
		snprintf(reader->error, CONF_ERROR_MAX, "%s", error);
		return -1;
	}
	for (i = 0; i < keys.n && result == 0; i++) {
		group = (struct conf_group *)conf_group(conf,
		    keys.at[i].group_id);
		if (group != NULL && group->id == keys.at[i].group_id)
			result = add_key(reader, group, &keys.at[i]);
	}
	keys_free(&keys);
	return result;
}

static int
conf_check_secret(struct reader *reader, const struct conf_group *group)
{
	bool awaited = reader->conf->keys != NULL && group->token != NULL;

	if (group->secret != NULL || group->no_secret || awaited)
		return 0;
	reader->line = group->line;
	return conf_fail(reader, "this section has no secret: add "
	    "`secret = ...` as set in the community's Callback API "
	    "settings, or `secret = none` to take events from anybody");
}

static int
check_secrets(struct reader *reader)
{
	struct conf *conf = reader->conf;
	size_t i;

	if (conf->has_fallback &&
	    conf_check_secret(reader, &conf->fallback) == -1)
		return -1;
	for (i = 0; i < conf->n_groups; i++)
		if (conf_check_secret(reader, &conf->groups[i]) == -1)
			return -1;
	return 0;
}

static int
read_lines(struct reader *reader)
{
	int result;

	ini_max_line = CONF_LINE_MAX + 2;
	ini_allow_multiline = false;
	ini_stop_on_first_error = true;
	result = ini_parse_stream(next_line, reader, take_key, reader);
	wipe_stack();
	if (reader->error[0] != '\0')
		return -1;
	if (result == -2)
		return fail_transient(reader);
	if (result != 0)
		return conf_fail(reader,
		    "neither a [section] nor `key = value`");
	if (end_section(reader) == -1 || sort_groups(reader) == -1 ||
	    add_keys(reader) == -1)
		return -1;
	return check_secrets(reader);
}

static void
set_defaults(struct reader *reader)
{
	const struct conf_key *key;

	for (key = conf_keys; key->name != NULL; key++)
		(void)set(reader, key, reader->conf, key->default_text);
}

static int
make_memory(struct conf *conf, size_t len)
{
	/*
	 * Room for a copy of every value, for the defaults, and for what a line
	 * may bring from elsewhere: the folder of the file before its path and
	 * the secret in it; secret and confirmation string of a group.
	 */
	conf->memory_size = 2 * len + 4 * (size_t)PATH_MAX + len / 8 *
	    (strlen(conf->path) + CONF_SECRET_MAX);
	conf->memory = mmap(NULL, conf->memory_size, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (conf->memory == MAP_FAILED) {
		conf->memory = NULL;
		return -1;
	}
	(void)madvise(conf->memory, conf->memory_size, MADV_DONTDUMP);
	conf->path = conf_keep(conf, conf->path, strlen(conf->path));
	return 0;
}

/* Into a refused one that says nothing yet. */
static struct conf *
parse(const char *path, const char *text, size_t len,
    struct conf_refused *refused)
{
	struct reader reader = {
		.path = path, .error = refused->error, .refused = refused,
	};
	struct conf *conf = calloc(1, sizeof(*conf));

	skip_bom(&text, &len);
	reader.conf = conf;
	reader.text = text;
	reader.left = len;
	if (conf == NULL) {
		fail_transient(&reader);
		return NULL;
	}
	conf->path = path;
	if (make_memory(conf, len) == -1) {
		fail_transient(&reader);
		goto bad;
	}
	set_defaults(&reader);
	if (read_lines(&reader) == 0)
		return conf;
bad:
	conf_free(conf);
	return NULL;
}

struct conf *
conf_parse(const char *path, const char *text, size_t len,
    char error[CONF_ERROR_MAX])
{
	struct conf_refused refused = { .transient = false };
	struct conf *conf = parse(path, text, len, &refused);

	memcpy(error, refused.error, CONF_ERROR_MAX);
	return conf;
}

struct conf *
conf_try(const char *path, struct conf_refused *refused)
{
	struct conf *conf;
	struct stat st;
	size_t len;
	char *text;

	/* Stamped first: a change while it is read is found later. */
	*refused = (struct conf_refused){ .stamp = conf_stamp(path) };
	text = file_read(path, CONF_SIZE_MAX, &len, &st);
	if (text == NULL) {
		refused->transient = is_transient(errno);
		snprintf(refused->error, CONF_ERROR_MAX, "%s: %s", path,
		    strerror(errno));
		return NULL;
	}
	conf = parse(path, text, len, refused);
	if (conf != NULL)
		conf->stamp = refused->stamp;
	explicit_bzero(text, len);
	free(text);
	return conf;
}

struct conf *
conf_read(const char *path, char error[CONF_ERROR_MAX])
{
	struct conf_refused refused;
	struct conf *conf = conf_try(path, &refused);

	memcpy(error, refused.error, CONF_ERROR_MAX);
	return conf;
}

void
conf_free(struct conf *conf)
{
	if (conf == NULL)
		return;
	free(conf->groups);
	if (conf->memory != NULL) {
		explicit_bzero(conf->memory, conf->memory_used);
		munmap(conf->memory, conf->memory_size);
	}
	free(conf);
}

const struct conf_group *
conf_group(const struct conf *conf, int64_t id)
{
	size_t low = 0, high = conf->n_groups, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (conf->groups[middle].id < id)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < conf->n_groups && conf->groups[low].id == id)
		return &conf->groups[low];
	return conf->has_fallback ? &conf->fallback : NULL;
}

/* Absolute: a handler may change the working directory. */
static void
name_absolutely(const char *named, char path[PATH_MAX])
{
	char folder[PATH_MAX];
	int len = PATH_MAX;

	if (*named != '/' && getcwd(folder, sizeof(folder)) != NULL)
		len = snprintf(path, PATH_MAX, "%s/%s", folder, named);
	if (len < 0 || len >= PATH_MAX)
		snprintf(path, PATH_MAX, "%s", named);
}

int
conf_find(char path[PATH_MAX], char error[CONF_ERROR_MAX])
{
	const char *named = getenv("VKCB_CONF");
	char program[PATH_MAX];
	ssize_t len;

	if (named != NULL && *named != '\0') {
		name_absolutely(named, path);
		return 0;
	}
	path[0] = '\0';
	len = readlink("/proc/self/exe", program, sizeof(program) - 1);
	if (len > 0) {
		program[len] = '\0';
		if (file_beside(program, "vkcb.conf", path) == 0 &&
		    access(path, F_OK) == 0)
			return 0;
	}
	if (access("/etc/vkcb.conf", F_OK) == 0) {
		snprintf(path, PATH_MAX, "/etc/vkcb.conf");
		return 0;
	}
	snprintf(error, CONF_ERROR_MAX, "no configuration: $VKCB_CONF is not "
	    "set, and there is neither %.256s nor /etc/vkcb.conf", path);
	return -1;
}
