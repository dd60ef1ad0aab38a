/*
 * curl.c - loads libcurl at run time. Without it a call to VK fails and says
 * what to install; all else works.
 *
 * The table of functions is the process's, and constant once it is loaded.
 */
#include "vk/curl.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "library.h"

#include "banned.h"

/* Debian's build with GnuTLS has the same interface. */
static const char *const names[] = {
	"libcurl.so.4", "libcurl-gnutls.so.4", NULL,
};

static const struct library_function functions[] = {
#define CALL(result, name, arguments) \
	{ "curl_" #name, offsetof(struct curl, name) },
	CURL_CALLS
#undef CALL
	{ NULL, 0 },
};

const struct curl *
curl_load(char why[CURL_STATE_MAX])
{
	static struct curl curl;
	static bool loaded;
	char reason[160] = "it cannot be initialized";

	if (loaded)
		return &curl;
	if (library_load(names, functions, &curl, reason, sizeof(reason)) ==
	    0 && curl.global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK) {
		loaded = true;
		return &curl;
	}
	snprintf(why, CURL_STATE_MAX, "missing: handlers cannot call VK; "
	    "install libcurl4 (%s)", reason);
	return NULL;
}

int
curl_state(char state[CURL_STATE_MAX])
{
	static const char prefix[] = "libcurl/";
	const struct curl *curl = curl_load(state);
	const char *version;

	if (curl == NULL)
		return -1;
	version = curl->version();	/* "libcurl/8.5.0 OpenSSL/3.0.15 ..." */
	if (strncmp(version, prefix, sizeof(prefix) - 1) == 0)
		version += sizeof(prefix) - 1;
	snprintf(state, CURL_STATE_MAX, "found (%.*s)",
	    (int)strcspn(version, " "), version);
	return 0;
}
