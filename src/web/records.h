/*
 * records.h - the bytes of a FastCGI connection, and the request in them.
 * https://fastcgi-archives.github.io/FastCGI_Specification.html
 */
#ifndef RECORDS_H
#define RECORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RECORDS_KEPT 65536	/* bytes; a longer request takes memory */
#define RECORDS_VALUE_MAX 64

enum records_state {
	RECORDS_BEGIN,		/* nothing of a request yet */
	RECORDS_PARAMS,
	RECORDS_STDIN,		/* the parameters are complete */
	RECORDS_WHOLE,		/* so is the body */
	RECORDS_ODD,		/* no plain request of a responder */
};

struct records {
	int fd;
	char *at;		/* kept or large */
	char *large;
	size_t len;
	size_t size;
	size_t max;		/* for len */
	enum records_state state;
	size_t scanned;		/* bytes of records that were looked at */
	size_t params;		/* where its first record is */
	size_t body;		/* where its next record is */
	size_t body_at;		/* bytes of that record that were read */
	unsigned char id[2];	/* the request's */
	bool keep;		/* the web server keeps the connection */

	/* Parameters, cut to what fits; "" if absent. */
	bool has_method;
	char method[RECORDS_VALUE_MAX];
	char length[RECORDS_VALUE_MAX];
	char retry_counter[RECORDS_VALUE_MAX];
	char kept[RECORDS_KEPT];
};

/* Begins with a connection that may have bytes. 1; 0: none yet; -1: gone. */
int records_open(struct records *, int fd, size_t max);

/*
 * Reads until the request is in this state or a later one; waits for bytes
 * until clock_ms() is there. False: the connection has ended, the time is over,
 * the request is longer than max bytes, or no memory.
 */
bool records_read(struct records *, enum records_state, int64_t deadline);

/* Finds the parameters of a request that is in RECORDS_STDIN or later. */
bool records_params(struct records *) __attribute__((warn_unused_result));

/*
 * Takes up to size bytes of the body, and wipes them here: one may be of a
 * secret. The rest is read from the connection.
 */
size_t records_body(struct records *, char *into, size_t size,
    int64_t deadline);

/*
 * Ends the request. True: bytes of a next one are there, and the parts of this
 * one are gone.
 */
bool records_next(struct records *);

/* Room for the header before an answer, and the records behind it. */
#define RECORDS_HEAD 8
#define RECORDS_TAIL 32

/*
 * Makes the records of an answer: len bytes at out + RECORDS_HEAD, in a buffer
 * with RECORDS_TAIL bytes more. Returns the length of all.
 */
size_t records_answer(const struct records *, char *out, size_t len);

#endif
