/* tree.h - json-c's trees: of checked JSON, and as text. */
#ifndef JSON_TREE_H
#define JSON_TREE_H

#include "json/check.h"

struct json_object;

/*
 * A checked value as json-c's tree. The text is changed on the way, and keys
 * point into it: it must outlive the tree. A number that is no 64-bit integer
 * is a double that keeps its text. If a key is repeated, the last one counts.
 *
 * 0, and the caller puts *tree (NULL for null); -1 out of memory.
 */
int json_tree(const struct json_value *, struct json_object **tree)
    __attribute__((warn_unused_result));

/*
 * A tree as text, without spaces; it lives until the tree is changed or put.
 * NULL: out of memory.
 */
const char *json_write(struct json_object *, size_t *len)
    __attribute__((warn_unused_result));

#endif
