/* log.c - a line is one line, escaped, and has a ceiling. */
#include <fcntl.h>
#include <setjmp.h>
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
		ROW("a\rb", "\"a\\x0db\""), ROW("a\0b", "\"a\\x00b\""),
		ROW("\x1b[31m", "\"\\x1b[31m\""), ROW("\x7f", "\"\\x7f\""),
		ROW("привет", "\"привет\""), ROW("🚚", "\"🚚\""),
		ROW("€", "\"€\""),
		/* not UTF-8 */
		ROW("\xff", "\"\\xff\""), ROW("\xd0", "\"\\xd0\""),
		ROW("\xd0\xff", "\"\\xd0\\xff\""), ROW("\x80", "\"\\x80\""),
		ROW("\xc0\xaf", "\"\\xc0\\xaf\""),
		ROW("\xe0\x80\xaf", "\"\\xe0\\x80\\xaf\""),
		ROW("\xed\xa0\x80", "\"\\xed\\xa0\\x80\""),
		ROW("\xf0\x80\x80\xaf", "\"\\xf0\\x80\\x80\\xaf\""),
		ROW("\xf4\x90\x80\x80", "\"\\xf4\\x90\\x80\\x80\""),
		ROW("\xf5\x80\x80\x80", "\"\\xf5\\x80\\x80\\x80\""),
		ROW("\xe2\x82", "\"\\xe2\\x82\""),
		/* C1 controls, line separators, turners of direction, BOM */
		ROW("\xc2\x85", "\"\\xc2\\x85\""),
		ROW("\xe2\x80\xa8", "\"\\xe2\\x80\\xa8\""),
		ROW("\xe2\x80\xae", "\"\\xe2\\x80\\xae\""),
		ROW("\xe2\x80\x8f", "\"\\xe2\\x80\\x8f\""),
		ROW("\xe2\x81\xa6", "\"\\xe2\\x81\\xa6\""),
		ROW("\xd8\x9c", "\"\\xd8\\x9c\""),
		ROW("\xef\xbb\xbf", "\"\\xef\\xbb\\xbf\""),
		/* invisible characters */
		ROW("\xc2\xad", "\"\\xc2\\xad\""),
		ROW("\xe2\x80\x8b", "\"\\xe2\\x80\\x8b\""),
		ROW("\xe2\x81\xa0", "\"\\xe2\\x81\\xa0\""),
		ROW("\xe3\x85\xa4", "\"\\xe3\\x85\\xa4\""),
		ROW("\xf3\xa0\x81\x81", "\"\\xf3\\xa0\\x81\\x81\""),
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

/*
 * No control character is written for any byte or any pair after a lead byte.
 */
static void
no_control_byte_gets_through(void **state)
{
	struct log_line line;
	char bytes[4];
	unsigned int a, b;
	const char *at;

	(void)state;
	for (a = 0; a < 256; a++) {
		for (b = 0; b < 256; b++) {
			bytes[0] = (char)a;
			bytes[1] = (char)b;
			bytes[2] = 'x';
			for (at = shown(&line, bytes, 3); *at != '\0'; at++)
				assert_true((unsigned char)*at >= ' ' &&
				    *at != 0x7f);
		}
	}
}

static void
a_line_has_a_ceiling(void **state)
{
	static const char *const fill[] = { "x", "\n", "ж", "🚚", "\"" };
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
	}
	/* All lengths around the limit. */
	for (i = 3900; i < 4200; i++) {
		memset(value, i & 1 ? '\n' : 'x', i / (i & 1 ? 2 : 1));
		log_begin(&line, LOG_LEVEL_INFO, "m");
		log_bytes(&line, "key", value, i / (i & 1 ? 2 : 1));
		log_int(&line, "n", 1);
		assert_true(line.len < LOG_LINE_MAX);
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
static char path[64], moved[64];

static int
make_folder(void **state)
{
	(void)state;
	if (mkdtemp(folder) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/log", folder);
	snprintf(moved, sizeof(moved), "%s/log.1", folder);
	return 0;
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
	print_all("\x1b[31m\n\t\x7f", "\\x1b[31m\\n\\t\\x7f");
	print_all("\xc2\x9b" "1\xe2\x80\xae\xd0", "\\xc2\\x9b" "1\\xe2\\x80"
	    "\\xae\\xd0");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_escaped),
		cmocka_unit_test(no_control_byte_gets_through),
		cmocka_unit_test(text_is_printed_without_what_moves_a_terminal),
		cmocka_unit_test(a_line_has_a_ceiling),
		cmocka_unit_test(a_long_message_leaves_room_for_the_rest),
		cmocka_unit_test(time_is_that_of_the_calendar),
		cmocka_unit_test(levels_are_kept_apart),
		cmocka_unit_test(
		    what_is_cut_ends_with_a_mark_and_whole_letters),
		cmocka_unit_test(a_moved_file_is_opened_anew),
		cmocka_unit_test(a_path_that_cannot_be_keeps_the_old),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
