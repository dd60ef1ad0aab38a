/*
 * backend.h - what keeps an inbox: a struct of functions, each of which does
 * what inbox/inbox.h says of the function of that name.
 */
#ifndef BACKEND_H
#define BACKEND_H

#include "inbox/inbox.h"

struct inbox_backend {
	int (*put)(struct inbox *, const struct inbox_event *,
	    const struct inbox_target *, size_t n, enum inbox_put *,
	    struct inbox_command *);
	int (*take_command)(struct inbox *, int64_t group_id,
	    struct inbox_command *);
	int (*claim)(struct inbox *, int worker, struct inbox_claim *,
	    int64_t *due);	/* but for ->unknown */
	int (*finish)(struct inbox *, const struct inbox_claim *,
	    const struct inbox_end *);
	int (*orphaned)(struct inbox *, int from, int to,
	    struct inbox_claim *);
	int (*next_due)(struct inbox *, int64_t *due);
	int (*flush)(struct inbox *);
	/* Moves the times of waiting tasks, but for those set since then. */
	int (*shift_due)(struct inbox *, int64_t milliseconds, int64_t since);
	int (*purge)(struct inbox *, int64_t before);
	int (*list)(struct inbox *, const struct inbox_filter *,
	    inbox_list_fn *, void *arg);
	int (*status)(struct inbox *, struct inbox_status *);
	int (*retry)(struct inbox *, const struct inbox_filter *);
	int (*drop)(struct inbox *, int64_t id);
	int (*wake_fd)(struct inbox *);
	void (*drain_wakes)(struct inbox *);
	int (*wake)(struct inbox *);
	void (*close)(struct inbox *);
};

#endif
