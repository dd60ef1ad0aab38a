/* member.h - members of an object that VK answered, of whatever type. */
#ifndef MEMBER_H
#define MEMBER_H

#include <stddef.h>
#include <stdint.h>

struct json_object;

/* "" if it is no text; good as long as the object. */
const char *member_text(struct json_object *object, const char *key);

/* 0 if it is no number. */
int64_t member_int(struct json_object *object, const char *key);

/* NULL if it is no list, or the object none. */
struct json_object *member_list(struct json_object *object, const char *key);

/* Of a list that may be NULL. */
size_t member_count(struct json_object *list);

#endif
