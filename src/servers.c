/*
 * servers.c - which of a group's callback servers is ours.
 *
 * Nothing of VK's answer is trusted: one of another shape is none, since to
 * take it for "no servers" would add one more.
 */
#include "servers.h"

#include <string.h>
#include <strings.h>

#include <json-c/json.h>

#include "keys.h"
#include "member.h"

#include "banned.h"

struct json_object *
servers_of(struct json_object *response)
{
	struct json_object *items = member_list(response, "items"), *item;
	size_t i, n = member_count(items);

	for (i = 0; i < n; i++) {
		item = json_object_array_get_idx(items, i);
		if (member_int(item, "id") <= 0 ||
		    *member_text(item, "url") == '\0' ||
		    *member_text(item, "status") == '\0')
			return NULL;
	}
	return items;
}

/* A piece of a URL. */
struct span {
	const char *at;
	size_t len;
};

struct place {
	struct span scheme;
	struct span host;
	struct span port;	/* empty: the scheme's own */
	struct span rest;	/* without a / at its end */
};

static bool
is_word(struct span span, const char *word)
{
	return span.len == strlen(word) &&
	    strncasecmp(span.at, word, span.len) == 0;
}

static struct place
read_url(const char *url)
{
	const char *colon = strstr(url, "://"), *at, *end, *port;
	struct place place = { .rest = { url, strlen(url) } };

	if (colon == NULL)
		return place;
	at = colon + 3;
	end = at + strcspn(at, "/?#");
	place.scheme = (struct span){ url, (size_t)(colon - url) };
	/* In [::1] colons are no port's. */
	for (port = end; port > at && port[-1] >= '0' && port[-1] <= '9';)
		port--;
	if (port > at && port[-1] == ':') {
		place.port = (struct span){ port, (size_t)(end - port) };
		place.host = (struct span){ at, (size_t)(port - 1 - at) };
	} else {
		place.host = (struct span){ at, (size_t)(end - at) };
	}
	if (is_word(place.port, is_word(place.scheme, "http") ? "80" : "443"))
		place.port.len = 0;
	place.rest = (struct span){ end, strlen(end) };
	if (place.rest.len > 0 && end[place.rest.len - 1] == '/')
		place.rest.len--;
	return place;
}

static bool
same_bytes(struct span a, struct span b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

static bool
same_letters(struct span a, struct span b)
{
	return a.len == b.len &&
	    (a.len == 0 || strncasecmp(a.at, b.at, a.len) == 0);
}

bool
servers_same_url(const char *one, const char *other)
{
	struct place a = read_url(one), b = read_url(other);

	return same_letters(a.scheme, b.scheme) &&
	    same_letters(a.host, b.host) && same_bytes(a.port, b.port) &&
	    same_bytes(a.rest, b.rest);
}

static bool
is_kept(struct json_object *server, const struct key *key)
{
	return key != NULL && key->server_id != 0 &&
	    member_int(server, "id") == key->server_id;
}

bool
servers_is_ours(struct json_object *server, const char *url,
    const struct key *key)
{
	return servers_same_url(member_text(server, "url"), url) ||
	    (is_kept(server, key) && servers_same_url(key->url, url));
}

bool
servers_is_ok(struct json_object *server)
{
	return strcmp(member_text(server, "status"), "ok") == 0;
}

bool
servers_is_waiting(struct json_object *server)
{
	const char *status = member_text(server, "status");

	return strcmp(status, "wait") == 0 ||
	    strcmp(status, "unconfigured") == 0;
}

static int
rank(struct json_object *server, const struct key *key)
{
	int status = servers_is_ok(server) ? 2 :
	    servers_is_waiting(server) ? 1 : 0;

	return 2 * status + (is_kept(server, key) ? 1 : 0);
}

struct json_object *
servers_best(struct json_object *servers, const char *url,
    const struct key *key)
{
	struct json_object *best = NULL, *server;
	size_t i, n = member_count(servers);

	for (i = 0; i < n; i++) {
		server = json_object_array_get_idx(servers, i);
		if (servers_is_ours(server, url, key) && (best == NULL ||
		    rank(server, key) > rank(best, key)))
			best = server;
	}
	return best;
}
