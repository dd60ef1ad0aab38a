/*
 * cgi.c - the one request of a CGI program: environment, standard input and
 * output.
 *
 * The web server may send SIGTERM before the answer is complete: stop signals
 * are blocked. Descriptor 1 is moved away for the answer alone; a handler's
 * prints go to standard error.
 *
 * A body that is refused unread is read and dropped after the answer: under
 * Apache input and output are one socket, and closing it with unread bytes
 * would drop the answer, too.
 */
#include "web/receive.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "log.h"
#include "supervisor.h"

#include "banned.h"

#define LINGER_MS 2000

/* Reads the next bytes of the body; 0: its end, an error or no time left. */
static size_t
read_some(char *into, size_t size, int64_t deadline)
{
	struct pollfd poll_in = { .fd = STDIN_FILENO, .events = POLLIN };
	int64_t left;
	ssize_t got;

	for (;;) {
		left = deadline - clock_ms();
		if (left <= 0)
			return 0;
		got = poll(&poll_in, 1, (int)left);	/* 0: no time left */
		if (got > 0)
			got = read(STDIN_FILENO, into, size);
		if (got >= 0)
			return (size_t)got;
		if (errno != EINTR && errno != EAGAIN)
			return 0;
	}
}

static size_t
cgi_read_body(struct http_request *http, char *into, size_t size)
{
	size_t got = 0, more = 1;

	while (got < size && more > 0) {
		more = read_some(into + got, size - got, http->deadline);
		got += more;
	}
	http->at_end = got == size;
	return got;
}

/* Ends the answer, then reads and drops the rest of the body, for a while. */
static void
linger(int out)
{
	int64_t deadline = clock_ms() + LINGER_MS;
	char waste[16384];

	(void)shutdown(out, SHUT_WR);	/* fails for a pipe: close() ends it */
	close(out);
	while (read_some(waste, sizeof(waste), deadline) > 0)
		;
}

static int
cgi_send_answer(int fd, const struct http_answer *answer)
{
	char out[HTTP_ANSWER_MAX];
	size_t len = http_write(answer, out);
	ssize_t written;

	do
		written = write(fd, out, len);
	while (written == -1 && errno == EINTR);
	return written == (ssize_t)len ? 0 : -1;
}

int
cgi_serve(struct receiver *receiver)
{
	struct http_request http = {
		.method = getenv("REQUEST_METHOD"),
		.length = getenv("CONTENT_LENGTH"),
		.retry_counter = getenv("HTTP_X_RETRY_COUNTER"),
		.read = cgi_read_body,
	};
	struct http_answer answer;
	sigset_t blocked;
	int out, result;

	sigemptyset(&blocked);
	supervisor_block_stops(&blocked);
	out = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	if (out == -1 || dup2(STDERR_FILENO, STDOUT_FILENO) == -1) {
		log_msg(LOG_LEVEL_ERROR, "cannot serve CGI: %s",
		    strerror(errno));
		cgi_send_unconfigured();
		return 1;
	}
	receiver->is_cgi = true;
	receive(receiver, &http, &answer);
	result = cgi_send_answer(out, &answer);
	if (!http.at_end)
		linger(out);
	receive_done(receiver);
	return result == 0 ? 0 : 1;
}

void
cgi_send_unconfigured(void)
{
	struct http_answer answer;

	http_answer(&answer, 503, "Not Configured");
	answer.retry_after = 60;
	(void)cgi_send_answer(STDOUT_FILENO, &answer);
	linger(STDOUT_FILENO);
}
