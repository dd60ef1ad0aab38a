/*
 * command.h - vkcb as its own command line tool.
 *
 * A command is a file src/command/cmd_NAME.c that opens with its purpose and a
 * struct command. A new one is also declared here and put into the table in
 * command.c. Manual: docs/vkcb.1.
 */
#ifndef COMMAND_H
#define COMMAND_H

#include "report.h"

struct event_info;
struct json_object;

struct command {
	const char *name;
	const char *args;	/* "[--online]" */
	const char *summary;	/* one line */
	const char *help;	/* lines on the arguments; "" */
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

/* Runs what the arguments ask for. The exit status. */
int command_run(int argc, char **argv);

struct conf;

/*
 * The configuration, for a command; root has become the owner of the files that
 * it names. NULL: the reason was printed.
 */
struct conf *command_configure(void);

/*
 * Root becomes the owner of the inbox, else of the keys, else of the log, and
 * must be able to read the configuration as this user. 0, or -1: the reason was
 * printed.
 */
int command_become_owner(const struct conf *);

/* The same with an inbox that can work, for this command. */
struct conf *command_configure_inbox(const char *what);

/* Opens the log of the configuration. 0, or -1: the reason was printed. */
int command_open_log(const struct conf *);

/* The event of this name; NULL: none, which was printed. */
const struct event_info *command_event(const char *name);

/* A line on standard output, made with json-c's flags. Takes it over. */
void command_print_json(struct json_object *, int flags);

/* report_fail() for a wrong argument, with the usage; returns EXIT_USAGE. */
int command_misused(const struct command *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif
