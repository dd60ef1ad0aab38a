/*
 * inbox.c - what all stores of events share: opening, times, names.
 *
 * Out of memory is an error like any other.
 */
#include "inbox.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sqlite.h"

#include "banned.h"

struct inbox *
inbox_open(const char *where, bool create, char error[INBOX_ERROR_MAX])
{
	return inbox_sqlite(where, create, error);
}

int
inbox_check(char error[INBOX_ERROR_MAX])
{
	return sqlite_load(error, INBOX_ERROR_MAX) != NULL ? 0 : -1;
}

void
inbox_close(struct inbox *inbox)
{
	if (inbox != NULL)
		inbox->store->close(inbox);
}

/* 1, 2, 5, 10, 20, 50, ... up to 2 hours and more. */
int64_t
inbox_bucket_end(int bucket)
{
	static const int64_t steps[] = { 1, 2, 5 };
	int64_t end;

	if (bucket >= INBOX_BUCKETS - 1)
		return INT64_MAX;
	end = steps[bucket % 3];
	for (; bucket >= 3; bucket -= 3)
		end *= 10;
	return end;
}

int
inbox_bucket(int64_t milliseconds)
{
	int bucket = 0;

	while (milliseconds > inbox_bucket_end(bucket))
		bucket++;
	return bucket;
}

int64_t
inbox_percentile(const struct inbox_histogram *histogram, double share)
{
	int64_t all = 0, sum = 0;
	int i;

	for (i = 0; i < INBOX_BUCKETS; i++)
		all += histogram->n[i];
	for (i = 0; all > 0 && i < INBOX_BUCKETS - 1; i++) {
		sum += histogram->n[i];
		if ((double)sum >= (double)all * share)
			break;
	}
	return all > 0 ? inbox_bucket_end(i) : -1;
}

const char *
inbox_state_name(enum inbox_state state)
{
	switch (state) {
	case INBOX_WAITING:
		return "waiting";
	case INBOX_RUNNING:
		return "running";
	case INBOX_DONE:
		return "done";
	case INBOX_FAILED:
		return "failed";
	}
	return "unknown";
}

bool
inbox_is_urgent(const char *type)
{
	return strcmp(type, "message_event") == 0;
}

void
inbox_status_free(struct inbox_status *status)
{
	free(status->handlers);
	status->handlers = NULL;
	status->n_handlers = 0;
}

struct inbox_handler_status *
inbox_status_handler(struct inbox_status *status, const char *name)
{
	struct inbox_handler_status *rows;
	size_t i;

	for (i = 0; i < status->n_handlers; i++)
		if (strcmp(status->handlers[i].name, name) == 0)
			return &status->handlers[i];
	rows = realloc(status->handlers, (i + 1) * sizeof(*rows));
	if (rows == NULL)
		return NULL;
	status->handlers = rows;
	status->n_handlers = i + 1;
	rows[i] = (struct inbox_handler_status){ .done = 0 };
	snprintf(rows[i].name, sizeof(rows[i].name), "%s", name);
	return &rows[i];
}
