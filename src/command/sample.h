/* sample.h - a realistic event, made of the catalogue's examples. */
#ifndef SAMPLE_H
#define SAMPLE_H

struct event_info;
struct json_object;

/*
 * The body that VK would post: envelope and object, with a fresh event_id.
 * NULL: out of memory. The caller puts it.
 */
struct json_object *sample_body(const struct event_info *);

/* The same for a type that is not in the catalogue: its object is empty. */
struct json_object *sample_unknown(const char *type);

/* The object alone; NULL: out of memory. The caller puts it. */
struct json_object *sample_object(const struct event_info *);

/* 40 hex digits, as VK's event_id. */
void sample_event_id(char out[41]);

#endif
