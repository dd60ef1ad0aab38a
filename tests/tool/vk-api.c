/*
 * vk-api.c - stands in for VK's API, as strict as VK: an HTTP server on a free
 * port of 127.0.0.1, for tests.
 *
 *	vk-api FOLDER TOKEN=GROUP[:RIGHT[,RIGHT]] ...
 *
 * Rights are manage and messages (both, if none is named). In FOLDER it writes
 *
 *	port		once it listens
 *	calls		a line per call: method, error code (0: none), group,
 *			and the parameters but the token; "-" for a request
 *			that is no call
 *	messages	a line per message sent: peer_id, random_id, text
 *	connections	a line per connection taken
 *
 * A test controls the server with GET (all values form-encoded):
 *
 *	/control/fault?kind=K&n=N&count=C&method=M&text=T
 *		to the next C (1) calls (of M) comes, by K:
 *		status	HTTP status N		error	VK's error N, words T
 *		drop	no answer		cut	half of an answer
 *		slow	N ms late		huge	10 MiB
 *		garbage	no JSON			empty	no byte
 *		answer	the response T (JSON), and nothing is done
 *		short	half, as if it were all	object	{}
 *		nocode	an error without a code
 *		inside	what a script answers in which two calls failed
 *	/control/code?code=C		the confirmation code from now on
 *	/control/server?group=G&url=U&title=T&secret=S&status=OK
 *					a server, without asking it
 *	/control/check			servers that wait are asked now
 *	/control/respell?url=U		servers added from now on are listed
 *					with this URL, "" for their own
 *	/control/longpoll?on=1		Long Poll is on, or off again
 *	/control/event?name=N		VK has this event too, from now on
 *	/control/list?how=H&without=N	a server's settings list not all of its
 *					events, but by H: ticked, empty ({}),
 *					array ([]), missing; never N
 *	/control/reset	forgets faults, servers, messages, answers, rates
 *
 * This program aborts when out of memory.
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <inttypes.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <json-c/json.h>

#include "tests/vk-limits.h"

#include "banned.h"

#define HEADER_MAX ((size_t)16 * 1024)
#define BODY_MAX ((size_t)8 * 1024 * 1024)
#define PARAMS_MAX 256
#define SERVERS_MAX 10
#define GROUPS_MAX 16
#define LIST_MAX 4096
#define RATE 20

static const char *const event_names[] = {
#define EVENT(type, object, settable, text) (settable) ? #type : NULL,
#define EVENT_JSON(type, settable, text) (settable) ? #type : NULL,
#include "events.def"
};
#define N_KNOWN (sizeof(event_names) / sizeof(event_names[0]))
#define N_EVENTS (N_KNOWN + 1)	/* the last event: new_event */

struct server {
	int64_t id;
	char url[1024];
	char title[64];
	char secret[64];
	char version[16];
	const char *status;
	bool ticked[N_EVENTS];
};

struct group {
	int64_t id;
	char token[256];
	bool can_manage, can_messages;
	int64_t turns[RATE];		/* nanoseconds of the last calls */
	int next;
	struct server servers[SERVERS_MAX];
	int n_servers;
};

struct fault {
	char kind[16];
	char method[64];
	char text[128];
	int n, count;
};

struct sent {
	int64_t group, peer, random_id, id;
	int64_t at;
};

/* A single lock protects all of vk. */
static pthread_mutex_t vk = PTHREAD_MUTEX_INITIALIZER;
static struct group groups[GROUPS_MAX];
static int n_groups;
static struct fault faults[64];
static int n_faults;
static struct sent messages[LIST_MAX];
static int n_messages;
static char *answered[LIST_MAX];	/* callback buttons */
static int n_answered;
static char code[64] = "7d1a2b3c";
static int64_t last_id = 100;
static bool longpoll;
static char respelt[1024];		/* "": as given */
static char new_event[64];		/* "": none */
static char list_how[16];		/* "": all events */
static char list_without[64];
static FILE *calls_file, *messages_file;

struct param {
	char *name, *value;
};

/* The current call. */
struct call {
	const char *method;
	struct param params[PARAMS_MAX];
	int n_params;
	const char *bearer;
	struct group *group;
	int error;
	char message[256];
};

static void *
must(void *memory)
{
	if (memory == NULL)
		abort();
	return memory;
}

static int64_t
nanoseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

/* ---- parameters ---- */

static int
hex(char c)
{
	return c >= '0' && c <= '9' ? c - '0' :
	    isxdigit((unsigned char)c) ? tolower((unsigned char)c) - 'a' + 10 :
	    -1;
}

static void
decode(char *text)
{
	char *to = text;

	for (; *text != '\0'; text++) {
		if (*text == '%' && hex(text[1]) >= 0 && hex(text[2]) >= 0) {
			*to++ = (char)(hex(text[1]) << 4 | hex(text[2]));
			text += 2;
		} else {
			*to++ = *text == '+' ? ' ' : *text;
		}
	}
	*to = '\0';
}

static void
read_params(struct call *call, char *form)
{
	char *next, *value;

	for (; form != NULL && *form != '\0'; form = next) {
		next = strchr(form, '&');
		if (next != NULL)
			*next++ = '\0';
		value = strchr(form, '=');
		if (value == NULL || call->n_params == PARAMS_MAX)
			continue;
		*value++ = '\0';
		decode(form);
		decode(value);
		call->params[call->n_params++] = (struct param){ form, value };
	}
}

static const char *
param(const struct call *call, const char *name)
{
	int i;

	for (i = call->n_params - 1; i >= 0; i--)
		if (strcmp(call->params[i].name, name) == 0)
			return call->params[i].value;
	return NULL;
}

static const char *
text_of(const struct call *call, const char *name)
{
	const char *value = param(call, name);

	return value != NULL ? value : "";
}

static bool
read_int(const char *text, int64_t *out)
{
	char *end;

	*out = text != NULL ? strtoll(text, &end, 10) : 0;
	return text != NULL && *text != '\0' && *end == '\0';
}

static struct json_object *
refuse(struct call *call, int number, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static struct json_object *
refuse(struct call *call, int number, const char *fmt, ...)
{
	va_list args;

	call->error = number;
	va_start(args, fmt);
	vsnprintf(call->message, sizeof(call->message), fmt, args);
	va_end(args);
	return NULL;
}

#define WRONG LIMITS_WRONG

/* A required number; false: the call was refused. */
static bool
need_int(struct call *call, const char *name, int64_t *out)
{
	const char *value = param(call, name);

	if (value == NULL || *value == '\0')
		refuse(call, 100, WRONG "%s is undefined", name);
	else if (!read_int(value, out))
		refuse(call, 100, WRONG "%s not integer", name);
	return call->error == 0;
}

/* ---- callback servers ---- */

struct confirmation {
	int64_t group, server;
	char url[1024], secret[64], code[64];
};

static int
dial(const char *url, char host[256], const char **path)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *found;
	const char *at = url + 7;
	char port[8] = "80";
	size_t len = strcspn(at, ":/");
	int fd = -1;

	if (strncmp(url, "http://", 7) != 0 || len >= 256)
		return -1;
	memcpy(host, at, len);
	host[len] = '\0';
	at += len;
	if (*at == ':') {
		len = strcspn(++at, "/");
		if (len >= sizeof(port))
			return -1;
		memcpy(port, at, len);
		port[len] = '\0';
		at += len;
	}
	*path = *at == '/' ? at : "/";
	if (getaddrinfo(host, port, &hints, &found) != 0)
		return -1;
	fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd != -1 &&
	    connect(fd, found->ai_addr, found->ai_addrlen) == -1) {
		close(fd);
		fd = -1;
	}
	freeaddrinfo(found);
	return fd;
}

/* Posts a confirmation; true: the answer is exactly the code. */
static bool
ask(const struct confirmation *what)
{
	struct timeval limit = { .tv_sec = 5 };
	char body[512], request[2048], answer[8192], secret[96] = "";
	char host[256], *text;
	const char *path;
	size_t len = 0;
	ssize_t got;
	int fd = dial(what->url, host, &path);

	if (fd == -1)
		return false;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	if (what->secret[0] != '\0')
		snprintf(secret, sizeof(secret), ",\"secret\":\"%s\"",
		    what->secret);
	snprintf(body, sizeof(body), "{\"type\":\"confirmation\","
	    "\"group_id\":%" PRId64 ",\"event_id\":\"%040" PRId64 "\","
	    "\"v\":\"5.199\"%s}", what->group, what->server, secret);
	snprintf(request, sizeof(request), "POST %s HTTP/1.1\r\nHost: %s\r\n"
	    "Content-Type: application/json\r\nContent-Length: %zu\r\n"
	    "Connection: close\r\n\r\n%s", path, host, strlen(body), body);
	if (send(fd, request, strlen(request), MSG_NOSIGNAL) == -1)
		len = 0;
	else
		while (len < sizeof(answer) - 1 && (got = recv(fd,
		    answer + len, sizeof(answer) - 1 - len, 0)) > 0)
			len += (size_t)got;
	close(fd);
	answer[len] = '\0';
	text = strstr(answer, "\r\n\r\n");
	return text != NULL && strncmp(answer, "HTTP/1.", 7) == 0 &&
	    strncmp(answer + 8, " 200", 4) == 0 &&
	    strcmp(text + 4, what->code) == 0;
}

static void *
confirm(void *arg)
{
	struct confirmation *what = arg;
	bool good = ask(what);
	int i, j;

	pthread_mutex_lock(&vk);
	for (i = 0; i < n_groups; i++)
		for (j = 0; j < groups[i].n_servers; j++)
			if (groups[i].servers[j].id == what->server)
				groups[i].servers[j].status =
				    good ? "ok" : "failed";
	pthread_mutex_unlock(&vk);
	free(what);
	return NULL;
}

static void
begin_confirm(const struct group *group, struct server *server)
{
	struct confirmation *what = must(calloc(1, sizeof(*what)));
	pthread_t thread;

	server->status = "wait";
	what->group = group->id;
	what->server = server->id;
	memcpy(what->url, server->url, sizeof(what->url));
	memcpy(what->secret, server->secret, sizeof(what->secret));
	memcpy(what->code, code, sizeof(what->code));
	if (pthread_create(&thread, NULL, confirm, what) != 0)
		abort();
	pthread_detach(thread);
}

static struct server *
find_server(struct call *call)
{
	int64_t id;
	int i;

	if (!need_int(call, "server_id", &id))
		return NULL;
	for (i = 0; i < call->group->n_servers; i++)
		if (call->group->servers[i].id == id)
			return &call->group->servers[i];
	refuse(call, 100, WRONG "server_id is invalid");
	return NULL;
}

static bool
check_server(struct call *call)
{
	const char *url = text_of(call, "url"), *title = text_of(call, "title");
	const char *secret = text_of(call, "secret_key");

	if (*url == '\0')
		refuse(call, 100, WRONG "url is undefined");
	else if ((strncmp(url, "http://", 7) != 0 &&
	    strncmp(url, "https://", 8) != 0) || strlen(url) > 1000)
		refuse(call, 100, WRONG "url is invalid");
	else if (*title == '\0')
		refuse(call, 100, WRONG "title is undefined");
	else if (limits_characters(title, false) < 0 ||
	    limits_characters(title, false) > 14)
		refuse(call, 100, WRONG "title should be less or equal than "
		    "14 letters");
	else if (strlen(secret) > 50)
		refuse(call, 100, WRONG "secret_key should be less or equal "
		    "than 50 letters");
	return call->error == 0;
}

static void
fill_server(struct server *server, const struct call *call, const char *secret)
{
	snprintf(server->url, sizeof(server->url), "%s",
	    text_of(call, "url"));
	snprintf(server->title, sizeof(server->title), "%s",
	    text_of(call, "title"));
	snprintf(server->secret, sizeof(server->secret), "%s",
	    text_of(call, secret));
}

static struct server *
new_server(struct group *group)
{
	struct server *server = &group->servers[group->n_servers++];

	*server = (struct server){ .id = ++last_id, .status = "unconfigured" };
	snprintf(server->version, sizeof(server->version), "5.131");
	return server;
}

static struct json_object *
servers_get(struct call *call)
{
	struct json_object *response = json_object_new_object();
	struct json_object *items = json_object_new_array(), *item;
	const char *only = param(call, "server_ids");
	char id[24];
	int i;

	for (i = 0; i < call->group->n_servers; i++) {
		const struct server *server = &call->group->servers[i];

		snprintf(id, sizeof(id), "%" PRId64, server->id);
		if (only != NULL && strstr(only, id) == NULL)
			continue;
		item = json_object_new_object();
		json_object_object_add(item, "id",
		    json_object_new_int64(server->id));
		json_object_object_add(item, "title",
		    json_object_new_string(server->title));
		json_object_object_add(item, "creator_id",
		    json_object_new_int(53912345));
		json_object_object_add(item, "url",
		    json_object_new_string(server->url));
		json_object_object_add(item, "secret_key",
		    json_object_new_string(server->secret));
		json_object_object_add(item, "status",
		    json_object_new_string(server->status));
		json_object_array_add(items, item);
	}
	json_object_object_add(response, "count", json_object_new_int(
	    (int)json_object_array_length(items)));
	json_object_object_add(response, "items", items);
	return response;
}

static struct json_object *
server_add(struct call *call)
{
	struct json_object *response;
	struct server *server;

	if (!check_server(call))
		return NULL;
	if (call->group->n_servers == SERVERS_MAX)
		return refuse(call, 2000, "Servers number limit is reached");
	server = new_server(call->group);
	fill_server(server, call, "secret_key");
	begin_confirm(call->group, server);
	if (respelt[0] != '\0')
		snprintf(server->url, sizeof(server->url), "%s", respelt);
	response = json_object_new_object();
	json_object_object_add(response, "server_id",
	    json_object_new_int64(server->id));
	return response;
}

static struct json_object *
server_edit(struct call *call)
{
	struct server *server = find_server(call);

	if (server == NULL || !check_server(call))
		return NULL;
	fill_server(server, call, "secret_key");
	begin_confirm(call->group, server);
	return json_object_new_int(1);
}

static struct json_object *
server_delete(struct call *call)
{
	struct server *server = find_server(call);

	if (server == NULL)
		return NULL;
	*server = call->group->servers[--call->group->n_servers];
	return json_object_new_int(1);
}

static struct json_object *
code_get(struct call *call)
{
	struct json_object *response = json_object_new_object();

	(void)call;
	json_object_object_add(response, "code", json_object_new_string(code));
	return response;
}

/* NULL: the event is not settable. */
static const char *
event_name(size_t i)
{
	return i < N_KNOWN ? event_names[i] :
	    new_event[0] != '\0' ? new_event : NULL;
}

static bool
is_listed(const struct server *server, size_t i)
{
	return event_name(i) != NULL && strcmp(list_how, "empty") != 0 &&
	    strcmp(event_name(i), list_without) != 0 &&
	    (strcmp(list_how, "ticked") != 0 || server->ticked[i]);
}

static struct json_object *
settings_get(struct call *call)
{
	struct server *server = find_server(call);
	struct json_object *response, *events;
	size_t i;

	if (server == NULL)
		return NULL;
	response = json_object_new_object();
	json_object_object_add(response, "api_version",
	    json_object_new_string(server->version));
	if (strcmp(list_how, "missing") == 0)
		return response;
	events = strcmp(list_how, "array") == 0 ? json_object_new_array() :
	    json_object_new_object();
	for (i = 0; i < N_EVENTS && strcmp(list_how, "array") != 0; i++)
		if (is_listed(server, i))
			json_object_object_add(events, event_name(i),
			    json_object_new_int(server->ticked[i]));
	json_object_object_add(response, "events", events);
	return response;
}

/* Whether it is a parameter of groups.setCallbackSettings. */
static bool
is_setting(const char *name)
{
	static const char *const others[] = { "access_token", "v", "group_id",
	    "server_id", "api_version" };
	size_t i;

	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (strcmp(others[i], name) == 0)
			return true;
	for (i = 0; i < N_EVENTS; i++)
		if (event_name(i) != NULL && strcmp(event_name(i), name) == 0)
			return true;
	return false;
}

static struct json_object *
settings_set(struct call *call)
{
	struct server *server = find_server(call);
	const char *version = param(call, "api_version"), *value;
	int major, minor, end = 0;
	size_t i;

	if (server == NULL)
		return NULL;
	if (version != NULL && (sscanf(version, "%d.%d%n", &major, &minor,
	    &end) != 2 || version[end] != '\0' || major != 5 || minor > 250))
		return refuse(call, 100, WRONG "api_version is invalid");
	for (i = 0; i < (size_t)call->n_params; i++)
		if (!is_setting(call->params[i].name))
			return refuse(call, 100, WRONG "%s is unknown",
			    call->params[i].name);
	for (i = 0; i < N_EVENTS; i++) {
		value = event_name(i) != NULL ?
		    param(call, event_name(i)) : NULL;
		if (value != NULL && strcmp(value, "0") != 0 &&
		    strcmp(value, "1") != 0)
			return refuse(call, 100, WRONG "%s is invalid",
			    event_name(i));
	}
	if (version != NULL)
		snprintf(server->version, sizeof(server->version), "%s",
		    version);
	for (i = 0; i < N_EVENTS; i++) {
		value = event_name(i) != NULL ?
		    param(call, event_name(i)) : NULL;
		if (value != NULL)
			server->ticked[i] = *value == '1';
	}
	return json_object_new_int(1);
}

/* ---- the group and its token ---- */

static struct json_object *
group_get(struct call *call)
{
	struct json_object *response = json_object_new_object();
	struct json_object *list = json_object_new_array();
	struct json_object *group = json_object_new_object();

	json_object_object_add(group, "id",
	    json_object_new_int64(call->group->id));
	json_object_object_add(group, "name",
	    json_object_new_string("Тестовое сообщество"));
	json_object_object_add(group, "screen_name",
	    json_object_new_string("vkcb_test"));
	json_object_object_add(group, "type", json_object_new_string("group"));
	json_object_array_add(list, group);
	json_object_object_add(response, "groups", list);
	json_object_object_add(response, "profiles", json_object_new_array());
	return response;
}

static void
add_right(struct json_object *list, const char *name, int setting, int *mask)
{
	struct json_object *right = json_object_new_object();

	json_object_object_add(right, "name", json_object_new_string(name));
	json_object_object_add(right, "setting", json_object_new_int(setting));
	json_object_array_add(list, right);
	*mask |= setting;
}

static struct json_object *
permissions_get(struct call *call)
{
	struct json_object *response = json_object_new_object();
	struct json_object *list = json_object_new_array();
	int mask = 0;

	if (call->group->can_messages)
		add_right(list, "messages", 4096, &mask);
	if (call->group->can_manage)
		add_right(list, "manage", 262144, &mask);
	json_object_object_add(response, "mask", json_object_new_int(mask));
	json_object_object_add(response, "permissions", list);
	return response;
}

static struct json_object *
longpoll_get(struct call *call)
{
	struct json_object *response = json_object_new_object();

	(void)call;
	json_object_object_add(response, "is_enabled",
	    json_object_new_int(longpoll));
	json_object_object_add(response, "api_version",
	    json_object_new_string("5.199"));
	json_object_object_add(response, "events", json_object_new_object());
	return response;
}

static struct json_object *
time_get(struct call *call)
{
	(void)call;
	return json_object_new_int64(time(NULL));
}

static struct json_object *
users_get(struct call *call)
{
	struct json_object *list = json_object_new_array(), *user;
	int64_t id;

	if (!need_int(call, "user_ids", &id)) {
		json_object_put(list);
		return NULL;
	}
	user = json_object_new_object();
	json_object_object_add(user, "id", json_object_new_int64(id));
	json_object_object_add(user, "first_name",
	    json_object_new_string("Анна"));
	json_object_array_add(list, user);
	return list;
}

/* ---- messages ---- */

/* Whether the call is within VK's limits; else it was refused. */
static bool
check_limits(struct call *call)
{
	struct json_object *params = json_object_new_object();
	struct limits limits;
	int i;

	for (i = 0; i < call->n_params; i++)
		json_object_object_add(params, call->params[i].name,
		    json_object_new_string(call->params[i].value));
	if (limits_look(&limits, call->method, params) != 0)
		refuse(call, limits.code, "%s", limits.words);
	json_object_put(params);
	return call->error == 0;
}

#define FORBIDS 901000901	/* a user who forbids messages */
#define NOT_PERMITTED "Can't send messages for users without permission"

static bool
check_peer(struct call *call, int64_t *peer)
{
	if (!need_int(call, "peer_id", peer))
		return false;
	if (*peer == FORBIDS)
		refuse(call, 901, NOT_PERMITTED);
	else if (*peer == 0)
		refuse(call, 100, WRONG "peer_id is invalid");
	return call->error == 0;
}

static void
write_text(FILE *to, const char *text)
{
	for (; *text != '\0'; text++)
		if (*text == '\n')
			fputs("\\n", to);
		else
			putc(*text, to);
}

/* The id of the message to this peer, which a repeat does not send again. */
static int64_t
send_to(struct call *call, int64_t peer, int64_t random_id)
{
	int64_t now = nanoseconds();
	int i;

	for (i = 0; random_id != 0 && i < n_messages; i++)
		if (messages[i].group == call->group->id &&
		    messages[i].peer == peer &&
		    messages[i].random_id == random_id &&
		    now - messages[i].at < INT64_C(3600000000000))
			return messages[i].id;
	if (n_messages == LIST_MAX) {
		refuse(call, 10, "Internal server error");
		return 0;
	}
	messages[n_messages++] = (struct sent){ call->group->id, peer,
	    random_id, ++last_id, now };
	fprintf(messages_file, "%" PRId64 " %" PRId64 " ", peer, random_id);
	write_text(messages_file, text_of(call, "message"));
	putc('\n', messages_file);
	fflush(messages_file);
	return last_id;
}

/* A list of 1 to 100 ids. */
static bool
is_list(const char *peers)
{
	int64_t peer;
	int n = 0, len;

	while (sscanf(peers, "%" SCNd64 "%n", &peer, &len) == 1 && n++ < 100)
		peers += len + (peers[len] == ',');
	return n > 0 && *peers == '\0';
}

/* A message to each peer of a list; some may be refused. */
static struct json_object *
send_to_list(struct call *call, const char *peers, int64_t random_id)
{
	struct json_object *list = json_object_new_array(), *item, *error;
	int64_t peer;
	int len;

	while (sscanf(peers, "%" SCNd64 "%n", &peer, &len) == 1) {
		item = json_object_new_object();
		json_object_object_add(item, "peer_id",
		    json_object_new_int64(peer));
		json_object_object_add(item, "message_id",
		    json_object_new_int64(peer == FORBIDS ? 0 :
		    send_to(call, peer, random_id)));
		if (peer == FORBIDS) {
			error = json_object_new_object();
			json_object_object_add(error, "code",
			    json_object_new_int(901));
			json_object_object_add(error, "description",
			    json_object_new_string(NOT_PERMITTED));
			json_object_object_add(item, "error", error);
		}
		json_object_array_add(list, item);
		peers += len + (peers[len] == ',');
	}
	return list;
}

static struct json_object *
message_send(struct call *call)
{
	const char *peers = param(call, "peer_ids");
	int64_t peer = 0, random_id, id;

	if ((peers == NULL && !check_peer(call, &peer)) ||
	    !need_int(call, "random_id", &random_id))
		return NULL;
	if (random_id > INT32_MAX || random_id < INT32_MIN)
		return refuse(call, 100, WRONG "random_id not integer");
	if (!check_limits(call))
		return NULL;
	if (peers != NULL && !is_list(peers))
		return refuse(call, 100, WRONG "peer_ids is invalid");
	if (peers != NULL)
		return send_to_list(call, peers, random_id);
	id = send_to(call, peer, random_id);
	return call->error == 0 ? json_object_new_int64(id) : NULL;
}

static struct json_object *
message_edit(struct call *call)
{
	int64_t peer, id;

	if (!check_peer(call, &peer))
		return NULL;
	if (!read_int(param(call, "cmid"), &id) &&
	    !read_int(param(call, "conversation_message_id"), &id) &&
	    !read_int(param(call, "message_id"), &id))
		return refuse(call, 100, WRONG "message_id and cmid is "
		    "undefined");
	return check_limits(call) ? json_object_new_int(1) : NULL;
}

static struct json_object *
message_read(struct call *call)
{
	int64_t peer;

	return check_peer(call, &peer) ? json_object_new_int(1) : NULL;
}

static struct json_object *
message_activity(struct call *call)
{
	const char *type = text_of(call, "type");
	int64_t peer;

	if (!check_peer(call, &peer))
		return NULL;
	if (strcmp(type, "typing") != 0 && strcmp(type, "audiomessage") != 0)
		return refuse(call, 100, WRONG "type is invalid");
	return json_object_new_int(1);
}

static struct json_object *
button_answer(struct call *call)
{
	const char *id = text_of(call, "event_id");
	int64_t peer, user;
	int i;

	if (!need_int(call, "user_id", &user) || !check_peer(call, &peer))
		return NULL;
	for (i = 0; i < n_answered; i++)
		if (strcmp(answered[i], id) == 0)
			id = "";
	if (*id == '\0' || n_answered == LIST_MAX)
		return refuse(call, 100, WRONG "event_id is invalid");
	if (!check_limits(call))
		return NULL;
	answered[n_answered++] = must(strdup(id));
	return json_object_new_int(1);
}

/* Only `return JSON;` is understood. */
static struct json_object *
execute(struct call *call)
{
	const char *script = text_of(call, "code");

	if (*script == '\0')
		return refuse(call, 100, WRONG "code is undefined");
	if (strncmp(script, "return ", 7) != 0 || strchr(script, ';') == NULL)
		return refuse(call, 12, "Unable to compile code: unexpected "
		    "token");
	return json_tokener_parse(script + 7);
}

/* ---- a call ---- */

static const struct method {
	const char *name;
	struct json_object *(*call)(struct call *);
	bool manage, messages;
	bool own_group;		/* group_id has to be given */
} methods[] = {
	{ "groups.getById", group_get, false, false, false },
	{ "groups.getTokenPermissions", permissions_get, false, false, false },
	{ "groups.getCallbackServers", servers_get, true, false, true },
	{ "groups.addCallbackServer", server_add, true, false, true },
	{ "groups.editCallbackServer", server_edit, true, false, true },
	{ "groups.deleteCallbackServer", server_delete, true, false, true },
	{ "groups.getCallbackConfirmationCode", code_get, true, false, true },
	{ "groups.getCallbackSettings", settings_get, true, false, true },
	{ "groups.setCallbackSettings", settings_set, true, false, true },
	{ "groups.getLongPollSettings", longpoll_get, true, false, true },
	{ "messages.send", message_send, false, true, false },
	{ "messages.edit", message_edit, false, true, false },
	{ "messages.markAsRead", message_read, false, true, false },
	{ "messages.setActivity", message_activity, false, true, false },
	{ "messages.sendMessageEventAnswer", button_answer, false, true,
	    false },
	{ "users.get", users_get, false, false, false },
	{ "utils.getServerTime", time_get, false, false, false },
	{ "execute", execute, false, false, false },
};

static bool
in_time(struct group *group)
{
	int64_t now = nanoseconds();

	if (group->turns[group->next] > now - 1000000000)
		return false;
	group->turns[group->next] = now;
	group->next = (group->next + 1) % RATE;
	return true;
}

static void
find_group(struct call *call)
{
	const char *token = param(call, "access_token");
	int i;

	if (token == NULL)
		token = call->bearer;
	for (i = 0; token != NULL && i < n_groups; i++)
		if (strcmp(groups[i].token, token) == 0)
			call->group = &groups[i];
	if (token == NULL)
		refuse(call, 5, "User authorization failed: no access_token "
		    "passed.");
	else if (call->group == NULL)
		refuse(call, 5, "User authorization failed: invalid "
		    "access_token (4).");
}

static struct json_object *
run(struct call *call)
{
	const struct method *method = NULL;
	const char *version = param(call, "v");
	int64_t id;
	size_t i;

	for (i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (strcmp(methods[i].name, call->method) == 0)
			method = &methods[i];
	if (method == NULL)
		return refuse(call, 3, "Unknown method passed");
	find_group(call);
	if (call->error != 0)
		return NULL;
	if (!in_time(call->group))
		return refuse(call, 6, "Too many requests per second");
	if (version == NULL)
		return refuse(call, 8, "Invalid request: v (version) is "
		    "required");
	if (strncmp(version, "5.", 2) != 0)
		return refuse(call, 8, "Invalid request: version is invalid");
	if ((method->manage && !call->group->can_manage) ||
	    (method->messages && !call->group->can_messages))
		return refuse(call, 15, "Access denied: group access denied "
		    "for this token");
	if (method->own_group) {
		if (!need_int(call, "group_id", &id))
			return NULL;
		if (id != call->group->id)
			return refuse(call, 15, "Access denied: no access to "
			    "this group");
	}
	return method->call(call);
}

static struct json_object *
error_object(const struct call *call)
{
	struct json_object *error = json_object_new_object();
	struct json_object *params = json_object_new_array(), *pair;
	int i;

	for (i = 0; i < call->n_params; i++) {
		if (strcmp(call->params[i].name, "access_token") == 0)
			continue;
		pair = json_object_new_object();
		json_object_object_add(pair, "key",
		    json_object_new_string(call->params[i].name));
		json_object_object_add(pair, "value",
		    json_object_new_string(call->params[i].value));
		json_object_array_add(params, pair);
	}
	json_object_object_add(error, "error_code",
	    json_object_new_int(call->error));
	json_object_object_add(error, "error_msg",
	    json_object_new_string(call->message));
	json_object_object_add(error, "request_params", params);
	return error;
}

static void
write_call(const struct call *call)
{
	int i;

	fprintf(calls_file, "%s %d %" PRId64, call->method, call->error,
	    call->group != NULL ? call->group->id : 0);
	for (i = 0; i < call->n_params; i++) {
		if (strcmp(call->params[i].name, "access_token") == 0)
			continue;
		fprintf(calls_file, " %s=", call->params[i].name);
		write_text(calls_file, call->params[i].value);
	}
	putc('\n', calls_file);
	fflush(calls_file);
}

/* The fault for this call, if any. */
static struct fault
next_fault(const char *method)
{
	struct fault fault = { .n = 0 };
	int i;

	for (i = 0; i < n_faults; i++) {
		if (faults[i].method[0] != '\0' &&
		    strcmp(faults[i].method, method) != 0)
			continue;
		fault = faults[i];
		if (--faults[i].count == 0)
			memmove(&faults[i], &faults[i + 1], (size_t)
			    (--n_faults - i) * sizeof(faults[0]));
		break;
	}
	return fault;
}

/* ---- HTTP ---- */

static bool
send_all(int fd, const char *bytes, size_t len)
{
	ssize_t sent;

	for (; len > 0; bytes += sent, len -= (size_t)sent) {
		sent = send(fd, bytes, len, MSG_NOSIGNAL);
		if (sent <= 0)
			return false;
	}
	return true;
}

static bool
answer(int fd, int status, const char *body, size_t len, size_t announced)
{
	char header[256];

	snprintf(header, sizeof(header), "HTTP/1.1 %d %s\r\n"
	    "Content-Type: application/json; charset=utf-8\r\n"
	    "Content-Length: %zu\r\n\r\n", status,
	    status == 200 ? "OK" : "No", announced);
	return send_all(fd, header, strlen(header)) &&
	    send_all(fd, body, len) && len == announced;
}

static bool
answer_huge(int fd)
{
	size_t size = 10 * 1024 * 1024;
	char *body = must(malloc(size));
	bool result;

	memset(body, ' ', size);
	memcpy(body, "{\"response\":1", 13);
	body[size - 1] = '}';
	result = answer(fd, 200, body, size, size);
	free(body);
	return result;
}

static bool
answer_fault(int fd, const struct fault *fault)
{
	static const struct {
		const char *kind, *body;
	} bodies[] = {
		{ "short", "{\"response\":" }, { "object", "{}" },
		{ "garbage", "<html>no</html>" }, { "empty", "" },
		{ "nocode", "{\"error\":\"invalid_request\"}" },
		{ "inside", "{\"response\":[false,false],\"execute_errors\":["
		    "{\"method\":\"messages.send\",\"error_code\":901,"
		    "\"error_msg\":\"No permission\"},"
		    "{\"method\":\"users.get\",\"error_code\":100,"
		    "\"error_msg\":\"No ids\"}]}" },
	};
	size_t i;

	if (strcmp(fault->kind, "drop") == 0)
		return false;
	if (strcmp(fault->kind, "cut") == 0)
		return answer(fd, 200, "{\"response\":", 12, 100);
	if (strcmp(fault->kind, "huge") == 0)
		return answer_huge(fd);
	for (i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++)
		if (strcmp(fault->kind, bodies[i].kind) == 0)
			return answer(fd, 200, bodies[i].body,
			    strlen(bodies[i].body), strlen(bodies[i].body));
	return answer(fd, fault->n, "", 0, 0);
}

/*
 * Some faults keep the answer; others hide it, whether the call was done or
 * not.
 */
static bool
hides_answer(const struct fault *fault)
{
	return fault->kind[0] != '\0' && strcmp(fault->kind, "slow") != 0 &&
	    strcmp(fault->kind, "error") != 0 &&
	    strcmp(fault->kind, "answer") != 0;
}

static bool
serve_call(int fd, struct call *call)
{
	struct json_object *root = json_object_new_object(), *response;
	struct fault fault;
	struct timespec late;
	const char *text;
	size_t len;
	bool kept;

	pthread_mutex_lock(&vk);
	fault = next_fault(call->method);
	if (strcmp(fault.kind, "error") == 0) {
		find_group(call);
		response = refuse(call, fault.n, "%s", fault.text[0] != '\0' ?
		    fault.text : "Forced by the test");
	} else if (strcmp(fault.kind, "answer") == 0) {
		find_group(call);
		response = json_tokener_parse(fault.text);
	} else {
		response = run(call);
	}
	if (call->error != 0)
		json_object_object_add(root, "error", error_object(call));
	else
		json_object_object_add(root, "response", response);
	write_call(call);
	pthread_mutex_unlock(&vk);
	text = json_object_to_json_string_length(root,
	    JSON_C_TO_STRING_PLAIN, &len);
	if (strcmp(fault.kind, "slow") == 0) {
		late.tv_sec = fault.n / 1000;
		late.tv_nsec = fault.n % 1000 * 1000000L;
		nanosleep(&late, NULL);
	}
	kept = hides_answer(&fault) ? answer_fault(fd, &fault) :
	    answer(fd, 200, text, len, len);
	json_object_put(root);
	return kept;
}

static void
control_reset(void)
{
	int i;

	n_faults = n_messages = 0;
	while (n_answered > 0)
		free(answered[--n_answered]);
	for (i = 0; i < n_groups; i++) {
		groups[i].n_servers = 0;
		memset(groups[i].turns, 0, sizeof(groups[i].turns));
	}
	longpoll = false;
	respelt[0] = '\0';
	new_event[0] = '\0';
	list_how[0] = list_without[0] = '\0';
}

static void
control_fault(const struct call *call)
{
	int64_t n, count;
	struct fault *fault = &faults[n_faults];

	if (n_faults == sizeof(faults) / sizeof(faults[0]))
		return;
	n_faults++;
	snprintf(fault->kind, sizeof(fault->kind), "%s",
	    text_of(call, "kind"));
	snprintf(fault->method, sizeof(fault->method), "%s",
	    text_of(call, "method"));
	snprintf(fault->text, sizeof(fault->text), "%s",
	    text_of(call, "text"));
	fault->n = read_int(param(call, "n"), &n) ? (int)n : 0;
	fault->count = read_int(param(call, "count"), &count) ? (int)count : 1;
}

static void
control_server(const struct call *call)
{
	static const char *const statuses[] = {
		"unconfigured", "failed", "wait", "ok",
	};
	struct server *server;
	int64_t group;
	size_t i;
	int g;

	if (!read_int(param(call, "group"), &group))
		return;
	for (g = 0; g < n_groups; g++) {
		if (groups[g].id != group ||
		    groups[g].n_servers == SERVERS_MAX)
			continue;
		server = new_server(&groups[g]);
		fill_server(server, call, "secret");
		for (i = 0; i < 4; i++)
			if (strcmp(statuses[i], text_of(call, "status")) == 0)
				server->status = statuses[i];
		return;
	}
}

static void
control_check(void)
{
	int i, j;

	for (i = 0; i < n_groups; i++)
		for (j = 0; j < groups[i].n_servers; j++)
			if (strcmp(groups[i].servers[j].status, "wait") == 0)
				begin_confirm(&groups[i],
				    &groups[i].servers[j]);
}

static bool
control(int fd, const char *what, struct call *call)
{
	pthread_mutex_lock(&vk);
	if (strcmp(what, "reset") == 0)
		control_reset();
	else if (strcmp(what, "fault") == 0)
		control_fault(call);
	else if (strcmp(what, "server") == 0)
		control_server(call);
	else if (strcmp(what, "check") == 0)
		control_check();
	else if (strcmp(what, "respell") == 0)
		snprintf(respelt, sizeof(respelt), "%s", text_of(call, "url"));
	else if (strcmp(what, "longpoll") == 0)
		longpoll = strcmp(text_of(call, "on"), "1") == 0;
	else if (strcmp(what, "event") == 0)
		snprintf(new_event, sizeof(new_event), "%s",
		    text_of(call, "name"));
	else if (strcmp(what, "list") == 0) {
		snprintf(list_how, sizeof(list_how), "%s",
		    text_of(call, "how"));
		snprintf(list_without, sizeof(list_without), "%s",
		    text_of(call, "without"));
	} else if (strcmp(what, "code") == 0)
		snprintf(code, sizeof(code), "%s", text_of(call, "code"));
	pthread_mutex_unlock(&vk);
	return answer(fd, 200, "ok\n", 3, 3);
}

static bool
refuse_request(int fd, const char *why)
{
	pthread_mutex_lock(&vk);
	fprintf(calls_file, "- %s\n", why);
	fflush(calls_file);
	pthread_mutex_unlock(&vk);
	(void)answer(fd, 400, why, strlen(why), strlen(why));
	return false;
}

/* The value of a header line, in place; NULL: there is no such line. */
static char *
header_value(char *header, const char *name)
{
	char *line = strstr(header, "\r\n");
	size_t len = strlen(name);

	for (; line != NULL; line = strstr(line + 2, "\r\n"))
		if (strncasecmp(line + 2, name, len) == 0 &&
		    line[2 + len] == ':')
			return line + 3 + len + strspn(line + 3 + len, " ");
	return NULL;
}

static bool
serve_request(int fd, char *header, char *body)
{
	char *type = header_value(header, "Content-Type");
	char *bearer = header_value(header, "Authorization");
	struct call *call = must(calloc(1, sizeof(*call)));
	char *path = strchr(header, ' '), *query;
	bool is_post = strncmp(header, "POST ", 5) == 0, kept;

	if (bearer != NULL && strncmp(bearer, "Bearer ", 7) == 0) {
		call->bearer = bearer + 7;
		bearer[strcspn(bearer, "\r\n")] = '\0';
	}
	bool is_form = type != NULL && strncmp(type,
	    "application/x-www-form-urlencoded", 33) == 0;
	path = path == NULL ? header : path + 1;
	path[strcspn(path, " \r\n")] = '\0';
	query = strchr(path, '?');
	if (query != NULL)
		*query++ = '\0';
	if (strncmp(path, "/control/", 9) == 0) {
		read_params(call, query);
		kept = control(fd, path + 9, call);
	} else if (query != NULL) {
		kept = refuse_request(fd, "parameters in the address");
	} else if (!is_post || !is_form) {
		kept = refuse_request(fd, "not a POST of a form");
	} else if (strncmp(path, "/method/", 8) != 0) {
		kept = refuse_request(fd, "not /method/");
	} else {
		call->method = path + 8;
		read_params(call, body);
		kept = serve_call(fd, call);
	}
	free(call);
	return kept;
}

/* Serves a request of a connection; false: the last one. */
static bool
serve_one(int fd, char *buffer, size_t *len)
{
	size_t size = HEADER_MAX + BODY_MAX, whole;
	char *end, *value, *body;
	int64_t body_len = 0;
	ssize_t got;
	bool kept;

	for (;;) {
		buffer[*len] = '\0';
		end = strstr(buffer, "\r\n\r\n");
		if (end != NULL)
			break;
		got = *len < HEADER_MAX ? recv(fd, buffer + *len,
		    HEADER_MAX - *len, 0) : 0;
		if (got <= 0)
			return false;
		*len += (size_t)got;
	}
	value = header_value(buffer, "Content-Length");
	if (value != NULL)
		body_len = strtoll(value, NULL, 10);
	whole = (size_t)(end + 4 - buffer) + (size_t)body_len;
	if (body_len < 0 || whole > size)
		return false;
	while (*len < whole) {
		got = recv(fd, buffer + *len, size - *len, 0);
		if (got <= 0)
			return false;
		*len += (size_t)got;
	}
	body = must(strndup(end + 4, (size_t)body_len));
	end[2] = '\0';
	kept = serve_request(fd, buffer, body);
	free(body);
	*len -= whole;
	memmove(buffer, buffer + whole, *len);
	return kept;
}

static void *
serve(void *arg)
{
	char *buffer = must(malloc(HEADER_MAX + BODY_MAX + 1));
	int fd = *(int *)arg, on = 1;
	size_t len = 0;

	free(arg);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	while (serve_one(fd, buffer, &len))
		;
	close(fd);
	free(buffer);
	return NULL;
}

static int
listen_somewhere(int *port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd == -1 ||
	    bind(fd, (struct sockaddr *)&address, sizeof(address)) == -1 ||
	    getsockname(fd, (struct sockaddr *)&address, &len) == -1 ||
	    listen(fd, 128) == -1)
		return -1;
	*port = ntohs(address.sin_port);
	return fd;
}

static FILE *
open_file(const char *folder, const char *name)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return must(fopen(path, "w"));
}

static void
write_port(const char *folder, int port)
{
	char path[4096], made[4096];
	FILE *file = open_file(folder, "port.new");

	fprintf(file, "%d\n", port);
	fclose(file);
	snprintf(made, sizeof(made), "%s/port.new", folder);
	snprintf(path, sizeof(path), "%s/port", folder);
	if (rename(made, path) == -1)
		abort();
}

/* TOKEN=GROUP[:RIGHT,RIGHT] */
static int
add_group(const char *text)
{
	struct group *group = &groups[n_groups++];
	const char *equals = strrchr(text, '=');
	char *rights;

	if (n_groups > GROUPS_MAX || equals == NULL ||
	    (size_t)(equals - text) >= sizeof(group->token))
		return -1;
	memcpy(group->token, text, (size_t)(equals - text));
	group->id = strtoll(equals + 1, &rights, 10);
	group->can_manage = *rights == '\0' ||
	    strstr(rights, "manage") != NULL;
	group->can_messages = *rights == '\0' ||
	    strstr(rights, "messages") != NULL;
	return group->id > 0 ? 0 : -1;
}

int
main(int argc, char **argv)
{
	pthread_t thread;
	int port, i, fd, *arg;
	FILE *connections;

	if (argc < 3) {
		fprintf(stderr, "usage: vk-api FOLDER TOKEN=GROUP ...\n");
		return 2;
	}
	for (i = 2; i < argc; i++)
		if (add_group(argv[i]) == -1)
			return 2;
	signal(SIGPIPE, SIG_IGN);
	calls_file = open_file(argv[1], "calls");
	messages_file = open_file(argv[1], "messages");
	connections = open_file(argv[1], "connections");
	fd = listen_somewhere(&port);
	if (fd == -1)
		return 1;
	write_port(argv[1], port);
	for (;;) {
		arg = must(malloc(sizeof(*arg)));
		*arg = accept(fd, NULL, NULL);
		if (*arg == -1 ||
		    pthread_create(&thread, NULL, serve, arg) != 0)
			abort();
		pthread_detach(thread);
		fputs("connection\n", connections);
		fflush(connections);
	}
}
