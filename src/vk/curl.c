/*
 * curl.c - loads libcurl at run time.
 *
 * A machine without it is a result like any other: the call that needs it
 * fails and says what to install, and the next call looks again.
 */
#include "vk/curl.h"

#include <dlfcn.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "banned.h"

#ifdef HAVE_CURL

#define SYMBOL(name, field) { name, offsetof(struct curl, field) }
static const struct {
	const char *name;
	size_t offset;
} symbols[] = {
	SYMBOL("curl_global_init", global_init),
	SYMBOL("curl_easy_init", easy_init),
	SYMBOL("curl_easy_setopt", setopt),
	SYMBOL("curl_easy_perform", perform),
	SYMBOL("curl_easy_getinfo", getinfo),
	SYMBOL("curl_easy_strerror", strerror),
	SYMBOL("curl_easy_cleanup", cleanup),
	SYMBOL("curl_slist_append", slist_append),
	SYMBOL("curl_slist_free_all", slist_free_all),
	SYMBOL("curl_version_info", version_info),
};

/* Debian's second build of it has the same interface. */
static const char *const names[] = {
	"libcurl.so.4", "libcurl-gnutls.so.4",
};

static int
find_symbols(struct curl *curl, void *library)
{
	void *symbol;
	size_t i;

	for (i = 0; i < sizeof(symbols) / sizeof(symbols[0]); i++) {
		symbol = dlsym(library, symbols[i].name);
		if (symbol == NULL)
			return -1;
		memcpy((char *)curl + symbols[i].offset, &symbol,
		    sizeof(symbol));
	}
	return 0;
}

const struct curl *
curl_load(char why[CURL_STATE_MAX])
{
	static struct curl curl;	/* a library is loaded once a process */
	static const struct curl *loaded;
	void *library = NULL;
	size_t i;

	if (loaded != NULL)
		return loaded;
	for (i = 0; library == NULL && i < sizeof(names) / sizeof(names[0]);
	    i++)
		library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
	if (library == NULL) {
		snprintf(why, CURL_STATE_MAX, "missing: handlers cannot call "
		    "VK; install libcurl4");
		return NULL;
	}
	if (find_symbols(&curl, library) == -1 ||
	    curl.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		dlclose(library);
		snprintf(why, CURL_STATE_MAX, "not usable: handlers cannot "
		    "call VK; install a libcurl4 that is not older than the "
		    "one this vkcb was built with (%s)", LIBCURL_VERSION);
		return NULL;
	}
	return loaded = &curl;
}

int
curl_state(char state[CURL_STATE_MAX])
{
	const struct curl *curl = curl_load(state);

	if (curl == NULL)
		return -1;
	snprintf(state, CURL_STATE_MAX, "found (%s)",
	    curl->version_info(CURLVERSION_NOW)->version);
	return 0;
}

#else

const struct curl *
curl_load(char why[CURL_STATE_MAX])
{
	snprintf(why, CURL_STATE_MAX, "not built in: handlers cannot call VK; "
	    "install libcurl4-openssl-dev and build again");
	return NULL;
}

int
curl_state(char state[CURL_STATE_MAX])
{
	(void)curl_load(state);
	return -1;
}

#endif
