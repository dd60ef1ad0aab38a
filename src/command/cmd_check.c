/*
 * cmd_check.c - `vkcb check`: what is in force, and what is wrong with it.
 *
 * Prints the configuration without its secrets, the handlers and their events.
 * A mistake that keeps events from being handled is an error (status 1); what
 * is merely unwise is a warning.
 */
#include "command/command.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/conf.h"
#include "vk/curl.h"
#include "pool/pool.h"
#include "event/fields.h"
#include "file.h"
#include "event/handler_table.h"
#include "inbox/inbox.h"
#include "conf/keys.h"
#include "setup/online.h"
#include "setup/subscriptions.h"

#include "banned.h"

#define SECRET_SHORT 12

static int cmd_check_run(int, char **);

const struct command command_check = {
	.name = "check",
	.args = "[--online]",
	.summary = "shows the configuration and handlers in force, and warns",
	.help = "--online  ask VK too: the tokens' rights, servers, ticked "
	    "events, the clock\n",
	.run = cmd_check_run,
};

static void
warn(const char *what, const char *why)
{
	printf("warning: %s: %s\n", what, why);
}

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

static void
show_curl(void)
{
	char state[CURL_STATE_MAX];

	(void)curl_state(state);
	printf("libcurl: %s\n", state);
}

static void
warn_mode(const char *path)
{
	struct stat st;

	if (stat(path, &st) == 0 && (st.st_mode & S_IRWXO) != 0)
		warn(path, "others on this machine can read it: chmod o-rwx, "
		    "and give it the web server's group");
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

/* Of a file that is still to be made the folder counts. */
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
		warn(file, "it seems to stand inside a document root: move it "
		    "out, or see that the web server denies it "
		    "(contrib/htaccess does)");
		return;
	}
}

/* What holds secrets, or what people write; NULL: it is not there. */
static void
warn_private(const char *file)
{
	if (file == NULL)
		return;
	warn_mode(file);
	warn_served(file);
}

static void
warn_handlers(void)
{
	const struct handler *handler;
	const char *event, *nearest;
	char why[160];

	for (handler = handlers; handler->name != NULL; handler++) {
		event = handler_event(handler);
		nearest = handler->def->event == VKCB_EVENT_unknown &&
		    event_info(event) == NULL ? event_nearest(event) : NULL;
		if (nearest == NULL)
			continue;
		snprintf(why, sizeof(why), "%.64s is no event that vkcb knows: "
		    "did you mean %s", event, nearest);
		warn(handler->name, why);
	}
	if (handlers[0].name == NULL)
		warn("handlers", "none compiled in: events are answered and "
		    "dropped");
}

/* A quote or a comment is a mistake. */
static void
warn_odd(const char *what, const char *key, const char *text)
{
	char why[160];

	for (; *text != '\0'; text++)
		if (!((*text >= '0' && *text <= '9') ||
		    (*text >= 'a' && *text <= 'z') ||
		    (*text >= 'A' && *text <= 'Z')))
			break;
	if (*text == '\0')
		return;
	snprintf(why, sizeof(why), "the %s has more in it than the letters and "
	    "digits that VK takes: no quotes, and a comment begins with ;",
	    key);
	warn(what, why);
}

static void
warn_secret(const char *what, const char *key, const char *secret)
{
	char why[160];

	if (strlen(secret) < SECRET_SHORT) {
		snprintf(why, sizeof(why), "the %s is short and could be "
		    "guessed: take 20 letters and digits or more (VK allows "
		    "%d)", key, KEYS_SECRET_LONGEST);
		warn(what, why);
	} else if (strlen(secret) > KEYS_SECRET_LONGEST) {
		snprintf(why, sizeof(why), "the %s is longer than the %d "
		    "characters that VK takes", key, KEYS_SECRET_LONGEST);
		warn(what, why);
	}
	warn_odd(what, key, secret);
}

static void
warn_confirmation(const char *what, const char *confirmation)
{
	char why[160];

	if (keys_is_confirmation(confirmation))
		return;
	snprintf(why, sizeof(why), "the confirmation has more in it than up to "
	    "%d letters, digits, _ and -: no quotes, and a comment begins "
	    "with ;", KEYS_SECRET_LONGEST);
	warn(what, why);
}

/* A name that is new to the catalogue may be right: VK has the last word. */
static void
warn_events(const char *what, const struct conf_group *group)
{
	struct subscriptions subs;
	const char *event, *nearest;
	char why[160];
	size_t i;

	if (group->events == NULL)
		return;
	subscriptions_init(&subs, group, NULL);
	for (i = 0; i < subs.n; i++) {
		event = subs.at[i].name;
		if (event_info(event) != NULL)
			continue;
		nearest = event_nearest(event);
		snprintf(why, sizeof(why), "events: %.64s is no event that "
		    "vkcb knows%s%s", event, nearest != NULL ?
		    ": did you mean " : "", nearest != NULL ? nearest : "");
		warn(what, why);
	}
}

static void
warn_group(const struct conf *conf, const struct conf_group *group)
{
	char what[64];

	if (group->id == 0)
		snprintf(what, sizeof(what), "[default]");
	else
		snprintf(what, sizeof(what), "[group %" PRId64 "]", group->id);
	if (group->secret == NULL && !group->no_secret)
		warn(what, "no secret yet: run vkcb setup");
	else if (group->no_secret)
		warn(what, "without a secret anybody can send events: set one "
		    "in the community's Callback API settings and here");
	else
		warn_secret(what, "secret", group->secret);
	if (group->old_secret != NULL)
		warn_secret(what, "old_secret", group->old_secret);
	if (group->confirmation != NULL)
		warn_confirmation(what, group->confirmation);
	warn_events(what, group);
	/* With a token and keys setup gets it, and VK is asked for it. */
	if (group->confirmation == NULL &&
	    (group->token == NULL || conf->keys == NULL))
		warn(what, "no confirmation string: VK cannot confirm this "
		    "server");
	warn_private(group->secret_file.path);
	warn_private(group->token_file.path);
}

/* As a responder opens one that is there. */
static int
open_inbox(const char *path)
{
	char error[INBOX_ERROR_MAX];
	struct inbox_status status;
	struct inbox *inbox;
	int result = EXIT_OK;

	if (inbox_allows(path, error) == -1)
		return report_fail("inbox", "%s", error);
	if (access(path, F_OK) == -1)
		return EXIT_OK;
	inbox = inbox_open(path, true, error);
	if (inbox == NULL)
		return report_fail("inbox", "%s", error);
	if (inbox_status(inbox, &status) == -1)
		result = report_fail("inbox", "%s", inbox->error);
	else
		inbox_status_free(&status);
	inbox_close(inbox);
	return result;
}

/* The library loads, and the file can be made, or opened. */
static int
check_inbox(const struct conf *conf)
{
	char error[INBOX_ERROR_MAX], folder[PATH_MAX];

	if (conf->inbox == NULL)
		return EXIT_OK;
	if (inbox_check(error) == -1)
		return report_fail("inbox", "%s", error);
	file_folder(conf->inbox, folder);
	if (access(folder, W_OK) == -1)
		return report_fail(conf->inbox, "its folder: %s: make one "
		    "that the web server's user can write", strerror(errno));
	if (open_inbox(conf->inbox) != EXIT_OK)
		return EXIT_ERROR;
	printf("inbox: SQLite is there; workers: %s\n",
	    pool_is_there(conf->inbox) ? "running" : "none running, an "
	    "event that is stored starts some");
	return EXIT_OK;
}

static void
warn_all(const struct conf *conf)
{
	size_t i;

	warn_private(conf->path);
	warn_private(conf->keys);
	warn_private(conf->inbox);
	/* stderr and syslog are no paths. */
	if (*conf->log == '/')
		warn_served(conf->log);
	if (conf->has_fallback)
		warn_group(conf, &conf->fallback);
	for (i = 0; i < conf->n_groups; i++)
		warn_group(conf, &conf->groups[i]);
	if (conf->n_groups == 0 && !conf->has_fallback)
		warn(conf->path, "no group: every event is refused; add "
		    "[group ID]");
	warn_handlers();
}

static int
check_online(const struct conf *conf)
{
	int status = EXIT_OK, asked = 0;
	size_t i;

	for (i = 0; i < conf->n_groups; i++) {
		if (conf->groups[i].token == NULL) {
			printf("group %" PRId64 ": no token: not looked into\n",
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
cmd_check_run(int argc, char **argv)
{
	bool online = argc > 1 && strcmp(argv[1], "--online") == 0;
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
	show_curl();
	if (check_inbox(conf) != EXIT_OK)
		status = EXIT_ERROR;
	warn_all(conf);
	if (online && check_online(conf) != EXIT_OK)
		status = EXIT_ERROR;
	conf_free(conf);
	return status;
}
