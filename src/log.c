/*
 * log.c - one line per entry, in one write.
 *
 * The log never keeps an event from being answered: a line that cannot be
 * written is lost. It takes no memory. Callers give no secrets to it. Text from
 * outside is escaped here, and a line has a ceiling.
 *
 * The log's target is the process's: it is the one variable here, since a
 * failure anywhere must be able to reach it.
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

#include "clock.h"
#include "private_file.h"
#include "utf8.h"

#include "banned.h"

static const struct {
	const char *name;
	int priority;		/* in syslog */
} levels[] = {
	[LOG_LEVEL_ERROR] = { "error", LOG_ERR },
	[LOG_LEVEL_WARNING] = { "warning", LOG_WARNING },
	[LOG_LEVEL_INFO] = { "info", LOG_INFO },
	[LOG_LEVEL_DEBUG] = { "debug", LOG_DEBUG },
};

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
	int fd = private_file_open_log(path);

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
	bool to_syslog = strcmp(where, "syslog") == 0;
	bool to_path = !to_syslog && strcmp(where, "stderr") != 0;

	target.upto = upto;
	if (to_path) {
		if (strcmp(where, target.path) == 0)
			return 0;
		if (strlen(where) >= sizeof(target.path)) {
			errno = ENAMETOOLONG;
			return -1;
		}
		if (log_open_file(where) == -1)
			return -1;
	} else {
		if (target.path[0] != '\0')
			close(target.fd);
		target.fd = STDERR_FILENO;
	}
	if (to_syslog)
		openlog("vkcb", LOG_PID, LOG_DAEMON);
	target.to_syslog = to_syslog;
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

static void
log_put_string(struct log_line *line, const char *text)
{
	log_put(line, text, strlen(text));
}

/*
 * C1 controls and characters that are invisible or move the rest of a line:
 * separators, joiners, direction marks, fillers, tags, a BOM.
 */
static bool
log_is_invisible(uint32_t c)
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

/*
 * The next character as it is written, and in *len its bytes; `escape` is for
 * one byte that is not written as it is.
 */
static const char *
log_character(const char *at, size_t left, char escape[5], size_t *taken)
{
	unsigned char c = (unsigned char)*at;

	*taken = utf8_length(at, left);
	if (*taken > 1 && !log_is_invisible(utf8_character(at, *taken)))
		return at;
	if (*taken == 1 && c >= 0x20 && c != 0x7f && c != '"' && c != '\\')
		return at;
	*taken = 1;
	if (c == '"' || c == '\\')
		snprintf(escape, 5, "\\%c", c);
	else if (c == '\n' || c == '\t')
		snprintf(escape, 5, "\\%c", c == '\n' ? 'n' : 't');
	else
		snprintf(escape, 5, "\\x%02x", c);
	return escape;
}

static void
log_put_quoted(struct log_line *line, const char *value, size_t len)
{
	char escape[5];
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
	char escape[5];
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
		log_put_string(line, time);
		log_put(line, " ", 1);
	}
	log_put_string(line, levels[level].name);
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
	log_put(line, " ", 1);
	log_put_string(line, key);
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

/* After logrotate the path leads to another file, or to none. */
static void
log_follow_path(void)
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
	ssize_t written;

	if (!log_wants(line->level))
		return;
	if (target.to_syslog) {
		syslog(levels[line->level].priority, "%.*s", (int)line->len,
		    line->text);
		return;
	}
	if (target.path[0] != '\0')
		log_follow_path();
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
