/*
 * cmd_setup.c - `vkcb setup URL`: callback servers that set themselves up.
 *
 * For each group with a token, the server with this URL at VK is found or made,
 * and the events that the handlers take are ticked. A second run changes
 * nothing. A group that fails does not keep the next from being set up.
 */
#include "command/command.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/conf.h"
#include "setup/setup.h"

#include "banned.h"

static int cmd_setup(int, char **);

const struct command command_setup = {
	.name = "setup",
	.args = "[--dry-run] [--remove] [--group ID] URL",
	.summary = "makes each group's callback server at VK, and ticks events",
	.help =
	    "--dry-run   only tell what would be done\n"
	    "--remove    take the server with this URL away\n"
	    "--group ID  this group alone\n",
	.run = cmd_setup,
};

struct options {
	bool dry_run;
	bool remove;
	int64_t group;		/* 0: all with a token */
	const char *url;
};

static int
cmd_setup_check_url(const char *url)
{
	bool plain = strncmp(url, "http://", 7) == 0;
	const char *host = url + (plain ? 7 : 8), *wrong = NULL;
	const unsigned char *at = (const unsigned char *)url;

	while (*at > ' ' && *at != 0x7f)
		at++;
	if (!plain && strncmp(url, "https://", 8) != 0)
		wrong = "starts with https:// or http://";
	else if (strcspn(host, ":/?#") == 0)
		wrong = "names a host";
	else if (*at != '\0')
		wrong = "has no blanks";
	else if (strlen(url) >= KEYS_URL_MAX)
		wrong = "has less than 1024 characters";
	if (wrong != NULL)
		return command_misused(&command_setup, "%s: a URL %s", url,
		    wrong);
	if (plain && !conf_is_loopback(host))
		(void)report_fail(url, "over plain http anybody on the way "
		    "can read the secret and the events: better https://");
	return EXIT_OK;
}

static int
cmd_setup_options(struct options *options, int argc, char **argv)
{
	const struct command_option known[] = {
		{ "dry-run", .flag = &options->dry_run },
		{ "remove", .flag = &options->remove },
		{ "group", .number = &options->group, .min = 1,
		    .max = INT64_MAX, .wanted = "a community's id" },
		{ .name = NULL },
	};

	if (command_options(&command_setup, known, argc, argv, argc) != EXIT_OK)
		return EXIT_USAGE;
	if (argc - optind != 1)
		return command_misused(&command_setup, "give the URL that VK "
		    "shall post to");
	options->url = argv[optind];
	return cmd_setup_check_url(options->url);
}

static int
cmd_setup_group(const struct options *options, const struct conf *conf,
    const struct conf_group *group, struct keys *keys)
{
	struct setup setup = {
		.vk = { .conf = conf, .group = group },
		.url = options->url, .dry_run = options->dry_run, .keys = keys,
	};
	char what[40];
	int result;

	snprintf(what, sizeof(what), "group %" PRId64, group->id);
	if (group->token == NULL)
		return report_fail(what, "this group has no token: add "
		    "`token = ...` to its section");
	api_init(&setup.vk.api, conf, group->token, API_PATIENCE);
	result = options->remove ? setup_remove(&setup) : setup_group(&setup);
	api_forget(&setup.vk.api);
	return result == 0 ? EXIT_OK : report_fail(what, "%s", setup.vk.error);
}

static int
cmd_setup_groups(const struct options *options, const struct conf *conf,
    struct keys *keys)
{
	const struct conf_group *group;
	int status = EXIT_OK;
	bool any = false;
	size_t i;

	for (i = 0; i < conf->n_groups; i++) {
		group = &conf->groups[i];
		if (options->group != 0 ? options->group != group->id :
		    group->token == NULL)
			continue;
		any = true;
		if (cmd_setup_group(options, conf, group, keys) != EXIT_OK)
			status = EXIT_ERROR;
	}
	if (any)
		return status;
	return options->group != 0 ? report_fail("setup", "--group %" PRId64
	    ": no such group in %s", options->group, conf->path) :
	    report_fail(conf->path, "no group has a token: make one in the "
	    "community's settings (API usage) with the right to manage it, "
	    "and add `token = ...`");
}

/* A web server cannot read root's own files. */
static void
tell_of_owner(const char *keys)
{
	struct stat st;

	if (geteuid() == 0 && stat(keys, &st) == 0 && st.st_uid == 0)
		printf("%s belongs to root, like its folder: chown it to the "
		    "user that the web server runs vkcb as\n", keys);
}

static int
cmd_setup_with_keys(const struct options *options, const struct conf *conf)
{
	struct keys keys = { .n = 0 };
	char error[KEYS_ERROR_MAX];
	int status, lock = -1;
	bool is_new;

	if (conf->keys == NULL)
		return report_fail(conf->path, "setup needs `keys = FILE` in "
		    "[vkcb], where it stores secrets and confirmation strings");
	if ((!options->dry_run &&
	    (lock = keys_lock(conf->keys, error)) == -1) ||
	    keys_read(&keys, conf->keys, error) == -1) {
		status = report_fail("setup", "%s", error);
	} else {
		is_new = access(conf->keys, F_OK) == -1;
		status = cmd_setup_groups(options, conf, &keys);
		if (is_new)
			tell_of_owner(conf->keys);
	}
	keys_free(&keys);
	if (lock != -1)
		close(lock);
	return status;
}

static int
cmd_setup(int argc, char **argv)
{
	struct options options = { .url = NULL };
	int status = cmd_setup_options(&options, argc, argv);
	struct conf *conf;

	if (status != EXIT_OK)
		return status;
	conf = command_configure(true);
	if (conf == NULL)
		return EXIT_ERROR;
	status = cmd_setup_with_keys(&options, conf);
	conf_free(conf);
	return status;
}
