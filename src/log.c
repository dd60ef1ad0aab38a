/*
 * log.c - one line per entry, in one write.
 *
 * The log never keeps an event from being answered: a file is opened and
 * written without blocking, and a line that it does not take goes to standard
 * error, or is lost. The log takes no memory. Callers give no secrets to it.
 * Text from outside is escaped here, and a line has a ceiling.
 * The log's target is the process's, since a failure anywhere must reach it.
 */
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "file.h"
#include "text.h"

#include "banned.h"

static const struct {
	const char *name;
	int priority;		/* in syslog and the journal */
} levels[] = {
	[LOG_LEVEL_ERROR] = { "error", LOG_ERR },
	[LOG_LEVEL_WARNING] = { "warning", LOG_WARNING },
	[LOG_LEVEL_INFO] = { "info", LOG_INFO },
	[LOG_LEVEL_DEBUG] = { "debug", LOG_DEBUG },
};

static struct {
	enum log_level upto;
	bool to_syslog;
	char path[4096];		/* "" for stderr and syslog */
	int fd;				/* of the path; -1: it is not open */
	dev_t device;
	ino_t inode;
	bool refuses;			/* said that the path takes no line */
} target = { .upto = LOG_LEVEL_INFO, .fd = -1 };

static void
log_set_file(int fd)
{
	struct stat st = { .st_ino = 0 };

	if (target.fd != -1)
		close(target.fd);
	target.fd = fd;
	(void)fstat(fd, &st);
	target.device = st.st_dev;
	target.inode = st.st_ino;
}

/* After logrotate the path leads to another file, or to none. */
static int
log_open_path(const char *path)
{
	struct stat st;
	int fd;

	if (target.fd != -1 && stat(path, &st) == 0 &&
	    st.st_dev == target.device && st.st_ino == target.inode)
		return 0;
	fd = file_open_log(path);
	if (fd == -1)
		return -1;
	log_set_file(fd);
	return 0;
}

int
log_open(const char *where, enum log_level upto)
{
	bool to_syslog = strcmp(where, "syslog") == 0;
	bool to_path = !to_syslog && strcmp(where, "stderr") != 0;

	target.upto = upto;
	errno = ENAMETOOLONG;
	if (strlen(where) >= sizeof(target.path))
		return -1;
	/* A FIFO may get its reader later. */
	if (to_path && log_open_path(where) == -1 && errno != ENXIO)
		return -1;
	if (!to_path)
		log_set_file(-1);
	if (to_syslog)
		openlog("vkcb", LOG_PID, LOG_DAEMON);
	target.to_syslog = to_syslog;
	target.refuses = false;
	snprintf(target.path, sizeof(target.path), "%s", to_path ? where : "");
	return 0;
}

bool
log_wants(enum log_level level)
{
	return level <= target.upto;
}

/*
 * The last bytes of a line are kept free for a closing quote, … and the
 * newline. A message leaves a quarter of the line to the keys that follow.
 */
#define SHORT_MAX 64
#define LOG_AGAIN 60000
#define LOG_PAUSE 10000
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

/*
 * Controls and characters that are invisible or move the rest of a line:
 * separators, joiners, direction marks, fillers, tags, a BOM.
 */
static bool
log_is_invisible(uint32_t c)
{
	static const struct {
		uint32_t from, to;
	} rows[] = {
		{ 0, 0x1f }, { 0x7f, 0x9f }, { 0xad, 0xad }, { 0x34f, 0x34f },
		{ 0x61c, 0x61c }, { 0x115f, 0x1160 }, { 0x17b4, 0x17b5 },
		{ 0x180b, 0x180f }, { 0x200b, 0x200f }, { 0x2028, 0x202e },
		{ 0x2060, 0x206f }, { 0x3164, 0x3164 }, { 0xfeff, 0xfeff },
		{ 0xffa0, 0xffa0 }, { 0xfff0, 0xfffb }, { 0x1bca0, 0x1bca3 },
		{ 0x1d173, 0x1d17a }, { 0xe0000, 0xe0fff },
		{ UINT32_MAX, UINT32_MAX },
	};
	size_t i = 0;

	while (c > rows[i].to)
		i++;
	return c >= rows[i].from;
}

#define ESCAPE_MAX 24	/* \udb40\udc41 */

/*
 * The next character as it is written, and in *taken its bytes; `escape` is for
 * a character that is not written as it is. A quoted value has the escapes of a
 * JSON string and no others: go-logfmt refuses a line with \x in it.
 */
static const char *
log_character(const char *at, size_t left, char escape[ESCAPE_MAX],
    size_t *taken)
{
	static const char plain[] = "\"\\\n\t", letter[] = "\"\\nt";
	size_t len = utf8_length(at, left);
	uint32_t c = len > 0 ? utf8_character(at, len) : 0xfffd;
	const char *found = *at != '\0' ? strchr(plain, *at) : NULL;

	*taken = len > 0 ? len : 1;
	if (found != NULL)
		snprintf(escape, ESCAPE_MAX, "\\%c", letter[found - plain]);
	else if (len > 0 && !log_is_invisible(c))
		return at;
	else if (c < 0x10000)
		snprintf(escape, ESCAPE_MAX, "\\u%04x", c);
	else
		snprintf(escape, ESCAPE_MAX, "\\u%04x\\u%04x",
		    0xd7c0 + (c >> 10), 0xdc00 | (c & 0x3ff));
	return escape;
}

static void
log_put_quoted(struct log_line *line, const char *value, size_t len)
{
	char escape[ESCAPE_MAX];
	const char *text;
	size_t i, taken;

	log_put(line, "\"", 1);
	for (i = 0; i < len; i += taken) {
		text = log_character(value + i, len - i, escape, &taken);
		if (log_put(line, text, text == escape ? strlen(escape) :
		    taken))
			continue;
		memcpy(line->text + line->len, "…", 3);
		line->len += 3;
		break;
	}
	line->text[line->len++] = '"';
}

void
log_print(FILE *out, const char *text)
{
	char escape[ESCAPE_MAX];
	const char *piece;
	size_t taken;

	for (; *text != '\0'; text += taken) {
		piece = log_character(text, 4, escape, &taken);
		if (*text == '"' || *text == '\\')
			piece = text;
		fwrite(piece, 1, piece == escape ? strlen(escape) : taken, out);
	}
}

/*
 * Not gmtime_r(): its first call in a process reads the time zone file. The
 * years here begin in March, so that a leap day is the last of its year; 146097
 * days are 400 years, and 153 days are five months from March or August on.
 */
void
log_time(const struct timespec *time, char out[LOG_TIME_MAX])
{
	int days = 719468 + (int)(time->tv_sec / 86400);
	int rest = (int)(time->tv_sec % 86400);
	int day = days % 146097;
	int year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
	int month;

	day -= 365 * year + year / 4 - year / 100;
	month = (5 * day + 2) / 153;
	day -= (153 * month + 2) / 5;
	year += days / 146097 * 400 + (month >= 10);
	month += month < 10 ? 3 : -9;
	snprintf(out, LOG_TIME_MAX, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ",
	    year, month, day + 1, rest / 3600, rest / 60 % 60, rest % 60,
	    (int)(time->tv_nsec / 1000000));
}

void
log_begin(struct log_line *line, enum log_level level, const char *msg)
{
	struct timespec now;
	char time[LOG_TIME_MAX];

	line->level = level;
	line->len = 0;
	line->limit = MSG_LIMIT;
	if (!target.to_syslog) {
		clock_gettime(CLOCK_REALTIME, &now);
		log_time(&now, time);
		log_text(line, "time", time);
	}
	log_text(line, "level", levels[level].name);
	log_text(line, "msg", msg);
	line->limit = LINE_LIMIT;
}

void
log_bytes(struct log_line *line, const char *key, const char *at, size_t len)
{
	bool quote = len == 0;
	size_t i;

	if (line->len + strlen(key) + 2 > sizeof(line->text) - 16)
		return;
	if (line->len > 0)
		log_put(line, " ", 1);
	log_put(line, key, strlen(key));
	log_put(line, "=", 1);
	for (i = 0; i < len; i++)
		if (at[i] <= ' ' || at[i] >= 0x7f || strchr("\"\\=", at[i]))
			quote = true;
	if (quote || !log_put(line, at, len))
		log_put_quoted(line, at, len);
}

void
log_short(struct log_line *line, const char *key, const char *at, size_t len)
{
	log_bytes(line, key, at, len < SHORT_MAX ? len : SHORT_MAX);
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

	snprintf(text, sizeof(text), "%lld.%03d",
	    (long long)microseconds / 1000, (int)(microseconds % 1000));
	log_text(line, key, text);
}

/* Is this file the journal? See $JOURNAL_STREAM in systemd.exec(5). */
static bool
log_is_journal(int fd)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char own[64];
	struct stat st;

	if (stream == NULL || fstat(fd, &st) == -1)
		return false;
	snprintf(own, sizeof(own), "%ju:%ju", (uintmax_t)st.st_dev,
	    (uintmax_t)st.st_ino);
	return strcmp(stream, own) == 0;
}

/* The journal takes a line's priority from <N> in front: see sd-daemon(3). */
static bool
log_write(int fd, struct log_line *line)
{
	int priority = levels[line->level].priority;
	char prefix[] = { '<', (char)('0' + priority), '>' };
	struct iovec parts[] = {
		{ prefix, log_is_journal(fd) ? sizeof(prefix) : 0 },
		{ line->text, line->len },
	};
	ssize_t written;

	do
		written = writev(fd, parts, 2);
	while (written == -1 && errno == EINTR);
	return written == (ssize_t)(parts[0].iov_len + line->len);
}

/* The reason is said once, until the file takes a line again. */
static void
log_say_refused(int error)
{
	struct log_line line;

	if (target.refuses)
		return;
	target.refuses = true;
	log_begin(&line, LOG_LEVEL_ERROR,
	    "cannot write the log: its lines go to standard error");
	log_text(&line, "path", target.path);
	log_text(&line, "error", error == ENXIO || error == EPIPE ?
	    "no process reads this FIFO" : strerror(error));
	line.text[line.len++] = '\n';
	(void)log_write(STDERR_FILENO, &line);
}

void
log_end(struct log_line *line)
{
	if (!log_wants(line->level))
		return;
	if (target.to_syslog) {
		syslog(levels[line->level].priority, "%.*s", (int)line->len,
		    line->text);
		return;
	}
	line->text[line->len++] = '\n';
	errno = ENOSPC;		/* if only a part of the line is written */
	if (target.path[0] == '\0') {
		(void)log_write(STDERR_FILENO, line);
	} else if (log_open_path(target.path) == 0 &&
	    log_write(target.fd, line)) {
		target.refuses = false;
	} else {
		log_say_refused(errno);
		(void)log_write(STDERR_FILENO, line);
	}
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

int64_t
log_again(struct log_repeat *repeat, const char *what, const char *why)
{
	int64_t now = clock_ms();

	if (repeat->what != what || now - repeat->logged >= LOG_AGAIN) {
		repeat->what = what;
		repeat->logged = now;
		log_msg(LOG_LEVEL_ERROR, "%s: %s", what, why);
	}
	if (repeat->since == 0 || now - repeat->last >= LOG_PAUSE)
		repeat->since = now;
	repeat->last = now;
	return now - repeat->since;
}
