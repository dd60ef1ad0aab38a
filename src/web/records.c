/*
 * records.c - a request in FastCGI records, read into memory.
 *
 * A web server sends a request of some kilobytes at once, so one recv(2) has
 * it: its records are looked at where they are, and of its parameters those
 * that a request is judged by. A longer body goes through this memory record by
 * record. A record that no plain request of a responder has makes it
 * RECORDS_ODD: libfcgi.c gives it to libfcgi.
 */
#include "web/records.h"

#include <errno.h>
#include <fastcgi.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "clock.h"

#include "banned.h"

struct record {
	size_t content;		/* bytes behind the header */
	size_t len;		/* with header and padding */
};

/* False: its header is not there yet. */
static bool
record_at(const struct records *records, size_t at, struct record *record)
{
	const FCGI_Header *header = (const void *)(records->at + at);

	if (records->len - at < FCGI_HEADER_LEN)
		return false;
	record->content = (size_t)header->contentLengthB1 << 8 |
	    header->contentLengthB0;
	record->len = FCGI_HEADER_LEN + record->content +
	    header->paddingLength;
	return true;
}

/* Looks at a header alone: a wrong one may promise a record that never ends. */
static bool
is_expected(struct records *records, size_t content)
{
	static const unsigned char types[] = {
		[RECORDS_BEGIN] = FCGI_BEGIN_REQUEST,
		[RECORDS_PARAMS] = FCGI_PARAMS,
		[RECORDS_STDIN] = FCGI_STDIN,
	};
	const FCGI_Header *header = (const void *)(records->at +
	    records->scanned);
	bool begins = records->state == RECORDS_BEGIN;
	unsigned int id = (unsigned int)header->requestIdB1 << 8 |
	    header->requestIdB0;

	if (begins)
		records->id = id;
	return header->version == FCGI_VERSION_1 &&
	    header->type == types[records->state] &&
	    id == records->id && id != 0 &&
	    (!begins || content == sizeof(FCGI_BeginRequestBody));
}

/* What is taken is wiped here: handlers may crash, and leave a core dump. */
static void
take_body(struct records *records, char *from, size_t len)
{
	size_t room = records->size - records->got;
	size_t part = len < room ? len : room;

	memcpy(records->into + records->got, from, part);
	explicit_bzero(from, len);
	records->got += part;
	records->state = len > room ? RECORDS_ODD : len == 0 ? RECORDS_WHOLE :
	    RECORDS_STDIN;
}

static void
take_record(struct records *records, const struct record *record)
{
	char *content = records->at + records->scanned + FCGI_HEADER_LEN;
	const FCGI_BeginRequestBody *begin = (const void *)content;

	records->scanned += record->len;
	if (records->state == RECORDS_STDIN) {
		take_body(records, content, record->content);
	} else if (records->state == RECORDS_PARAMS) {
		if (record->content == 0)
			records->state = RECORDS_STDIN;
	} else {
		records->params = records->scanned;
		records->keep = (begin->flags & FCGI_KEEP_CONN) != 0;
		records->state = begin->roleB1 == 0 && begin->roleB0 ==
		    FCGI_RESPONDER ? RECORDS_PARAMS : RECORDS_ODD;
	}
}

/* Takes the records that are complete. */
static void
records_scan(struct records *records, enum records_state goal)
{
	struct record record;

	while (records->state < goal &&
	    record_at(records, records->scanned, &record)) {
		if (!is_expected(records, record.content))
			records->state = RECORDS_ODD;
		else if (records->len - records->scanned >= record.len)
			take_record(records, &record);
		else
			return;
	}
}

/* Stale bytes may be of a secret. */
static void
drop_scanned(struct records *records)
{
	records->len -= records->scanned;
	memmove(records->at, records->at + records->scanned, records->len);
	explicit_bzero(records->at + records->len, records->scanned);
	records->scanned = 0;
}

/* 1; 0: no bytes yet; -1: the end, an error, or no room for parameters. */
static int
receive_some(struct records *records)
{
	ssize_t got;

	if (records->state == RECORDS_STDIN)
		drop_scanned(records);
	do
		got = recv(records->fd, records->at + records->len,
		    sizeof(records->at) - records->len, MSG_DONTWAIT);
	while (got == -1 && errno == EINTR);
	if (got > 0)
		records->len += (size_t)got;
	return got > 0 ? 1 : got == -1 && errno == EAGAIN ? 0 : -1;
}

/* The state is reached, or a later one. */
static bool
records_reach(struct records *records, enum records_state goal,
    int64_t deadline)
{
	struct pollfd fd = { .fd = records->fd, .events = POLLIN };
	int64_t left = 1;
	int got;

	for (;;) {
		records_scan(records, goal);
		if (records->state >= goal || left <= 0)
			return records->state >= goal;
		got = receive_some(records);
		if (got == -1)
			return false;
		left = deadline - clock_ms();
		if (got == 0 && left > 0)
			(void)poll(&fd, 1, (int)left);
	}
}

int
records_open(struct records *records, int fd)
{
	records->fd = fd;
	records->len = records->scanned = 0;
	records->state = RECORDS_BEGIN;
	return receive_some(records);
}

/* A length of one byte, or of four that begin with a bit. */
static bool
read_length(const unsigned char **at, const unsigned char *end, size_t *len)
{
	const unsigned char *p = *at;

	if (p == end || (*p >= 0x80 && end - p < 4))
		return false;
	*len = *p < 0x80 ? *p : (size_t)(p[0] & 0x7f) << 24 |
	    (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];
	*at += *p < 0x80 ? 1 : 4;
	return true;
}

static void
take_param(struct records *records, const char *name, size_t len,
    const char *value, size_t value_len)
{
	static const struct {
		const char name[24];
		size_t len;
		size_t value;
	} wanted[] = {
#define WANTED(name, field) \
		{ name, sizeof(name) - 1, offsetof(struct records, field) }
		WANTED("REQUEST_METHOD", method),
		WANTED("CONTENT_LENGTH", length),
		WANTED("HTTP_X_RETRY_COUNTER", retry_counter),
	};
	char *into;
	size_t i;

	for (i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		if (wanted[i].len != len ||
		    memcmp(wanted[i].name, name, len) != 0)
			continue;
		if (value_len >= RECORDS_VALUE_MAX)
			value_len = RECORDS_VALUE_MAX - 1;
		into = (char *)records + wanted[i].value;
		memcpy(into, value, value_len);
		into[value_len] = '\0';
	}
}

/* Moves the contents of the parameters' records together; returns their end. */
static char *
join_params(struct records *records)
{
	size_t at = records->params, end = at + FCGI_HEADER_LEN;
	struct record record;

	while (record_at(records, at, &record) && record.content > 0) {
		if (at + FCGI_HEADER_LEN != end)
			memmove(records->at + end,
			    records->at + at + FCGI_HEADER_LEN,
			    record.content);
		end += record.content;
		at += record.len;
	}
	return records->at + end;
}

/* False: they promise more than there is. */
static bool
take_params(struct records *records)
{
	const unsigned char *end = (const void *)join_params(records);
	const unsigned char *at = (const void *)(records->at +
	    records->params + FCGI_HEADER_LEN);
	size_t name, value;

	*records->method = *records->length = *records->retry_counter = '\0';
	while (at < end) {
		if (!read_length(&at, end, &name) ||
		    !read_length(&at, end, &value) ||
		    name > (size_t)(end - at) ||
		    value > (size_t)(end - at) - name)
			return false;
		take_param(records, (const char *)at, name,
		    (const char *)at + name, value);
		at += name + value;
	}
	return true;
}

bool
records_begin(struct records *records, int64_t deadline)
{
	return records_reach(records, RECORDS_STDIN, deadline) &&
	    (records->state == RECORDS_ODD || take_params(records));
}

size_t
records_body(struct records *records, char *into, size_t size,
    int64_t deadline)
{
	records->into = into;
	records->size = size;
	records->got = 0;
	(void)records_reach(records, RECORDS_WHOLE, deadline);
	return records->got;
}

bool
records_next(struct records *records)
{
	if (records->state != RECORDS_WHOLE)
		records->scanned = records->len;
	drop_scanned(records);
	records->state = RECORDS_BEGIN;
	return records->len > 0;
}

static char *
put_header(const struct records *records, char *at, int type, size_t content,
    size_t padding)
{
	const FCGI_Header header = {
		.version = FCGI_VERSION_1,
		.type = (unsigned char)type,
		.requestIdB1 = (unsigned char)(records->id >> 8),
		.requestIdB0 = (unsigned char)records->id,
		.contentLengthB1 = (unsigned char)(content >> 8),
		.contentLengthB0 = (unsigned char)content,
		.paddingLength = (unsigned char)padding,
	};

	memcpy(at, &header, sizeof(header));
	return at + sizeof(header);
}

size_t
records_answer(const struct records *records, char *out, size_t len)
{
	const FCGI_EndRequestBody body = {
		.protocolStatus = FCGI_REQUEST_COMPLETE,
	};
	size_t padding = -len % 8;
	char *at = put_header(records, out, FCGI_STDOUT, len, padding) + len;

	memset(at, 0, padding);
	at = put_header(records, at + padding, FCGI_STDOUT, 0, 0);
	at = put_header(records, at, FCGI_END_REQUEST, sizeof(body), 0);
	memcpy(at, &body, sizeof(body));
	return (size_t)(at + sizeof(body) - out);
}
