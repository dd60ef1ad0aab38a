/*
 * vk.c - any bytes as answers of VK: to a single call, to `vkcb setup`, and to
 * `vkcb check --online`.
 *
 * The first byte picks one of them. Each line that follows answers one call: as
 * it is, after "HTTP 502 " with this status; an empty line is a right answer.
 * No text of VK's may bring a token or a secret into vkcb's words.
 */
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "conf/conf.h"
#include "event/catalogue.h"
#include "setup/setup.h"
#include "vk/curl.h"
#include "vk/http_post.h"
#include "vk/rate.h"

int LLVMFuzzerInitialize(int *, char ***);
int LLVMFuzzerTestOneInput(const unsigned char *, size_t);

/* Fuzz entries have their own table of handlers. */
static enum vkcb_outcome
take(struct vkcb_event *ev)
{
	(void)ev;
	return VKCB_OK;
}

static const struct vkcb_handler known = { ON(any, take) };
static const struct vkcb_handler unlisted = { ON_TYPE("new_event", take) };

const struct handler handlers[] = {
	{ "known", &known }, { "unlisted", &unlisted }, { NULL, NULL },
};
const size_t n_handlers = 2;

#define TOKEN "vk1.a.Zq8sTokenOfTheFuzzer"
#define SECRET "Kf7vQ2mXw9aLcR4t"
#define URL "https://example.com/vkcb"
#define CALLS_MAX 64

static const char *rest;
static size_t left;
static int calls;

static const struct {
	const char *method, *answer;
} good[] = {
	{ "groups.getById",
	    "{\"response\":{\"groups\":[{\"id\":219876543}]}}" },
	{ "groups.getTokenPermissions", "{\"response\":{\"mask\":266240,"
	    "\"permissions\":[{\"name\":\"messages\"},"
	    "{\"name\":\"manage\"}]}}" },
	{ "groups.getCallbackServers", "{\"response\":{\"count\":1,\"items\":["
	    "{\"id\":101,\"title\":\"vkcb\",\"url\":\"" URL "\","
	    "\"secret_key\":\""
	    SECRET "\",\"status\":\"ok\"}]}}" },
	{ "groups.addCallbackServer", "{\"response\":{\"server_id\":101}}" },
	{ "groups.getCallbackConfirmationCode",
	    "{\"response\":{\"code\":\"7d1a2b3c\"}}" },
	{ "groups.getCallbackSettings", "{\"response\":{\"api_version\":"
	    "\"5.199\",\"events\":{\"message_new\":1,\"like_add\":0}}}" },
	{ "groups.getLongPollSettings",
	    "{\"response\":{\"is_enabled\":0,\"events\":{}}}" },
};

static const char *
good_answer(const char *url)
{
	size_t i;

	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		if (strstr(url, good[i].method) != NULL)
			return good[i].answer;
	return strstr(url, "/method/") != NULL ? "{\"response\":1}" :
	    "Bad Secret";
}

/* In place of libcurl. */
enum http_post_result
http_post(const struct http_post_request *request,
    struct http_post_response *answer)
{
	const char *end = left > 0 ? memchr(rest, '\n', left) : NULL;
	size_t len = end != NULL ? (size_t)(end - rest) : left;
	const char *line = rest;

	snprintf(answer->why, sizeof(answer->why), "no more answers");
	if (++calls > CALLS_MAX)
		return POST_REFUSED;
	rest += len + (end != NULL);
	left -= len + (end != NULL);
	answer->status = 200;
	if (len >= 9 && memcmp(line, "HTTP ", 5) == 0) {
		answer->status = strtol((char [4]){ line[5], line[6], line[7],
		    '\0' }, NULL, 10);
		line += 9;
		len -= 9;
	} else if (len == 0) {
		line = good_answer(request->url);
		len = strlen(line);
		if (strcmp(line, "Bad Secret") == 0)
			answer->status = 403;
	}
	answer->len = len;
	answer->body = malloc(len + 1);
	if (answer->body == NULL)
		abort();
	memcpy(answer->body, line, len);
	answer->body[len] = '\0';
	return POST_ANSWERED;
}

const struct curl *
curl_load(char why[CURL_STATE_MAX])
{
	why[0] = '\0';
	return NULL;
}

/* No call waits. */
int
rate_wait(const char *folder, const char *token, int64_t max_ms)
{
	(void)folder;
	(void)token;
	(void)max_ms;
	return 0;
}

int
clock_nanosleep(clockid_t clock, int flags, const struct timespec *time,
    struct timespec *rest_of_it)
{
	(void)clock;
	(void)flags;
	(void)time;
	(void)rest_of_it;
	return 0;
}

static void
assert_words(const char *words)
{
	if (memchr(words, '\0', 1024) == NULL ||
	    strcasestr(words, "TokenOfT") != NULL ||
	    strstr(words, "Kf7vQ2mX") != NULL)
		abort();
}

static struct conf *conf;
static char folder[] = "/tmp/vkcb-fuzz.XXXXXX";

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path);
}

static void
remove_folder(void)
{
	(void)nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static char text[512], path[64];
	struct conf_refused refused;

	(void)argc;
	(void)argv;
	if (mkdtemp(folder) == NULL || atexit(remove_folder) != 0)
		abort();
	snprintf(path, sizeof(path), "%s/vkcb.conf", folder);
	snprintf(text, sizeof(text), "[vkcb]\nlog = /dev/null\nkeys = keys\n"
	    "[group 219876543]\ntoken = " TOKEN "\n"
	    "[group 1]\ntoken = " TOKEN "\nsecret = " SECRET "\n"
	    "confirmation = 7d1a2b3c\nevents = message_new like_add new_event\n"
	    "title = Бот\n");
	conf = conf_parse(path, text, strlen(text), &refused);
	if (conf == NULL || log_open("/dev/null", LOG_LEVEL_INFO) == -1 ||
	    freopen("/dev/null", "w", stdout) == NULL)
		abort();
	return 0;
}

static void
call_once(void)
{
	struct json_object *response;
	struct api api;

	api_init(&api, conf, TOKEN, 0);
	if (api_call(&api, "groups.addCallbackServer", VK_PARAMS("secret_key",
	    VK_STR(SECRET)), &response) != VKCB_OK && api.error.code == 0)
		abort();
	assert_words(api.message);
	assert_words(api.inside.message);
	assert_words(api.inside.method);
	api_forget(&api);
}

static void
set_up(const struct conf_group *group, bool dry_run, bool remove_it)
{
	struct setup setup = { .vk = { .conf = conf }, .url = URL,
	    .dry_run = dry_run, .remove = remove_it };
	char error[KEYS_ERROR_MAX];

	if (keys_read(&setup.keys, conf->keys, error) == -1)
		abort();
	if (setup_group(&setup, group) == -1)
		assert_words(setup.vk.error);
	keys_free(&setup.keys);
	/* What setup wrote it can read. */
	if (keys_read(&setup.keys, conf->keys, error) == -1)
		abort();
	keys_free(&setup.keys);
}

int
LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	const struct conf_group *group;

	if (size == 0)
		return 0;
	rest = (const char *)data + 1;
	left = size - 1;
	calls = 0;
	group = conf_group(conf, (data[0] & 16) != 0 ? 1 : 219876543);
	switch (data[0] % 4) {
	case 0:
		call_once();
		break;
	case 1:
		set_up(group, (data[0] & 4) != 0, (data[0] & 8) != 0);
		break;
	case 2:
		(void)online_check(conf, group);
		break;
	default:
		set_up(group, false, false);
		calls = 0;
		set_up(group, false, (data[0] & 8) != 0);
	}
	(void)unlink(conf->keys);
	return 0;
}
