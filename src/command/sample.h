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

/* The object alone; NULL: out of memory. The caller puts it. */
struct json_object *sample_object(const struct event_info *);

#define SAMPLE_ID_MAX 41

/* 40 hex digits, as VK's event_id. */
void sample_event_id(char out[SAMPLE_ID_MAX]);

#endif
