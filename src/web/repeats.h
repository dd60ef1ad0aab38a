/*
 * repeats.h - the events that are done, for two hours, in a file that a user's
 * processes share: without an inbox, a repeated event runs no handler.
 */
#ifndef REPEATS_H
#define REPEATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REPEATS_SIZE ((size_t)1 << 20)
#define REPEATS_WAYS 16
#define REPEATS_BUCKETS (REPEATS_SIZE / sizeof(struct repeats_bucket))
#define REPEATS_KEPT (2 * 3600 * INT64_C(1000000000))

/* An event belongs into one bucket, where the oldest makes room. */
struct repeats_bucket {
	struct repeats_slot {
		_Atomic uint64_t key[2];
		_Atomic int64_t time;	/* CLOCK_BOOTTIME, nanoseconds */
	} slots[REPEATS_WAYS];
};

/* The file, as it is mapped. */
struct repeats_file {
	struct repeats_bucket buckets[REPEATS_BUCKETS];
};

struct repeats {
	int fd;				/* -1: none */
	struct repeats_file *file;	/* NULL: none */
	int64_t looked;			/* clock_ms() of the last look at it */
	bool logged;			/* that something is wrong with it */
	bool locked;			/* the event of this key */
	uint64_t key[2];
};

enum repeats_known {
	REPEATS_UNKNOWN,	/* call repeats_end() after the handlers */
	REPEATS_DONE,
	REPEATS_RUNNING,	/* in another process, for a while already */
};

struct text;

/*
 * Looks an event up, and locks it for this process. Without a usable file,
 * which is logged once, and without an id an event is unknown.
 */
enum repeats_known repeats_begin(struct repeats *, const char *folder,
    int64_t group_id, const struct text *event_id);
void repeats_end(struct repeats *, bool done);
void repeats_close(struct repeats *);

/* The parts of both, for tests. */
bool repeats_has(struct repeats_file *, const uint64_t key[2], int64_t now);
void repeats_add(struct repeats_file *, const uint64_t key[2], int64_t now);

#endif
