/*
 * conf.h - the configuration: what vkcb.conf and the files it names say.
 *
 * A configuration, once read, does not change: a changed file makes a new one.
 * docs/vkcb.conf.5 is the manual; vkcb.conf lists every key.
 */
#ifndef CONF_H
#define CONF_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "log.h"

#define CONF_SIZE_MAX ((size_t)16 * 1024 * 1024)
#define CONF_LINE_MAX 4096
#define CONF_ERROR_MAX 512
#define CONF_API_TIMEOUT_MAX (60 * 1000)	/* milliseconds */
#define CONF_STATE "/run/vkcb"			/* where it is not set */
#define CONF_SECRET_MAX 512	/* of what stands in a file of its own */

enum conf_type {
	CONF_TEXT,
	CONF_CODE,	/* a text without blanks */
	CONF_PATH,	/* relative to the file it stands in */
	CONF_COUNT,
	CONF_BYTES,	/* 4096, 64K, 1M */
	CONF_TIME,	/* 500ms, 10s, 5m, 48h, 7d; kept in milliseconds */
	CONF_BOOL,	/* yes, no */
	CONF_LEVEL,	/* error, warning, info, debug */
	CONF_URL,	/* https, or http to this machine */
	CONF_ORDER,	/* conversation, none */
	CONF_TIMES,	/* several times: 10s 1m 5m */
};

enum conf_order {
	CONF_ORDER_CONVERSATION,
	CONF_ORDER_NONE,
};

#define CONF_TIMES_MAX 32

struct conf_times {
	int64_t ms[CONF_TIMES_MAX];
	size_t n;		/* at least 1 */
};

/* What is no file's name where a path is expected, however it is spelled. */
struct conf_word {
	const char *text;
	const char *meant;	/* as it has to be written */
};

/* A key: its row in the table of [vkcb] or of the groups. */
struct conf_key {
	const char *name;
	enum conf_type type;
	size_t offset;		/* of its value in struct conf, conf_group */
	const char *default_text;	/* NULL: none */
	int64_t min;		/* of numbers */
	int64_t max;
	bool hidden;		/* a secret: never shown */
	const struct conf_word *words;	/* of a path; NULL: none */
};

extern const struct conf_key conf_keys[];	/* ends with a NULL name */
extern const struct conf_key conf_group_keys[];

/* What a file was like when it was read. */
struct conf_stamp {
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec written;	/* what `touch -d` sets */
	struct timespec changed;	/* by the system's clock, always */
	bool settled;	/* old enough, when read, to show a later change */
};

/* A file named in a group. */
struct conf_file {
	const char *path;	/* NULL: none */
	struct conf_stamp stamp;
};

struct conf_group {
	int64_t id;		/* 0: [default] */
	int line;		/* of its section */
	bool no_secret;		/* `secret = none`: anybody may send events */
	const char *secret;	/* NULL: none, or not set up yet */
	bool secret_from_keys_file;
	const char *old_secret;	/* NULL: none */
	const char *confirmation;	/* NULL: none */
	bool confirmation_from_keys_file;
	const char *events;	/* to tick at VK; NULL: what handlers take */
	const char *token;	/* NULL: none */
	struct conf_file secret_file;
	struct conf_file token_file;
};

struct conf {
	const char *path;
	struct conf_stamp stamp;

	const char *inbox;
	const char *log;
	int64_t log_level;	/* enum log_level */
	int64_t max_body;
	int64_t body_timeout;
	bool confirm_without_secret;
	const char *keys;	/* NULL: none */
	struct conf_stamp keys_stamp;
	const char *api_url;
	int64_t api_timeout;
	const char *ca_file;	/* NULL: as libcurl was built */
	const char *state;	/* folder of what processes share */
	int64_t handler_timeout;
	int64_t workers;
	int64_t attempts;
	struct conf_times backoff;
	int64_t order;		/* enum conf_order */
	int64_t keep;

	struct conf_group *groups;	/* by id, ascending */
	size_t n_groups;
	struct conf_group fallback;	/* [default] */
	bool has_fallback;

	char *memory;			/* holds it all */
	size_t memory_size;
	size_t memory_used;
};

/*
 * Where the configuration is: $VKCB_CONF, else vkcb.conf beside the program,
 * else /etc/vkcb.conf. 0, or -1 and a message that names the places.
 */
int conf_find(char path[PATH_MAX], char error[CONF_ERROR_MAX]);

/*
 * Reads a file. NULL, and one line in error: file, line, what is wrong and
 * what to do. The caller gives it back with conf_free().
 */
struct conf *conf_read(const char *path, char error[CONF_ERROR_MAX])
    __attribute__((warn_unused_result));

/* Reads text as if this file held it. */
struct conf *conf_parse(const char *path, const char *text, size_t len,
    char error[CONF_ERROR_MAX]) __attribute__((warn_unused_result));

void conf_free(struct conf *);

/* What tells a change of this file from now on. */
struct conf_stamp conf_stamp(const char *path);

/*
 * A configuration that was refused: why, and what that hangs on. As long as
 * neither its file nor these change it would be refused again.
 */
struct conf_refused {
	char error[CONF_ERROR_MAX];
	struct conf_stamp stamp;
	char keys[PATH_MAX];		/* "": none */
	struct conf_stamp keys_stamp;
	char named[PATH_MAX];		/* by a group, and wrong; "": none */
	struct conf_stamp named_stamp;
	bool transient;			/* out of memory, or of descriptors */
};

/* As conf_read(); a refused one in full. */
struct conf *conf_try(const char *path, struct conf_refused *)
    __attribute__((warn_unused_result));

/* The group's section, else [default], else NULL. */
const struct conf_group *conf_group(const struct conf *, int64_t id);

/*
 * Was the file, or with a group one that this group names, changed since *conf
 * was read? Then reads it all anew; if it is broken that is logged, once, and
 * the old one stays. Returns true when *conf is another one now.
 */
bool conf_refresh(struct conf **conf, const struct conf_group *group);

/*
 * Prints a key's value as vkcb.conf would have it; "(set)" for a secret, "(not
 * set)" for what a group has not.
 */
void conf_show(const struct conf_key *, const void *from, char *out,
    size_t size);

/* Is this an address to send a token to? NULL, or what would be right. */
const char *conf_url(const char *text);

/* Is the host, up to its port or path, this machine? */
bool conf_is_loopback(const char *host);

/* A text for this key: NULL, or what would be right. */
const char *conf_text(const struct conf_key *, const char *text);

/*
 * The word that this text is for the key, as it has to be written: "StdErr" and
 * "stdout" are "stderr". NULL: it is a file's name.
 */
const char *conf_word(const struct conf_key *, const char *text);

/* A number of the key's type, as vkcb.conf would have it. */
void conf_show_number(const struct conf_key *, int64_t, char *out,
    size_t size);

/* A value of this type from text: NULL, or what would be right. */
const char *conf_value(const struct conf_key *, const char *text, int64_t *out);

/* Several of them, with spaces between: NULL, or what would be right. */
const char *conf_times(const struct conf_key *, const char *text,
    struct conf_times *);

#endif
