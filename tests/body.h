/* body.h - the bodies of tests/bodies, and JSON parsed by the program. */
#ifndef BODY_H
#define BODY_H

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "src/json/tree.h"

/* The whole file and a NUL; the caller frees it. */
static inline char *
body_read(const char *path, size_t *len)
{
	FILE *file = fopen(path, "r");
	char *text;
	long size;

	*len = 0;
	if (file == NULL || fseek(file, 0, SEEK_END) != 0 ||
	    (size = ftell(file)) < 0 || fseek(file, 0, SEEK_SET) != 0)
		return NULL;
	text = calloc(1, (size_t)size + 1);
	if (text != NULL)
		*len = fread(text, 1, (size_t)size, file);
	fclose(file);
	return text;
}

/* Calls fn for each file of this pattern. Returns the number of files. */
static inline size_t
body_glob(const char *pattern, void (*fn)(const char *path))
{
	glob_t found;
	size_t i, n;

	if (glob(pattern, 0, NULL, &found) != 0)
		return 0;
	for (i = 0; i < found.gl_pathc; i++)
		fn(found.gl_pathv[i]);
	n = found.gl_pathc;
	globfree(&found);
	return n;
}

static inline size_t
body_each(void (*fn)(const char *path))
{
	return body_glob("tests/bodies/*.json", fn);
}

/*
 * The tree of a member of this object, from the program's parser; the text must
 * outlive the tree. -1: invalid JSON or no memory.
 */
static inline int
body_tree(char *text, size_t len, const char *name, struct json_object **tree)
{
	struct json_member member = { .name = name, .len = strlen(name) };
	size_t where;

	*tree = NULL;
	if (json_check(text, len, &member, 1, &where) != NULL)
		return -1;
	return json_tree(&member.value, tree);
}

#endif
