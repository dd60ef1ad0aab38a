/*
 * decoded.c - what every field of every body decodes to, as recorded in
 * tests/decoded.txt: a line for each object that a body has, with its path and
 * its fields. Absent fields, zeros and empty texts are left out. tests/odd.txt
 * has an event's type and object in each line, as VK would not send it.
 *
 *	decoded record >tests/decoded.txt	records anew
 *	decoded FILE...		prints these bodies alone
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "arena.h"
#include "body.h"
#include "event/catalogue.h"
#include "event/envelope.h"
#include "event/event.h"

#define RECORDED "tests/decoded.txt"

static FILE *out;

static void
show_text(const char *name, const char *text)
{
	if (*text == '\0')
		return;
	fprintf(out, " %s=\"", name);
	for (; *text != '\0'; text++) {
		if ((unsigned char)*text < 0x20 || *text == '"' ||
		    *text == '\\')
			fprintf(out, "\\%02x", (unsigned int)*text);
		else
			fputc(*text, out);
	}
	fputc('"', out);
}

static void
show_json(const char *name, const struct vk_json *json)
{
	struct json_object *value;
	char error[64];
	size_t len;

	if (json->text == NULL)
		return;
	assert_int_equal(json_parse(json->text, json->len, &value, error,
	    sizeof(error)), 0);
	fprintf(out, " %s=%s", name, json_write(value, &len));
	json_object_put(value);
}

/* The path of the object that is shown. */
static struct {
	char at[16384];
	size_t len;
} path;

/* Returns the length to go back to. */
static size_t
path_add(const char *name)
{
	size_t before = path.len;

	path.len += (size_t)snprintf(path.at + before,
	    sizeof(path.at) - before, "%s%s", before > 0 ? "." : "", name);
	return before;
}

static void
path_back(size_t len)
{
	path.len = len;
	path.at[len] = '\0';
}

/* First the fields that are no objects, then a line for each object. */
#define OBJECT(tag, text) \
static void show_##tag(const struct vk_##tag *);
#include "objects.def"

#define OBJECT(tag, text) \
static void \
show_fields_of_##tag(const struct vk_##tag *object) \
{ \
	size_t i; \
	\
	(void)object; \
	(void)i;
#define INT(name, example, text) \
	if (object->name != 0) \
		fprintf(out, " %s=%lld", #name, (long long)object->name);
#define BOOL(name, example, text) \
	if (object->name) \
		fprintf(out, " %s", #name);
#define DOUBLE(name, example, text) \
	if (object->name < 0 || object->name > 0) \
		fprintf(out, " %s=%.17g", #name, object->name);
#define STR(name, example, text) show_text(#name, object->name);
#define JSON(name, example, text) show_json(#name, &object->name);
#define LIST(name, tag, text) \
	if (object->n_##name > 0) \
		fprintf(out, " n_%s=%zu", #name, object->n_##name);
#define INTS(name, example, text) \
	for (i = 0; i < object->n_##name; i++) \
		fprintf(out, " %s[%zu]=%lld", #name, i, \
		    (long long)object->name[i]);
#define STRS(name, example, text) \
	LIST(name, , ) \
	for (i = 0; i < object->n_##name; i++) \
		show_text(#name, object->name[i]);
#define END(tag) \
}
#include "objects.def"

#define OBJECT(tag, text) \
static void \
show_##tag(const struct vk_##tag *object) \
{ \
	size_t before, i, n; \
	\
	(void)before; \
	(void)i; \
	(void)n; \
	if (!vk_has(object)) \
		return; \
	fprintf(out, "%s:", path.at); \
	show_fields_of_##tag(object); \
	fputc('\n', out);
#define OBJ(name, tag, text) \
	before = path_add(#name); \
	show_##tag(object->name); \
	path_back(before);
#define OBJ_TEXT(name, tag, text) OBJ(name, tag, text)
#define LIST(name, tag, text) \
	before = path_add(#name); \
	n = path.len; \
	for (i = 0; i < object->n_##name; i++) { \
		snprintf(path.at + n, sizeof(path.at) - n, "[%zu]", i); \
		path.len = strlen(path.at); \
		show_##tag(&object->name[i]); \
		path_back(n); \
	} \
	path_back(before);
#define END(tag) \
}
#include "objects.def"

static void
show_event(enum vkcb_event_type type, const void *typed)
{
	path_back(0);
	(void)path_add("object");
	switch (type) {
#define EVENT(event, tag, settable, text) \
	case VKCB_EVENT_##event: \
		show_##tag(typed); \
		break;
#include "events.def"
	default:
		break;
	}
}

static void
show_odd(void *arg, const struct decode_place *place, const char *got,
    const char *wanted)
{
	char place_path[DECODE_PATH_MAX];

	(void)arg;
	decode_path(place, place_path);
	fprintf(out, "%s: %s, not %s\n", place_path, got, wanted);
}

static void
show_text_of_body(char *body, size_t len)
{
	struct arena arena = { .chunks = NULL };
	struct envelope envelope;
	struct vk_json object;
	enum vkcb_event_type type;
	const void *typed;
	size_t where;

	if (envelope_read(&envelope, body, len, &where) != NULL) {
		fprintf(out, "no event\n");
		return;
	}
	object = (struct vk_json){ envelope.object.at, envelope.object.len };
	type = catalogue_type(envelope.type.at, envelope.type.len);
	typed = decode_event(type, &object, &arena, show_odd, NULL);
	if (typed == NULL)
		fprintf(out, "no object\n");
	else
		show_event(type, typed);
	arena_release(&arena);
}

static void
show_body(const char *file)
{
	size_t len;
	char *body = body_read(file, &len);

	fprintf(out, "= %s\n", file);
	assert_non_null(body);
	show_text_of_body(body, len);
	free(body);
}

/* A line is a type, a space and an object. */
static void
show_lines(const char *file)
{
	char line[4096], body[8192];
	FILE *in = fopen(file, "r");
	int n, space;

	assert_non_null(in);
	for (n = 1; fgets(line, sizeof(line), in) != NULL; n++) {
		space = (int)strcspn(line, " ");
		fprintf(out, "= %s:%d\n", file, n);
		show_text_of_body(body, (size_t)snprintf(body, sizeof(body),
		    "{\"type\":\"%.*s\",\"group_id\":1,\"object\":%s}", space,
		    line, line + space));
	}
	fclose(in);
}

static void
show_own_bodies(void)
{
	body_each(show_body);
	body_glob("tests/faults/*.json", show_body);
	show_lines("tests/odd.txt");
}

static void
every_body_decodes_as_recorded(void **state)
{
	char *recorded, *now = NULL;
	size_t len, now_len, i, line = 1;

	(void)state;
	recorded = body_read(RECORDED, &len);
	assert_non_null(recorded);
	out = open_memstream(&now, &now_len);
	assert_non_null(out);
	show_own_bodies();
	fclose(out);
	for (i = 0; recorded[i] != '\0' && recorded[i] == now[i]; i++)
		line += recorded[i] == '\n';
	if (recorded[i] != now[i])
		fail_msg(RECORDED ":%zu: something else is decoded: run "
		    "build/tests/unit/decoded record >" RECORDED
		    " and read git diff",
		    line);
	free(recorded);
	free(now);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_body_decodes_as_recorded),
	};
	int i;

	out = stdout;
	if (argc == 2 && strcmp(argv[1], "record") == 0)
		show_own_bodies();
	else
		for (i = 1; i < argc; i++)
			show_body(argv[i]);
	if (argc > 1)
		return 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
