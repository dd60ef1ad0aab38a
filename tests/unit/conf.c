/* conf.c - vkcb.conf: all keys, all kinds of errors, changes. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "conf/conf.h"
#include "conf/ini.h"

static struct conf_refused refused;
static char folder[] = "/tmp/vkcb-conf.XXXXXX";

static struct conf *
parse(const char *text)
{
	return conf_parse("/etc/x.conf", text, strlen(text), &refused);
}

static const char *
path_of(const char *name)
{
	static char paths[4][256];
	static unsigned int next;
	char *path = paths[next++ % 4];

	snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
	return path;
}

/* A change in place, without a new inode, is the hardest to notice. */
static void
write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd != -1);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static int
make_folder(void **state)
{
	(void)state;
	(void)log_open("stderr", LOG_LEVEL_ERROR);
	return mkdtemp(folder) == NULL ? -1 : 0;
}

static int
remove_folder(void **state)
{
	static const char *const names[] = { "c", "s", "t", "log" };
	size_t i;

	(void)state;
	(void)log_open("stderr", LOG_LEVEL_ERROR);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		unlink(path_of(names[i]));
	return rmdir(folder);
}

static struct conf *
parse_good(const char *text)
{
	struct conf *conf = parse(text);

	if (conf == NULL)
		fail_msg("%s", refused.error);
	return conf;
}

static void
an_empty_file_has_every_default(void **state)
{
	static const char *const texts[] = {
		"", "\n", "[vkcb]", "[vkcb]\n", "; words\n# more\n",
		"\xef\xbb\xbf",
	};
	struct conf *conf;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		conf = parse_good(texts[i]);
		assert_string_equal(conf->log, "stderr");
		assert_int_equal(conf->log_level, LOG_LEVEL_INFO);
		assert_int_equal(conf->max_body, 1 << 20);
		assert_int_equal(conf->body_timeout, 10000);
		assert_false(conf->confirm_without_secret);
		assert_int_equal(conf->n_groups, 0);
		assert_int_equal(conf->fallback.has, 0);
		assert_null(conf_group(conf, 1));
		assert_null(conf_group(conf, 0));
		conf_free(conf);
	}
}

static void
every_key_is_read(void **state)
{
	struct conf *conf = parse(
	    "[vkcb]\n"
	    "log = log/vkcb.log\n"
	    "inbox = notes\n"
	    "keys = ./none\n"
	    "log_level=debug   ; words\n"
	    "  max_body  =  64K\n"
	    "body_timeout = 2m\n"
	    "confirm_without_secret = yes\n"
	    "[default]\n"
	    "secret = none\n"
	    "[group 7] ; words\n"
	    "secret = a=b;c #d \n"
	    "old_secret = old\n"
	    "confirmation = 693d0ba9\n");
	const struct conf_group *group;

	(void)state;
	if (conf == NULL)
		fail_msg("%s", refused.error);
	assert_string_equal(conf->log, "/etc/log/vkcb.log");
	assert_string_equal(conf->inbox, "/etc/notes");
	assert_string_equal(conf->keys, "/etc/./none");
	assert_int_equal(conf->log_level, LOG_LEVEL_DEBUG);
	assert_int_equal(conf->max_body, 64 * 1024);
	assert_int_equal(conf->body_timeout, 120000);
	assert_true(conf->confirm_without_secret);
	group = conf_group(conf, 7);
	assert_non_null(group);
	assert_string_equal(group->secret, "a=b;c #d");
	assert_string_equal(group->old_secret, "old");
	assert_string_equal(group->confirmation, "693d0ba9");
	assert_null(group->token);
	group = conf_group(conf, 8);
	assert_non_null(group);
	assert_int_equal(group->id, 0);
	assert_null(group->secret);
	conf_free(conf);
}

static void
line_ends_and_a_bom_do_not_matter(void **state)
{
	static const char *const texts[] = {
		"\xef\xbb\xbf[group 7]\r\nsecret = s\r\nconfirmation = c\r\n",
		"\xef\xbb\xbf[group 7]\nsecret = s\nconfirmation = c",
		"[group 7]\r\nsecret=s\r\n\r\nconfirmation=c",
		"\t[group \t7]\n\tsecret\t=\ts\t\nconfirmation = c\n\n\n",
	};
	struct conf *conf;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		conf = parse(texts[i]);
		if (conf == NULL)
			fail_msg("row %zu: %s", i, refused.error);
		assert_string_equal(conf->groups[0].secret, "s");
		assert_string_equal(conf->groups[0].confirmation, "c");
		conf_free(conf);
	}
}

#define GROUP "[group 1]\nsecret = s\n"

static const struct {
	const char *text;
	const char *wanted;	/* how the message begins */
	const char *also;	/* and what it says */
} mistakes[] = {
	/* typos */
	{ "[vkcb]\nlog = stderr\nlog_levl = info\n",
	    "/etc/x.conf:3: unknown key \"log_levl\"",
	    "did you mean \"log_level\"?" },
	{ "[vkcb]\nmaxbody = 1M\n", "/etc/x.conf:2: ", "\"max_body\"" },
	{ "[vkcb]\nLOG = stderr\n", "/etc/x.conf:2: ", "\"log\"" },
	{ "[vkcb]\nport = 80\n", "/etc/x.conf:2: ",
	    "vkcb.conf(5) lists the keys" },
	{ "[vkcb]\nsecret = s\n", "/etc/x.conf:2: unknown key \"secret\"",
	    "it belongs into [group ID] or [default]" },
	{ GROUP "max_body = 1M\n", "/etc/x.conf:3: unknown key",
	    "it belongs into [vkcb]" },
	{ GROUP "secert = x\n", "/etc/x.conf:3: unknown key \"secert\"",
	    "did you mean \"secret\"?" },
	{ GROUP "confirmtion = x\n", "/etc/x.conf:3: ",
	    "\"confirmation\"" },
	{ GROUP "log = stderr\n", "/etc/x.conf:3: ", "unknown key" },
	{ "[default]\nsecrets = x\n", "/etc/x.conf:2: ", "\"secret\"" },
	{ "[vkbc]\n", "/etc/x.conf:1: unknown section [vkbc]", "[vkcb]" },
	{ "\n\n[defalt]\n", "/etc/x.conf:3: ", "[default]" },
	{ "[grup 1]\nsecret = s\n", "/etc/x.conf:1: ", "[group ID]" },
	{ "[groups]\n", "/etc/x.conf:1: ", "[group ID]" },
	{ "[group1]\n", "/etc/x.conf:1: ", "[group ID]" },
	{ "[nonsense]\n", "/etc/x.conf:1: ",
	    "there are [vkcb], [default] and [group ID]" },
	{ "[]\n", "/etc/x.conf:1: ", "unknown section []" },
	{ "[VKCB]\n", "/etc/x.conf:1: ", "there are [vkcb]" },
	{ "[Default]\n", "/etc/x.conf:1: ", "[default]" },
	{ "[a section whose name is longer than the 63 bytes that one might "
	    "think of]\n", "/etc/x.conf:1: unknown section", "think of]" },
	/* no INI */
	{ "log = stderr\n", "/etc/x.conf:1: log stands before any",
	    "[default] or [group ID]" },
	{ "[vkcb]\nlog\n", "/etc/x.conf:2: ", "neither" },
	{ "[vkcb]\n\n\nlog stderr\n", "/etc/x.conf:4: ", "neither" },
	{ "[vkcb\nlog = stderr\n", "/etc/x.conf:1: ",
	    "does not end with ]" },
	{ "[vkcb] log = stderr\n", "/etc/x.conf:1: ", "behind" },
	{ "[vkcb]]\n", "/etc/x.conf:1: ", "behind" },
	{ "[vkcb]\nlog =\n", "/etc/x.conf:2: ", "log has no value" },
	{ "[vkcb]\nlog = ; words\n", "/etc/x.conf:2: ", "no value" },
	{ GROUP "old_secret =\n", "/etc/x.conf:3: ", "no value" },
	{ "[vkcb]\n= x\n", "/etc/x.conf:2: ", "unknown key \"\"" },
	/* twice */
	{ "[vkcb]\nlog = stderr\nlog = syslog\n", "/etc/x.conf:3: ",
	    "log a second time" },
	{ "[vkcb]\nlog = stderr\n" GROUP "[vkcb]\nlog = syslog\n",
	    "/etc/x.conf:6: ", "log a second time" },
	{ GROUP "secret = s\n", "/etc/x.conf:3: ", "a second time" },
	{ GROUP "[group 2]\nsecret = s\n[group 1]\nsecret = s\n",
	    "/etc/x.conf:5: ", "a second [group 1]" },
	{ "[default]\nsecret = s\n[default]\nsecret = s\n",
	    "/etc/x.conf:3: ", "a second [default]" },
	{ "[default]\n[default]\n", "/etc/x.conf:2: ", "a second" },
	/* ids */
	{ "[group]\n", "/etc/x.conf:1: ", "[group ID]" },
	{ "[group ]\n", "/etc/x.conf:1: ", "a positive number" },
	{ "[group 0]\n", "/etc/x.conf:1: ", "a positive number" },
	{ "[group -1]\n", "/etc/x.conf:1: ", "a positive number" },
	{ "[group +1]\n", "/etc/x.conf:1: ", "a positive number" },
	{ "[group 01]\n", "/etc/x.conf:1: ", "a positive number" },
	{ "[group 1x]\n", "/etc/x.conf:1: ", "a positive number" },
	{ "[group 1 2]\n", "/etc/x.conf:1: ", "a positive number" },
	{ "[group 9223372036854775808]\n", "/etc/x.conf:1: ",
	    "a positive number" },
	/* values */
	{ "[vkcb]\nlog_level = loud\n", "/etc/x.conf:2: log_level = "
	    "loud: ", "error, warning, info or debug" },
	{ "[vkcb]\nconfirm_without_secret = true\n", "/etc/x.conf:2: ",
	    "expected no or yes" },
	{ "[vkcb]\nmax_body = 1G\n", "/etc/x.conf:2: ",
	    "4096, 64K or 1M, from 1K to 64M" },
	{ "[vkcb]\nmax_body = 1023\n", "/etc/x.conf:2: ", "from 1K" },
	{ "[vkcb]\nmax_body = 65M\n", "/etc/x.conf:2: ", "to 64M" },
	{ "[vkcb]\nmax_body = -1\n", "/etc/x.conf:2: ", "a size" },
	{ "[vkcb]\nmax_body = 1.5M\n", "/etc/x.conf:2: ", "a size" },
	{ "[vkcb]\nmax_body = 1 M\n", "/etc/x.conf:2: ", "a size" },
	{ "[vkcb]\nmax_body = M\n", "/etc/x.conf:2: ", "a size" },
	{ "[vkcb]\nmax_body = none\n", "/etc/x.conf:2: ", "a size" },
	{ "[vkcb]\nmax_body = 99999999999999999999\n",
	    "/etc/x.conf:2: ", "a size" },
	{ "[vkcb]\nmax_body = 9223372036854775807M\n",
	    "/etc/x.conf:2: ", "a size" },
	{ "[vkcb]\nbody_timeout = 10\n", "/etc/x.conf:2: ",
	    "10s, 5m, 48h or 7d, from 100ms to 1h" },
	{ "[vkcb]\nbody_timeout = 10sec\n", "/etc/x.conf:2: ",
	    "a time" },
	{ "[vkcb]\nbody_timeout = 99ms\n", "/etc/x.conf:2: ",
	    "from 100ms" },
	{ "[vkcb]\nbody_timeout = 2h\n", "/etc/x.conf:2: ", "to 1h" },
	{ "[vkcb]\nlog = none\n", "/etc/x.conf:2: ",
	    "log cannot be none" },
	{ "[vkcb]\ninbox = nats://host:4222\n", "/etc/x.conf:2: "
	    "inbox = nats://host:4222: ", "give a path" },
	{ "[vkcb]\nworkers = 0\n", "/etc/x.conf:2: workers = 0: ",
	    "a whole number, from 1 to 256" },
	{ "[vkcb]\nworkers = 4K\n", "/etc/x.conf:2: workers = 4K: ",
	    "a whole number" },
	{ "[vkcb]\napi_url = none\n", "/etc/x.conf:2: api_url",
	    "" },
	{ "[vkcb]\napi_url = http://example.com/\n",
	    "/etc/x.conf:2: api_url", "" },
	/* groups */
	{ "[group 1]\n", "/etc/x.conf:1: ", "no secret" },
	{ "\n[group 1]\nconfirmation = c\n[group 2]\nsecret = s\n",
	    "/etc/x.conf:2: ", "secret = none" },
	{ GROUP "[group 2]\n", "/etc/x.conf:3: ", "no secret" },
	{ "[default]\nconfirmation = c\n", "/etc/x.conf:1: ",
	    "no secret" },
	{ "[vkcb]\nkeys = k\n[default]\ntoken = t\n", "/etc/x.conf:3: ",
	    "no secret" },
	{ "[default]\nsecret = none\n[group 1]\nconfirmation = c\n",
	    "/etc/x.conf:3: ", "[default]'s `none` is not taken" },
	{ "[default]\nsecret = s\n[group 1]\nold_secret = o\n",
	    "/etc/x.conf:3: ", "no secret" },
	{ "[default]\nsecret = s\n[group 1]\nsecret_file = none\n",
	    "/etc/x.conf:3: ", "no secret" },
	{ "[group 1]\nsecret = none\nold_secret = o\n",
	    "/etc/x.conf:3: ", "old_secret without a secret" },
	{ GROUP "secret_file = f\n", "/etc/x.conf:3: ",
	    "both secret and secret_file" },
	{ "[group 1]\nsecret = none\nsecret_file = f\n[vkcb]\n",
	    "/etc/x.conf:3: ", "both secret and secret_file" },
	{ GROUP "token = t\ntoken_file = f\n", "/etc/x.conf:4: ",
	    "both token and token_file" },
	{ "[group 1]\nsecret_file = nowhere\n", "/etc/x.conf:2: "
	    "cannot read /etc/nowhere: ", "No such file" },
	{ GROUP "confirmation = 693d0ba9 # from VK\n", "/etc/x.conf:3: "
	    "confirmation = 693d0ba9 # from VK: ", "one word" },
	{ GROUP "confirmation = a\tb\n", "/etc/x.conf:3: ", "one word" },
	/* not a word there, but a file's name */
	{ GROUP "token_file = None\n", "/etc/x.conf:3: ",
	    "cannot read /etc/None: " },
	/* bytes */
	{ "[vkcb]\nlog = a\x01" "b\n", "/etc/x.conf:2: ",
	    "control character" },
};

static void
every_mistake_is_told_with_its_line(void **state)
{
	struct conf *conf;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
		conf = parse(mistakes[i].text);
		if (conf != NULL)
			fail_msg("taken: %s", mistakes[i].text);
		if (strncmp(refused.error, mistakes[i].wanted,
		    strlen(mistakes[i].wanted)) != 0 ||
		    strstr(refused.error, mistakes[i].also) == NULL)
			fail_msg("for %s: %s", mistakes[i].text, refused.error);
		assert_null(strchr(refused.error, '\n'));
	}
}

/* Words near to an allowed word are accepted as file names. */
static void
any_other_name_is_a_files(void **state)
{
	static const char *const logs[] = {
		"my.log", "sys.log", "syslogs", "stdlog", "std", "./stdout",
		"none.log",
	};
	static const char *const inboxes[] = { "node", "zone", "on", "n" };
	char text[64], wanted[64];
	struct conf *conf;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(logs) / sizeof(logs[0]); i++) {
		snprintf(text, sizeof(text), "[vkcb]\nlog = %s\n", logs[i]);
		snprintf(wanted, sizeof(wanted), "/etc/%s", logs[i]);
		conf = parse_good(text);
		assert_string_equal(conf->log, wanted);
		conf_free(conf);
	}
	for (i = 0; i < sizeof(inboxes) / sizeof(inboxes[0]); i++) {
		snprintf(text, sizeof(text), "[vkcb]\ninbox = %s\n",
		    inboxes[i]);
		snprintf(wanted, sizeof(wanted), "/etc/%s", inboxes[i]);
		conf = parse_good(text);
		assert_string_equal(conf->inbox, wanted);
		conf_free(conf);
	}
}

static void
no_secret_is_in_a_message(void **state)
{
	static const char *const texts[] = {
		"[group 1]\nsecret = Kf7vQ2mX\nsecret = Kf7vQ2mX\n",
		"[group 1]\nsecret = Kf7vQ2mX\ntypo = Kf7vQ2mX\n",
		"[group 1]\nsecret Kf7vQ2mX\n",
		"[group 1]\nsecret = none\nold_secret = Kf7vQ2mX\n",
		"[group 1]\ntoken = Kf7vQ2mX\ntoken = Kf7vQ2mX\n",
		"secret = Kf7vQ2mX\n",
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_null(parse(texts[i]));
		assert_null(strstr(refused.error, "Kf7v"));
	}
}

static void
a_nul_is_refused(void **state)
{
	static const char text[] = "[vkcb]\nlog = std\0err\n";

	(void)state;
	assert_null(conf_parse("x", text, sizeof(text) - 1, &refused));
	assert_string_equal(refused.error,
	    "x:2: a NUL byte: this is no text file");
}

/* A line of this many bytes with a value that fills it. */
static struct conf *
parse_line_of(size_t bytes, const char *end, size_t *value_len)
{
	static char text[16384];
	static const char start[] = "[group 1]\nsecret = s\nconfirmation = ";
	size_t len = sizeof(start) - 1, head = sizeof("confirmation = ") - 1;

	memcpy(text, start, len);
	*value_len = bytes - head;
	memset(text + len, 'x', *value_len);
	snprintf(text + len + *value_len, 16, "%s", end);
	return conf_parse("x", text, strlen(text), &refused);
}

static void
long_lines_are_whole_or_refused(void **state)
{
	static const size_t lengths[] = {
		100, 196, 197, 198, 199, 200, 201, 255, 256, 1023, 1024, 2000,
		4000, INI_LINE_MAX - 1, INI_LINE_MAX,
	};
	static const char *const ends[] = { "", "\n", "\n[vkcb]\n" };
	struct conf *conf;
	size_t i, k, len;

	(void)state;
	for (i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		for (k = 0; k < 3; k++) {
			conf = parse_line_of(lengths[i], ends[k], &len);
			if (conf == NULL)
				fail_msg("%zu: %s", lengths[i], refused.error);
			assert_int_equal(strlen(conf->groups[0].confirmation),
			    len);
			conf_free(conf);
		}
	}
	for (i = INI_LINE_MAX + 2; i < INI_LINE_MAX + 300; i++) {
		assert_null(parse_line_of(i, "\nlog = x\n", &len));
		assert_non_null(strstr(refused.error,
		    "x:3: longer than 4096 bytes"));
	}
	assert_null(parse_line_of(12000, "\n", &len));
	assert_non_null(strstr(refused.error,
	    "x:3: longer than 4096 bytes"));
}

static void
an_empty_default_is_none(void **state)
{
	struct conf *conf = parse("[default]\n" GROUP "[vkcb]\nlog = syslog\n");

	(void)state;
	assert_non_null(conf);
	assert_null(conf_group(conf, 2));
	assert_non_null(conf_group(conf, 1));
	conf_free(conf);
}

#define ALL "[default]\nsecret = S\nold_secret = O\nconfirmation = C\n" \
	"token = T\nevents = E\ntitle = N\n"

/* Group 7 as "secret old_secret confirmation token events title". */
static const struct {
	const char *text;
	const char *group;
	const char *other;	/* a group without a section; NULL: refused */
} inherited[] = {
	{ ALL "[group 7]\n", "S O C T E N", "S O C T E N" },
	{ "[group 7]\n" ALL, "S O C T E N", "S O C T E N" },
	{ ALL "[group 7]\nconfirmation = c\n", "S O c T E N",
	    "S O C T E N" },
	{ ALL "[group 7]\ntoken = t\n", "S O C t E N", "S O C T E N" },
	{ ALL "[group 7]\nevents = e\n", "S O C T e N", "S O C T E N" },
	{ ALL "[group 7]\ntitle = n\n", "S O C T E n", "S O C T E N" },
	/* secret and old_secret are one thing */
	{ ALL "[group 7]\nsecret = s\n", "s - C T E N", "S O C T E N" },
	{ ALL "[group 7]\nold_secret = o\nsecret = s\n", "s o C T E N",
	    "S O C T E N" },
	{ "[default]\nold_secret = O\n[group 7]\nsecret = s\n",
	    "s - - - - -", NULL },
	/* none in a group's section */
	{ ALL "[group 7]\nsecret = none\n", "none - C T E N",
	    "S O C T E N" },
	{ ALL "[group 7]\nconfirmation = none\nevents = none\ntitle = none\n"
	    "token = none\n", "S O - - - -", "S O C T E N" },
	{ ALL "[group 7]\ntoken_file = none\n", "S O C - E N",
	    "S O C T E N" },
	/* none in [default] is for groups without a section */
	{ "[default]\nsecret = none\nconfirmation = C\n[group 7]\n"
	    "secret = s\n", "s - C - - -", "none - C - - -" },
	/* no secret in [default]: groups without a section are refused */
	{ "[default]\nconfirmation = C\n[group 7]\nsecret = s\n",
	    "s - C - - -", NULL },
	{ "[vkcb]\nkeys = /nowhere/k\n[default]\ntoken = T\n[group 7]\n",
	    "- - - T - -", NULL },
	{ "[vkcb]\nkeys = /nowhere/k\n[default]\ntoken = T\n[group 7]\n"
	    "secret = s\n", "s - - T - -", NULL },
	{ "[group 7]\nsecret = s\n", "s - - - - -", NULL },
};

static const char *
group_text(const struct conf_group *group, char out[128])
{
	const char *const texts[] = {
		group->no_secret ? "none" : group->secret, group->old_secret,
		group->confirmation, group->token, group->events,
		group->title,
	};
	size_t i, len = 0;

	for (i = 0; i < 6; i++)
		len += (size_t)snprintf(out + len, 128 - len, "%s%s",
		    i > 0 ? " " : "", texts[i] != NULL ? texts[i] : "-");
	return out;
}

static void
each_key_comes_from_the_group_or_default(void **state)
{
	const struct conf_group *other;
	struct conf *conf;
	char text[128];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(inherited) / sizeof(inherited[0]); i++) {
		conf = parse(inherited[i].text);
		if (conf == NULL)
			fail_msg("%s%s", inherited[i].text, refused.error);
		if (strcmp(inherited[i].group, group_text(conf_group(conf, 7),
		    text)) != 0)
			fail_msg("%s: %s", inherited[i].text, text);
		other = conf_group(conf, 8);
		if ((other == NULL) != (inherited[i].other == NULL))
			fail_msg("%s", inherited[i].text);
		if (other != NULL)
			assert_string_equal(inherited[i].other,
			    group_text(other, text));
		conf_free(conf);
	}
}

/* secret_file is one thing with secret, token_file with token. */
static void
files_come_from_the_group_or_default(void **state)
{
	struct timespec old[2] = { { .tv_sec = 1000 }, { .tv_sec = 1000 } };
	struct conf *conf;
	char text[128];

	(void)state;
	write_file(path_of("s"), "S\n");
	write_file(path_of("t"), "T\n");
	assert_int_equal(utimensat(AT_FDCWD, path_of("s"), old, 0), 0);
	assert_int_equal(utimensat(AT_FDCWD, path_of("t"), old, 0), 0);
	write_file(path_of("c"), "[default]\nsecret_file = s\ntoken_file = t\n"
	    "old_secret = O\n[group 6]\nsecret = s\ntoken = t\n[group 7]\n");
	conf = conf_read(path_of("c"), &refused);
	assert_non_null(conf);
	assert_string_equal(group_text(conf_group(conf, 7), text),
	    "S O - T - -");
	assert_string_equal(group_text(conf_group(conf, 6), text),
	    "s - - t - -");
	assert_null(conf_group(conf, 6)->secret_file.path);
	assert_null(conf_group(conf, 6)->token_file.path);
	assert_false(conf_refresh(&conf, conf_group(conf, 7)));
	write_file(path_of("s"), "another\n");
	assert_true(conf_refresh(&conf, conf_group(conf, 7)));
	assert_string_equal(conf_group(conf, 7)->secret, "another");
	conf_free(conf);
	write_file(path_of("c"), "[default]\nsecret = S\ntoken = T\n"
	    "old_secret = O\n[group 7]\nsecret_file = s\ntoken_file = t\n");
	conf = conf_read(path_of("c"), &refused);
	assert_non_null(conf);
	assert_string_equal(group_text(conf_group(conf, 7), text),
	    "another - - T - -");
	conf_free(conf);
}

/* Setup stores keys of one group: these are worth more than [default]'s. */
static void
stored_keys_stand_between_the_group_and_default(void **state)
{
	struct conf *conf;
	char text[128];

	(void)state;
	write_file(path_of("t"), "[group 6]\nconfirmation = k\n"
	    "[group 7]\nsecret = k\nconfirmation = k\n");
	write_file(path_of("c"), "[vkcb]\nkeys = t\n" ALL "[group 5]\n"
	    "[group 6]\n[group 7]\n[group 8]\nconfirmation = c\n"
	    "[group 10]\nconfirmation = none\n");
	conf = conf_read(path_of("c"), &refused);
	assert_non_null(conf);
	assert_string_equal(group_text(conf_group(conf, 5), text),
	    "S O C T E N");
	assert_string_equal(group_text(conf_group(conf, 6), text),
	    "S O k T E N");
	assert_string_equal(group_text(conf_group(conf, 7), text),
	    "k - k T E N");
	assert_true(conf_group(conf, 5)->asks_vk);
	assert_true(conf_group(conf, 7)->asks_vk);
	assert_false(conf_group(conf, 8)->asks_vk);
	assert_false(conf_group(conf, 9)->asks_vk);
	assert_true(conf_group(conf, 10)->asks_vk);
	assert_null(conf_group(conf, 10)->confirmation);
	conf_free(conf);
}

static void
a_title_has_up_to_14_characters(void **state)
{
	static const char *const titles[] = {
		"12345678901234", "Бот сообщества", "🐱3456789012345",
	};
	static const char *const wrong[] = {
		"123456789012345", "Б23456789012345", "\xd0", "a\xff",
	};
	char text[128];
	struct conf *conf;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(titles) / sizeof(titles[0]); i++) {
		snprintf(text, sizeof(text), GROUP "title = %s\n", titles[i]);
		conf = parse_good(text);
		assert_string_equal(conf->groups[0].title, titles[i]);
		conf_free(conf);
	}
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		snprintf(text, sizeof(text), GROUP "title = %s\n", wrong[i]);
		assert_null(parse(text));
		assert_non_null(strstr(refused.error, "/etc/x.conf:3: title"));
		assert_non_null(strstr(refused.error, "up to 14 characters"));
	}
}

static void
values_are_shown_as_they_are_written(void **state)
{
	static const char *const values[] = {
		"1K", "1M", "1500", "64K", "1025K", "64M",
	};
	static const char *const times[] = {
		"100ms", "1500ms", "1s", "90s", "2m", "1h",
	};
	const struct conf_key *key = conf_keys, *time_key = conf_keys;
	char text[64], shown[64];
	struct conf *conf;
	size_t i;

	(void)state;
	while (strcmp(key->name, "max_body") != 0)
		key++;
	while (strcmp(time_key->name, "body_timeout") != 0)
		time_key++;
	for (i = 0; i < 6; i++) {
		snprintf(text, sizeof(text), "[vkcb]\nmax_body = %s\n"
		    "body_timeout = %s\n", values[i], times[i]);
		conf = parse(text);
		if (conf == NULL)
			fail_msg("%s", refused.error);
		conf_show(key, conf, shown, sizeof(shown));
		assert_string_equal(shown, values[i]);
		conf_show(time_key, conf, shown, sizeof(shown));
		assert_string_equal(shown, times[i]);
		conf_free(conf);
	}
}

static void
a_secret_is_never_shown(void **state)
{
	struct conf *conf = parse("[group 1]\nsecret = Kf7v\n"
	    "old_secret = Kf7v\n");
	const struct conf_key *key;
	char shown[64];

	(void)state;
	assert_non_null(conf);
	for (key = conf_group_keys; key->name != NULL; key++) {
		conf_show(key, &conf->groups[0], shown, sizeof(shown));
		assert_null(strstr(shown, "Kf7v"));
		assert_string_equal(shown, key - conf_group_keys < 2 ?
		    "(set)" : "(not set)");
	}
	conf_free(conf);
}

static void
a_thousand_groups_are_found(void **state)
{
	char *text = malloc(100000);
	const struct conf_group *group;
	struct conf *conf;
	size_t len = 0, i;
	char secret[16];

	(void)state;
	assert_non_null(text);
	/* Neither ascending nor descending. */
	for (i = 0; i < 1000; i++)
		len += (size_t)snprintf(text + len, 100000 - len,
		    "[group %zu]\nsecret = s%zu\n", 2 * (i * 577 % 1000) + 2,
		    i * 577 % 1000);
	conf = conf_parse("x", text, len, &refused);
	if (conf == NULL)
		fail_msg("%s", refused.error);
	assert_int_equal(conf->n_groups, 1000);
	for (i = 0; i < 1000; i++) {
		group = conf_group(conf, (int64_t)(2 * i + 2));
		assert_non_null(group);
		snprintf(secret, sizeof(secret), "s%zu", i);
		assert_string_equal(group->secret, secret);
		assert_null(conf_group(conf, (int64_t)(2 * i + 1)));
	}
	assert_null(conf_group(conf, 2002));
	assert_null(conf_group(conf, INT64_MAX));
	conf_free(conf);
	free(text);
}

/* `none` is shown only if the file sets it. */
static void
none_is_shown_where_anybody_may_send(void **state)
{
	struct conf *conf = parse("[vkcb]\nkeys = /nowhere/k\n[group 1]\n"
	    "token = t\n[group 2]\nsecret = none\n");
	char shown[64];

	(void)state;
	assert_non_null(conf);
	conf_show(conf_group_keys, conf_group(conf, 1), shown, sizeof(shown));
	assert_string_equal(shown, "(not set)");
	conf_show(conf_group_keys, conf_group(conf, 2), shown, sizeof(shown));
	assert_string_equal(shown, "none");
	conf_free(conf);
}

/* Names of the maximum length fit; one more byte is an error. */
static void
many_long_secret_files_have_room(void **state)
{
	char text[8192], secret[CONF_SECRET_MAX + 2];
	struct conf *conf;
	size_t len = 0;
	int i;

	(void)state;
	memset(secret, 's', sizeof(secret));
	secret[CONF_SECRET_MAX] = '\0';
	write_file(path_of("s"), secret);
	for (i = 1; i <= 100; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len,
		    "[group %d]\nsecret_file=s\ntoken_file=s\n", i);
	write_file(path_of("c"), text);
	conf = conf_read(path_of("c"), &refused);
	if (conf == NULL)
		fail_msg("%s", refused.error);
	assert_string_equal(conf_group(conf, 100)->token, secret);
	conf_free(conf);
	secret[CONF_SECRET_MAX] = 's';
	secret[CONF_SECRET_MAX + 1] = '\0';
	write_file(path_of("s"), secret);
	assert_null(conf_read(path_of("c"), &refused));
	assert_non_null(strstr(refused.error, "longer than 512 bytes"));
}

static void
a_secret_file_with_a_nul_is_refused(void **state)
{
	static const char text[] = "a\0b\n";
	int fd = open(path_of("s"), O_WRONLY | O_CREAT | O_TRUNC, 0600);

	(void)state;
	assert_int_equal(write(fd, text, sizeof(text) - 1), 4);
	close(fd);
	write_file(path_of("c"), "[group 1]\nsecret_file = s\n");
	assert_null(conf_read(path_of("c"), &refused));
	assert_non_null(strstr(refused.error, "a NUL byte"));
}

static void
secret_files_are_read(void **state)
{
	static const struct {
		const char *text;
		const char *secret;	/* NULL: refused */
	} rows[] = {
		{ "abc", "abc" }, { "abc\n", "abc" }, { "abc\r\n", "abc" },
		{ "abc\nsecond\n", "abc" }, { "a b;c # d\n", "a b;c # d" },
		{ "none\n", "none" }, { "", NULL }, { "\nabc\n", NULL },
		{ "\r\n", NULL }, { "\xef\xbb\xbf" "abc\n", "abc" },
		{ " abc \t\r\n", "abc" }, { " \n", NULL },
	};
	struct conf *conf;
	size_t i;

	(void)state;
	write_file(path_of("c"), "[group 1]\nsecret_file = s\n");
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		write_file(path_of("s"), rows[i].text);
		conf = conf_read(path_of("c"), &refused);
		if ((conf == NULL) != (rows[i].secret == NULL))
			fail_msg("row %zu: %s", i, refused.error);
		if (conf != NULL)
			assert_string_equal(conf->groups[0].secret,
			    rows[i].secret);
		conf_free(conf);
	}
	write_file(path_of("s"), "abc\n");
	write_file(path_of("c"), "[group 1]\nsecret_file = s\nsecret = s\n");
	assert_null(conf_read(path_of("c"), &refused));
	assert_non_null(strstr(refused.error, "c:3: both secret and"));
	write_file(path_of("c"), "[group 1]\nsecret_file = .\n");
	assert_null(conf_read(path_of("c"), &refused));
	assert_non_null(strstr(refused.error, "Is a directory"));
}

static void
a_file_that_is_none_is_refused(void **state)
{
	(void)state;
	assert_null(conf_read("/nowhere/at/all", &refused));
	assert_string_equal(refused.error,
	    "/nowhere/at/all: No such file or directory");
	assert_null(conf_read("/tmp", &refused));
	assert_string_equal(refused.error, "/tmp: Is a directory");
	assert_null(conf_read("/dev/zero", &refused));
	assert_non_null(strstr(refused.error, "/dev/zero: "));
}

static const char *
secret_now(const struct conf *conf)
{
	return conf_group(conf, 1)->secret;
}

#define QUIET "[vkcb]\nlog = /dev/null\n"

/* Files are rewritten within the same tick of the file system's clock. */
static void
a_change_within_a_tick_is_seen(void **state)
{
	struct conf *conf;
	char text[96], secret[8];
	int i;

	(void)state;
	write_file(path_of("c"), QUIET "[group 1]\nsecret = s00\n");
	conf = conf_read(path_of("c"), &refused);
	assert_non_null(conf);
	for (i = 0; i < 100; i++) {
		snprintf(secret, sizeof(secret), "s%02d", i);
		snprintf(text, sizeof(text), QUIET "[group 1]\nsecret = %s\n",
		    secret);
		write_file(path_of("c"), text);
		(void)conf_refresh(&conf, NULL);
		assert_string_equal(secret_now(conf), secret);
	}
	conf_free(conf);
}

static void
a_broken_change_keeps_the_old(void **state)
{
	struct conf *conf;

	(void)state;
	write_file(path_of("log"), "");
	write_file(path_of("c"), "[vkcb]\nlog = log\n[group 1]\nsecret = a\n");
	conf = conf_read(path_of("c"), &refused);
	assert_non_null(conf);
	assert_int_equal(log_open(conf->log, LOG_LEVEL_INFO), 0);
	write_file(path_of("c"), "[group 1]\nsecert = b\n");
	assert_false(conf_refresh(&conf, NULL));
	assert_false(conf_refresh(&conf, NULL));
	assert_string_equal(secret_now(conf), "a");
	unlink(path_of("c"));
	assert_false(conf_refresh(&conf, NULL));
	assert_false(conf_refresh(&conf, NULL));
	assert_string_equal(secret_now(conf), "a");
	write_file(path_of("c"), "[vkcb]\nlog = log\n[group 1]\nsecret = b\n");
	assert_true(conf_refresh(&conf, NULL));
	assert_string_equal(secret_now(conf), "b");
	conf_free(conf);
	(void)log_open("stderr", LOG_LEVEL_ERROR);
}

/* The error is logged once per state of the file, not once per request. */
static void
a_broken_change_is_said_once(void **state)
{
	char text[8192] = "", *at = text;
	FILE *file = fopen(path_of("log"), "r");
	int said = 0;

	(void)state;
	assert_non_null(file);
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	fclose(file);
	while ((at = strstr(at, "is invalid")) != NULL) {
		said++;
		at++;
	}
	assert_int_equal(said, 2);
	assert_non_null(strstr(text, "did you mean"));
	assert_non_null(strstr(text, "No such file"));
	assert_non_null(strstr(text, "configuration reloaded"));
}

static void
a_changed_secret_file_is_seen(void **state)
{
	struct conf *conf;

	(void)state;
	write_file(path_of("s"), "one\n");
	write_file(path_of("c"), QUIET "[group 1]\nsecret_file = s\n");
	conf = conf_read(path_of("c"), &refused);
	assert_non_null(conf);
	assert_string_equal(secret_now(conf), "one");
	write_file(path_of("s"), "two\n");
	(void)conf_refresh(&conf, conf_group(conf, 1));
	assert_string_equal(secret_now(conf), "two");
	unlink(path_of("s"));
	assert_false(conf_refresh(&conf, conf_group(conf, 1)));
	assert_string_equal(secret_now(conf), "two");
	conf_free(conf);
}

/* The number of log lines about an invalid configuration. */
static int
times_broken(void)
{
	static const char word[] = "is invalid";
	char text[16384] = "", *at = text;
	FILE *file = fopen(path_of("log"), "r");
	int times = 0;

	assert_non_null(file);
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	fclose(file);
	for (; (at = strstr(at, word)) != NULL; at++)
		times++;
	return times;
}

#define LOGGED "[vkcb]\nlog = log\n"

/* The error is logged once per invalid state, not once per check. */
static void
each_break_is_said_once(void **state)
{
	struct conf *conf;
	int i;

	(void)state;
	unlink(path_of("log"));
	write_file(path_of("s"), "one\n");
	write_file(path_of("c"), LOGGED "[group 1]\nsecret_file = s\n");
	conf = conf_read(path_of("c"), &refused);
	assert_non_null(conf);
	assert_int_equal(log_open(conf->log, LOG_LEVEL_INFO), 0);
	for (i = 1; i <= 3; i++) {
		unlink(path_of("s"));
		assert_false(conf_refresh(&conf, conf_group(conf, 1)));
		assert_false(conf_refresh(&conf, NULL));
		assert_false(conf_refresh(&conf, conf_group(conf, 1)));
		assert_int_equal(times_broken(), i);
		write_file(path_of("s"), "two\n");
		assert_true(conf_refresh(&conf, conf_group(conf, 1)));
	}
	for (; i <= 6; i++) {
		assert_int_equal(rename(path_of("c"), path_of("t")), 0);
		assert_false(conf_refresh(&conf, NULL));
		assert_false(conf_refresh(&conf, NULL));
		assert_int_equal(times_broken(), i);
		assert_int_equal(rename(path_of("t"), path_of("c")), 0);
		(void)conf_refresh(&conf, NULL);
	}
	assert_int_equal(times_broken(), 6);
	conf_free(conf);
	(void)log_open("stderr", LOG_LEVEL_ERROR);
}

/* Whether a file was opened since the watch began or since the last call. */
static bool
was_opened(int watch)
{
	char events[4096];

	return read(watch, events, sizeof(events)) > 0;
}

static void
a_broken_one_is_not_read_again(void **state)
{
	struct timespec old[2] = { { .tv_sec = 1000 }, { .tv_sec = 1000 } };
	int watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	struct conf *conf;

	(void)state;
	write_file(path_of("s"), "one\n");
	write_file(path_of("c"), QUIET "[group 1]\nsecret_file = s\n");
	assert_int_equal(utimensat(AT_FDCWD, path_of("c"), old, 0), 0);
	conf = conf_read(path_of("c"), &refused);
	assert_non_null(conf);
	unlink(path_of("s"));
	assert_true(inotify_add_watch(watch, path_of("c"), IN_OPEN) != -1);
	assert_false(conf_refresh(&conf, conf_group(conf, 1)));
	assert_true(was_opened(watch));
	assert_false(conf_refresh(&conf, conf_group(conf, 1)));
	assert_false(conf_refresh(&conf, NULL));
	assert_false(was_opened(watch));
	write_file(path_of("s"), "two\n");
	assert_true(conf_refresh(&conf, conf_group(conf, 1)));
	assert_string_equal(secret_now(conf), "two");

	write_file(path_of("c"), "[group 1]\nsecert = s\n");
	assert_int_equal(utimensat(AT_FDCWD, path_of("c"), old, 0), 0);
	assert_false(conf_refresh(&conf, NULL));
	assert_true(was_opened(watch));
	assert_false(conf_refresh(&conf, NULL));
	assert_false(conf_refresh(&conf, conf_group(conf, 1)));
	assert_false(was_opened(watch));

	/*
	 * A change of the keys file does not affect a misspelt key, but a wrong
	 * keys file.
	 */
	write_file(path_of("t"), "no keys\n");
	write_file(path_of("c"), "[vkcb]\nlog = /dev/null\nkeys = t\n" GROUP);
	assert_int_equal(utimensat(AT_FDCWD, path_of("c"), old, 0), 0);
	assert_int_equal(utimensat(AT_FDCWD, path_of("t"), old, 0), 0);
	assert_false(conf_refresh(&conf, NULL));
	assert_true(was_opened(watch));
	assert_false(conf_refresh(&conf, NULL));
	assert_false(was_opened(watch));
	write_file(path_of("t"), "");
	assert_true(conf_refresh(&conf, NULL));
	assert_string_equal(secret_now(conf), "s");
	conf_free(conf);
	close(watch);
}

static void
an_unchanged_file_is_left_alone(void **state)
{
	struct timespec old[2] = { { .tv_sec = 1000 }, { .tv_sec = 1000 } };
	struct conf *conf, *before;

	(void)state;
	write_file(path_of("c"), GROUP);
	assert_int_equal(utimensat(AT_FDCWD, path_of("c"), old, 0), 0);
	conf = before = conf_read(path_of("c"), &refused);
	assert_non_null(conf);
	assert_false(conf_refresh(&conf, conf_group(conf, 1)));
	assert_ptr_equal(conf, before);
	conf_free(conf);
}

/* Waits for the next tick of the file system's clock. */
static void
wait_a_tick(void)
{
	const struct timespec nap = { .tv_nsec = 1000000 };
	struct stat first, now;

	write_file(path_of("tick"), "");
	assert_int_equal(stat(path_of("tick"), &first), 0);
	do {
		nanosleep(&nap, NULL);
		write_file(path_of("tick"), "");
		assert_int_equal(stat(path_of("tick"), &now), 0);
	} while (now.st_ctim.tv_nsec == first.st_ctim.tv_nsec);
	unlink(path_of("tick"));
}

static void
a_change_that_keeps_the_time_is_seen(void **state)
{
	struct timespec old[2] = { { .tv_sec = 1000 }, { .tv_sec = 1000 } };
	struct conf *conf;

	(void)state;
	write_file(path_of("c"), QUIET "[group 1]\nsecret = a\n");
	assert_int_equal(utimensat(AT_FDCWD, path_of("c"), old, 0), 0);
	conf = conf_read(path_of("c"), &refused);
	assert_non_null(conf);
	wait_a_tick();
	write_file(path_of("c"), QUIET "[group 1]\nsecret = b\n");
	assert_int_equal(utimensat(AT_FDCWD, path_of("c"), old, 0), 0);
	assert_true(conf_refresh(&conf, NULL));
	assert_string_equal(secret_now(conf), "b");
	conf_free(conf);
}

/* The file is not read on each request before it is due. */
static void
a_file_of_tomorrow_is_left_alone(void **state)
{
	struct timespec ahead[2] = { { .tv_nsec = UTIME_OMIT }, { 0 } };
	const struct timespec nap = { .tv_nsec = 10000000 };
	struct conf *conf, *before;
	int tries = 0;

	(void)state;
	ahead[1].tv_sec = time(NULL) + 86400;
	write_file(path_of("c"), GROUP);
	assert_int_equal(utimensat(AT_FDCWD, path_of("c"), ahead, 0), 0);
	conf = conf_read(path_of("c"), &refused);
	assert_non_null(conf);
	do {
		nanosleep(&nap, NULL);
		before = conf;
		assert_true(tries++ < 1000);
	} while (conf_refresh(&conf, NULL));
	assert_ptr_equal(conf, before);
	conf_free(conf);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_file_has_every_default),
		cmocka_unit_test(every_key_is_read),
		cmocka_unit_test(line_ends_and_a_bom_do_not_matter),
		cmocka_unit_test(every_mistake_is_told_with_its_line),
		cmocka_unit_test(any_other_name_is_a_files),
		cmocka_unit_test(no_secret_is_in_a_message),
		cmocka_unit_test(a_nul_is_refused),
		cmocka_unit_test(long_lines_are_whole_or_refused),
		cmocka_unit_test(an_empty_default_is_none),
		cmocka_unit_test(each_key_comes_from_the_group_or_default),
		cmocka_unit_test(files_come_from_the_group_or_default),
		cmocka_unit_test(
		    stored_keys_stand_between_the_group_and_default),
		cmocka_unit_test(a_title_has_up_to_14_characters),
		cmocka_unit_test(values_are_shown_as_they_are_written),
		cmocka_unit_test(a_secret_is_never_shown),
		cmocka_unit_test(a_thousand_groups_are_found),
		cmocka_unit_test(none_is_shown_where_anybody_may_send),
		cmocka_unit_test(many_long_secret_files_have_room),
		cmocka_unit_test(a_secret_file_with_a_nul_is_refused),
		cmocka_unit_test(secret_files_are_read),
		cmocka_unit_test(a_file_that_is_none_is_refused),
		cmocka_unit_test(a_change_within_a_tick_is_seen),
		cmocka_unit_test(a_broken_change_keeps_the_old),
		cmocka_unit_test(a_broken_change_is_said_once),
		cmocka_unit_test(a_changed_secret_file_is_seen),
		cmocka_unit_test(each_break_is_said_once),
		cmocka_unit_test(a_broken_one_is_not_read_again),
		cmocka_unit_test(an_unchanged_file_is_left_alone),
		cmocka_unit_test(a_change_that_keeps_the_time_is_seen),
		cmocka_unit_test(a_file_of_tomorrow_is_left_alone),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
