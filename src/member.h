/* member.h - members of objects: of one that VK answered, or to be printed. */
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

/*
 * Takes the value over. Out of memory the member is missing: for what is only
 * printed.
 */
void member_add(struct json_object *object, const char *key,
    struct json_object *value);

#endif
