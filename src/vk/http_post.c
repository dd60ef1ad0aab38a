/*
 * http_post.c - posts a form and takes the answer, within time and size limits.
 *
 * Whatever goes wrong on the way is a result with words, which name hosts and
 * reasons but nothing of what was posted.
 *
 * One connection is kept per process, since setting one up costs more than a
 * call. A child that a process forks does not use it: two would speak at once.
 */
#include "vk/http_post.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vk/curl.h"
#include "version.h"

#include "banned.h"

#ifdef HAVE_CURL

/* The connection; like the library, it belongs to the process. */
static struct {
	CURL *easy;
	pid_t owner;
	bool has_ca_file;
} kept;

struct intake {
	char *at;
	size_t len;
	size_t size;
	bool too_long;
	bool no_memory;
};

static size_t
http_post_take(char *bytes, size_t one, size_t len, void *arg)
{
	struct intake *in = arg;
	size_t size = in->size;
	char *grown;

	(void)one;	/* is 1, always */
	if (len > POST_ANSWER_MAX - in->len) {
		in->too_long = true;
		return 0;
	}
	while (size < in->len + len + 1)
		size = size == 0 ? 4096 : 2 * size;
	if (size > in->size) {
		grown = realloc(in->at, size);
		if (grown == NULL) {
			in->no_memory = true;
			return 0;
		}
		in->at = grown;
		in->size = size;
	}
	memcpy(in->at + in->len, bytes, len);
	in->len += len;
	in->at[in->len] = '\0';
	return len;
}

/* A handler may start programs: they do not get the connection. */
static int
close_on_exec(void *arg, curl_socket_t fd, curlsocktype purpose)
{
	(void)arg;
	(void)purpose;
	(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
	return CURL_SOCKOPT_OK;
}

/*
 * The parent's connection is left alone: closing it by the book would tell
 * VK's end that it is over. Its handle is lost to the child.
 */
static void
leave_to_parent(const struct curl *curl)
{
	curl_socket_t fd;

	if (curl->getinfo(kept.easy, CURLINFO_ACTIVESOCKET, &fd) == CURLE_OK &&
	    fd != CURL_SOCKET_BAD)
		close(fd);
	kept.easy = NULL;
}

static int
connection(const struct curl *curl, bool ca_file)
{
	CURL *easy;

	if (kept.easy != NULL && kept.owner != getpid())
		leave_to_parent(curl);
	/* A file that was named cannot be taken back from a handle. */
	if (kept.easy != NULL && kept.has_ca_file && !ca_file) {
		curl->cleanup(kept.easy);
		kept.easy = NULL;
	}
	if (kept.easy != NULL)
		return 0;
	easy = curl->easy_init();
	if (easy == NULL)
		return -1;
	curl->setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl->setopt(easy, CURLOPT_MAXCONNECTS, 1L);
	curl->setopt(easy, CURLOPT_USERAGENT, "vkcb/" VKCB_VERSION);
	curl->setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl->setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
	curl->setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
	curl->setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl->setopt(easy, CURLOPT_SOCKOPTFUNCTION, close_on_exec);
	curl->setopt(easy, CURLOPT_WRITEFUNCTION, http_post_take);
	kept.easy = easy;
	kept.owner = getpid();
	kept.has_ca_file = false;
	return 0;
}

static bool
is_plain(const char *url)
{
	return strncmp(url, "http://", 7) == 0;
}

/* libcurl knows a dozen other protocols, files of this machine among them. */
static bool
is_http(const char *url)
{
	return is_plain(url) || strncmp(url, "https://", 8) == 0;
}

/* The header's lines: libcurl's own "Expect" is left out. NULL: no memory. */
static struct curl_slist *
header_lines(const struct curl *curl, const struct http_post_request *request)
{
	struct curl_slist *list = curl->slist_append(NULL, "Expect:"), *longer;
	size_t i;

	for (i = 0; list != NULL && i < POST_HEADERS_MAX; i++) {
		if (request->headers[i] == NULL)
			continue;
		longer = curl->slist_append(list, request->headers[i]);
		if (longer == NULL)
			curl->slist_free_all(list);
		list = longer;
	}
	return list;
}

static CURLcode
perform(const struct curl *curl, const struct http_post_request *request,
    struct intake *in, char words[CURL_ERROR_SIZE])
{
	struct curl_slist *headers = header_lines(curl, request);
	CURL *easy = kept.easy;
	CURLcode code;

	words[0] = '\0';
	if (headers == NULL)
		return CURLE_OUT_OF_MEMORY;
	curl->setopt(easy, CURLOPT_HTTPHEADER, headers);
	curl->setopt(easy, CURLOPT_ERRORBUFFER, words);
	curl->setopt(easy, CURLOPT_WRITEDATA, in);
	curl->setopt(easy, CURLOPT_URL, request->url);
	/* Plain http goes to this machine, past any proxy: it could read. */
	curl->setopt(easy, CURLOPT_PROXY, is_plain(request->url) ? "" :
	    (char *)NULL);
	if (request->ca_file != NULL) {
		curl->setopt(easy, CURLOPT_CAINFO, request->ca_file);
		kept.has_ca_file = true;
	}
	curl->setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, request->connect_ms);
	curl->setopt(easy, CURLOPT_TIMEOUT_MS, request->total_ms);
	curl->setopt(easy, CURLOPT_POSTFIELDSIZE, (long)request->len);
	curl->setopt(easy, CURLOPT_POSTFIELDS, request->body);
	code = curl->perform(easy);
	/* What was lent for this call alone is taken back. */
	curl->setopt(easy, CURLOPT_ERRORBUFFER, (char *)NULL);
	curl->setopt(easy, CURLOPT_WRITEDATA, (void *)NULL);
	curl->setopt(easy, CURLOPT_POSTFIELDS, (char *)NULL);
	curl->setopt(easy, CURLOPT_HTTPHEADER, (struct curl_slist *)NULL);
	curl->slist_free_all(headers);
	return code;
}

static enum http_post_result
http_post_explain(const struct curl *curl, CURLcode code, const char *words,
    const struct intake *in, char why[POST_WHY_MAX])
{
	enum http_post_result result = POST_TROUBLE;

	if (in->no_memory || code == CURLE_OUT_OF_MEMORY) {
		snprintf(why, POST_WHY_MAX, "out of memory");
		return POST_NO_MEMORY;
	}
	if (in->too_long) {
		snprintf(why, POST_WHY_MAX, "the answer is over %zu MiB",
		    POST_ANSWER_MAX >> 20);
		return POST_REFUSED;
	}
	switch (code) {
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_ISSUER_ERROR:
		result = POST_NOT_TRUSTED;
		break;
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_URL_MALFORMAT:
		result = POST_NO_URL;
		break;
	default:
		break;
	}
	snprintf(why, POST_WHY_MAX, "%.220s%s", words[0] != '\0' ? words :
	    curl->strerror(code), result == POST_NO_URL ? ": is this a right "
	    "address?" : "");
	return result;
}

enum http_post_result
http_post(const struct http_post_request *request,
    struct http_post_response *answer)
{
	char words[CURL_ERROR_SIZE], state[CURL_STATE_MAX];
	const struct curl *curl = curl_load(state);
	struct intake in = { .at = NULL };
	enum http_post_result result;
	CURLcode code;

	*answer = (struct http_post_response){ .body = NULL };
	if (curl == NULL) {
		snprintf(answer->why, sizeof(answer->why), "libcurl: %s",
		    state);
		return POST_NO_LIBRARY;
	}
	if (!is_http(request->url)) {
		snprintf(answer->why, sizeof(answer->why), "not an address "
		    "that starts with http:// or https://");
		return POST_NO_URL;
	}
	if (connection(curl, request->ca_file != NULL) == -1)
		return POST_NO_MEMORY;
	code = perform(curl, request, &in, words);
	if (code == CURLE_OK && in.at == NULL &&
	    (in.at = calloc(1, 1)) == NULL)
		in.no_memory = true;
	if (code != CURLE_OK || in.no_memory) {
		result = http_post_explain(curl, code, words, &in, answer->why);
		free(in.at);
		return result;
	}
	curl->getinfo(kept.easy, CURLINFO_RESPONSE_CODE, &answer->status);
	answer->body = in.at;
	answer->len = in.len;
	return POST_ANSWERED;
}

#else

enum http_post_result
http_post(const struct http_post_request *request,
    struct http_post_response *answer)
{
	char state[CURL_STATE_MAX];

	(void)request;
	(void)curl_load(state);
	*answer = (struct http_post_response){ .body = NULL };
	snprintf(answer->why, sizeof(answer->why), "libcurl: %s", state);
	return POST_NO_LIBRARY;
}

#endif
