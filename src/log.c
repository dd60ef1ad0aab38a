/*
 * log.c - one line per entry, in one write.
 *
 * The log never keeps an event from being answered: a line that cannot be
 * written is lost. It takes no memory. Callers give no secrets to it; what
 * comes from outside is escaped here, and a line has a ceiling.
 */
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "banned.h"

static const char *const level_names[] = {
	[LOG_LEVEL_ERROR] = "error",
	[LOG_LEVEL_WARNING] = "warning",
	[LOG_LEVEL_INFO] = "info",
	[LOG_LEVEL_DEBUG] = "debug",
};

/* The only state of the process that is not its configuration. */
static struct {
	int fd;
	bool to_syslog;
	enum log_level upto;
	char path[4096];		/* "" for stderr and syslog */
	dev_t device;
	ino_t inode;
} target = { .fd = STDERR_FILENO, .upto = LOG_LEVEL_INFO };

static int
log_open_file(const char *path)
{
	struct stat st;
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC |
	    O_NOCTTY, 0640);

	if (fd == -1)
		return -1;
	if (fstat(fd, &st) == -1) {
		close(fd);
		return -1;
	}
	if (target.path[0] != '\0')
		close(target.fd);
	target.fd = fd;
	target.device = st.st_dev;
	target.inode = st.st_ino;
	return 0;
}

int
log_open(const char *where, enum log_level upto)
{
	size_t len = strlen(where);

	target.upto = upto;
	if (strcmp(where, target.path) == 0)
		return 0;
	if (strcmp(where, "stderr") == 0 || strcmp(where, "syslog") == 0) {
		if (target.path[0] != '\0')
			close(target.fd);
		target.path[0] = '\0';
		target.fd = STDERR_FILENO;
		target.to_syslog = where[1] == 'y';
		if (target.to_syslog)
			openlog("vkcb", LOG_PID, LOG_DAEMON);
		return 0;
	}
	if (len >= sizeof(target.path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if (log_open_file(where) == -1)
		return -1;
	memcpy(target.path, where, len + 1);
	target.to_syslog = false;
	return 0;
}

bool
log_wants(enum log_level level)
{
	return level <= target.upto;
}

/*
 * The last bytes are kept free for a closing quote, … and the newline; a
 * message leaves a quarter of the line to those who say whose it is.
 */
#define LINE_LIMIT (LOG_LINE_MAX - 8)
#define MSG_LIMIT (LOG_LINE_MAX / 4 * 3)

static bool
log_put(struct log_line *line, const char *bytes, size_t len)
{
	if (line->len + len > line->limit)
		return false;
	memcpy(line->text + line->len, bytes, len);
	line->len += len;
	return true;
}

static void
log_put_string(struct log_line *line, const char *text)
{
	log_put(line, text, strlen(text));
}

/* Is this character of several bytes UTF-8 in its shortest form? */
static bool
is_utf8(const unsigned char *at, size_t size)
{
	size_t i;

	for (i = 1; i < size; i++)
		if ((at[i] & 0xc0) != 0x80)
			return false;
	return (at[0] != 0xe0 || at[1] >= 0xa0) &&
	    (at[0] != 0xed || at[1] < 0xa0) &&
	    (at[0] != 0xf0 || at[1] >= 0x90) &&
	    (at[0] != 0xf4 || at[1] < 0x90);
}

/*
 * C1 controls, and what one does not see, or that moves the rest of a line:
 * separators, joiners, marks of direction, fillers, tags, a BOM.
 */
static bool
is_unseen(uint32_t c)
{
	static const struct {
		uint32_t from, to;
	} rows[] = {
		{ 0x80, 0x9f }, { 0xad, 0xad }, { 0x34f, 0x34f },
		{ 0x61c, 0x61c }, { 0x115f, 0x1160 }, { 0x17b4, 0x17b5 },
		{ 0x180b, 0x180f }, { 0x200b, 0x200f }, { 0x2028, 0x202e },
		{ 0x2060, 0x206f }, { 0x3164, 0x3164 }, { 0xfeff, 0xfeff },
		{ 0xffa0, 0xffa0 }, { 0xfff0, 0xfffb }, { 0x1bca0, 0x1bca3 },
		{ 0x1d173, 0x1d17a }, { 0xe0000, 0xe0fff },
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (c >= rows[i].from && c <= rows[i].to)
			return true;
	return false;
}

/* The number of a character of `size` bytes of UTF-8, at least two. */
static uint32_t
log_character(const unsigned char *at, size_t size)
{
	uint32_t c = at[0] & (0xffu >> (size + 1));
	size_t i;

	for (i = 1; i < size; i++)
		c = c << 6 | (at[i] & 0x3f);
	return c;
}

/* Bytes of the valid, printable character at `at`; 0: to be escaped. */
static size_t
printable(const unsigned char *at, size_t left)
{
	size_t size = at[0] >= 0xf0 ? 4 : at[0] >= 0xe0 ? 3 : 2;

	if (at[0] < 0x80)
		return at[0] >= 0x20 && at[0] != 0x7f && at[0] != '"' &&
		    at[0] != '\\';
	if (at[0] < 0xc2 || at[0] > 0xf4 || left < size ||
	    !is_utf8(at, size) || is_unseen(log_character(at, size)))
		return 0;
	return size;
}

static bool
put_escaped(struct log_line *line, unsigned char c)
{
	static const char hex[] = "0123456789abcdef";
	char out[4] = { '\\', (char)c, 0, 0 };
	size_t len = 2;

	if (c == '\n') {
		out[1] = 'n';
	} else if (c == '\t') {
		out[1] = 't';
	} else if (c != '"' && c != '\\') {
		out[1] = 'x';
		out[2] = hex[c >> 4];
		out[3] = hex[c & 15];
		len = 4;
	}
	return log_put(line, out, len);
}

static void
put_value(struct log_line *line, const char *value, size_t len)
{
	const unsigned char *at = (const unsigned char *)value;
	bool quote = len == 0 || len > line->limit - line->len;
	size_t i, size;

	for (i = 0; i < len; i++)
		if (at[i] <= ' ' || at[i] >= 0x7f || at[i] == '"' ||
		    at[i] == '\\' || at[i] == '=')
			quote = true;
	if (!quote) {
		log_put(line, value, len);
		return;
	}
	log_put(line, "\"", 1);
	for (i = 0; i < len; i += size) {
		size = printable(at + i, len - i);
		if (size == 0 ? put_escaped(line, at[i]) :
		    log_put(line, value + i, size)) {
			size += size == 0;
			continue;
		}
		memcpy(line->text + line->len, "…", 3);
		line->len += 3;
		break;
	}
	line->text[line->len++] = '"';
}

void
log_print(FILE *out, const char *text)
{
	const unsigned char *at = (const unsigned char *)text;
	struct log_line piece = { .limit = LINE_LIMIT };
	size_t size, left = strlen(text);

	for (; left > 0; at += size, left -= size) {
		size = *at == '"' || *at == '\\' ? 1 : printable(at, left);
		if (size > 0) {
			fwrite(at, 1, size, out);
			continue;
		}
		piece.len = 0;
		put_escaped(&piece, *at);
		fwrite(piece.text, 1, piece.len, out);
		size = 1;
	}
}

static bool
is_leap(int year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/* Not gmtime_r(): its first call in a process reads the time zone's file. */
void
log_time(const struct timespec *time, char out[LOG_TIME_MAX])
{
	static const int lengths[] = {
		31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31,
	};
	int days = (int)(time->tv_sec / 86400), rest = (int)(time->tv_sec %
	    86400);
	int year = 1970, month = 0, length;

	for (; days >= (length = 365 + is_leap(year)); year++)
		days -= length;
	for (; days >= (length = lengths[month] + (month == 1 &&
	    is_leap(year))); month++)
		days -= length;
	snprintf(out, LOG_TIME_MAX, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", year,
	    month + 1, days + 1, rest / 3600, rest / 60 % 60, rest % 60,
	    (int)(time->tv_nsec / 1000000));
}

static void
put_time(struct log_line *line)
{
	struct timespec now;
	char text[LOG_TIME_MAX];

	clock_gettime(CLOCK_REALTIME, &now);
	log_time(&now, text);
	log_put_string(line, text);
	log_put(line, " ", 1);
}

void
log_begin(struct log_line *line, enum log_level level, const char *msg)
{
	line->level = level;
	line->len = 0;
	line->limit = MSG_LIMIT;
	if (!target.to_syslog)
		put_time(line);
	log_put_string(line, level_names[level]);
	log_text(line, "msg", msg);
	line->limit = LINE_LIMIT;
}

void
log_bytes(struct log_line *line, const char *key, const char *at, size_t len)
{
	if (line->len + strlen(key) + 2 > sizeof(line->text) - 16)
		return;
	log_put(line, " ", 1);
	log_put_string(line, key);
	log_put(line, "=", 1);
	put_value(line, at, len);
}

void
log_text(struct log_line *line, const char *key, const char *value)
{
	log_bytes(line, key, value, strlen(value));
}

void
log_int(struct log_line *line, const char *key, int64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%lld", (long long)value);
	log_text(line, key, text);
}

void
log_ms(struct log_line *line, const char *key, int64_t microseconds)
{
	char text[32];

	snprintf(text, sizeof(text), "%lld.%03d", (long long)microseconds / 1000,
	    (int)(microseconds % 1000));
	log_text(line, key, text);
}

/* After logrotate the path leads to another file, or to none. */
static void
follow_path(void)
{
	struct stat st;

	if (stat(target.path, &st) == 0 && st.st_dev == target.device &&
	    st.st_ino == target.inode)
		return;
	(void)log_open_file(target.path);
}

void
log_end(struct log_line *line)
{
	static const int priorities[] = {
		LOG_ERR, LOG_WARNING, LOG_INFO, LOG_DEBUG
	};
	ssize_t written;

	if (!log_wants(line->level))
		return;
	if (target.to_syslog) {
		syslog(priorities[line->level], "%.*s", (int)line->len,
		    line->text);
		return;
	}
	if (target.path[0] != '\0')
		follow_path();
	line->text[line->len++] = '\n';
	do
		written = write(target.fd, line->text, line->len);
	while (written == -1 && errno == EINTR);
}

void
log_msg(enum log_level level, const char *fmt, ...)
{
	struct log_line line;
	char msg[LOG_LINE_MAX];
	va_list args;

	if (!log_wants(level))
		return;
	va_start(args, fmt);
	vsnprintf(msg, sizeof(msg), fmt, args);
	va_end(args);
	log_begin(&line, level, msg);
	log_end(&line);
}
