/* trigger.h - the parts of `vkcb trigger`. */
#ifndef TRIGGER_H
#define TRIGGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TRIGGER_BODY_MAX ((size_t)64 << 20)

struct conf;
struct conf_group;
struct json_object;

struct trigger {
	const char *event;
	const char *file;	/* NULL: the event makes the body */
	const char *url;	/* NULL: handlers run here */
	bool print;
	int64_t retry;
	int64_t count;
	int64_t parallel;
	struct conf *conf;
	struct json_object *body;
	bool has_event_id;	/* given by the user: the same for all */
	bool has_secret;
};

/* trigger_body.c: makes the body. The exit status; problems are reported. */
int trigger_make_body(struct trigger *, char **changes, int n);

/* The group that the body is for; NULL: not in the configuration. */
const struct conf_group *trigger_group(const struct trigger *);

/*
 * The body as text; it lives until the next call. From nth 1 on it gets an
 * event_id of its own.
 */
const char *trigger_text(struct trigger *, int64_t nth);

/*
 * trigger_post.c: posts the body to the URL, `count` times by `parallel`
 * processes, and prints the answer or a summary. The exit status.
 */
int trigger_post(struct trigger *);

#endif
