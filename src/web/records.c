/*
 * records.c - a request in FastCGI records, read into memory.
 *
 * A web server sends a request of some kilobytes at once, so one recv(2) has
 * it: its records are looked at where they are, and of its parameters those
 * that a request is judged by. A record that no plain request of a responder
 * has makes it RECORDS_ODD: libfcgi.c gives it to libfcgi.
 */
#include "web/records.h"

#include <errno.h>
#include <fastcgi.h>
#include <poll.h>
#include <stdlib.h>
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

static bool
is_of_request(const struct records *records, size_t at, int type)
{
	const FCGI_Header *header = (const void *)(records->at + at);

	return header->version == FCGI_VERSION_1 && header->type == type &&
	    header->requestIdB1 == records->id[0] &&
	    header->requestIdB0 == records->id[1];
}

/* Looks at a header alone: a wrong one may promise a record that never ends. */
static bool
is_expected(const struct records *records, size_t at, size_t content)
{
	const FCGI_Header *header = (const void *)(records->at + at);

	if (records->state == RECORDS_BEGIN)
		return header->version == FCGI_VERSION_1 &&
		    header->type == FCGI_BEGIN_REQUEST &&
		    (header->requestIdB1 | header->requestIdB0) != 0 &&
		    content == sizeof(FCGI_BeginRequestBody);
	return is_of_request(records, at, records->state == RECORDS_PARAMS ?
	    FCGI_PARAMS : FCGI_STDIN);
}

static enum records_state
scan_begin(struct records *records)
{
	const FCGI_BeginRequestRecord *begin = (const void *)records->at;

	records->id[0] = begin->header.requestIdB1;
	records->id[1] = begin->header.requestIdB0;
	records->keep = (begin->body.flags & FCGI_KEEP_CONN) != 0;
	return begin->body.roleB1 == 0 && begin->body.roleB0 ==
	    FCGI_RESPONDER ? RECORDS_PARAMS : RECORDS_ODD;
}

/* Looks at the records that are complete. */
static void
records_scan(struct records *records)
{
	size_t at = records->scanned;
	struct record record;

	while (records->state < RECORDS_WHOLE &&
	    record_at(records, at, &record)) {
		if (!is_expected(records, at, record.content))
			records->state = RECORDS_ODD;
		if (records->state == RECORDS_ODD ||
		    records->len - at < record.len)
			return;
		at = records->scanned += record.len;
		if (records->state == RECORDS_BEGIN) {
			records->state = scan_begin(records);
			records->params = at;
		} else if (record.content == 0) {
			records->state++;
		}
		if (records->state == RECORDS_STDIN && record.content == 0)
			records->body = at;
	}
}

/* False: out of memory, or too long. Pages that get no byte cost nothing. */
static bool
make_room(struct records *records)
{
	if (records->len < records->size)
		return true;
	if (records->at == records->kept && records->max > records->size)
		records->large = malloc(records->max);
	if (records->at != records->kept || records->large == NULL)
		return false;
	memcpy(records->large, records->at, records->len);
	explicit_bzero(records->at, records->len);
	records->at = records->large;
	records->size = records->max;
	return true;
}

/* 1; 0: no bytes yet; -1: the end, an error, or no room. */
static int
receive_some(struct records *records)
{
	ssize_t got;

	if (!make_room(records))
		return -1;
	do
		got = recv(records->fd, records->at + records->len,
		    records->size - records->len, MSG_DONTWAIT);
	while (got == -1 && errno == EINTR);
	if (got > 0)
		records->len += (size_t)got;
	return got > 0 ? 1 : got == -1 && errno == EAGAIN ? 0 : -1;
}

static void
records_reset(struct records *records, size_t left)
{
	memmove(records->kept, records->at + records->scanned, left);
	free(records->large);
	records->large = NULL;
	records->at = records->kept;
	records->size = sizeof(records->kept);
	records->len = left;
	records->scanned = records->body_at = 0;
	records->state = RECORDS_BEGIN;
}

int
records_open(struct records *records, int fd, size_t max)
{
	records->fd = fd;
	records->max = max;
	records->at = records->kept;
	records->scanned = 0;
	records_reset(records, 0);
	return receive_some(records);
}

bool
records_read(struct records *records, enum records_state state,
    int64_t deadline)
{
	struct pollfd fd = { .fd = records->fd, .events = POLLIN };
	int64_t left;
	int got;

	records_scan(records);
	while (records->state < state) {
		got = receive_some(records);
		left = got == 0 ? deadline - clock_ms() : 1;
		if (got == -1 || left <= 0)
			return false;
		if (got == 0)
			(void)poll(&fd, 1, (int)left);
		else
			records_scan(records);
	}
	return true;
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
		records->has_method |= i == 0;
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

bool
records_params(struct records *records)
{
	const unsigned char *end = (const void *)join_params(records);
	const unsigned char *at = (const void *)(records->at +
	    records->params + FCGI_HEADER_LEN);
	size_t name, value;

	records->has_method = false;
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

/* Bytes of the body's record that are here, up to size; 0: none. */
static size_t
take_some(struct records *records, char *into, size_t size)
{
	struct record record;
	size_t at = records->body, left;
	char *from;

	if (!record_at(records, at, &record) ||
	    !is_of_request(records, at, FCGI_STDIN))
		return 0;
	left = records->len - at - FCGI_HEADER_LEN;
	if (left > record.content)
		left = record.content;
	left -= records->body_at;
	if (size > left)
		size = left;
	from = records->at + at + FCGI_HEADER_LEN + records->body_at;
	memcpy(into, from, size);
	explicit_bzero(from, size);
	records->body_at += size;
	if (records->body_at == record.content && size > 0) {
		records->body += record.len;
		records->body_at = 0;
	}
	return size;
}

size_t
records_body(struct records *records, char *into, size_t size,
    int64_t deadline)
{
	size_t got = 0, more;

	(void)records_read(records, RECORDS_WHOLE, deadline);
	while (got < size && records->body <= records->len) {
		more = take_some(records, into + got, size - got);
		if (more == 0)
			break;
		got += more;
	}
	return got;
}

bool
records_next(struct records *records)
{
	bool whole = records->state == RECORDS_WHOLE;
	size_t left = whole ? records->len - records->scanned : 0;

	explicit_bzero(records->at, records->len - left);
	if (left > sizeof(records->kept))
		left = 0;
	records_reset(records, left);
	return left > 0;
}

static char *
put_header(const struct records *records, char *at, int type, size_t content,
    size_t padding)
{
	const FCGI_Header header = {
		.version = FCGI_VERSION_1,
		.type = (unsigned char)type,
		.requestIdB1 = records->id[0],
		.requestIdB0 = records->id[1],
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
