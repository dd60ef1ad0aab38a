/*
 * cgi.c - the one request of a CGI program: environment, standard input and
 * output.
 *
 * The web server may send SIGTERM as soon as it has what it wants: stop
 * signals wait until the answer is out. Descriptor 1 is kept for the answer
 * alone; what a handler prints goes to standard error.
 */
#include "host.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "http.h"
#include "receive.h"

#include "banned.h"

bool
cgi_is_host(void)
{
	return getenv("GATEWAY_INTERFACE") != NULL;
}

static void
set_signals(void)
{
	sigset_t blocked;

	sigemptyset(&blocked);
	sigaddset(&blocked, SIGTERM);
	sigaddset(&blocked, SIGUSR1);
	sigaddset(&blocked, SIGINT);
	sigprocmask(SIG_BLOCK, &blocked, NULL);
	signal(SIGPIPE, SIG_IGN);
}

/* The next bytes of the body; 0: none will come, or none in time. */
static size_t
read_some(char *into, size_t size, int64_t deadline)
{
	struct pollfd poll_in = { .fd = STDIN_FILENO, .events = POLLIN };
	int64_t left;
	ssize_t got;
	int ready;

	for (;;) {
		left = deadline - http_clock();
		ready = left <= 0 ? 0 : poll(&poll_in, 1, (int)left);
		if (ready == 0 || (ready == -1 && errno != EINTR))
			return 0;
		if (ready == -1)
			continue;
		got = read(STDIN_FILENO, into, size);
		if (got >= 0)
			return (size_t)got;
		if (errno != EINTR && errno != EAGAIN)
			return 0;
	}
}

static size_t
read_body(struct http_request *request, char *into, size_t size)
{
	size_t got = 0, more;

	while (got < size) {
		more = read_some(into + got, size - got, request->deadline);
		if (more == 0)
			break;
		got += more;
	}
	return got;
}

static int
write_all(int fd, const char *bytes, size_t len)
{
	ssize_t written;

	while (len > 0) {
		written = write(fd, bytes, len);
		if (written == -1 && errno == EINTR)
			continue;
		if (written <= 0)
			return -1;
		bytes += written;
		len -= (size_t)written;
	}
	return 0;
}

static int
send_answer(int fd, const struct http_answer *answer)
{
	char header[HTTP_HEADER_MAX];
	size_t len = http_header(answer, header);

	if (write_all(fd, header, len) == -1)
		return -1;
	return write_all(fd, answer->body, answer->len);
}

int
cgi_serve(struct receiver *receiver)
{
	struct http_request request = {
		.method = getenv("REQUEST_METHOD"),
		.length = getenv("CONTENT_LENGTH"),
		.retry_counter = getenv("HTTP_X_RETRY_COUNTER"),
		.read = read_body,
	};
	struct http_answer answer;
	int out, result;

	set_signals();
	out = dup(STDOUT_FILENO);
	if (out == -1 || dup2(STDERR_FILENO, STDOUT_FILENO) == -1)
		return 1;
	receive(receiver, &request, &answer);
	result = send_answer(out, &answer);
	receive_done(receiver);
	return result == 0 ? 0 : 1;
}

void
cgi_apologize(void)
{
	struct http_answer answer;

	http_answer(&answer, 503, "Not Configured");
	answer.retry_after = 60;
	(void)send_answer(STDOUT_FILENO, &answer);
}
