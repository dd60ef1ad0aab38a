/*
 * log.h - the program's log: one line an entry, key=value, escaped.
 *
 *	2026-01-31T12:00:00.123Z warning msg="no secret" group=1 event=like_add
 *
 * A value with a space, a quote or anything unprintable stands in quotes, with
 * \n, \", \\ and \xNN inside; letters of any language stay as they are.
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
	size_t limit;		/* for what is put now */
	char text[LOG_LINE_MAX];
};

/*
 * Where lines go from now on: "stderr", "syslog" or a path, which is opened
 * anew when the file was moved away. 0, or -1 with errno; then the log stays
 * where it was.
 */
int log_open(const char *where, enum log_level upto);

/* Is this level written? Saves making a line that is not. */
bool log_wants(enum log_level);

struct timespec;

/* A time since 1970, in UTC, as lines begin with it. */
void log_time(const struct timespec *, char out[LOG_TIME_MAX]);

void log_begin(struct log_line *, enum log_level, const char *msg);
void log_text(struct log_line *, const char *key, const char *value);
void log_bytes(struct log_line *, const char *key, const char *at, size_t len);
void log_int(struct log_line *, const char *key, int64_t value);
/* In milliseconds, with three digits behind the point. */
void log_ms(struct log_line *, const char *key, int64_t microseconds);
void log_end(struct log_line *);

/*
 * Prints text that may come from outside to a terminal: what would be escaped
 * in a line of the log is, but for the quotes and backslashes of people.
 */
void log_print(FILE *, const char *text);

/* A line of its own that says only msg, printf-like. */
void log_msg(enum log_level, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif
