/*
 * log.h - the program's log: logfmt, one line per entry.
 *
 *	time=2026-01-31T12:00:00.123Z level=warning msg="no secret" group=1
 *
 * A value is quoted if it is empty or has a space, a quote, a backslash, = or
 * anything but printable ASCII. Letters of any language stay as they are; an
 * invisible character becomes \u202e, and a byte that is not UTF-8 \ufffd.
 */
#ifndef LOG_H
#define LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARNING,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG,
};

#define LOG_TIME_MAX 96
#define LOG_LINE_MAX 4096	/* one write(2), so that lines never mix */

struct log_line {
	enum log_level level;
	size_t len;
	size_t limit;		/* of len */
	char text[LOG_LINE_MAX];
};

/*
 * Sets where lines go: "stderr", "syslog" or a path, which is opened anew if
 * the file was moved away, or takes no more lines. A FIFO without a reader is
 * no error. 0, or -1 with errno, and the target stays the same.
 */
int log_open(const char *where, enum log_level upto);

/* Is this level written? If not, a line need not be made. */
bool log_wants(enum log_level);

struct timespec;

/* A time since 1970 in UTC, in the form that begins a line. */
void log_time(const struct timespec *, char out[LOG_TIME_MAX]);

void log_begin(struct log_line *, enum log_level, const char *msg);
void log_text(struct log_line *, const char *key, const char *value);
void log_bytes(struct log_line *, const char *key, const char *at, size_t len);
void log_int(struct log_line *, const char *key, int64_t value);
/* At most 64 bytes: for ids from outside. */
void log_short(struct log_line *, const char *key, const char *at, size_t len);
/* In milliseconds, with three digits behind the point. */
void log_ms(struct log_line *, const char *key, int64_t microseconds);
void log_end(struct log_line *);

/*
 * Prints text that may come from outside to a terminal, escaped as in the log,
 * but for quotes and backslashes.
 */
void log_print(FILE *, const char *text);

/* An error that comes again and again, such as a full disk. All are zero. */
struct log_repeat {
	int64_t since;		/* clock_ms(), as all of these */
	int64_t last;
	int64_t logged;
	const char *what;	/* logged then */
};

/*
 * Logs "what: why", the same what at most once a minute. Returns for how many
 * milliseconds errors have come, with less than ten seconds between them.
 */
int64_t log_again(struct log_repeat *, const char *what, const char *why);

/* A line of its own that says only msg, printf-like. */
void log_msg(enum log_level, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif
