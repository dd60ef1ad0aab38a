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
#include "event/catalogue.h"
#include "event/envelope.h"
#include "web/receive.h"

int LLVMFuzzerInitialize(int *, char ***);
int LLVMFuzzerTestOneInput(const unsigned char *, size_t);

/* The sink for values, so that they are really read. */
static volatile uint64_t sum;

/* A function per object reads all its fields. */
#define OBJECT(tag, text) static void read_##tag(const struct vk_##tag *);
#include "src/objects.def"

#define OBJECT(tag, text) \
static void \
read_##tag(const struct vk_##tag *object) \
{ \
	size_t i; \
	\
	(void)i; \
	if (!vk_has(object)) \
		return;
#define INT(name, example, text) sum += (uint64_t)object->name;
#define BOOL(name, example, text) sum += object->name;
#define DOUBLE(name, example, text) sum += object->name > 0;
#define STR(name, example, text) sum += strlen(object->name);
#define JSON(name, example, text) \
	if (object->name != NULL) \
		sum += strlen(json_object_to_json_string(object->name));
#define OBJ(name, tag, text) read_##tag(object->name);
#define OBJ_TEXT(name, tag, text) read_##tag(object->name);
#define LIST(name, tag, text) \
	for (i = 0; i < object->n_##name; i++) \
		read_##tag(&object->name[i]);
#define INTS(name, example, text) \
	for (i = 0; i < object->n_##name; i++) \
		sum += (uint64_t)object->name[i];
#define STRS(name, example, text) \
	for (i = 0; i < object->n_##name; i++) \
		sum += strlen(object->name[i]);
#define END(tag) \
}
#include "src/objects.def"

static enum vkcb_outcome
read_any(struct vkcb_event *ev)
{
	vkcb_log(ev, "%s %s %s", ev->type, ev->event_id, ev->version);
	switch (ev->group_id % 5) {
	case 1:
		return VKCB_FAIL;
	case 2:
		return vkcb_retry_after(ev, 503, (int)strlen(ev->event_id));
	case 3:
		return vkcb_remove(ev);
	case 4:
		return vkcb_set_version(ev, ev->version);
	default:
		return VKCB_OK;
	}
}

#define EVENT(type, tag, settable, text) \
static enum vkcb_outcome \
take_##type(struct vkcb_event *ev, const struct vk_##tag *object) \
{ \
	(void)ev; \
	read_##tag(object); \
	return VKCB_OK; \
} \
static const struct vkcb_handler handler_##type = { ON(type, take_##type) };
#define EVENT_JSON(type, settable, text) \
static enum vkcb_outcome \
take_##type(struct vkcb_event *ev, struct json_object *object) \
{ \
	(void)ev; \
	sum += object != NULL; \
	return VKCB_OK; \
} \
static const struct vkcb_handler handler_##type = { ON(type, take_##type) };
#include "src/events.def"

static const struct vkcb_handler handler_any = { ON(any, read_any) };

const struct handler handlers[] = {
#define EVENT(type, tag, settable, text) { #type, &handler_##type },
#define EVENT_JSON(type, settable, text) { #type, &handler_##type },
#include "src/events.def"
	{ "any", &handler_any },
	{ NULL, NULL },
};
const size_t n_handlers = sizeof(handlers) / sizeof(handlers[0]) - 1;

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
