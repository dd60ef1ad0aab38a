/*
 * cmd_check.c - `vkcb check`: what is in force, and what is wrong with it.
 *
 * Prints the configuration without its secrets, the handlers and their events.
 * A mistake that keeps events from being handled is an error (status 1); an
 * unwise setting, such as a secret that is weak or can be read, is a warning.
 */
#include "command/command.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/conf.h"
#include "conf/keys.h"
#include "event/catalogue.h"
#include "file.h"
#include "pool/pool.h"
#include "setup/setup.h"
#include "setup/subscriptions.h"
#include "vk/curl.h"

#include "banned.h"

#define SECRET_SHORT 12

static int cmd_check(int, char **);

const struct command command_check = {
	.name = "check",
	.args = "[--online]",
	.summary = "shows the configuration and handlers in force, and warns",
	.help = "--online  ask VK too: the tokens' rights, servers, enabled "
	    "events, the clock\n",
	.run = cmd_check,
};

/* inherited: the parts of a group that are [default]'s. */
static void
show_keys(const struct conf_key *keys, const void *from, unsigned int inherited)
{
	char value[PATH_MAX];

	for (; keys->name != NULL; keys++) {
		conf_show(keys, from, value, sizeof(value));
		printf("  %s = %s%s\n", keys->name, value,
		    (keys->part & inherited) != 0 &&
		    strcmp(value, "(not set)") != 0 ?
		    "  ; from [default]" : "");
	}
}

static void
show_groups(const struct conf *conf)
{
	const struct conf_group *group = conf->groups;

	if (conf->fallback.has != 0) {
		printf("[default]\n");
		show_keys(conf_group_keys, &conf->fallback, 0);
	}
	for (; group < conf->groups + conf->n_groups; group++) {
		printf("[group %" PRId64 "]\n", group->id);
		show_keys(conf_group_keys, group, group->inherited);
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
		free(status.handlers);
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

__attribute__((format(printf, 2, 3)))
static void
warn(const char *what, const char *fmt, ...)
{
	va_list args;

	printf("warning: %s: ", what);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	putchar('\n');
}

/* Folders that web servers serve, by their usual names and contents. */
static bool
is_served(const char *folder)
{
	static const char *const names[] = {
		"public_html", "htdocs", "httpdocs", "html", "www", "webroot",
	};
	static const char *const contents[] = {
		"index.html", "index.php", ".htaccess",
	};
	const char *name = strrchr(folder, '/');
	char path[PATH_MAX];
	size_t i;

	for (i = 0; name != NULL && i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(name + 1, names[i]) == 0)
			return true;
	for (i = 0; i < sizeof(contents) / sizeof(contents[0]); i++) {
		if ((size_t)snprintf(path, sizeof(path), "%s/%s", folder,
		    contents[i]) < sizeof(path) && access(path, F_OK) == 0)
			return true;
	}
	return false;
}

/* For a file that does not exist yet its folder is looked at. */
static void
warn_served(const char *file)
{
	char named[PATH_MAX], folder[PATH_MAX];

	file_folder(file, named);
	if (realpath(file, folder) != NULL)
		*strrchr(folder, '/') = '\0';
	else if (realpath(named, folder) == NULL)
		return;
	for (; *folder != '\0'; *strrchr(folder, '/') = '\0') {
		if (!is_served(folder))
			continue;
		warn(file, "it seems to be inside a document root: move it, "
		    "or make the web server deny access to it "
		    "(contrib/htaccess does)");
		return;
	}
}

/* A file with secrets or events; NULL: none. */
static void
warn_private(const char *file)
{
	struct stat st;

	if (file == NULL)
		return;
	if (stat(file, &st) == 0 && (st.st_mode & S_IRWXO) != 0)
		warn(file, "others on this machine can read it: chmod o-rwx, "
		    "and give it the web server's group");
	warn_served(file);
}

static void
warn_secret(const char *what, const char *key, const char *secret)
{
	if (strlen(secret) < SECRET_SHORT)
		warn(what, "the %s is short and could be guessed: take 20 "
		    "letters and digits or more (VK allows %d)", key,
		    KEYS_SECRET_LONGEST);
	else if (strlen(secret) > KEYS_SECRET_LONGEST)
		warn(what, "the %s is longer than the %d characters that VK "
		    "takes", key, KEYS_SECRET_LONGEST);
	/* Quotes, or a comment, that became a part of the value. */
	if (secret[strspn(secret, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789")] != '\0')
		warn(what, "the %s has characters other than the letters and "
		    "digits that VK takes: write it without quotes, and begin "
		    "a comment with ;", key);
}

/* VK may have an event that is new to the catalogue. */
static void
warn_events(const char *what, const struct conf_group *group)
{
	struct subscriptions subs;
	const char *event, *nearest;
	size_t i;

	if (group->events == NULL)
		return;
	subscriptions_init(&subs, group, NULL);
	for (i = 0; i < subs.n; i++) {
		event = subs.at[i].name;
		if (event_info(event) != NULL)
			continue;
		nearest = event_nearest(event);
		warn(what, "events: %.64s is an unknown event%s%s",
		    event, nearest != NULL ? ": did you mean " : "",
		    nearest != NULL ? nearest : "");
	}
}

/* Values of [default] are warned of there, not in each group. */
static void
warn_group(const struct conf *conf, const struct conf_group *group)
{
	unsigned int own = ~group->inherited;
	char what[64] = "[default]";

	if (group->id != 0)
		snprintf(what, sizeof(what), "[group %" PRId64 "]", group->id);
	if (group->no_secret)
		warn(what, "without a secret anybody can send events: set one "
		    "in the community's Callback API settings and here");
	else if (group->secret == NULL && group->id != 0)
		warn(what, "no secret yet: run vkcb setup");
	if (group->secret != NULL && (own & CONF_SECRET) != 0)
		warn_secret(what, "secret", group->secret);
	if (group->old_secret != NULL && (own & CONF_SECRET) != 0)
		warn_secret(what, "old_secret", group->old_secret);
	if (group->confirmation != NULL && (own & CONF_CONFIRMATION) != 0 &&
	    !keys_is_confirmation(group->confirmation))
		warn(what, "the confirmation is not up to %d letters, digits, "
		    "_ and -: write it without quotes, and begin a comment "
		    "with ;", KEYS_SECRET_LONGEST);
	if ((own & CONF_EVENTS) != 0)
		warn_events(what, group);
	/* Setup gets the string from VK. */
	if (group->confirmation == NULL && !group->asks_vk &&
	    (group->id != 0 || conf_group(conf, 0) != NULL))
		warn(what, "no confirmation string: VK cannot confirm this "
		    "server");
	if ((own & CONF_SECRET) != 0)
		warn_private(group->secret_file.path);
	if ((own & CONF_TOKEN) != 0)
		warn_private(group->token_file.path);
}

static void
warn_handlers(void)
{
	const struct handler *handler;
	const char *nearest;

	for (handler = handlers; handler->name != NULL; handler++) {
		nearest = handler_names_new(handler) ?
		    event_nearest(handler->def->type) : NULL;
		if (nearest != NULL)
			warn(handler->name, "%.64s is an unknown event: did "
			    "you mean %s", handler->def->type, nearest);
	}
	if (handlers[0].name == NULL)
		warn("handlers", "none compiled in: events are answered and "
		    "dropped");
}

/* The default folder is missing on most machines, and TMPDIR will do. */
static void
warn_state(const struct conf *conf)
{
	if (conf->inbox == NULL && conf->repeats == CONF_REPEATS_ONCE &&
	    access(conf->state, W_OK | X_OK) == -1 && (errno != ENOENT ||
	    strcmp(conf->state, CONF_STATE) != 0))
		warn(conf->state, "%s: set `state` to a folder that vkcb can "
		    "write to, or repeated events are handled again",
		    strerror(errno));
}

static void
check_warnings(const struct conf *conf)
{
	size_t i;

	warn_private(conf->path);
	warn_private(conf->keys);
	warn_private(conf->inbox);
	/* stderr and syslog are no paths. */
	if (*conf->log == '/')
		warn_served(conf->log);
	if (conf->fallback.has != 0)
		warn_group(conf, &conf->fallback);
	for (i = 0; i < conf->n_groups; i++)
		warn_group(conf, &conf->groups[i]);
	if (conf->n_groups == 0 && conf->fallback.has == 0)
		warn(conf->path, "no group: every event is refused; add "
		    "[group ID]");
	warn_handlers();
	warn_state(conf);
}

static int
cmd_check(int argc, char **argv)
{
	bool online = false;
	const struct command_option options[] = {
		{ "online", .flag = &online },
		{ .name = NULL },
	};
	char curl[CURL_STATE_MAX];
	struct conf *conf;
	int status;

	if (command_options(&command_check, options, argc, argv, 0) != EXIT_OK)
		return EXIT_USAGE;
	conf = command_configure(true);
	if (conf == NULL)
		return EXIT_ERROR;
	printf("configuration: %s\n[vkcb]\n", conf->path);
	show_keys(conf_keys, conf, 0);
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
