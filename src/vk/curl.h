/*
 * curl.h - libcurl, loaded by the first call to VK and not before: loading it
 * costs tens of milliseconds and megabytes, which a CGI program would pay at
 * every request.
 *
 * A machine without its headers builds a vkcb that calls nobody.
 */
#ifndef CURL_H
#define CURL_H

#if !defined(VKCB_NO_CURL) && defined(__has_include)
#if __has_include(<curl/curl.h>)
#define HAVE_CURL 1
#include <curl/curl.h>
#endif
#endif

#define CURL_STATE_MAX 160

/* What is called of libcurl: each with the type that its header gives it. */
struct curl {
#ifdef HAVE_CURL
	__typeof__(curl_global_init) *global_init;
	__typeof__(curl_easy_init) *easy_init;
	__typeof__(curl_easy_setopt) *setopt;
	__typeof__(curl_easy_perform) *perform;
	__typeof__(curl_easy_getinfo) *getinfo;
	__typeof__(curl_easy_strerror) *strerror;
	__typeof__(curl_easy_cleanup) *cleanup;
	__typeof__(curl_slist_append) *slist_append;
	__typeof__(curl_slist_free_all) *slist_free_all;
	__typeof__(curl_version_info) *version_info;
#else
	int none;
#endif
};

/*
 * The library, loaded if it was not yet. NULL, and in `why` what is missing
 * and what to do. Not tried but where a call is made, or shown.
 */
const struct curl *curl_load(char why[CURL_STATE_MAX]);

/* "found (8.5.0)", or "missing: ..." as above. 0 or -1. */
int curl_state(char state[CURL_STATE_MAX]);

#endif
