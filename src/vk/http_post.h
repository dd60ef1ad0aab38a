/* http_post.h - one HTTP POST, by libcurl, over one kept connection. */
#ifndef HTTP_POST_H
#define HTTP_POST_H

#include <stddef.h>

#define POST_ANSWER_MAX ((size_t)4 * 1024 * 1024)
#define POST_WHY_MAX 300
#define POST_HEADERS_MAX 2

enum http_post_result {
	POST_ANSWERED,		/* with any status */
	POST_TROUBLE,		/* no answer; another try may help */
	POST_REFUSED,		/* too long an answer; as likely next time */
	POST_NO_URL,		/* not an address of HTTP */
	POST_NOT_TRUSTED,	/* the certificate cannot be verified */
	POST_NO_LIBRARY,
	POST_NO_MEMORY,
};

struct http_post_request {
	const char *url;
	const char *body;	/* may hold secrets, and is not copied */
	size_t len;
	const char *ca_file;	/* NULL: libcurl's default */
	const char *headers[POST_HEADERS_MAX];	/* more lines; NULL: none */
	long connect_ms;
	long total_ms;
};

struct http_post_response {
	long status;
	char *body;		/* if answered: NUL-terminated, to be freed */
	size_t len;
	char why[POST_WHY_MAX];	/* if not answered */
};

/* Always verifies TLS, follows no redirect. */
enum http_post_result http_post(const struct http_post_request *,
    struct http_post_response *) __attribute__((warn_unused_result));

#endif
