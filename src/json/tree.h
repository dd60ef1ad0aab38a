/* tree.h - json-c's trees: made of checked JSON, read, written. */
#ifndef JSON_TREE_H
#define JSON_TREE_H

#include <stddef.h>
#include <stdint.h>

#include "json/check.h"
#include "vkcb.h"	/* vk_get_str() and its like are in tree.c, too */

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
 * Strict JSON as a tree that outlives its text (NULL for null), to be put by
 * the caller; numbers stay as they are written. 0, or -1 and a line in error.
 */
int json_parse(const char *text, size_t len, struct json_object **tree,
    char *error, size_t size) __attribute__((warn_unused_result));

/*
 * A tree as text, without spaces; it lives until the tree is changed or put.
 * NULL: out of memory.
 */
const char *json_write(struct json_object *, size_t *len)
    __attribute__((warn_unused_result));

/* NULL if it is not an array, or the object is not an object. */
struct json_object *json_get_array(struct json_object *object, const char *key);

/* NULL behind the last element, or if the array is NULL. */
struct json_object *json_element(struct json_object *array, size_t index);

/*
 * Adds a member and takes the value over. The member is missing when out of
 * memory, so use it only for objects that are printed.
 */
void json_put(struct json_object *object, const char *key,
    struct json_object *value);
void json_put_text(struct json_object *object, const char *key,
    const char *text);
void json_put_int(struct json_object *object, const char *key, int64_t number);

#endif
