/*
 * backend.h - what keeps an inbox: a struct of functions, each of which does
 * what inbox/inbox.h says of the function of that name.
 */
#ifndef BACKEND_H
#define BACKEND_H

#include "inbox/inbox.h"

/* CALL(name after inbox_, parameters, arguments): passed on as they are. */
#define INBOX_CALLS \
	CALL(put, (struct inbox *inbox, const struct inbox_event *event, \
	    const struct inbox_target *targets, size_t n, \
	    enum inbox_put *put, struct inbox_command *command), \
	    (inbox, event, targets, n, put, command)) \
	CALL(take_command, (struct inbox *inbox, int64_t group_id, \
	    struct inbox_command *command), (inbox, group_id, command)) \
	CALL(orphaned, (struct inbox *inbox, int from, int to, \
	    struct inbox_claim *claim), (inbox, from, to, claim)) \
	CALL(next_due, (struct inbox *inbox, int64_t *due), (inbox, due)) \
	CALL(flush, (struct inbox *inbox), (inbox)) \
	CALL(purge, (struct inbox *inbox, int64_t before), (inbox, before)) \
	CALL(list, (struct inbox *inbox, const struct inbox_filter *filter, \
	    inbox_list_fn *fn, void *arg), (inbox, filter, fn, arg)) \
	CALL(status, (struct inbox *inbox, struct inbox_status *status), \
	    (inbox, status)) \
	CALL(retry, (struct inbox *inbox, const struct inbox_filter *filter), \
	    (inbox, filter)) \
	CALL(drop, (struct inbox *inbox, int64_t id), (inbox, id)) \
	CALL(wake_fd, (struct inbox *inbox), (inbox)) \
	CALL(wake, (struct inbox *inbox), (inbox))

struct inbox_backend {
#define CALL(name, parameters, arguments) int (*name)parameters;
	INBOX_CALLS
#undef CALL
	int (*claim)(struct inbox *, int worker, struct inbox_claim *,
	    int64_t *due);	/* but for ->unknown */
	int (*finish)(struct inbox *, const struct inbox_claim *,
	    const struct inbox_end *);
	/* Moves the times of waiting tasks, but for those set since then. */
	int (*shift_due)(struct inbox *, int64_t milliseconds, int64_t since);
	void (*drain_wakes)(struct inbox *);
	void (*close)(struct inbox *);
};

#endif
