/*
 * command.h - vkcb as its own command line tool.
 *
 * A command is a file src/command/cmd_NAME.c that opens with its purpose and a
 * struct command. A new one is also declared here and put into the table in
 * command.c. Manual: docs/vkcb.1.
 */
#ifndef COMMAND_H
#define COMMAND_H

#include <stdbool.h>
#include <stdint.h>

#include "inbox/inbox.h"
#include "report.h"

struct conf;
struct event_info;
struct json_object;

struct command {
	const char *name;
	const char *args;	/* "[--online]" */
	const char *summary;	/* one line */
	const char *help;	/* lines on the arguments */
	int (*run)(int argc, char **argv);	/* argv[0]: its name */
};

extern const struct command command_check;
extern const struct command command_events;
extern const struct command command_new;
extern const struct command command_trigger;
extern const struct command command_setup;
extern const struct command command_work;
extern const struct command command_inbox;
extern const struct command command_status;

/* An option of a command; a value goes where one of the pointers leads. */
struct command_option {
	const char *name;	/* without --; NULL ends a table */
	bool *flag;		/* the option takes no value */
	const char **text;
	int64_t *number;	/* from min to max */
	int64_t min;
	int64_t max;
	const char *wanted;	/* "a community's id"; NULL: the limits */
};

/* Runs what the arguments ask for. The exit status. */
int command_run(int argc, char **argv);

/*
 * Reads the options; argv[optind] is the first of at most `most` other
 * arguments. EXIT_OK, or EXIT_USAGE: the mistake was printed.
 */
int command_options(const struct command *, const struct command_option *,
    int argc, char **argv, int most);

/*
 * The configuration, for a command; an empty one if none is found and none is
 * needed. Root becomes the owner of the inbox, else of the keys, else of the
 * log, and must be able to read the files as this user. NULL: the reason was
 * printed.
 */
struct conf *command_configure(bool needed);

/* The same with an inbox that can work, for this command. */
struct conf *command_configure_inbox(const char *what);

/*
 * Opens the inbox for this command and calls `run`. Its exit status, or
 * EXIT_ERROR: the reason was printed.
 */
typedef int command_inbox_fn(void *arg, const struct conf *, struct inbox *);
int command_with_inbox(const char *what, enum inbox_access, command_inbox_fn *,
    void *arg);

/* Opens the log of the configuration. 0, or -1: the reason was printed. */
int command_open_log(const struct conf *);

/* The event of this name; NULL: none, which was printed. */
const struct event_info *command_event(const char *name);

/* On standard output: on one line, or pretty. Takes the object over. */
void command_print_json(struct json_object *, bool pretty);

/* On standard error; returns EXIT_USAGE. */
int command_usage(const struct command *);

/* report_fail() for a wrong argument, with the usage; returns EXIT_USAGE. */
#define command_misused(cmd, ...) \
	((void)report_fail((cmd)->name, __VA_ARGS__), command_usage(cmd))

#endif
