/* json_get.h - members of an object that VK answered, or that is printed. */
#ifndef JSON_GET_H
#define JSON_GET_H

#include <stddef.h>
#include <stdint.h>

struct json_object;

/* "" if it is no text; good as long as the object. */
const char *json_get_string(struct json_object *object, const char *key);

/* 0 if it is no number. */
int64_t json_get_int64(struct json_object *object, const char *key);

/* NULL if it is no list, or the object none. */
struct json_object *json_get_array(struct json_object *object, const char *key);

/* Of a list that may be NULL. */
size_t json_put_int64(struct json_object *list);

/*
 * Takes the value over. Out of memory the member is missing: for what is only
 * printed.
 */
void json_put(struct json_object *object, const char *key,
    struct json_object *value);

#endif
