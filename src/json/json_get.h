/* json_get.h - members of an object: of VK's answer, or of output. */
#ifndef JSON_GET_H
#define JSON_GET_H

#include <stddef.h>
#include <stdint.h>

struct json_object;

/* "" if it is not a string; it lives as long as the object. */
const char *json_get_string(struct json_object *object, const char *key);

/* 0 if it is not an integer. */
int64_t json_get_int64(struct json_object *object, const char *key);

/* NULL if it is not an array, or the object is not an object. */
struct json_object *json_get_array(struct json_object *object, const char *key);

/* The length of an array that may be NULL. */
size_t json_length(struct json_object *array);

/*
 * Adds a member and takes the value over. The member is missing when out of
 * memory, so use it only for objects that are printed.
 */
void json_put(struct json_object *object, const char *key,
    struct json_object *value);

#endif
