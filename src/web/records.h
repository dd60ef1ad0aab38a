/*
 * records.h - the bytes of a FastCGI connection, and the request in them.
 * https://fastcgi-archives.github.io/FastCGI_Specification.html
 */
#ifndef RECORDS_H
#define RECORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Room for all parameters; and for a record of the longest kind. */
#define RECORDS_MAX 73728
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
	enum records_state state;
	size_t len;
	size_t scanned;		/* bytes of records that were taken */
	size_t params;		/* where their first record is */
	unsigned int id;	/* the request's */
	bool keep;		/* the web server keeps the connection */

	/* Where the body goes to. */
	char *into;
	size_t size;
	size_t got;

	/* Parameters, cut to what fits; "" if absent. */
	char method[RECORDS_VALUE_MAX];
	char length[RECORDS_VALUE_MAX];
	char retry_counter[RECORDS_VALUE_MAX];
	char at[RECORDS_MAX];
};

/* Begins with a connection that may have bytes. 1; 0: none yet; -1: gone. */
int records_open(struct records *, int fd);

/*
 * Reads a request up to its body, or to a record that makes it odd; waits for
 * bytes until clock_ms() is there. False: the connection has ended, the time is
 * over, or the parameters are wrong or too long.
 */
bool records_begin(struct records *, int64_t deadline);

/*
 * Reads up to size bytes of the body, and wipes them here: one may be of a
 * secret. RECORDS_WHOLE: it has no more than these.
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
