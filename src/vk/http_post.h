/* http_post.h - one HTTP POST, by libcurl, over a connection that is kept. */
#ifndef HTTP_POST_H
#define HTTP_POST_H

#include <stddef.h>

#define POST_ANSWER_MAX ((size_t)4 * 1024 * 1024)
#define POST_WHY_MAX 300
#define POST_HEADERS_MAX 2

enum http_post_result {
	POST_ANSWERED,		/* with any status */
	POST_TROUBLE,		/* none came; another try may help */
	POST_REFUSED,		/* none is taken, nor would it be soon */
	POST_NO_URL,		/* that is no address of HTTP */
	POST_NOT_TRUSTED,	/* its certificate is not proven */
	POST_NO_LIBRARY,
	POST_NO_MEMORY,
};

struct http_post_request {
	const char *url;
	const char *body;	/* may hold secrets, and is not copied */
	size_t len;
	const char *ca_file;	/* NULL: as libcurl was built */
	const char *headers[POST_HEADERS_MAX];	/* more lines; NULL: none */
	long connect_ms;
	long total_ms;
};

struct http_post_response {
	long status;
	char *body;		/* ends with a NUL; to be freed if answered */
	size_t len;
	char why[POST_WHY_MAX];	/* if not answered */
};

/* TLS is always verified, and no redirection is followed. */
enum http_post_result http_post(const struct http_post_request *,
    struct http_post_response *) __attribute__((warn_unused_result));

#endif
