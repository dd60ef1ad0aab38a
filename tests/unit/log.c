/* log.c - a line is one line, escaped, and has a ceiling. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "log.h"
#include "logfmt.h"

/* The value in the line, after key=. */
static const char *
shown(struct log_line *line, const char *bytes, size_t len)
{
	char *at;

	log_begin(line, LOG_LEVEL_INFO, "m");
	log_bytes(line, "key", bytes, len);
	line->text[line->len] = '\0';
	at = strstr(line->text, " key=");
	assert_non_null(at);
	return at + 5;
}

static void
values_are_escaped(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
		const char *wanted;
	} rows[] = {
#define ROW(bytes, wanted) { bytes, sizeof(bytes) - 1, wanted }
		ROW("plain", "plain"), ROW("", "\"\""), ROW("-1", "-1"),
		ROW("a b", "\"a b\""), ROW("a=b", "\"a=b\""),
		ROW("a\"b", "\"a\\\"b\""), ROW("a\\b", "\"a\\\\b\""),
		ROW("a\nb", "\"a\\nb\""), ROW("a\tb", "\"a\\tb\""),
		ROW("a\rb", "\"a\\u000db\""), ROW("a\0b", "\"a\\u0000b\""),
		ROW("\x1b[31m", "\"\\u001b[31m\""), ROW("\x7f", "\"\\u007f\""),
		ROW("привет", "\"привет\""), ROW("🚚", "\"🚚\""),
		ROW("€", "\"€\""),
		/* not UTF-8 */
		ROW("\xff", "\"\\ufffd\""), ROW("\xd0", "\"\\ufffd\""),
		ROW("\xd0\xff", "\"\\ufffd\\ufffd\""),
		ROW("\x80", "\"\\ufffd\""),
		ROW("\xc0\xaf", "\"\\ufffd\\ufffd\""),
		ROW("\xe0\x80\xaf", "\"\\ufffd\\ufffd\\ufffd\""),
		ROW("\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\""),
		ROW("\xf4\x90\x80\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\""),
		ROW("\xe2\x82x", "\"\\ufffd\\ufffdx\""),
		/* C1 controls, line separators, turners of direction, BOM */
		ROW("\xc2\x85", "\"\\u0085\""),
		ROW("\xe2\x80\xa8", "\"\\u2028\""),
		ROW("\xe2\x80\xae", "\"\\u202e\""),
		ROW("\xe2\x80\x8f", "\"\\u200f\""),
		ROW("\xe2\x81\xa6", "\"\\u2066\""),
		ROW("\xd8\x9c", "\"\\u061c\""),
		ROW("\xef\xbb\xbf", "\"\\ufeff\""),
		/* invisible characters */
		ROW("\xc2\xad", "\"\\u00ad\""),
		ROW("\xe2\x80\x8b", "\"\\u200b\""),
		ROW("\xe2\x81\xa0", "\"\\u2060\""),
		ROW("\xe3\x85\xa4", "\"\\u3164\""),
		ROW("\xf3\xa0\x81\x81", "\"\\udb40\\udc41\""),
		ROW("\xf4\x8f\xbf\xbf", "\"\xf4\x8f\xbf\xbf\""),
		ROW("\xe2\x80\x94", "\"—\""), ROW("\xc2\xa0", "\"\xc2\xa0\""),
#undef ROW
	};
	struct log_line line;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(shown(&line, rows[i].bytes, rows[i].len),
		    rows[i].wanted);
}

/* What a reader of logfmt must get: U+FFFD for each byte that is not UTF-8. */
static size_t
readable(const char *bytes, size_t len, char *out)
{
	char *end = out;
	size_t i, n;

	for (i = 0; i < len; i += n) {
		n = utf8_length(bytes + i, len - i);
		end = utf8_write(end, n > 0 ? utf8_character(bytes + i, n) :
		    0xfffd);
		n += n == 0;
	}
	return (size_t)(end - out);
}

static void
reads_back(const char *bytes, size_t len)
{
	char wanted[256], got[256];
	struct log_line line;
	struct logfmt in = { .out = got };

	in.at = shown(&line, bytes, len);
	in.end = line.text + line.len;
	assert_true(logfmt_begins(line.text, line.len));
	assert_true(logfmt_line(line.text, line.len));
	assert_true(logfmt_value(&in));
	assert_ptr_equal(in.at, in.end);
	assert_int_equal(in.out - got, readable(bytes, len, wanted));
	assert_memory_equal(got, wanted, (size_t)(in.out - got));
}

/* Any byte, any pair, any character, and bytes at random. */
static void
any_value_is_read_back_by_a_reader_of_logfmt(void **state)
{
	char bytes[32];
	uint32_t c;
	size_t i;
	int n;

	(void)state;
	for (c = 0; c < 0x10000; c++) {
		bytes[0] = (char)(c >> 8);
		bytes[1] = (char)c;
		bytes[2] = 'x';
		reads_back(bytes, 3);
	}
	for (c = 0; c < 0x110000; c++)
		reads_back(bytes, (size_t)(utf8_write(bytes, c) - bytes));
	for (n = 0; n < 20000; n++) {
		for (i = 0; i < sizeof(bytes); i++)
			bytes[i] = (char)rand();
		reads_back(bytes, sizeof(bytes));
	}
}

/* The reader of the tests knows bad lines. */
static void
what_is_no_logfmt_is_refused(void **state)
{
	static const char *const lines[] = { "", "bare", "a=1 bare", "a=\"x",
	    "a=\"\\x1b\"", "a=\"\\u12\"", "a=\"\\udb40\"", "a=b=c", "a=b\"c\"",
	    "=b", "a=", "a=1  b=2", "a=1 ", "a=\"x\"b=2", "a=\"\n\"", "a=\t",
	    "a=\xff", "a b=1", "\"a\"=1", "a=\"\\\"", "a=\"\\ud800x\"" };
	const char *good = "a=1 b_c=\"\\u12ab \\\" \\udb40\\udc41\" d=\"\"";
	size_t i;

	(void)state;
	assert_true(logfmt_line(good, strlen(good)));
	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		assert_false(logfmt_line(lines[i], strlen(lines[i])));
}

static void
a_line_has_a_ceiling(void **state)
{
	static const char *const fill[] = { "x", "\n", "ж", "🚚", "\"", "\xff",
	    "\xf3\xa0\x81\x81" };
	struct log_line line;
	char *value = malloc(100000);
	size_t i, k, step;

	(void)state;
	assert_non_null(value);
	for (i = 0; i < sizeof(fill) / sizeof(fill[0]); i++) {
		step = strlen(fill[i]);
		for (k = 0; k + step < 100000; k += step)
			memcpy(value + k, fill[i], step);
		value[k] = '\0';
		log_begin(&line, LOG_LEVEL_INFO, value);
		for (k = 0; k < 100; k++) {
			log_text(&line, "key", value);
			log_int(&line, "n", INT64_MIN);
		}
		assert_true(line.len < LOG_LINE_MAX);
		assert_true(logfmt_line(line.text, line.len));
	}
	/* All lengths around the limit. */
	for (i = 3900; i < 4200; i++) {
		memset(value, i & 1 ? '\n' : 'x', i / (i & 1 ? 2 : 1));
		log_begin(&line, LOG_LEVEL_INFO, "m");
		log_bytes(&line, "key", value, i / (i & 1 ? 2 : 1));
		log_int(&line, "n", 1);
		assert_true(line.len < LOG_LINE_MAX);
		assert_true(logfmt_line(line.text, line.len));
	}
	free(value);
}

/* A long message must not displace the group, event and handler. */
static void
a_long_message_leaves_room_for_the_rest(void **state)
{
	struct log_line line;
	char msg[2048];

	(void)state;
	memset(msg, '\n', sizeof(msg) - 1);
	msg[sizeof(msg) - 1] = '\0';
	log_begin(&line, LOG_LEVEL_INFO, msg);
	log_int(&line, "group", INT64_MAX);
	log_text(&line, "event", "message_new");
	line.text[line.len] = '\0';
	assert_non_null(strstr(line.text, "…\" group=9223372036854775807 "
	    "event=message_new"));
}

/* Times in steps of a day and a bit, past the leap days of 2000 and 2100. */
static void
time_is_that_of_the_calendar(void **state)
{
	struct timespec time = { .tv_nsec = 7999999 };
	char wanted[64], got[LOG_TIME_MAX];
	struct tm tm;

	(void)state;
	for (; time.tv_sec < INT64_C(4200000000); time.tv_sec += 86399) {
		gmtime_r(&time.tv_sec, &tm);
		strftime(wanted, sizeof(wanted), "%Y-%m-%dT%H:%M:%S.007Z", &tm);
		log_time(&time, got);
		assert_string_equal(got, wanted);
	}
}

static char folder[] = "/tmp/vkcb-log.XXXXXX";
static char path[64], moved[64], fifo[64];

static int
make_folder(void **state)
{
	(void)state;
	if (mkdtemp(folder) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/log", folder);
	snprintf(moved, sizeof(moved), "%s/log.1", folder);
	snprintf(fifo, sizeof(fifo), "%s/fifo", folder);
	return signal(SIGPIPE, SIG_IGN) == SIG_ERR ? -1 : 0;
}

static int
remove_folder(void **state)
{
	(void)state;
	(void)log_open("stderr", LOG_LEVEL_ERROR);
	unlink(path);
	unlink(moved);
	return rmdir(folder);
}

static size_t
lines_of(const char *file)
{
	char text[4096];
	int fd = open(file, O_RDONLY);
	ssize_t got, i;
	size_t lines = 0;

	if (fd == -1)
		return 0;
	got = read(fd, text, sizeof(text));
	close(fd);
	for (i = 0; i < got; i++)
		lines += text[i] == '\n';
	return lines;
}

static void
levels_are_kept_apart(void **state)
{
	(void)state;
	assert_int_equal(log_open(path, LOG_LEVEL_WARNING), 0);
	log_msg(LOG_LEVEL_ERROR, "one %d\nstill one", 1);
	log_msg(LOG_LEVEL_WARNING, "two");
	log_msg(LOG_LEVEL_INFO, "not this");
	log_msg(LOG_LEVEL_DEBUG, "nor this");
	assert_int_equal(lines_of(path), 2);
	assert_false(log_wants(LOG_LEVEL_INFO));
	assert_int_equal(log_open(path, LOG_LEVEL_DEBUG), 0);
	log_msg(LOG_LEVEL_DEBUG, "this");
	assert_int_equal(lines_of(path), 3);
}

static void
what_is_cut_ends_with_a_mark_and_whole_letters(void **state)
{
	char text[3001], got[LOG_LINE_MAX];
	ssize_t len;
	size_t i;
	int fd;

	(void)state;
	for (i = 0; i + 1 < sizeof(text); i += 2)
		memcpy(text + i, "ж", 2);
	text[i] = '\0';
	assert_int_equal(log_open(path, LOG_LEVEL_INFO), 0);
	fd = open(path, O_RDONLY);
	(void)lseek(fd, 0, SEEK_END);
	log_msg(LOG_LEVEL_INFO, "%s%s", text, text);
	len = read(fd, got, sizeof(got));
	close(fd);
	assert_true(len > 3000);
	assert_memory_equal(got + len - 7, "ж…\"\n", 7);
}

static void
a_moved_file_is_opened_anew(void **state)
{
	(void)state;
	assert_int_equal(log_open(path, LOG_LEVEL_INFO), 0);
	log_msg(LOG_LEVEL_INFO, "before");
	assert_int_equal(rename(path, moved), 0);
	log_msg(LOG_LEVEL_INFO, "after");
	assert_int_equal(lines_of(path), 1);
}

static void
a_path_that_cannot_be_keeps_the_old(void **state)
{
	size_t before;

	(void)state;
	assert_int_equal(log_open(path, LOG_LEVEL_INFO), 0);
	log_msg(LOG_LEVEL_INFO, "before");
	before = lines_of(path);
	assert_int_equal(log_open("/nowhere/at/all", LOG_LEVEL_INFO), -1);
	log_msg(LOG_LEVEL_INFO, "after");
	assert_int_equal(lines_of(path), before + 1);
}

/* Runs fn with standard error in a file, and reads what it wrote there. */
static void
on_stderr(void (*fn)(void), char *out, size_t size)
{
	FILE *file = tmpfile();
	int saved = dup(STDERR_FILENO);
	char stream[64];
	struct stat st;

	assert_non_null(file);
	assert_int_equal(fstat(fileno(file), &st), 0);
	snprintf(stream, sizeof(stream), "%ju:%ju", (uintmax_t)st.st_dev,
	    (uintmax_t)st.st_ino);
	assert_int_equal(setenv("JOURNAL_STREAM", stream, 1), 0);
	assert_int_not_equal(dup2(fileno(file), STDERR_FILENO), -1);
	fn();
	assert_int_not_equal(dup2(saved, STDERR_FILENO), -1);
	close(saved);
	rewind(file);
	out[fread(out, 1, size - 1, file)] = '\0';
	fclose(file);
}

static void
four_levels(void)
{
	assert_int_equal(log_open("stderr", LOG_LEVEL_DEBUG), 0);
	log_msg(LOG_LEVEL_ERROR, "a");
	log_msg(LOG_LEVEL_WARNING, "b");
	log_msg(LOG_LEVEL_INFO, "c");
	assert_int_equal(setenv("JOURNAL_STREAM", "1:1", 1), 0);
	log_msg(LOG_LEVEL_DEBUG, "d");
}

/* A web server's pipe is not the file that $JOURNAL_STREAM names. */
static void
the_journal_gets_priorities(void **state)
{
	static const char *const begins[] = { "<3>time=", "<4>time=",
	    "<6>time=", "time=" };
	char text[1024], *line, *rest = text;
	size_t i;

	(void)state;
	on_stderr(four_levels, text, sizeof(text));
	for (i = 0; i < 4; i++) {
		line = strsep(&rest, "\n");
		assert_non_null(rest);
		assert_memory_equal(line, begins[i], strlen(begins[i]));
	}
	assert_string_equal(rest, "");
}

static size_t
count(const char *text, const char *what)
{
	size_t n = 0;

	while ((text = strstr(text, what)) != NULL) {
		text++;
		n++;
	}
	return n;
}

static int reader;

/* Blocked for ever before a FIFO was opened with O_NONBLOCK. */
static void
log_to_a_fifo(void)
{
	char got[LOG_LINE_MAX];
	int i;

	assert_int_equal(log_open(fifo, LOG_LEVEL_INFO), 0);
	log_msg(LOG_LEVEL_INFO, "nobody one");
	log_msg(LOG_LEVEL_INFO, "nobody two");
	reader = open(fifo, O_RDONLY | O_NONBLOCK);
	assert_int_not_equal(reader, -1);
	log_msg(LOG_LEVEL_INFO, "somebody");
	assert_true(read(reader, got, sizeof(got)) > 0);
	assert_non_null(memmem(got, sizeof(got), "msg=somebody", 12));
	for (i = 0; i < 2000; i++)	/* more than it takes */
		log_msg(LOG_LEVEL_INFO, "flood");
	while (read(reader, got, sizeof(got)) > 0)
		continue;
	log_msg(LOG_LEVEL_INFO, "somebody");
	close(reader);
	log_msg(LOG_LEVEL_INFO, "nobody again");
}

static void
a_fifo_does_not_block_the_log(void **state)
{
	static char text[1 << 20];
	size_t floods;

	(void)state;
	assert_int_equal(mkfifo(fifo, 0600), 0);
	on_stderr(log_to_a_fifo, text, sizeof(text));
	floods = count(text, "msg=flood");
	assert_true(floods > 0 && floods < 2000);
	assert_int_equal(count(text, "msg=\"nobody "), 3);
	assert_int_equal(count(text, "msg=somebody"), 0);
	assert_int_equal(count(text, "<3>"), 3);
	assert_int_equal(count(text, "\"cannot write the log: its lines go to "
	    "standard error\" path="), 3);
	assert_int_equal(count(text, "\"no process reads this FIFO\""), 2);
	assert_int_equal(count(text, "\"Resource temporarily unavailable\""),
	    1);
}

static void
log_to_a_path_that_changes(void)
{
	assert_int_equal(log_open(path, LOG_LEVEL_INFO), 0);
	log_msg(LOG_LEVEL_INFO, "file");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rename(fifo, path), 0);
	log_msg(LOG_LEVEL_INFO, "fifo");
	assert_int_equal(unlink(path), 0);
	log_msg(LOG_LEVEL_INFO, "file");
	assert_int_equal(log_open("/dev/full", LOG_LEVEL_INFO), 0);
	log_msg(LOG_LEVEL_INFO, "full");
}

static void
a_log_that_takes_no_lines_goes_to_standard_error(void **state)
{
	char text[4096];

	(void)state;
	on_stderr(log_to_a_path_that_changes, text, sizeof(text));
	assert_int_equal(count(text, "msg=file"), 0);
	assert_int_equal(count(text, "msg=fifo"), 1);
	assert_int_equal(count(text, "msg=full"), 1);
	assert_int_equal(count(text, "cannot write the log"), 2);
	assert_int_equal(count(text, "\"No space left on device\""), 1);
	assert_int_equal(lines_of(path), 1);
}

static void
print_all(const char *text, const char *wanted)
{
	char *printed;
	size_t size;
	FILE *out = open_memstream(&printed, &size);

	assert_non_null(out);
	log_print(out, text);
	fclose(out);
	assert_string_equal(printed, wanted);
	free(printed);
}

static void
text_is_printed_without_what_moves_a_terminal(void **state)
{
	(void)state;
	print_all("", "");
	print_all("привет, \"a\\b\" = 1", "привет, \"a\\b\" = 1");
	print_all("\x1b[31m\n\t\x7f", "\\u001b[31m\\n\\t\\u007f");
	print_all("\xc2\x9b" "1\xe2\x80\xae\xd0", "\\u009b" "1\\u202e\\ufffd");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_escaped),
		cmocka_unit_test(any_value_is_read_back_by_a_reader_of_logfmt),
		cmocka_unit_test(what_is_no_logfmt_is_refused),
		cmocka_unit_test(text_is_printed_without_what_moves_a_terminal),
		cmocka_unit_test(a_line_has_a_ceiling),
		cmocka_unit_test(a_long_message_leaves_room_for_the_rest),
		cmocka_unit_test(time_is_that_of_the_calendar),
		cmocka_unit_test(levels_are_kept_apart),
		cmocka_unit_test(
		    what_is_cut_ends_with_a_mark_and_whole_letters),
		cmocka_unit_test(a_moved_file_is_opened_anew),
		cmocka_unit_test(a_path_that_cannot_be_keeps_the_old),
		cmocka_unit_test(the_journal_gets_priorities),
		cmocka_unit_test(a_fifo_does_not_block_the_log),
		cmocka_unit_test(
		    a_log_that_takes_no_lines_goes_to_standard_error),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
