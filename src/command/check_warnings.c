/*
 * check_warnings.c - unwise settings: files that others can read, weak secrets,
 * misspelt events.
 */
#include "command/check_warnings.h"

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
#include "event/handler_table.h"
#include "file.h"
#include "setup/subscriptions.h"

#include "banned.h"

#define SECRET_SHORT 12

static void warn(const char *what, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

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

/* Quotes, or a comment, that became a part of the value. */
static bool
is_alphanumeric(const char *text)
{
	return text[strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789")] == '\0';
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
	if (!is_alphanumeric(secret))
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

static void
warn_group(const struct conf *conf, const struct conf_group *group)
{
	char what[64] = "[default]";

	if (group->id != 0)
		snprintf(what, sizeof(what), "[group %" PRId64 "]", group->id);
	if (group->no_secret)
		warn(what, "without a secret anybody can send events: set one "
		    "in the community's Callback API settings and here");
	else if (group->secret == NULL)
		warn(what, "no secret yet: run vkcb setup");
	else
		warn_secret(what, "secret", group->secret);
	if (group->old_secret != NULL)
		warn_secret(what, "old_secret", group->old_secret);
	if (group->confirmation != NULL &&
	    !keys_is_confirmation(group->confirmation))
		warn(what, "the confirmation is not up to %d letters, digits, "
		    "_ and -: write it without quotes, and begin a comment "
		    "with ;", KEYS_SECRET_LONGEST);
	warn_events(what, group);
	/* With a token and keys, setup gets the string from VK. */
	if (group->confirmation == NULL &&
	    (group->token == NULL || conf->keys == NULL))
		warn(what, "no confirmation string: VK cannot confirm this "
		    "server");
	warn_private(group->secret_file.path);
	warn_private(group->token_file.path);
}

static void
warn_handlers(void)
{
	const struct handler *handler;
	const char *event, *nearest;

	for (handler = handlers; handler->name != NULL; handler++) {
		event = handler_event(handler);
		nearest = handler->def->event == VKCB_EVENT_unknown &&
		    event_info(event) == NULL ? event_nearest(event) : NULL;
		if (nearest != NULL)
			warn(handler->name, "%.64s is an unknown event: did "
			    "you mean %s", event, nearest);
	}
	if (handlers[0].name == NULL)
		warn("handlers", "none compiled in: events are answered and "
		    "dropped");
}

void
check_warnings(const struct conf *conf)
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
