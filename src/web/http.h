/*
 * http.h - a request from the web server and its answer, and the two ways to
 * the server: FastCGI and CGI.
 */
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
	void *from;			/* read()'s own */
	bool at_end;			/* read() has read the whole body */

	/* http_memory_request()'s own. */
	const char *body;
	size_t left;
	char length_text[24];
};

struct http_answer {
	int status;
	int retry_after;		/* seconds; -1: no such header */
	char body[4096];		/* a line of vkcb.conf has room */
};

#define HTTP_ANSWER_MAX (4096 + 256)

/* A POST without a web server; the body stays the caller's. */
void http_memory_request(struct http_request *, const char *body, size_t len);

/* An answer with this body, printf-like, and no Retry-After. */
void http_answer(struct http_answer *, int status, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Writes the whole answer, as CGI and FastCGI have it; returns its length. */
size_t http_write(const struct http_answer *, char out[HTTP_ANSWER_MAX]);

struct receiver;

/* Is descriptor 0 a listening socket, as under FastCGI? */
bool fastcgi_is_host(void);

/*
 * Serves until SIGTERM, SIGUSR1 or SIGINT; the current request is answered
 * first. Returns the exit status.
 */
int fastcgi_serve(struct receiver *);

/* Answers the one request of a CGI program. Returns the exit status. */
int cgi_serve(struct receiver *);

/* Answers 503: the program could not read its configuration. */
void cgi_send_unconfigured(void);

#endif
