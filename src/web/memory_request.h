/* memory_request.h - a request whose body is at hand, not at a web server. */
#ifndef MEMORY_REQUEST_H
#define MEMORY_REQUEST_H

#include "web/http.h"

struct local {
	struct http_request http;	/* first, as it is read through that */
	const char *body;
	size_t left;
	char length[24];
};

/* A POST of this body, which stays the caller's. */
void memory_request(struct local *, const char *body, size_t len);

#endif
