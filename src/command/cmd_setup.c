/*
 * cmd_setup.c - `vkcb setup URL`: callback servers that set themselves up.
 *
 * For each group with a token: the server at VK that has this URL is found or
 * made, and the events that the handlers take are ticked. Run twice it changes
 * nothing. A group that fails does not keep the next from being set up.
 */
#include "command/command.h"

#include <getopt.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/conf.h"
#include "setup/setup.h"

#include "banned.h"

static int run_setup(int, char **);

const struct command command_setup = {
	.name = "setup",
	.args = "[--dry-run] [--remove] [--group ID] URL",
	.summary = "makes each group's callback server at VK, and ticks events",
	.help =
	    "--dry-run   only tell what would be done\n"
	    "--remove    take the server with this URL away\n"
	    "--group ID  this group alone\n",
	.run = run_setup,
};

struct options {
	bool dry_run;
	bool remove;
	const char *group;
	const char *url;
};

static int
read_url(const char *url)
{
	bool plain = strncmp(url, "http://", 7) == 0;
	const unsigned char *at = (const unsigned char *)url;
	const char *host = url + (plain ? 7 : 8);

	if (!plain && strncmp(url, "https://", 8) != 0)
		return command_misused(&command_setup, "%s: a URL starts with "
		    "https:// or http://", url);
	if (strcspn(host, ":/?#") == 0)
		return command_misused(&command_setup, "%s: a URL names a "
		    "host", url);
	for (; *at != '\0'; at++)
		if (*at <= ' ' || *at == 0x7f)
			return command_misused(&command_setup, "%s: a URL has "
			    "no blanks", url);
	if (strlen(url) >= KEYS_URL_MAX)
		return command_misused(&command_setup, "the URL is too long");
	if (plain && !conf_is_loopback(host))
		fprintf(stderr, "vkcb: %s: over plain http anybody on the way "
		    "can read the secret and the events: better https://\n",
		    url);
	return EXIT_OK;
}

static int
cmd_setup_read_options(struct options *options, int argc, char **argv)
{
	static const struct option known[] = {
		{ "dry-run", no_argument, NULL, 'n' },
		{ "remove", no_argument, NULL, 'r' },
		{ "group", required_argument, NULL, 'g' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
		if (option == 'n')
			options->dry_run = true;
		else if (option == 'r')
			options->remove = true;
		else if (option == 'g')
			options->group = optarg;
		else
			return command_misused(&command_setup,
			    "unknown option or missing value: %s",
			    argv[optind - 1]);
	}
	if (argc - optind != 1)
		return command_misused(&command_setup, "give the URL that VK "
		    "shall post to");
	if (options->group != NULL && (*options->group == '\0' ||
	    options->group[strspn(options->group, "0123456789")] != '\0'))
		return command_misused(&command_setup, "--group %s: expected a "
		    "community's id", options->group);
	options->url = argv[optind];
	return read_url(options->url);
}

static int
cmd_setup_group(const struct options *options, const struct conf *conf,
    const struct conf_group *group, struct keys *keys)
{
	char what[40];
	struct setup setup = {
		.url = options->url, .dry_run = options->dry_run, .keys = keys,
	};
	int result;

	group_api_init(&setup.vk, conf, group, API_PATIENCE);
	result = options->remove ? setup_remove(&setup) : setup_group(&setup);
	api_forget(&setup.vk.api);
	if (result == 0)
		return EXIT_OK;
	snprintf(what, sizeof(what), "group %lld", (long long)group->id);
	return report_fail(what, "%s", setup.vk.error);
}

/* All groups with a token, or the one that is named. */
static int
set_up_all(const struct options *options, const struct conf *conf,
    struct keys *keys)
{
	const struct conf_group *group;
	int status = EXIT_OK, done = 0;
	char id[24];
	size_t i;

	for (i = 0; i < conf->n_groups; i++) {
		group = &conf->groups[i];
		snprintf(id, sizeof(id), "%lld", (long long)group->id);
		if (options->group != NULL && strcmp(options->group, id) != 0)
			continue;
		if (group->token == NULL && options->group == NULL)
			continue;
		done++;
		if (group->token == NULL)
			status = report_fail(id, "this group has no token: "
			    "add `token = ...` to its section");
		else if (cmd_setup_group(options, conf, group, keys) !=
		    EXIT_OK)
			status = EXIT_ERROR;
	}
	if (done == 0 && options->group != NULL)
		return report_fail(options->group, "no such group in %s",
		    conf->path);
	if (done == 0)
		return report_fail(conf->path, "no group has a token: make "
		    "one in the community's settings (API usage) with the "
		    "right to manage it, and add `token = ...`");
	return status;
}

/* Root's own files are for no web server. */
static void
tell_of_owner(const char *keys)
{
	struct stat st;

	if (geteuid() == 0 && stat(keys, &st) == 0 && st.st_uid == 0)
		printf("%s is root's, as its folder: chown it to the user that "
		    "the web server runs vkcb as\n", keys);
}

static int
run_setup(int argc, char **argv)
{
	char error[KEYS_ERROR_MAX];
	struct options options = { .url = NULL };
	struct conf *conf;
	struct keys keys = { .n = 0 };
	int status, lock = -1;
	bool is_new;

	status = cmd_setup_read_options(&options, argc, argv);
	if (status != EXIT_OK)
		return status;
	conf = command_configure();
	if (conf == NULL)
		return EXIT_ERROR;
	if (conf->keys == NULL) {
		status = report_fail(conf->path, "setup needs `keys = FILE` "
		    "in [vkcb], where it keeps secrets and confirmation "
		    "strings");
	} else if ((!options.dry_run &&
	    (lock = keys_lock(conf->keys, error)) == -1) ||
	    keys_read(&keys, conf->keys, error) == -1) {
		status = report_fail("setup", "%s", error);
	} else {
		is_new = access(conf->keys, F_OK) == -1;
		status = set_up_all(&options, conf, &keys);
		if (is_new)
			tell_of_owner(conf->keys);
	}
	keys_free(&keys);
	if (lock != -1)
		close(lock);
	conf_free(conf);
	return status;
}
