/*
 * cmd_setup.c - `vkcb setup URL`: callback servers that set themselves up.
 *
 * For each group with a token, the server with this URL at VK is found or made,
 * and the events that the handlers take are ticked. A second run changes
 * nothing. A group that fails does not keep the next from being set up.
 */
#include "command/command.h"

#include <inttypes.h>
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
	.summary = "adds the callback server at VK, and enables events",
	.help =
	    "--dry-run   only tell what would be done\n"
	    "--remove    take the server with this URL away\n"
	    "--group ID  this group alone\n",
	.run = cmd_setup,
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
cmd_setup_options(struct setup *setup, int argc, char **argv)
{
	const struct command_option known[] = {
		{ "dry-run", .flag = &setup->dry_run },
		{ "remove", .flag = &setup->remove },
		{ "group", .number = &setup->group_id, .min = 1,
		    .max = INT64_MAX, .wanted = "a community's id" },
		{ .name = NULL },
	};

	if (command_options(&command_setup, known, argc, argv, argc) != EXIT_OK)
		return EXIT_USAGE;
	if (argc - optind != 1)
		return command_misused(&command_setup, "give the URL that VK "
		    "shall post to");
	setup->url = argv[optind];
	return cmd_setup_check_url(setup->url);
}

static int
cmd_setup_group(struct setup *setup, const struct conf_group *group)
{
	char what[40];
	int result;

	snprintf(what, sizeof(what), "group %" PRId64, group->id);
	if (group->token == NULL)
		return report_fail(what, "this group has no token: add "
		    "`token = ...` to its section");
	api_init(&setup->vk.api, setup->vk.conf, group->token, API_PATIENCE);
	setup->vk.api.is_watched = true;
	result = setup_group(setup, group);
	api_forget(&setup->vk.api);
	return result == 0 ? EXIT_OK : report_fail(what, "%s",
	    setup->vk.error);
}

static int
cmd_setup_groups(struct setup *setup)
{
	const struct conf *conf = setup->vk.conf;
	const struct conf_group *group;
	int status = EXIT_OK;
	bool any = false;

	for (group = conf->groups; group < conf->groups + conf->n_groups;
	    group++) {
		if (setup->group_id != 0 ? setup->group_id != group->id :
		    group->token == NULL)
			continue;
		any = true;
		if (cmd_setup_group(setup, group) != EXIT_OK)
			status = EXIT_ERROR;
	}
	if (any)
		return status;
	return setup->group_id != 0 ? report_fail("setup", "--group %" PRId64
	    ": no such group in %s", setup->group_id, conf->path) :
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
cmd_setup_with_keys(struct setup *setup)
{
	const struct conf *conf = setup->vk.conf;
	char error[KEYS_ERROR_MAX];
	int status, lock = -1;
	bool is_new;

	if (conf->keys == NULL)
		return report_fail(conf->path, "setup needs `keys = FILE` in "
		    "[vkcb], where it stores secrets and confirmation strings");
	if ((!setup->dry_run &&
	    (lock = keys_lock(conf->keys, error)) == -1) ||
	    keys_read(&setup->keys, conf->keys, error) == -1) {
		status = report_fail("setup", "%s", error);
	} else {
		is_new = access(conf->keys, F_OK) == -1;
		status = cmd_setup_groups(setup);
		if (is_new)
			tell_of_owner(conf->keys);
	}
	keys_free(&setup->keys);
	if (lock != -1)
		close(lock);
	return status;
}

static int
cmd_setup(int argc, char **argv)
{
	struct setup setup = { .url = NULL };
	int status = cmd_setup_options(&setup, argc, argv);
	struct conf *conf;

	if (status != EXIT_OK)
		return status;
	conf = command_configure(true);
	if (conf == NULL)
		return EXIT_ERROR;
	setup.vk.conf = conf;
	status = cmd_setup_with_keys(&setup);
	conf_free(conf);
	return status;
}
