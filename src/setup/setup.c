/*
 * setup.c - makes a group's callback server at VK what it should be.
 *
 * Each step looks before it changes anything, so that a second run, or one
 * after a failure at any point, does just what is left. Keys are on disk before
 * VK is told to use them: its confirmation may come while a call is still under
 * way, to a responder in another process. Whatever makes VK ask for that is
 * done only when the string is known to be right, and waited for.
 */
#include "setup/setup.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include <json-c/json.h>

#include "conf/conf.h"
#include "log.h"
#include "report.h"
#include "json/json_get.h"
#include "setup/names.h"
#include "setup/servers.h"
#include "setup/subscriptions.h"

#include "banned.h"

#define SERVER_TITLE "vkcb"	/* VK takes up to 14 characters */
#define SECRET_LENGTH 32
#define STATUS_TRIES 60		/* every half second */
#define STATUS_MAX 41
#define DESCRIBED_MAX (KEYS_URL_MAX + 80)

static void
setup_say(const struct setup *setup, const char *text, const char *detail)
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
	setup_say(setup, setup->dry_run ? would : did, detail);
	return !setup->dry_run;
}

static int
setup_fail(const struct setup *setup, const char *why)
{
	char what[40];

	snprintf(what, sizeof(what), "group %" PRId64, setup->group->id);
	return report_fail(what, "%s", why);
}

/* What to do about an error of which VK's code alone does not tell. */
static const char *
advice_on(const struct setup *setup, const char *method,
    enum vkcb_outcome outcome)
{
	if (setup->api.advice != NULL)
		return setup->api.advice;
	if (setup->api.error.code == 100 &&
	    (strcmp(method, "groups.addCallbackServer") == 0 ||
	    strcmp(method, "groups.editCallbackServer") == 0))
		return "check that the URL is public and leads to this vkcb";
	if (setup->api.error.code == 100 &&
	    strcmp(method, "groups.getById") == 0)
		return "is it a community's token, and not a user's?";
	return outcome == VKCB_FAIL ? "try again later" : NULL;
}

static int
setup_call(struct setup *setup, const char *method, struct json_object *params,
    struct json_object **response)
{
	enum vkcb_outcome outcome = api_call(&setup->api, method, params,
	    response);
	const char *advice;
	char why[512];

	if (outcome == VKCB_OK)
		return EXIT_OK;
	advice = advice_on(setup, method, outcome);
	snprintf(why, sizeof(why), "%s: %.200s (%d)%s%s", method,
	    setup->api.error.message, setup->api.error.code,
	    advice != NULL ? ": " : "", advice != NULL ? advice : "");
	return setup_fail(setup, why);
}

/* API 5.199 answers {groups: [...]}, older ones the list alone. */
static int
setup_check_token(struct setup *setup)
{
	struct json_object *response, *groups;
	char why[160];
	int64_t id;

	if (setup_call(setup, "groups.getById", json_object_new_object(),
	    &response) != EXIT_OK)
		return EXIT_ERROR;
	groups = json_object_is_type(response, json_type_array) ? response :
	    json_get_array(response, "groups");
	if (groups == NULL)
		return setup_fail(setup, "groups.getById: " API_NOT_VK);
	if (json_length(groups) == 0)
		return setup_fail(setup,
		    "its token belongs to no community: make "
		    "one in the community's settings (API usage)");
	id = json_get_int64(json_object_array_get_idx(groups, 0), "id");
	if (id == setup->group->id)
		return EXIT_OK;
	snprintf(why, sizeof(why), "its token belongs to group %" PRId64
	    ": give each section its own group's token", id);
	return setup_fail(setup, why);
}

static int
list_servers(struct setup *setup, struct json_object **servers)
{
	struct json_object *response;

	if (setup_call(setup, "groups.getCallbackServers", VK_PARAMS("group_id",
	    VK_INT(setup->group->id)), &response) != EXIT_OK)
		return EXIT_ERROR;
	*servers = servers_of(response);
	if (*servers == NULL)
		return setup_fail(setup,
		    "groups.getCallbackServers: " API_NOT_VK);
	return EXIT_OK;
}

static struct json_object *
server_of_id(struct json_object *servers, int64_t id)
{
	size_t i, n = json_length(servers);
	struct json_object *server;

	for (i = 0; i < n; i++) {
		server = json_object_array_get_idx(servers, i);
		if (json_get_int64(server, "id") == id)
			return server;
	}
	return NULL;
}

static const struct key *
kept(const struct setup *setup)
{
	return keys_find(setup->keys, setup->group->id);
}

/* The next of our servers, from *at on, that is in no better state. */
static struct json_object *
next_ours(const struct setup *setup, struct json_object *servers,
    enum server_state best, size_t *at)
{
	struct json_object *server;

	while (*at < json_length(servers)) {
		server = json_object_array_get_idx(servers, (*at)++);
		if (servers_is_ours(server, setup->url, kept(setup)) &&
		    servers_state(server) <= best)
			return server;
	}
	return NULL;
}

static const char *
describe(struct json_object *server, char out[DESCRIBED_MAX])
{
	snprintf(out, DESCRIBED_MAX, "%" PRId64 ", status %.40s: %.*s",
	    json_get_int64(server, "id"), json_get_string(server, "status"),
	    KEYS_URL_MAX, json_get_string(server, "url"));
	return out;
}

static int
remove_server(struct setup *setup, int64_t id)
{
	return setup_call(setup, "groups.deleteCallbackServer",
	    VK_PARAMS("group_id", VK_INT(setup->group->id), "server_id",
		VK_INT(id)),
	    NULL);
}

/* Takes away those of our servers that are in no better state. */
static int
remove_servers(struct setup *setup, enum server_state best, const char *did,
    const char *would)
{
	struct json_object *servers, *server;
	char text[DESCRIBED_MAX];
	bool made = false;
	size_t at = 0;

	if (list_servers(setup, &servers) != EXIT_OK)
		return EXIT_ERROR;
	while ((server = next_ours(setup, servers, best, &at)) != NULL) {
		if (!is_made(setup, did, would, describe(server, text)))
			continue;
		made = true;
		if (remove_server(setup, json_get_int64(server, "id")) !=
		    EXIT_OK)
			return EXIT_ERROR;
	}
	if (!made)
		return EXIT_OK;
	at = 0;
	if (list_servers(setup, &servers) != EXIT_OK)
		return EXIT_ERROR;
	if (next_ours(setup, servers, best, &at) == NULL)
		return EXIT_OK;
	return setup_fail(setup,
	    "VK still lists the server that was removed: see "
	    "its page Settings, API usage, Callback API");
}

/* A title that somebody gave it at VK stays. */
static int
edit_server(struct setup *setup, const char *title, const char *secret)
{
	return setup_call(setup, "groups.editCallbackServer",
	    VK_PARAMS("group_id", VK_INT(setup->group->id), "server_id",
		VK_INT(setup->server_id), "url", VK_STR(setup->url), "title",
		VK_STR(*title != '\0' ? title : SERVER_TITLE), "secret_key",
		VK_STR(secret)),
	    NULL);
}

static int
setup_keep(struct setup *setup, const char *secret, const char *confirmation)
{
	struct key *key = keys_get(setup->keys, setup->group->id);
	char error[KEYS_ERROR_MAX];

	if (key == NULL)
		return setup_fail(setup, "out of memory");
	if (secret != NULL && secret != key->secret)
		snprintf(key->secret, sizeof(key->secret), "%s", secret);
	if (confirmation != NULL)
		snprintf(key->confirmation, sizeof(key->confirmation), "%s",
		    confirmation);
	key->server_id = setup->server_id;
	snprintf(key->url, sizeof(key->url), "%s", setup->url);
	if (keys_write(setup->keys, setup->conf->keys, error) == 0)
		return EXIT_OK;
	return setup_fail(setup, error);
}

/* Which server is ours is kept, whatever else there is to keep. */
static int
keep_id(struct setup *setup)
{
	const struct key *key = kept(setup);

	if (setup->dry_run || (key != NULL &&
	    key->server_id == setup->server_id &&
	    strcmp(key->url, setup->url) == 0))
		return EXIT_OK;
	return setup_keep(setup, NULL, NULL);
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
	return setup->group->secret != NULL &&
	    !setup->group->secret_from_keys_file;
}

/* The secret in force: vkcb.conf's, else the kept one, else "". */
static const char *
secret_in_force(const struct setup *setup)
{
	const struct key *key = kept(setup);

	if (conf_names_secret(setup))
		return setup->group->secret;
	return key != NULL ? key->secret : "";
}

/*
 * VK's code, where the responder will find it before VK asks. A configuration
 * that has another one is told of before anything is changed.
 */
static int
keep_confirmation(struct setup *setup, const char *secret)
{
	struct json_object *response;
	const char *code;

	if (setup_call(setup, "groups.getCallbackConfirmationCode", VK_PARAMS(
	    "group_id", VK_INT(setup->group->id)), &response) != EXIT_OK)
		return EXIT_ERROR;
	code = json_get_string(response, "code");
	if (*code == '\0')
		return setup_fail(setup, "groups.getCallbackConfirmationCode: "
		    API_NOT_VK);
	if (!keys_is_confirmation(code))
		return setup_fail(setup,
		    "VK's confirmation string cannot be kept: "
		    "it is long, or has more in it than letters, digits, _ "
		    "and -");
	if (setup->group->confirmation != NULL &&
	    !setup->group->confirmation_from_keys_file &&
	    strcmp(setup->group->confirmation, code) != 0)
		return setup_fail(setup, "the configuration's confirmation is "
		    "another one than VK gives through its API: remove that "
		    "line, setup keeps the right one");
	return setup->dry_run ? EXIT_OK : setup_keep(setup, secret, code);
}

static void
setup_show_progress(const char *text)
{
	if (isatty(STDERR_FILENO))
		fputs(text, stderr);
}

/*
 * The status of our server, once VK has checked it or half a minute is over. It
 * checks at once, but not while a call is waited for.
 */
static int
setup_watch(struct setup *setup, char status[STATUS_MAX])
{
	const struct timespec pause = { 0, 500000000 };
	struct json_object *servers, *server;
	int i;

	for (i = 0;; i++) {
		if (list_servers(setup, &servers) != EXIT_OK)
			return EXIT_ERROR;
		server = server_of_id(servers, setup->server_id);
		if (server == NULL)
			return setup_fail(setup, "VK no longer lists the "
			    "server that was just added");
		if (servers_state(server) != SERVER_WAITING ||
		    i == STATUS_TRIES)
			break;
		setup_show_progress(".");
		nanosleep(&pause, NULL);
		api_forget(&setup->api);
	}
	if (i > 0)
		setup_show_progress("\n");
	snprintf(status, STATUS_MAX, "%s", json_get_string(server, "status"));
	return EXIT_OK;
}

static const char *
status_words(const char *status)
{
	if (strcmp(status, "failed") == 0)
		return "VK called the URL and did not get the confirmation "
		    "string: does it lead to this vkcb, with this "
		    "configuration? The log says what was asked";
	if (strcmp(status, "unconfigured") == 0)
		return "VK has not called the URL yet: run setup again in a "
		    "minute";
	return "VK is still checking the URL: run setup again in a minute";
}

static int
judge(struct setup *setup, const char *status)
{
	char why[400];

	if (strcmp(status, "ok") == 0) {
		setup_say(setup, "VK says the server is ok", NULL);
		return EXIT_OK;
	}
	snprintf(why, sizeof(why), "status %.40s: %s", status,
	    status_words(status));
	return setup_fail(setup, why);
}

static int
wait_for_ok(struct setup *setup)
{
	char status[STATUS_MAX];

	return setup_watch(setup, status) == EXIT_OK ? judge(setup, status) :
	    EXIT_ERROR;
}

static int
take_secret(struct setup *setup, const char *theirs)
{
	if (!is_made(setup, "took over the secret that VK has",
	    "would take over the secret that VK has", NULL))
		return EXIT_OK;
	return setup_keep(setup, theirs, NULL);
}

/* Editing makes VK ask for the confirmation again. */
static int
give_secret(struct setup *setup, const char *title, const char *what,
    const char *secret)
{
	if (keep_confirmation(setup, conf_names_secret(setup) ? NULL :
	    secret) != EXIT_OK)
		return EXIT_ERROR;
	if (!is_made(setup, "gives VK", "would give VK", what))
		return EXIT_OK;
	if (edit_server(setup, title, secret) != EXIT_OK)
		return EXIT_ERROR;
	return wait_for_ok(setup);
}

static int
give_our_secret(struct setup *setup, const char *title)
{
	char fresh[SECRET_LENGTH + 1];

	if (conf_names_secret(setup))
		return give_secret(setup, title,
		    "the configuration's secret", setup->group->secret);
	if (*secret_in_force(setup) != '\0')
		return give_secret(setup, title,
		    "the secret that is kept here", secret_in_force(setup));
	if (make_secret(fresh) == -1)
		return setup_fail(setup, "the system gives no random bytes");
	return give_secret(setup, title, "a new secret", fresh);
}

static int
add_server(struct setup *setup, bool broken)
{
	struct json_object *response;
	char secret[KEYS_SECRET_MAX];

	snprintf(secret, sizeof(secret), "%s", secret_in_force(setup));
	if (secret[0] == '\0' && !setup->group->no_secret &&
	    make_secret(secret) == -1)
		return setup_fail(setup, "the system gives no random bytes");
	if (keep_confirmation(setup, conf_names_secret(setup) ? NULL :
	    secret) != EXIT_OK)
		return EXIT_ERROR;
	if (broken && remove_servers(setup, SERVER_WAITING,
	    "removes the broken server", "would remove the broken server") !=
	    EXIT_OK)
		return EXIT_ERROR;
	setup->server_id = 0;
	if (!is_made(setup, "adds the server", "would add the server",
	    setup->url))
		return EXIT_OK;
	if (setup_call(setup, "groups.addCallbackServer", VK_PARAMS("group_id",
	    VK_INT(setup->group->id), "url", VK_STR(setup->url), "title",
	    VK_STR(SERVER_TITLE), "secret_key", VK_STR(secret)), &response) !=
	    EXIT_OK)
		return EXIT_ERROR;
	setup->server_id = json_get_int64(response, "server_id");
	if (setup->server_id <= 0)
		return setup_fail(setup,
		    "groups.addCallbackServer: " API_NOT_VK);
	if (keep_id(setup) != EXIT_OK)
		return EXIT_ERROR;
	return wait_for_ok(setup);
}

/* One that VK has still to check may become good, or else is broken. */
static int
await_server(struct setup *setup)
{
	char status[STATUS_MAX];

	if (keep_confirmation(setup, NULL) != EXIT_OK)
		return EXIT_ERROR;
	if (!is_made(setup, "waits for VK to check the server",
	    "would wait for VK to check the server", NULL))
		return EXIT_OK;
	if (setup_watch(setup, status) != EXIT_OK)
		return EXIT_ERROR;
	if (strcmp(status, "ok") == 0 || strcmp(status, "wait") == 0)
		return judge(setup, status);
	return add_server(setup, true);
}

/* A server in order is kept, and its secret taken over or put right. */
static int
keep_server(struct setup *setup, struct json_object *server)
{
	const char *theirs = json_get_string(server, "secret_key");
	const char *title = json_get_string(server, "title");
	bool waiting = servers_state(server) == SERVER_WAITING;
	bool fits = setup->group->no_secret || (*theirs != '\0' &&
	    strcmp(theirs, secret_in_force(setup)) == 0);

	if (!fits && *theirs != '\0' && !conf_names_secret(setup)) {
		fits = keys_can_hold(theirs);
		if (!fits)
			setup_say(setup,
			    "VK's secret cannot be kept in a file: it "
			    "is long, or has blanks or controls in it",
			    NULL);
		else if (take_secret(setup, theirs) != EXIT_OK)
			return EXIT_ERROR;
	}
	if (!fits)
		return give_our_secret(setup, title);
	return waiting ? await_server(setup) : EXIT_OK;
}

/* A server of ours with another URL goes on getting the same events. */
static void
tell_of_former(struct setup *setup, struct json_object *servers)
{
	const struct key *key = kept(setup);
	struct json_object *former = key == NULL ? NULL :
	    server_of_id(servers, key->server_id);

	if (former != NULL)
		setup_say(setup,
		    "the server that was made before gets the events "
		    "too, until vkcb setup --remove takes it away:",
		    json_get_string(former, "url"));
}

/*
 * Others with our URL that work, or may come to, are for people to judge: they
 * stay.
 */
static void
tell_of_others(struct setup *setup, struct json_object *servers)
{
	struct json_object *server;
	char text[DESCRIBED_MAX];
	size_t at = 0;

	while ((server = next_ours(setup, servers, SERVER_OK, &at)) != NULL)
		if (servers_state(server) != SERVER_BROKEN &&
		    json_get_int64(server, "id") != setup->server_id)
			setup_say(setup,
			    "warning: another server leads here too: "
			    "its events come twice or, with another secret, "
			    "are refused: remove it on VK's page Settings, "
			    "API usage, Callback API:",
			    describe(server, text));
}

static int
bring_server(struct setup *setup)
{
	struct json_object *servers, *server;
	bool broken;
	size_t at = 0;

	if (list_servers(setup, &servers) != EXIT_OK)
		return EXIT_ERROR;
	server = servers_best(servers, setup->url, kept(setup));
	if (server == NULL) {
		tell_of_former(setup, servers);
		return add_server(setup, false);
	}
	setup->server_id = json_get_int64(server, "id");
	if (servers_state(server) == SERVER_BROKEN)
		return add_server(setup, true);
	tell_of_others(setup, servers);
	broken = next_ours(setup, servers, SERVER_BROKEN, &at) != NULL;
	if (keep_id(setup) != EXIT_OK ||
	    keep_server(setup, server) != EXIT_OK)
		return EXIT_ERROR;
	if (!broken)
		return EXIT_OK;
	return remove_servers(setup, SERVER_BROKEN,
	    "removes the broken server", "would remove the broken server");
}

/* The events that VK lists, by what is to become of them. */
struct plan {
	struct names tick;
	struct names untick;
	struct names left_out;	/* a handler takes them, `events` does not */
	int wanted;
};

static void
plan_event(void *arg, const struct ticked *event)
{
	struct plan *plan = arg;

	if (event->wanted != event->on)
		names_add(event->wanted ? &plan->tick : &plan->untick,
		    event->name);
	if (event->handled && !event->wanted)
		names_add(&plan->left_out, event->name);
	if (event->wanted)
		plan->wanted++;
}

static void
setup_say_unlisted(void *arg, const char *event)
{
	setup_say(arg, "warning: VK has no event that is called", event);
}

static bool
may_tick(struct setup *setup, const char *events)
{
	return setup->group->events != NULL ?
	    is_made(setup, "ticks the events that `events` names:",
	    "would tick the events that `events` names:", events) :
	    is_made(setup, "ticks the events that the handlers take:",
	    "would tick the events that the handlers take:", events);
}

static void
add_name(void *arg, const char *event)
{
	names_add(arg, event);
}

/* For a server that is only to be made: VK cannot be asked what it ticks. */
static void
tell_of_ticks(struct setup *setup)
{
	struct names names = { .n = 0 };

	subscription_handled(add_name, &names);
	if (setup->group->events != NULL)
		(void)may_tick(setup, setup->group->events);
	else if (names.n > 0)
		(void)may_tick(setup, names_text(&names));
}

/* Says what changes. false: nothing does, or is only told of. */
static bool
may_set(struct setup *setup, struct plan *plan, const char *version)
{
	bool made = false;

	if (plan->left_out.n > 0)
		setup_say(setup,
		    "warning: `events` leaves out what handlers take:",
		    names_text(&plan->left_out));
	if (plan->tick.n > 0)
		made = may_tick(setup, names_text(&plan->tick));
	if (plan->untick.n > 0)
		made = is_made(setup, "unticks", "would untick",
		    names_text(&plan->untick));
	if (strcmp(version, API_VERSION) != 0)
		made = is_made(setup, "sets the version of events to",
		    "would set the version of events to", API_VERSION);
	return made;
}

static int
set_events(struct setup *setup, struct json_object *settings)
{
	struct json_object *params = VK_PARAMS("group_id",
	    VK_INT(setup->group->id), "server_id", VK_INT(setup->server_id),
	    "api_version", VK_STR(API_VERSION));

	if (params == NULL ||
	    subscription_changes(setup->group, settings, params) == -1) {
		json_object_put(params);
		return setup_fail(setup, "out of memory");
	}
	return setup_call(setup, "groups.setCallbackSettings", params, NULL);
}

static int
tick_events(struct setup *setup)
{
	struct plan plan = { .wanted = 0 };
	struct json_object *settings;

	if (setup_call(setup, "groups.getCallbackSettings",
		VK_PARAMS("group_id", VK_INT(setup->group->id), "server_id",
		    VK_INT(setup->server_id)),
		&settings) != EXIT_OK)
		return EXIT_ERROR;
	if (!subscription_each(setup->group, settings, plan_event, &plan))
		return setup_fail(setup,
		    "groups.getCallbackSettings: " API_NOT_VK);
	subscription_unknown_to_vk(setup->group, settings, setup_say_unlisted,
	    setup);
	if (setup->group->events != NULL && plan.wanted == 0)
		return setup_fail(setup,
		    "`events` names no event that VK has: all "
		    "would be unticked, so none is; see vkcb events");
	if (!may_set(setup, &plan, json_get_string(settings, "api_version")))
		return EXIT_OK;
	return set_events(setup, settings);
}

int
setup_group(struct setup *setup)
{
	int status = setup_check_token(setup);

	if (status == EXIT_OK)
		status = bring_server(setup);
	if (status == EXIT_OK && setup->server_id != 0)
		status = tick_events(setup);
	else if (status == EXIT_OK && setup->dry_run)
		tell_of_ticks(setup);
	if (status == EXIT_OK && setup->changes == 0)
		setup_say(setup, "all is in order: nothing to do", NULL);
	return status;
}

int
setup_remove(struct setup *setup)
{
	if (setup_check_token(setup) != EXIT_OK ||
	    remove_servers(setup, SERVER_OK, "removes the server",
	    "would remove the server") != EXIT_OK)
		return EXIT_ERROR;
	if (setup->changes == 0)
		setup_say(setup, "has no server with this URL: nothing to do",
		    NULL);
	return EXIT_OK;
}
