/*
 * command.c - picks the command, and says how commands are used.
 */
#include "command/command.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <json-c/json.h>

#include "conf/conf.h"
#include "event/catalogue.h"
#include "file.h"
#include "log.h"
#include "owner.h"
#include "text.h"

#include "banned.h"

#define OPTIONS_MAX 8	/* of a command */

static const struct command *const commands[] = {
	&command_check,
	&command_setup,
	&command_events,
	&command_new,
	&command_trigger,
	&command_work,
	&command_inbox,
	&command_status,
	NULL,
};

/* A command that has become this user must be able to read its files anew. */
static int
command_may_read(const char *path, const char *owned)
{
	char user[OWNER_NAME_MAX];

	if (path == NULL || faccessat(AT_FDCWD, path, R_OK, AT_EACCESS) == 0 ||
	    errno != EACCES)
		return 0;
	(void)owner_name(geteuid(), user);
	(void)report_fail(path, "%s, whom %s belongs to, may not read it: "
	    "chgrp it to that user's group and chmod g+r", user, owned);
	return -1;
}

static int
command_may_read_all(const struct conf *conf, const char *owned)
{
	const struct conf_group *group;
	size_t i;

	if (command_may_read(conf->path, owned) == -1 ||
	    command_may_read(conf->keys, owned) == -1)
		return -1;
	for (i = 0; i <= conf->n_groups; i++) {
		group = i == 0 ? &conf->fallback : &conf->groups[i - 1];
		if (command_may_read(group->secret_file.path, owned) == -1 ||
		    command_may_read(group->token_file.path, owned) == -1)
			return -1;
	}
	return 0;
}

static int
command_become_owner(const struct conf *conf)
{
	const char *owned = conf->inbox != NULL ? conf->inbox :
	    conf->keys != NULL ? conf->keys : conf->log;
	char error[OWNER_ERROR_MAX];
	int result;

	if (*owned != '/')	/* stderr, syslog */
		return 0;
	result = owner_become(owned, owned == conf->log, error);
	if (result == -1)
		(void)report_fail("root", "%s", error);
	return result == 1 ? command_may_read_all(conf, owned) : result;
}

/* An absolute path, since a handler may change the working directory. */
static void
name_absolutely(const char *named, char path[PATH_MAX])
{
	char folder[PATH_MAX];

	if (*named == '/' || getcwd(folder, sizeof(folder)) == NULL ||
	    snprintf(path, PATH_MAX, "%s/%s", folder, named) >= PATH_MAX)
		snprintf(path, PATH_MAX, "%s", named);
}

static int
command_find_conf(char path[PATH_MAX], char error[CONF_ERROR_MAX])
{
	const char *named = getenv("VKCB_CONF");
	char program[PATH_MAX];

	if (named != NULL && *named != '\0') {
		name_absolutely(named, path);
		return 0;
	}
	path[0] = '\0';
	if (realpath("/proc/self/exe", program) != NULL &&
	    file_beside(program, "vkcb.conf", path) == 0 &&
	    access(path, F_OK) == 0)
		return 0;
	snprintf(error, CONF_ERROR_MAX, "no configuration: $VKCB_CONF is not "
	    "set, and there is neither %.256s nor /etc/vkcb.conf", path);
	snprintf(path, PATH_MAX, "/etc/vkcb.conf");
	return access(path, F_OK);
}

struct conf *
command_configure(bool needed)
{
	char path[PATH_MAX];
	struct conf_refused refused;
	struct conf *conf = NULL;

	if (command_find_conf(path, refused.error) == 0)
		conf = conf_read(path, &refused);
	else if (!needed)
		conf = conf_parse("no configuration", "", 0, &refused);
	if (conf == NULL) {
		(void)report_fail("configuration", "%s", refused.error);
	} else if (command_become_owner(conf) == -1) {
		conf_free(conf);
		return NULL;
	}
	return conf;
}

struct conf *
command_configure_inbox(const char *what)
{
	char error[INBOX_ERROR_MAX];
	struct conf *conf = command_configure(true);

	if (conf == NULL)
		return NULL;
	if (conf->inbox == NULL)
		(void)report_fail(what, "no inbox: set inbox = PATH in %s",
		    conf->path);
	else if (inbox_check(conf->inbox, error) == 0)
		return conf;
	else
		(void)report_fail(what, "%s", error);
	conf_free(conf);
	return NULL;
}

int
command_with_inbox(const char *what, enum inbox_access access,
    command_inbox_fn *run, void *arg)
{
	struct conf *conf = command_configure_inbox(what);
	char error[INBOX_ERROR_MAX];
	struct inbox *inbox;
	int status;

	if (conf == NULL)
		return EXIT_ERROR;
	inbox = inbox_open(conf->inbox, access, error);
	if (inbox == NULL) {
		status = report_fail(what, "%s", error);
	} else {
		status = run(arg, conf, inbox);
		inbox_close(inbox);
	}
	conf_free(conf);
	return status;
}

int
command_open_log(const struct conf *conf)
{
	char user[OWNER_NAME_MAX];

	if (log_open(conf->log, (enum log_level)conf->log_level) == 0)
		return 0;
	(void)report_fail(conf->log, "cannot open the log as %s: %s",
	    owner_name(geteuid(), user), file_error(errno));
	return -1;
}

const struct event_info *
command_event(const char *name)
{
	const struct event_info *info = event_info(name);
	const char *nearest;

	if (info != NULL)
		return info;
	nearest = event_nearest(name);
	(void)report_fail(name, "no such event%s%s%s: vkcb events lists them",
	    nearest != NULL ? " (did you mean " : "",
	    nearest != NULL ? nearest : "", nearest != NULL ? "?)" : "");
	return NULL;
}

static void
print_usage(FILE *out, const struct command *command)
{
	fprintf(out, "usage: vkcb %s %s\n", command->name, command->args);
}

static void
print_help(FILE *out)
{
	const struct command *const *command;

	fprintf(out, "usage: vkcb COMMAND [ARGUMENT ...]\n"
	    "       vkcb --help | --version | COMMAND --help\n\n"
	    "Receives the events of VK communities (Callback API). Started by "
	    "a web server as\nFastCGI or CGI it serves; with a command it is "
	    "its own tool:\n\n");
	for (command = commands; *command != NULL; command++)
		fprintf(out, "  %-9s %s\n", (*command)->name,
		    (*command)->summary);
	fprintf(out, "\nManual: vkcb(1), vkcb.conf(5), vkcb-handler(7).\n");
}

void
command_print_json(struct json_object *object, bool pretty)
{
	const char *text = json_object_to_json_string_ext(object,
	    JSON_C_TO_STRING_NOSLASHESCAPE | (pretty ?
	    JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED : 0));

	puts(text != NULL ? text : "{}");
	json_object_put(object);
}

int
command_usage(const struct command *command)
{
	print_usage(stderr, command);
	return EXIT_USAGE;
}

static int
command_set(const struct command *command, const struct command_option *option,
    const char *value)
{
	if (option->flag != NULL)
		*option->flag = true;
	else if (option->text != NULL)
		*option->text = value;
	else if (number_read(value, strlen(value), option->min, option->max,
	    option->number))
		return EXIT_OK;
	else if (option->wanted != NULL)
		return command_misused(command, "--%s %s: expected %s",
		    option->name, value, option->wanted);
	else
		return command_misused(command, "--%s %s: must be from %"
		    PRId64 " to %" PRId64, option->name, value, option->min,
		    option->max);
	return EXIT_OK;
}

int
command_options(const struct command *command,
    const struct command_option *table, int argc, char **argv, int most)
{
	struct option known[OPTIONS_MAX + 1] = { { .name = NULL } };
	int status = EXIT_OK, i, found;

	for (i = 0; i < OPTIONS_MAX && table[i].name != NULL; i++) {
		known[i].name = table[i].name;
		known[i].has_arg = table[i].flag == NULL;
	}
	opterr = 0;
	optind = 1;
	while (status == EXIT_OK && (found = getopt_long(argc, argv, ":",
	    known, &i)) != -1)
		status = found == 0 ?
		    command_set(command, &table[i], optarg) :
		    command_misused(command, found == ':' ?
		    "%s needs a value" : "unknown option %s",
		    argv[optind - 1]);
	if (status == EXIT_OK && argc - optind > most)
		status = command_misused(command, "unknown argument %s",
		    argv[optind + most]);
	return status;
}

static int
unknown_command(const char *word)
{
	const struct command *const *command;
	struct nearest nearest = { .word = word };

	for (command = commands; *command != NULL; command++)
		nearest_try(&nearest, (*command)->name);
	if (nearest.best != NULL)
		(void)report_fail(word, "no such command: did you mean %s?",
		    nearest.best);
	else
		(void)report_fail(word, "no such command: vkcb --help lists "
		    "them");
	return EXIT_USAGE;
}

static int
command_call(const struct command *command, int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--help") != 0)
			continue;
		print_usage(stdout, command);
		printf("\n%s\n%s", command->summary, command->help);
		return EXIT_OK;
	}
	return command->run(argc, argv);
}

static int
run_what_is_asked(int argc, char **argv)
{
	const struct command *const *command;

	if (argc < 2) {
		print_help(stderr);
		return EXIT_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0) {
		print_help(stdout);
		return EXIT_OK;
	}
	if (strcmp(argv[1], "--version") == 0) {
		printf("vkcb %s\n", VKCB_VERSION);
		return EXIT_OK;
	}
	for (command = commands; *command != NULL; command++)
		if (strcmp((*command)->name, argv[1]) == 0)
			return command_call(*command, argc - 1, argv + 1);
	return unknown_command(argv[1]);
}

int
command_run(int argc, char **argv)
{
	int status = run_what_is_asked(argc, argv);

	/* A full disk may have cut the output: that is no success. */
	errno = 0;
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	(void)report_fail("standard output", "%s", errno != 0 ?
	    strerror(errno) : "not all of it could be written");
	return status == EXIT_OK ? EXIT_ERROR : status;
}
