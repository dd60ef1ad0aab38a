/*
 * http.c - requests and answers of HTTP. Nothing can fail.
 */
#include "web/receive.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "banned.h"

static const struct {
	int status;
	const char *reason;
} reasons[] = {
	{ 200, "200 OK" },
	{ 400, "400 Bad Request" },
	{ 403, "403 Forbidden" },
	{ 404, "404 Not Found" },
	{ 405, "405 Method Not Allowed" },
	{ 410, "410 Gone" },
	{ 411, "411 Length Required" },
	{ 413, "413 Content Too Large" },
	{ 429, "429 Too Many Requests" },
	{ 500, "500 Internal Server Error" },
	{ 503, "503 Service Unavailable" },
	{ 0, "500 Unknown" },
};

static size_t
read_memory(struct http_request *request, char *into, size_t size)
{
	if (size > request->left)
		size = request->left;
	memcpy(into, request->body, size);
	request->body += size;
	request->left -= size;
	return size;
}

void
http_memory_request(struct http_request *request, const char *body, size_t len)
{
	*request = (struct http_request){
		.method = "POST", .read = read_memory, .body = body,
		.left = len, .length = request->length_text,
	};
	snprintf(request->length_text, sizeof(request->length_text), "%zu",
	    len);
}

void
http_answer(struct http_answer *answer, int status, const char *fmt, ...)
{
	va_list args;

	answer->status = status;
	answer->retry_after = -1;
	va_start(args, fmt);
	vsnprintf(answer->body, sizeof(answer->body), fmt, args);
	va_end(args);
}

static size_t
http_append(char *out, size_t at, const char *text)
{
	size_t len = strlen(text);

	memcpy(out + at, text, len + 1);
	return at + len;
}

size_t
http_write(const struct http_answer *answer, char out[HTTP_ANSWER_MAX])
{
	size_t i = 0, at;

	while (reasons[i].status != answer->status && reasons[i].status != 0)
		i++;
	at = http_append(out, 0, "Status: ");
	at = http_append(out, at, reasons[i].reason);
	at += (size_t)snprintf(out + at, HTTP_ANSWER_MAX - at,
	    "\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\n",
	    strlen(answer->body));
	if (answer->status == 405)
		at = http_append(out, at, "Allow: POST\r\n");
	if (answer->retry_after >= 0)
		at += (size_t)snprintf(out + at, HTTP_ANSWER_MAX - at,
		    "Retry-After: %d\r\n", answer->retry_after);
	at = http_append(out, at, "\r\n");
	return http_append(out, at, answer->body);
}
