/*
 * decode.c - reads a body many times in one way, for decode.sh to count the
 * instructions.
 *
 *	decode WAY COUNT FILE
 *	nothing  copies the bytes, as all others do first
 *	json-c   json-c's parser, and its tree put
 *	check    the strict check and the envelope
 *	decode   the check, and the structs
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "event/catalogue.h"
#include "event/event.h"
#include "event/envelope.h"
#include "json/tree.h"

static struct arena arena;

static void
ignore(void *arg, const struct decode_place *place, const char *got,
    const char *wanted)
{
	(void)arg;
	(void)place;
	(void)got;
	(void)wanted;
}

static int
read_once(char way, char *body, size_t len)
{
	struct envelope envelope;
	struct json_object *tree;
	struct json_tokener *tokener;
	struct vk_json object;
	size_t where;

	if (way == 'n')
		return 0;
	if (way == 'j') {
		tokener = json_tokener_new_ex(JSON_DEPTH_MAX);
		tree = json_tokener_parse_ex(tokener, body, (int)len);
		json_tokener_free(tokener);
		json_object_put(tree);
		return tree == NULL ? -1 : 0;
	}
	if (envelope_read(&envelope, body, len, &where) != NULL)
		return -1;
	if (way == 'c')
		return 0;
	object = (struct vk_json){ envelope.object.at, envelope.object.len };
	if (decode_event(catalogue_type(envelope.type.at,
	    envelope.type.len), &object, &arena, ignore, NULL) == NULL)
		return -1;
	arena_reset(&arena);
	return 0;
}

int
main(int argc, char **argv)
{
	FILE *in = argc == 4 ? fopen(argv[3], "r") : NULL;
	static char file[1 << 20], body[1 << 20];
	size_t len;
	long count;

	if (in == NULL) {
		fprintf(stderr, "usage: decode WAY COUNT FILE\n");
		return 2;
	}
	len = fread(file, 1, sizeof(file) - 1, in);
	fclose(in);
	arena = (struct arena){ .chunks = NULL };
	for (count = strtol(argv[2], NULL, 10); count > 0; count--) {
		memcpy(body, file, len + 1);
		if (read_once(argv[1][0], body, len) == -1) {
			fprintf(stderr, "%s: not read\n", argv[3]);
			return 1;
		}
	}
	arena_release(&arena);
	return 0;
}
