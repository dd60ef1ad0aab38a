/*
 * memory_request.c - a request whose body is in memory, without a web server:
 * `vkcb trigger`, tests. Nothing can fail.
 */
#include "web/memory_request.h"

#include <stdio.h>
#include <string.h>

#include "banned.h"

static size_t
memory_request_read_body(struct http_request *http, char *into, size_t size)
{
	struct local *local = (struct local *)http;

	if (size > local->left)
		size = local->left;
	memcpy(into, local->body, size);
	local->body += size;
	local->left -= size;
	return size;
}

void
memory_request(struct local *local, const char *body, size_t len)
{
	*local = (struct local){
		.http = { .method = "POST", .read = memory_request_read_body },
		.body = body,
		.left = len,
	};
	snprintf(local->length, sizeof(local->length), "%zu", len);
	local->http.length = local->length;
}
