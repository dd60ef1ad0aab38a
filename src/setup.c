/*
 * setup.c - makes a group's callback server at VK what it should be.
 *
 * Each step looks before it changes anything, so that a second run, or one
 * after a failure at any point, does just what is left. Keys are on disk before
 * VK is told to use them: its confirmation may come while a call is still under
 * way, to a responder in another process.
 */
#include "setup.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include <json-c/json.h>

#include "command.h"
#include "conf.h"
#include "log.h"
#include "member.h"
#include "ticked.h"

#include "banned.h"

#define SERVER_TITLE "vkcb"	/* VK takes up to 14 characters */
#define SERVERS_MAX 10		/* that VK lets a group have */
#define SECRET_LENGTH 32
#define STATUS_TRIES 60		/* every half second */

static void
say(const struct setup *setup, const char *text, const char *detail)
{
	printf("group %" PRId64 ": %s%s", setup->group->id, text,
	    detail != NULL ? " " : "");
	if (detail != NULL)
		log_print(stdout, detail);
	putchar('\n');
	fflush(stdout);
}

/* A change: made now, or only told of. */
static bool
is_made(struct setup *setup, const char *did, const char *would,
    const char *detail)
{
	setup->changes++;
	say(setup, setup->dry_run ? would : did, detail);
	return !setup->dry_run;
}

static int
fail(const struct setup *setup, const char *why)
{
	char what[40];

	snprintf(what, sizeof(what), "group %" PRId64, setup->group->id);
	return command_fail(what, "%s", why);
}

static int
call(struct setup *setup, const char *method, struct json_object *params,
    struct json_object **response)
{
	enum vkcb_outcome outcome = api_call(&setup->api, method, params,
	    response);
	const char *advice = setup->api.advice;
	char why[512];

	if (outcome == VKCB_OK)
		return EXIT_FINE;
	if (advice == NULL && setup->api.error.code == 100)
		advice = "check that the URL is public, starts with https:// "
		    "and leads to this vkcb";
	if (advice == NULL && outcome == VKCB_FAIL)
		advice = "try again later";
	snprintf(why, sizeof(why), "%s: %.200s (%d)%s%s", method,
	    setup->api.error.message, setup->api.error.code,
	    advice != NULL ? ": " : "", advice != NULL ? advice : "");
	return fail(setup, why);
}

/* API 5.199 answers {groups: [...]}, older ones the list alone. */
static int
check_token(struct setup *setup)
{
	struct json_object *response, *groups;
	char why[160];
	int64_t id;

	if (call(setup, "groups.getById", json_object_new_object(),
	    &response) != EXIT_FINE)
		return EXIT_PROBLEM;
	groups = json_object_is_type(response, json_type_array) ? response :
	    member_list(response, "groups");
	if (groups == NULL)
		return fail(setup, "groups.getById: an answer that is not "
		    "VK's: check api_url");
	id = member_int(json_object_array_get_idx(groups, 0), "id");
	if (id == setup->group->id)
		return EXIT_FINE;
	snprintf(why, sizeof(why), "its token belongs to group %" PRId64
	    ": give each section its own group's token", id);
	return fail(setup, why);
}

static bool
is_ok(struct json_object *server)
{
	return strcmp(member_text(server, "status"), "ok") == 0;
}

/*
 * Our server among the group's: one with our URL, the last of several, and one
 * that is not ok rather than one that is. NULL: there is none.
 */
static int
find_server(struct setup *setup, struct json_object **server)
{
	struct json_object *response, *items, *item;
	size_t i, n;

	*server = NULL;
	if (call(setup, "groups.getCallbackServers", VK_PARAMS("group_id",
	    VK_INT(setup->group->id)), &response) != EXIT_FINE)
		return EXIT_PROBLEM;
	items = member_list(response, "items");
	n = member_count(items);
	for (i = 0; i < n; i++) {
		item = json_object_array_get_idx(items, i);
		if (strcmp(member_text(item, "url"), setup->url) == 0 &&
		    (*server == NULL || is_ok(*server)))
			*server = item;
	}
	setup->server_id = *server != NULL ? member_int(*server, "id") : 0;
	return EXIT_FINE;
}

static int
remove_server(struct setup *setup)
{
	if (setup->removed++ == SERVERS_MAX)
		return fail(setup, "VK still lists the server after ten were "
		    "removed: see its page Settings, API usage, Callback API");
	return call(setup, "groups.deleteCallbackServer", VK_PARAMS("group_id",
	    VK_INT(setup->group->id), "server_id", VK_INT(setup->server_id)),
	    NULL);
}

static int
edit_server(struct setup *setup, const char *secret)
{
	return call(setup, "groups.editCallbackServer", VK_PARAMS("group_id",
	    VK_INT(setup->group->id), "server_id", VK_INT(setup->server_id),
	    "url", VK_STR(setup->url), "title", VK_STR(SERVER_TITLE),
	    "secret_key", VK_STR(secret)), NULL);
}

static int
keep(struct setup *setup, const char *secret, const char *confirmation)
{
	struct key *key = keys_get(setup->keys, setup->group->id);
	char error[KEYS_ERROR_MAX];

	if (key == NULL)
		return fail(setup, "out of memory");
	if (secret != NULL)
		snprintf(key->secret, sizeof(key->secret), "%s", secret);
	if (confirmation != NULL)
		snprintf(key->confirmation, sizeof(key->confirmation), "%s",
		    confirmation);
	key->server_id = setup->server_id;
	if (keys_write(setup->keys, setup->conf->keys, error) == 0)
		return EXIT_FINE;
	return fail(setup, error);
}

/* Letters and digits, each as likely as the others. */
static int
make_secret(char out[SECRET_LENGTH + 1])
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789";
	const unsigned int n = sizeof(letters) - 1;
	unsigned char byte;
	size_t i = 0;

	while (i < SECRET_LENGTH) {
		if (getrandom(&byte, 1, 0) != 1)
			return -1;
		if (byte < 256 / n * n)
			out[i++] = letters[byte % n];
	}
	out[i] = '\0';
	return 0;
}

/* Does vkcb.conf itself, not the file of keys, have the group's secret? */
static bool
conf_names_secret(const struct setup *setup)
{
	return setup->group->secret != NULL && !setup->group->secret_kept;
}

/* The secret in force: vkcb.conf's, else the kept one, else "". */
static const char *
secret_in_force(const struct setup *setup)
{
	const struct key *key;

	if (conf_names_secret(setup))
		return setup->group->secret;
	key = keys_find(setup->keys, setup->group->id);
	return key != NULL ? key->secret : "";
}

static int
take_secret(struct setup *setup, const char *theirs)
{
	if (!is_made(setup, "took over the secret that VK has",
	    "would take over the secret that VK has", NULL))
		return EXIT_FINE;
	return keep(setup, theirs, NULL);
}

static int
give_secret(struct setup *setup, const char *ours)
{
	if (!is_made(setup, "gives VK", "would give VK",
	    conf_names_secret(setup) ? "the configuration's secret" :
	    "the secret that is kept here"))
		return EXIT_FINE;
	return edit_server(setup, ours);
}

static int
give_fresh_secret(struct setup *setup)
{
	char fresh[SECRET_LENGTH + 1];

	if (make_secret(fresh) == -1)
		return fail(setup, "the system gives no random bytes");
	if (!is_made(setup, "gives VK", "would give VK", "a new secret"))
		return EXIT_FINE;
	if (keep(setup, fresh, NULL) != EXIT_FINE)
		return EXIT_PROBLEM;
	return edit_server(setup, fresh);
}

/* A server in order is kept, and its secret taken over or put right. */
static int
keep_server(struct setup *setup, struct json_object *server)
{
	const char *theirs = member_text(server, "secret_key");
	const char *ours = secret_in_force(setup);

	if (*theirs != '\0' && strcmp(theirs, ours) == 0)
		return EXIT_FINE;
	if (*theirs != '\0' && !conf_names_secret(setup))
		return take_secret(setup, theirs);
	if (setup->group->open)
		return EXIT_FINE;
	return *ours != '\0' ? give_secret(setup, ours) :
	    give_fresh_secret(setup);
}

/* VK's code, where the responder will find it before VK asks. */
static int
keep_confirmation(struct setup *setup, const char *secret)
{
	struct json_object *response;
	char code[KEYS_SECRET_MAX];

	if (call(setup, "groups.getCallbackConfirmationCode", VK_PARAMS(
	    "group_id", VK_INT(setup->group->id)), &response) != EXIT_FINE)
		return EXIT_PROBLEM;
	if (*member_text(response, "code") == '\0')
		return fail(setup, "groups.getCallbackConfirmationCode: an "
		    "answer that is not VK's: check api_url");
	snprintf(code, sizeof(code), "%s", member_text(response, "code"));
	if (setup->group->confirmation != NULL &&
	    !setup->group->confirmation_kept &&
	    strcmp(setup->group->confirmation, code) != 0)
		return fail(setup, "the configuration's confirmation is "
		    "another one than VK gives through its API: remove that "
		    "line, setup keeps the right one");
	return keep(setup, secret, code);
}

static const char *
status_words(const char *status)
{
	if (strcmp(status, "failed") == 0)
		return "VK called the URL and did not get the confirmation "
		    "string: does it lead to this vkcb, with this "
		    "configuration? The log says what was asked";
	if (strcmp(status, "unconfigured") == 0)
		return "VK has not called the URL yet";
	return "VK is still checking the URL: run setup again in a minute";
}

/* VK checks a new server at once, but not while we wait for the call. */
static int
wait_for_ok(struct setup *setup)
{
	const struct timespec pause = { 0, 500000000 };
	struct json_object *server;
	char why[400];
	int i;

	for (i = 0; i < STATUS_TRIES; i++) {
		if (find_server(setup, &server) != EXIT_FINE)
			return EXIT_PROBLEM;
		if (server == NULL)
			return fail(setup, "the server is gone again");
		if (is_ok(server)) {
			say(setup, "VK says the server is ok", NULL);
			return EXIT_FINE;
		}
		if (strcmp(member_text(server, "status"), "failed") == 0)
			break;
		if (i + 1 == STATUS_TRIES)
			break;
		nanosleep(&pause, NULL);
		api_forget(&setup->api);
	}
	snprintf(why, sizeof(why), "status %.40s: %s", member_text(server,
	    "status"), status_words(member_text(server, "status")));
	return fail(setup, why);
}

static int
add_server(struct setup *setup)
{
	struct json_object *response;
	char secret[KEYS_SECRET_MAX];

	setup->server_id = 0;
	if (!is_made(setup, "adds the server", "would add the server",
	    setup->url))
		return EXIT_FINE;
	snprintf(secret, sizeof(secret), "%s", secret_in_force(setup));
	if (secret[0] == '\0' && !setup->group->open &&
	    make_secret(secret) == -1)
		return fail(setup, "the system gives no random bytes");
	if (keep_confirmation(setup, conf_names_secret(setup) ? NULL :
	    secret) != EXIT_FINE)
		return EXIT_PROBLEM;
	if (call(setup, "groups.addCallbackServer", VK_PARAMS("group_id",
	    VK_INT(setup->group->id), "url", VK_STR(setup->url), "title",
	    VK_STR(SERVER_TITLE), "secret_key", VK_STR(secret)), &response) !=
	    EXIT_FINE)
		return EXIT_PROBLEM;
	setup->server_id = member_int(response, "server_id");
	if (keep(setup, NULL, NULL) != EXIT_FINE)
		return EXIT_PROBLEM;
	return wait_for_ok(setup);
}

static int
bring_server(struct setup *setup)
{
	struct json_object *server;

	for (;;) {
		if (find_server(setup, &server) != EXIT_FINE)
			return EXIT_PROBLEM;
		if (server == NULL)
			return add_server(setup);
		if (is_ok(server))
			return keep_server(setup, server);
		if (!is_made(setup, "removes the broken server, status",
		    "would remove the broken server, status",
		    member_text(server, "status")))
			return add_server(setup);
		if (remove_server(setup) != EXIT_FINE)
			return EXIT_PROBLEM;
	}
}

static bool
may_tick(struct setup *setup)
{
	return is_made(setup, "ticks the events that the handlers take",
	    "would tick the events that the handlers take", NULL);
}

static int
tick_events(struct setup *setup)
{
	struct json_object *settings, *params;
	int changes;

	if (call(setup, "groups.getCallbackSettings", VK_PARAMS("group_id",
	    VK_INT(setup->group->id), "server_id", VK_INT(setup->server_id)),
	    &settings) != EXIT_FINE)
		return EXIT_PROBLEM;
	params = VK_PARAMS("group_id", VK_INT(setup->group->id), "server_id",
	    VK_INT(setup->server_id), "api_version", VK_STR(API_VERSION));
	if (params == NULL ||
	    (changes = ticked_changes(setup->group, settings, params)) == -1) {
		json_object_put(params);
		return fail(setup, "out of memory");
	}
	if (changes == 0 && strcmp(member_text(settings, "api_version"),
	    API_VERSION) == 0) {
		json_object_put(params);
		return EXIT_FINE;
	}
	if (!may_tick(setup)) {
		json_object_put(params);
		return EXIT_FINE;
	}
	return call(setup, "groups.setCallbackSettings", params, NULL);
}

int
setup_group(struct setup *setup)
{
	int status = check_token(setup);

	if (status == EXIT_FINE)
		status = bring_server(setup);
	/* Of a server that was only to be made there is nothing to ask. */
	if (status == EXIT_FINE && setup->server_id != 0)
		status = tick_events(setup);
	else if (status == EXIT_FINE && setup->dry_run)
		(void)may_tick(setup);
	if (status == EXIT_FINE && setup->changes == 0)
		say(setup, "all is in order: nothing to do", NULL);
	return status;
}

int
setup_remove(struct setup *setup)
{
	struct json_object *server;
	int status = check_token(setup);

	while (status == EXIT_FINE) {
		status = find_server(setup, &server);
		if (status != EXIT_FINE)
			break;
		if (server == NULL) {
			if (setup->changes == 0)
				say(setup, "has no server with this URL: "
				    "nothing to do", NULL);
			break;
		}
		if (!is_made(setup, "removes the server",
		    "would remove the server", setup->url))
			break;
		status = remove_server(setup);
	}
	return status;
}
