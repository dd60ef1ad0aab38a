/*
 * curl.h - libcurl, loaded by the first call to VK: loading it costs tens of
 * milliseconds and megabytes, which a CGI program would pay at every request.
 *
 * The functions and numbers used are declared here, so that vkcb builds without
 * libcurl's headers; the ABI is stable, and tests/unit/curl.c compares these
 * lines with <curl/curl.h>.
 */
#ifndef CURL_H
#define CURL_H

#define CURL_STATE_MAX 300

/* CALL(result, name after curl_, arguments) */
#define CURL_CALLS \
	CALL(unsigned int, global_init, (long)) \
	CALL(char *, version, (void)) \
	CALL(void *, easy_init, (void)) \
	CALL(unsigned int, easy_setopt, (void *, unsigned int, ...)) \
	CALL(unsigned int, easy_perform, (void *)) \
	CALL(unsigned int, easy_getinfo, (void *, unsigned int, ...)) \
	CALL(const char *, easy_strerror, (unsigned int)) \
	CALL(void, easy_reset, (void *))

struct curl {
#define CALL(result, name, arguments) result (*name)arguments;
	CURL_CALLS
#undef CALL
};

/* NUMBER(name after CURL, value) */
#define CURL_NUMBERS \
	NUMBER(E_OK, 0) \
	NUMBER(E_UNSUPPORTED_PROTOCOL, 1) \
	NUMBER(E_URL_MALFORMAT, 3) \
	NUMBER(E_OUT_OF_MEMORY, 27) \
	NUMBER(E_PEER_FAILED_VERIFICATION, 60) \
	NUMBER(E_SSL_CACERT_BADFILE, 77) \
	NUMBER(E_SSL_ISSUER_ERROR, 83) \
	NUMBER(INFO_RESPONSE_CODE, 0x200002) \
	NUMBER(INFO_ACTIVESOCKET, 0x50002c) \
	NUMBER(OPT_SSLVERSION, 32) \
	NUMBER(OPT_POSTFIELDSIZE, 60) \
	NUMBER(OPT_MAXCONNECTS, 71) \
	NUMBER(OPT_NOSIGNAL, 99) \
	NUMBER(OPT_TIMEOUT_MS, 155) \
	NUMBER(OPT_CONNECTTIMEOUT_MS, 156) \
	NUMBER(OPT_PROTOCOLS, 181) \
	NUMBER(OPT_QUICK_EXIT, 322) \
	NUMBER(OPT_WRITEDATA, 10001) \
	NUMBER(OPT_URL, 10002) \
	NUMBER(OPT_PROXY, 10004) \
	NUMBER(OPT_ERRORBUFFER, 10010) \
	NUMBER(OPT_POSTFIELDS, 10015) \
	NUMBER(OPT_USERAGENT, 10018) \
	NUMBER(OPT_HTTPHEADER, 10023) \
	NUMBER(OPT_CAINFO, 10065) \
	NUMBER(OPT_WRITEFUNCTION, 20011) \
	NUMBER(OPT_SOCKOPTFUNCTION, 20148) \
	NUMBER(_ERROR_SIZE, 256) \
	NUMBER(_GLOBAL_DEFAULT, 3) \
	NUMBER(_SSLVERSION_TLSv1_2, 6)

#ifndef CURLINC_CURL_H	/* <curl/curl.h>, in the test */
enum {
#define NUMBER(name, value) CURL##name = value,
	CURL_NUMBERS
#undef NUMBER
	CURLPROTO_WEB = 3,	/* CURLPROTO_HTTP | CURLPROTO_HTTPS */
};

/* A list of lines, which libcurl only reads. */
struct curl_slist {
	const char *data;
	struct curl_slist *next;
};
#endif

/*
 * Returns the library, loaded once per process, or NULL and in why what is
 * missing and what to do.
 */
const struct curl *curl_load(char why[CURL_STATE_MAX]);

/* "found (8.5.0)", or "missing: ..." as above. 0 or -1. */
int curl_state(char state[CURL_STATE_MAX]);

#endif
