/*
 * http_post.c - loads libcurl, posts a form and reads the answer, within time
 * and size limits.
 *
 * Every failure is a result with a reason, which names hosts but nothing of
 * what was posted.
 *
 * A connection is kept, since a new one costs more than a call. It is the
 * process's, as is libcurl's table of functions. A forked child opens its own
 * connection: two processes cannot share a TLS session.
 */
#include "vk/http_post.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buffer.h"
#include "library.h"
#include "vkcb.h"
#include "vk/curl.h"

#include "banned.h"

/* Debian's build with GnuTLS has the same interface. */
static const char *const names[] = {
	"libcurl.so.4", "libcurl-gnutls.so.4", NULL,
};

static const char *const functions[] = {
#define CALL(result, name, arguments) "curl_" #name,
	CURL_CALLS
#undef CALL
	NULL,
};

const struct curl *
curl_load(char why[CURL_STATE_MAX])
{
	static struct curl curl;
	static bool loaded;
	char reason[160] = "it cannot be initialized";

	loaded = loaded || (library_load(names, functions, &curl, reason,
	    sizeof(reason)) == 0 &&
	    curl.global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
	if (!loaded)
		snprintf(why, CURL_STATE_MAX, "missing: handlers cannot call "
		    "VK; install libcurl4 (%s)", reason);
	return loaded ? &curl : NULL;
}

int
curl_state(char state[CURL_STATE_MAX])
{
	const struct curl *curl = curl_load(state);
	const char *version;

	if (curl == NULL)
		return -1;
	/* "libcurl/8.5.0 OpenSSL/3.0.15 ..." */
	version = curl->version() + strlen("libcurl/");
	snprintf(state, CURL_STATE_MAX, "found (%.*s)",
	    (int)strcspn(version, " "), version);
	return 0;
}

static struct {
	void *easy;		/* NULL: none */
	pid_t owner;
} kept;

/* libcurl's: returns len, or another number to fail the transfer. */
static size_t
http_post_take(char *bytes, size_t one, size_t len, void *arg)
{
	struct buffer *body = arg;

	(void)one;	/* always 1 */
	buffer_put(body, bytes, len);
	return body->failed ? 0 : len;
}

/* Programs that a handler starts must not inherit the connection. */
static int
close_on_exec(void *arg, int fd, unsigned int purpose)
{
	(void)arg;
	(void)purpose;
	(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
	return 0;
}

/*
 * Freeing the handle in a child would shut down the TLS session that it shares
 * with the parent: close the descriptor only, and leak the handle.
 */
static void
leave_to_parent(const struct curl *curl)
{
	int fd;

	if (curl->easy_getinfo(kept.easy, CURLINFO_ACTIVESOCKET, &fd) ==
	    CURLE_OK && fd != -1)
		close(fd);
	kept.easy = NULL;
}

static void
set_options(const struct curl *curl, const struct http_post_request *request)
{
	void *easy = kept.easy;

	/* By default libcurl verifies certificates and follows no redirect. */
	curl->easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	/*
	 * At a timeout libcurl would wait for its thread that resolves a name,
	 * up to half a minute. Before 7.87 it knows no such option.
	 */
	curl->easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
	curl->easy_setopt(easy, CURLOPT_PROTOCOLS, (long)CURLPROTO_WEB);
	curl->easy_setopt(easy, CURLOPT_MAXCONNECTS, 1L);
	curl->easy_setopt(easy, CURLOPT_USERAGENT, "vkcb/" VKCB_VERSION);
	curl->easy_setopt(easy, CURLOPT_SSLVERSION,
	    (long)CURL_SSLVERSION_TLSv1_2);
	curl->easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, close_on_exec);
	curl->easy_setopt(easy, CURLOPT_WRITEFUNCTION, http_post_take);
	curl->easy_setopt(easy, CURLOPT_URL, request->url);
	/* Plain http is for this machine only: a proxy could read the token. */
	if (strncmp(request->url, "http://", 7) == 0)
		curl->easy_setopt(easy, CURLOPT_PROXY, "");
	if (request->ca_file != NULL)
		curl->easy_setopt(easy, CURLOPT_CAINFO, request->ca_file);
	curl->easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
	    request->connect_ms);
	curl->easy_setopt(easy, CURLOPT_TIMEOUT_MS, request->total_ms);
	curl->easy_setopt(easy, CURLOPT_POSTFIELDSIZE, (long)request->len);
	curl->easy_setopt(easy, CURLOPT_POSTFIELDS, request->body);
}

static unsigned int
perform(const struct curl *curl, const struct http_post_request *request,
    struct buffer *body, char words[CURL_ERROR_SIZE], long *status)
{
	/* An empty "Expect" keeps libcurl from sending one. */
	struct curl_slist lines[POST_HEADERS_MAX + 1] = { { "Expect:", NULL } };
	void *easy = kept.easy;
	unsigned int code;
	size_t i;

	for (i = 0; i < POST_HEADERS_MAX && request->headers[i] != NULL; i++) {
		lines[i].next = &lines[i + 1];
		lines[i + 1].data = request->headers[i];
	}
	words[0] = '\0';
	set_options(curl, request);
	curl->easy_setopt(easy, CURLOPT_HTTPHEADER, lines);
	curl->easy_setopt(easy, CURLOPT_ERRORBUFFER, words);
	curl->easy_setopt(easy, CURLOPT_WRITEDATA, body);
	code = curl->easy_perform(easy);
	curl->easy_getinfo(easy, CURLINFO_RESPONSE_CODE, status);
	/* Keeps the connection, but no pointer to what was lent. */
	curl->easy_reset(easy);
	return code;
}

static enum http_post_result
http_post_explain(const struct curl *curl, unsigned int code,
    const char *words, const struct buffer *body, char why[POST_WHY_MAX])
{
	if (body->failed == BUFFER_NO_MEMORY || code == CURLE_OUT_OF_MEMORY)
		return POST_NO_MEMORY;
	if (body->failed == BUFFER_TOO_LONG) {
		snprintf(why, POST_WHY_MAX, "the answer is over %zu MiB",
		    POST_ANSWER_MAX >> 20);
		return POST_REFUSED;
	}
	snprintf(why, POST_WHY_MAX, "%s", words[0] != '\0' ? words :
	    curl->easy_strerror(code));
	switch (code) {
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_ISSUER_ERROR:
		return POST_NOT_TRUSTED;
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_URL_MALFORMAT:
		return POST_NO_URL;
	default:
		return POST_TROUBLE;
	}
}

enum http_post_result
http_post(const struct http_post_request *request,
    struct http_post_response *answer)
{
	char words[CURL_ERROR_SIZE], state[CURL_STATE_MAX];
	const struct curl *curl = curl_load(state);
	struct buffer body = { .max = POST_ANSWER_MAX };
	enum http_post_result result;
	unsigned int code;
	struct stat st;

	*answer = (struct http_post_response){ .why = "out of memory" };
	if (request->ca_file != NULL && stat(request->ca_file, &st) == 0 &&
	    !S_ISREG(st.st_mode)) {
		/* libcurl would wait for a FIFO's writer. */
		snprintf(answer->why, POST_WHY_MAX, "ca_file is no regular "
		    "file");
		return POST_NOT_TRUSTED;
	}
	if (curl == NULL) {
		snprintf(answer->why, POST_WHY_MAX, "libcurl: %.250s", state);
		return POST_NO_LIBRARY;
	}
	if (kept.easy != NULL && kept.owner != getpid())
		leave_to_parent(curl);
	if (kept.easy == NULL)
		kept.easy = curl->easy_init();
	if (kept.easy == NULL)
		return POST_NO_MEMORY;
	kept.owner = getpid();
	code = perform(curl, request, &body, words, &answer->status);
	buffer_put(&body, "", 0);	/* an empty answer is a string, too */
	if (code != CURLE_OK || body.failed) {
		result = http_post_explain(curl, code, words, &body,
		    answer->why);
		buffer_free(&body);
		return result;
	}
	answer->body = body.at;
	answer->len = body.len;
	return POST_ANSWERED;
}
