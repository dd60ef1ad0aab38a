/* http.h - a request from the web server, and what it is answered. */
#ifndef HTTP_H
#define HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct http_request {
	const char *method;		/* REQUEST_METHOD; NULL: not given */
	const char *length;		/* CONTENT_LENGTH */
	const char *retry_counter;	/* HTTP_X_RETRY_COUNTER */
	int64_t deadline;		/* for the body, by clock_ms() */

	/*
	 * Reads size bytes of the body. Fewer: it ended, the deadline passed
	 * or the peer went away.
	 */
	size_t (*read)(struct http_request *, char *into, size_t size);
};

struct http_answer {
	int status;
	const char *body;		/* borrowed until it is sent */
	size_t len;
	int retry_after;		/* seconds; -1: no such header */
	char text[32];			/* room for a body made up */
};

#define HTTP_HEADER_MAX 256

/* An answer with a constant text; no Retry-After. */
void http_answer(struct http_answer *, int status, const char *body);

/*
 * The header as CGI and FastCGI want it, with the empty line that ends it.
 * Returns its length.
 */
size_t http_header(const struct http_answer *, char out[HTTP_HEADER_MAX]);

#endif
