/*
 * fastcgi.c - requests from a listening socket, one at a time, with libfcgi.
 *
 * libfcgi reads and writes the protocol; waiting and accepting are done here,
 * because of what its own accept does: a stop signal while it reads a request
 * loses that request, a silent peer holds it for 2 s, and a connection kept
 * open by the web server pins it while others wait. Here signals arrive only
 * while nothing is in hand, and idle connections wait side by side with new
 * ones, so that one process serves any number of them.
 *
 * A peer that goes away or stalls costs its request, no more. Out of memory:
 * libfcgi aborts if it is short of the few bytes that it needs per request;
 * the web server then starts another process, and VK repeats.
 */
#include "host.h"

#include <errno.h>
#include <fcgiapp.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "conf.h"
#include "http.h"
#include "log.h"
#include "receive.h"

#include "banned.h"

#define LISTEN_FD 0
#define KEPT_MAX 64

struct fastcgi_request {
	struct http_request http;	/* first, see read_body() */
	FCGX_Request *fcgx;
	bool at_end;			/* the body, up to the end of its stream */
};

struct fastcgi {
	struct receiver *receiver;
	FCGX_Request fcgx;
	int epoll;
	int kept;			/* idle connections in epoll */
	sigset_t waiting;		/* the mask while nothing is in hand */
};

static volatile sig_atomic_t stopping;

static void
stop(int signal)
{
	(void)signal;
	stopping = 1;
}

bool
fastcgi_is_host(void)
{
	int listening = 0;
	socklen_t size = sizeof(listening);

	return getsockopt(LISTEN_FD, SOL_SOCKET, SO_ACCEPTCONN, &listening,
	    &size) == 0 && listening;
}

/* Stop signals stay pending except while epoll_pwait() waits. */
static void
set_signals(struct fastcgi *host)
{
	static const int signals[] = { SIGTERM, SIGUSR1, SIGINT };
	struct sigaction action = { .sa_handler = stop };
	sigset_t blocked;
	size_t i;

	sigemptyset(&blocked);
	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaddset(&blocked, signals[i]);
	sigprocmask(SIG_BLOCK, &blocked, &host->waiting);
	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		sigdelset(&host->waiting, signals[i]);
		sigaction(signals[i], &action, NULL);
	}
	action.sa_handler = SIG_IGN;
	sigaction(SIGPIPE, &action, NULL);
}

static int
watch(struct fastcgi *host, int fd, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.fd = fd };

	return epoll_ctl(host->epoll, EPOLL_CTL_ADD, fd, &event);
}

static int
set_up(struct fastcgi *host)
{
	int flags = fcntl(LISTEN_FD, F_GETFL);

	if (FCGX_Init() != 0 ||
	    FCGX_InitRequest(&host->fcgx, -1, 0) != 0)
		return -1;
	set_signals(host);
	/* Others may be quicker to accept what epoll woke this process for. */
	if (flags == -1 || fcntl(LISTEN_FD, F_SETFL, flags | O_NONBLOCK) == -1)
		return -1;
	host->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (host->epoll == -1)
		return -1;
	return watch(host, LISTEN_FD, EPOLLIN | EPOLLEXCLUSIVE);
}

static void
limit_reads(int fd, int64_t milliseconds)
{
	struct timeval limit;

	if (milliseconds < 1)
		milliseconds = 1;
	limit.tv_sec = (time_t)(milliseconds / 1000);
	limit.tv_usec = (suseconds_t)(milliseconds % 1000 * 1000);
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
}

/* A connection to read a request from; -1: none, or the end (stopping). */
static int
wait_for_request(struct fastcgi *host)
{
	struct epoll_event event;
	int fd;

	if (epoll_pwait(host->epoll, &event, 1, -1, &host->waiting) != 1)
		return -1;
	if (event.data.fd != LISTEN_FD) {
		epoll_ctl(host->epoll, EPOLL_CTL_DEL, event.data.fd, NULL);
		host->kept--;
		return event.data.fd;
	}
	fd = accept4(LISTEN_FD, NULL, NULL, SOCK_CLOEXEC);
	if (fd != -1) {
		limit_reads(fd, host->receiver->conf->body_timeout);
		return fd;
	}
	if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
	    errno == ENOMEM) {
		log_msg(LOG_LEVEL_ERROR, "cannot accept: %s", strerror(errno));
		/* The connection stays queued: do not spin on it. */
		epoll_pwait(host->epoll, &event, 0, 100, &host->waiting);
	} else if (errno == EBADF || errno == EINVAL || errno == ENOTSOCK) {
		log_msg(LOG_LEVEL_ERROR, "the socket is gone: %s",
		    strerror(errno));
		stopping = 1;
	}
	return -1;
}

/*
 * Reads what one record holds at a time, so that the deadline is looked at
 * between them; a read that waits for the peer has its own limit.
 */
static size_t
read_body(struct http_request *http, char *into, size_t size)
{
	struct fastcgi_request *request = (struct fastcgi_request *)http;
	FCGX_Stream *in = request->fcgx->in;
	size_t got = 0, want;
	int64_t left;
	int n;

	while (got < size) {
		want = (size_t)(in->stop - in->rdNext);
		if (want == 0)
			want = 1;
		if (want > size - got)
			want = size - got;
		n = FCGX_GetStr(into + got, (int)want, in);
		if (n <= 0)
			return got;
		got += (size_t)n;
		if (got == size)
			break;
		left = http->deadline - http_clock();
		if (left <= 0)
			return got;
		limit_reads(request->fcgx->ipcFd, left);
	}
	request->at_end = FCGX_GetChar(in) == EOF && FCGX_GetError(in) == 0;
	return got;
}

static void
send_answer(FCGX_Request *fcgx, const struct http_answer *answer)
{
	char header[HTTP_HEADER_MAX];
	size_t len = http_header(answer, header);

	/* An error here is the peer's going away: VK will repeat. */
	(void)FCGX_PutStr(header, (int)len, fcgx->out);
	(void)FCGX_PutStr(answer->body, (int)answer->len, fcgx->out);
}

/*
 * A connection that still holds a part of the body cannot carry another
 * request. One read to its end is closed at once; else libfcgi lingers, so
 * that the web server gets to read the answer.
 */
static void
finish(struct fastcgi *host, bool at_end)
{
	FCGX_Request *fcgx = &host->fcgx;

	if (!at_end || host->kept == KEPT_MAX)
		fcgx->keepConnection = 0;
	if (at_end && !fcgx->keepConnection)
		FCGX_Detach(fcgx);
	FCGX_Finish_r(fcgx);
	if (fcgx->ipcFd == -1)
		return;
	limit_reads(fcgx->ipcFd, host->receiver->conf->body_timeout);
	if (watch(host, fcgx->ipcFd, EPOLLIN) == 0)
		host->kept++;
	else
		close(fcgx->ipcFd);
	fcgx->ipcFd = -1;
}

static void
serve_request(struct fastcgi *host, int fd)
{
	FCGX_Request *fcgx = &host->fcgx;
	struct fastcgi_request request;
	struct http_answer answer;

	/* With a connection in place libfcgi reads from it and accepts none. */
	fcgx->ipcFd = fd;
	if (FCGX_Accept_r(fcgx) != 0) {
		fcgx->ipcFd = -1;
		return;
	}
	request = (struct fastcgi_request){
		.http = {
			.method = FCGX_GetParam("REQUEST_METHOD", fcgx->envp),
			.length = FCGX_GetParam("CONTENT_LENGTH", fcgx->envp),
			.retry_counter = FCGX_GetParam(
			    "HTTP_X_RETRY_COUNTER", fcgx->envp),
			.read = read_body,
		},
		.fcgx = fcgx,
	};
	receive(host->receiver, &request.http, &answer);
	send_answer(fcgx, &answer);
	finish(host, request.at_end);
	receive_done(host->receiver);
}

int
fastcgi_serve(struct receiver *receiver)
{
	struct fastcgi host = { .receiver = receiver };
	int fd;

	if (set_up(&host) == -1) {
		log_msg(LOG_LEVEL_ERROR, "cannot serve FastCGI: %s",
		    strerror(errno));
		return 1;
	}
	while (!stopping) {
		fd = wait_for_request(&host);
		if (fd != -1)
			serve_request(&host, fd);
	}
	close(host.epoll);
	return 0;
}
