/* http.h - a request from the web server and its answer. */
#ifndef HTTP_H
#define HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct http_request {
	const char *method;		/* REQUEST_METHOD; NULL: not given */
	const char *length;		/* CONTENT_LENGTH */
	const char *retry_counter;	/* HTTP_X_RETRY_COUNTER */
	int64_t deadline;		/* for the body: clock_ms() */

	/*
	 * Reads size bytes of the body, or fewer if it ends, the deadline
	 * passes or the peer goes away.
	 */
	size_t (*read)(struct http_request *, char *into, size_t size);

	/* Of http_memory_request(). */
	const char *body;
	size_t left;
	char length_text[24];
};

struct http_answer {
	int status;
	const char *body;		/* borrowed until it is sent */
	size_t len;
	int retry_after;		/* seconds; -1: no such header */
	char text[32];			/* memory for a short body */
};

#define HTTP_HEADER_MAX 256

/* A POST without a web server; the body stays the caller's. */
void http_memory_request(struct http_request *, const char *body, size_t len);

/* An answer with a constant body and no Retry-After. */
void http_answer(struct http_answer *, int status, const char *body);

/*
 * Writes the header of CGI and FastCGI with the empty line that ends it, and
 * returns its length.
 */
size_t http_header(const struct http_answer *, char out[HTTP_HEADER_MAX]);

#endif
