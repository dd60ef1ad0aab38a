/*
 * body.c - any bytes as a body, through all checks to handlers that take every
 * event with its struct and read every field.
 *
 * JSON accepted by the strict parser must be accepted by json-c, and the answer
 * must be one of the manual's.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/conf.h"
#include "event/envelope.h"
#include "tests/fuzz/read-all.h"
#include "web/receive.h"

int LLVMFuzzerInitialize(int *, char ***);
int LLVMFuzzerTestOneInput(const unsigned char *, size_t);

static struct receiver receiver;
static char path[] = "/tmp/vkcb-fuzz.XXXXXX";

static void
remove_path(void)
{
	unlink(path);
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const char text[] = "[vkcb]\nlog = /dev/null\nrepeats = again\n"
	    "[default]\nsecret = none\nconfirmation = 693d0ba9\n"
	    "[group 219876543]\nsecret = Kf7vQ2mXw9aLcR4t\n"
	    "old_secret = s\nconfirmation = 7d1a2b3c\n";
	struct timespec old[2] = { { .tv_sec = 1000 }, { .tv_sec = 1000 } };
	struct conf_refused refused;
	struct conf *conf;
	int fd = mkstemp(path);

	(void)argc;
	(void)argv;
	if (fd == -1 || write(fd, text, sizeof(text) - 1) == -1 ||
	    futimens(fd, old) == -1 || atexit(remove_path) != 0)
		abort();
	close(fd);
	conf = conf_read(path, &refused);
	if (conf == NULL || log_open("/dev/null", LOG_LEVEL_INFO) == -1)
		abort();
	receiver_init(&receiver, conf);
	return 0;
}

/* The copy has its exact size, so that reading one byte beyond it is found. */
static void
read_envelope(const unsigned char *data, size_t size)
{
	char *copy = malloc(size + 1);
	struct envelope envelope;
	size_t where;

	if (copy == NULL)
		return;
	memcpy(copy, data, size);
	copy[size] = '\0';
	if (envelope_read(&envelope, copy, size, &where) == NULL) {
		sum += strlen(envelope.type.at);
		sum += strlen(envelope.event_id.at);
		sum += strlen(envelope.version.at);
	} else if (where > size) {
		abort();
	}
	free(copy);
}

/* json-c accepts all valid JSON, and more. */
static void
assert_json(const unsigned char *data, size_t size)
{
	struct json_tokener *tokener = json_tokener_new_ex(300);
	struct json_object *tree;

	if (tokener == NULL)
		return;
	tree = json_tokener_parse_ex(tokener, (const char *)data, (int)size);
	if (!json_object_is_type(tree, json_type_object))
		abort();
	json_object_put(tree);
	json_tokener_free(tokener);
}

int
LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	struct http_answer answer;
	char out[HTTP_ANSWER_MAX];
	struct http_request http;

	read_envelope(data, size);
	http_memory_request(&http, (const char *)data, size);
	receive(&receiver, &http, &answer);
	if (http_write(&answer, out) >= sizeof(out) ||
	    strstr(out, " Unknown\r\n") != NULL)
		abort();
	if (answer.status != 400 && answer.status != 413)
		assert_json(data, size);
	receive_done(&receiver);
	return 0;
}
