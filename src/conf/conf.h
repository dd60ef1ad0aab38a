/*
 * conf.h - the configuration: vkcb.conf and the files that it names.
 *
 * A key is a field of struct conf or struct conf_group and a row in the table
 * at the top of conf.c. A new key also goes into docs/vkcb.conf.5 and into
 * vkcb.conf, which tests/e2e/docs.sh compares with the table.
 *
 * A configuration does not change once it is read: a changed file makes a new
 * one.
 */
#ifndef CONF_H
#define CONF_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "file.h"
#include "log.h"

#define CONF_ERROR_MAX 512
#define CONF_RIGHT_MAX 256
#define CONF_API_TIMEOUT_MAX (60 * 1000)	/* milliseconds */
#define CONF_STATE "/run/vkcb"			/* the default of `state` */
#define CONF_WORKERS_MAX 256
#define CONF_SECRET_MAX 512	/* of a secret_file or token_file */

enum conf_type {
	CONF_TEXT,	/* of at most `max` characters, if that is not 0 */
	CONF_CODE,	/* a text without blanks */
	CONF_PATH,	/* relative to vkcb.conf; or one of `words` */
	CONF_URL,	/* https, or http to this machine */
	CONF_COUNT,
	CONF_BYTES,	/* 4096, 64K, 1M */
	CONF_TIME,	/* 500ms, 10s, 5m, 48h, 7d; stored in milliseconds */
	CONF_TIMES,	/* several times: 10s 1m 5m */
	CONF_WORD,	/* one of `words`; stored as its place there */
};

enum conf_order {
	CONF_ORDER_CONVERSATION,
	CONF_ORDER_NONE,
};

enum conf_repeats {
	CONF_REPEATS_ONCE,
	CONF_REPEATS_AGAIN,
};

#define CONF_TIMES_MAX 32

struct conf_times {
	int64_t ms[CONF_TIMES_MAX];
	size_t n;		/* at least 1 */
};

/* Keys of a group that come from the same section. */
enum conf_part {
	CONF_SECRET = 1,	/* secret, old_secret, secret_file */
	CONF_CONFIRMATION = 2,
	CONF_TOKEN = 4,		/* token, token_file */
	CONF_EVENTS = 8,
	CONF_TITLE = 16,
};

/* A key: its row in the table of [vkcb] or of the groups. */
struct conf_key {
	const char *name;
	enum conf_type type;
	size_t offset;		/* of its value in struct conf, conf_group */
	const char *default_text;	/* NULL: none */
	unsigned int part;	/* enum conf_part, of a group's key */
	int64_t min;		/* of numbers */
	int64_t max;
	bool hidden;		/* a secret: never shown */
	const char *const *words;	/* up to a NULL */
};

extern const struct conf_key conf_keys[];	/* ends with a NULL name */
extern const struct conf_key conf_group_keys[];

/* Values that neither the section nor the keys file has are [default]'s. */
struct conf_group {
	int64_t id;		/* 0: [default] */
	int line;		/* of its section */
	unsigned int has;	/* enum conf_part: named by the section */
	unsigned int inherited;	/* [default]'s */
	bool no_secret;		/* `secret = none`: anybody may send events */
	const char *secret;	/* NULL: none, or not set up yet */
	bool secret_from_keys_file;
	const char *old_secret;	/* NULL: none */
	const char *confirmation;	/* NULL: none */
	bool asks_vk;		/* VK knows a newer confirmation */
	const char *events;	/* to tick at VK; NULL: what handlers take */
	const char *title;	/* of the server at VK; NULL: any */
	const char *token;	/* NULL: none */
	struct file_stamp secret_file;
	struct file_stamp token_file;
};

struct conf {
	const char *path;
	struct file_stamp stamp;

	const char *inbox;	/* NULL: none */
	const char *log;
	int64_t log_level;	/* enum log_level */
	int64_t max_body;
	int64_t body_timeout;
	int64_t confirm_without_secret;	/* 0 or 1 */
	const char *keys;	/* NULL: none */
	struct file_stamp keys_stamp;
	const char *api_url;
	int64_t api_timeout;
	const char *ca_file;	/* NULL: as libcurl was built */
	int64_t repeats;	/* enum conf_repeats */
	const char *state;	/* folder that processes share */
	int64_t handler_timeout;
	int64_t workers;
	int64_t attempts;
	struct conf_times backoff;
	int64_t order;		/* enum conf_order */
	int64_t keep;

	struct conf_group *groups;	/* by id, ascending */
	size_t n_groups;
	struct conf_group fallback;	/* [default] */

	size_t size;		/* of the mapping that holds all of this */
	char *room;		/* for more texts */
	size_t left;
};

/*
 * A failed load: the error, and the files it depends on. Until one of them
 * changes, a load would fail the same way; but an unsettled stamp is worth
 * another try.
 */
struct conf_refused {
	char error[CONF_ERROR_MAX];	/* one line: file, line, fault, cure */
	struct file_stamp stamp;
	struct file_stamp named_stamp;	/* of the file at fault, if another */
	char named[PATH_MAX];		/* its path */
};

/* Reads a file. NULL: it is refused. The caller frees it with conf_free(). */
struct conf *conf_read(const char *path, struct conf_refused *)
    __attribute__((warn_unused_result));

/* Reads text as if this file held it. */
struct conf *conf_parse(const char *path, const char *text, size_t len,
    struct conf_refused *) __attribute__((warn_unused_result));

void conf_free(struct conf *);

/* The group's section, else [default] if it has a secret, else NULL. */
const struct conf_group *conf_group(const struct conf *, int64_t id);

/*
 * Reads the configuration anew if its file or the keys, or with a group a file
 * that this group names, has changed since *conf was read. A broken one is
 * logged once, and the old one stays. True: *conf is a new one.
 */
bool conf_refresh(struct conf **conf, const struct conf_group *group);

/*
 * Reads a number or word into the key's field; a text is only checked. False:
 * right says what would be, "expected a whole number, from 1 to 256".
 */
bool conf_value(const struct conf_key *, const char *text, void *field,
    char right[CONF_RIGHT_MAX]);

/*
 * Prints a key's value as vkcb.conf would have it: "(set)" for a secret, "(not
 * set)" for a group's key without a value.
 */
void conf_show(const struct conf_key *, const void *from, char *out,
    size_t size);

/* Is this one of the key's words? */
bool conf_is_word(const struct conf_key *, const char *text);

/* Is the host, up to its port or path, this machine? */
bool conf_is_loopback(const char *host);

#endif
