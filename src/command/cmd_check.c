/*
 * cmd_check.c - `vkcb check`: what is in force, and what is wrong with it.
 *
 * Prints the configuration without its secrets, the handlers and their events.
 * A mistake that keeps events from being handled is an error (status 1); an
 * unwise setting is a warning (check_warnings.c).
 */
#include "command/command.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "command/check_warnings.h"
#include "conf/conf.h"
#include "event/handler_table.h"
#include "file.h"
#include "inbox/inbox.h"
#include "pool/pool.h"
#include "setup/online.h"
#include "vk/curl.h"

#include "banned.h"

static int cmd_check(int, char **);

const struct command command_check = {
	.name = "check",
	.args = "[--online]",
	.summary = "shows the configuration and handlers in force, and warns",
	.help = "--online  ask VK too: the tokens' rights, servers, ticked "
	    "events, the clock\n",
	.run = cmd_check,
};

static void
show_keys(const struct conf_key *keys, const void *from)
{
	char value[PATH_MAX];

	for (; keys->name != NULL; keys++) {
		conf_show(keys, from, value, sizeof(value));
		printf("  %s = %s\n", keys->name, value);
	}
}

static void
show_groups(const struct conf *conf)
{
	size_t i;

	if (conf->has_fallback) {
		printf("[default]\n");
		show_keys(conf_group_keys, &conf->fallback);
	}
	for (i = 0; i < conf->n_groups; i++) {
		printf("[group %" PRId64 "]\n", conf->groups[i].id);
		show_keys(conf_group_keys, &conf->groups[i]);
	}
}

static int
show_handlers(void)
{
	const struct handler *handler;
	const char *event;
	int status = EXIT_OK;

	printf("handlers:%s\n", handlers[0].name == NULL ? " none" : "");
	for (handler = handlers; handler->name != NULL; handler++) {
		event = handler_event(handler);
		printf("  %-20s %-24s %s\n", handler->name, event,
		    handler->def->summary != NULL ? handler->def->summary : "");
		if (*event == '\0')
			status = report_fail(handler->name, "has no ON(event, "
			    "function) and is never called");
		else if (strcmp(event, "confirmation") == 0)
			status = report_fail(handler->name, "is never called: "
			    "vkcb answers a confirmation itself");
	}
	return status;
}

/* Opens the inbox as it is, if it exists. */
static int
open_inbox(const char *path)
{
	char error[INBOX_ERROR_MAX];
	struct inbox_status status;
	struct inbox *inbox;
	int result = EXIT_OK;

	if (access(path, F_OK) == -1)
		return EXIT_OK;
	inbox = inbox_open(path, INBOX_READ, error);
	if (inbox == NULL)
		return report_fail("inbox", "%s", error);
	if (inbox_status(inbox, &status) == -1)
		result = report_fail("inbox", "%s", inbox->error);
	else
		inbox_status_free(&status);
	inbox_close(inbox);
	return result;
}

/* Does the library load, and can the file be made, or opened? */
static int
check_inbox(const struct conf *conf)
{
	char error[INBOX_ERROR_MAX], folder[PATH_MAX];

	if (conf->inbox == NULL)
		return EXIT_OK;
	if (inbox_check(conf->inbox, error) == -1)
		return report_fail("inbox", "%s", error);
	file_folder(conf->inbox, folder);
	if (access(folder, W_OK) == -1)
		return report_fail(conf->inbox, "its folder: %s: make one "
		    "that the web server's user can write", strerror(errno));
	if (open_inbox(conf->inbox) != EXIT_OK)
		return EXIT_ERROR;
	printf("inbox: SQLite is there; workers: %s\n",
	    pool_is_there(conf->inbox) ? "running" : "not running (the "
	    "next stored event starts them)");
	return EXIT_OK;
}

static int
check_online(const struct conf *conf)
{
	int status = EXIT_OK, asked = 0;
	size_t i;

	for (i = 0; i < conf->n_groups; i++) {
		if (conf->groups[i].token == NULL) {
			printf("group %" PRId64 ": no token: not checked\n",
			    conf->groups[i].id);
			continue;
		}
		asked++;
		fflush(stdout);
		if (online_check(conf, &conf->groups[i]) == -1)
			status = EXIT_ERROR;
	}
	if (asked == 0)
		return report_fail("--online", "no group has a token: add "
		    "`token = ...` to its section");
	return status;
}

static int
cmd_check(int argc, char **argv)
{
	bool online = argc > 1 && strcmp(argv[1], "--online") == 0;
	char curl[CURL_STATE_MAX];
	struct conf *conf;
	int status;

	if (argc > 1 + online)
		return command_misused(&command_check, "unknown argument %s",
		    argv[1 + online]);
	conf = command_configure();
	if (conf == NULL)
		return EXIT_ERROR;
	printf("configuration: %s\n[vkcb]\n", conf->path);
	show_keys(conf_keys, conf);
	show_groups(conf);
	status = show_handlers();
	(void)curl_state(curl);
	printf("libcurl: %s\n", curl);
	if (check_inbox(conf) != EXIT_OK)
		status = EXIT_ERROR;
	check_warnings(conf);
	if (online && check_online(conf) != EXIT_OK)
		status = EXIT_ERROR;
	conf_free(conf);
	return status;
}
