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
	{ 200, "OK" },
	{ 400, "Bad Request" },
	{ 403, "Forbidden" },
	{ 404, "Not Found" },
	{ 405, "Method Not Allowed" },
	{ 410, "Gone" },
	{ 411, "Length Required" },
	{ 413, "Content Too Large" },
	{ 429, "Too Many Requests" },
	{ 500, "Internal Server Error" },
	{ 503, "Service Unavailable" },
	{ 0, "Unknown" },
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

size_t
http_write(const struct http_answer *answer, char out[HTTP_ANSWER_MAX])
{
	char retry_after[40] = "";
	size_t i = 0;

	while (reasons[i].status != answer->status && reasons[i].status != 0)
		i++;
	if (answer->retry_after >= 0)
		snprintf(retry_after, sizeof(retry_after),
		    "Retry-After: %d\r\n", answer->retry_after);
	return (size_t)snprintf(out, HTTP_ANSWER_MAX,
	    "Status: %d %s\r\n"
	    "Content-Type: text/plain\r\n"
	    "Content-Length: %zu\r\n"
	    "%s%s"
	    "\r\n"
	    "%s",
	    answer->status, reasons[i].reason, strlen(answer->body),
	    answer->status == 405 ? "Allow: POST\r\n" : "", retry_after,
	    answer->body);
}
