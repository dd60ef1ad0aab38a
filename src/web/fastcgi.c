/*
 * fastcgi.c - requests from a listening socket, one at a time, with libfcgi.
 *
 * libfcgi reads and writes the protocol; waiting and accepting are done here,
 * because of what its own accept does: a stop signal while it reads a request
 * loses that request, a silent peer holds it for 2 s, and a connection kept
 * open by the web server pins it while others wait. Here stop signals are one
 * more descriptor to wait for, and a connection is taken up once it has
 * something to say, so that one process serves any number of them.
 *
 * A peer that goes away or stalls costs its request, no more. Out of memory:
 * libfcgi aborts if it is short of the few bytes that it needs per request;
 * whoever started the process starts another, and VK repeats.
 */
#include "web/host.h"

#include <errno.h>
#include <fcgiapp.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "clock.h"
#include "conf/conf.h"
#include "web/http.h"
#include "log.h"
#include "web/receive.h"
#include "stop.h"

#include "banned.h"

#define LISTEN_FD 0
#define KEPT_MAX 64		/* more are closed after their request */
#define IDLE_MAX 512		/* with those that have said nothing yet */

struct fastcgi_request {
	struct http_request http;	/* first, see read_body() */
	FCGX_Request *fcgx;
	bool at_end;			/* the body was read to its end */
	bool hurried;			/* its reads were limited */
};

struct fastcgi {
	struct receiver *receiver;
	FCGX_Request fcgx;
	int epoll;
	int signals;			/* readable when it is time to leave */
	int idle;			/* connections in epoll */
	bool stopping;
	bool full;			/* it cannot accept, and has said so */
};

bool
fastcgi_is_host(void)
{
	int listening = 0;
	socklen_t size = sizeof(listening);

	return getsockopt(LISTEN_FD, SOL_SOCKET, SO_ACCEPTCONN, &listening,
	    &size) == 0 && listening;
}

/*
 * Stop signals interrupt nothing: they stay pending, and a descriptor tells
 * of them. (A mask lifted while waiting would not do: under load there always
 * is a connection ready, and epoll_pwait() then delivers no signal.)
 */
static int
fastcgi_set_signals(struct fastcgi *host)
{
	sigset_t set;

	sigemptyset(&set);
	stop_block(&set);
	signal(SIGPIPE, SIG_IGN);
	host->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return host->signals == -1 ? -1 : 0;
}

static int
fastcgi_watch(struct fastcgi *host, int fd, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.fd = fd };

	return epoll_ctl(host->epoll, EPOLL_CTL_ADD, fd, &event);
}

static void
fastcgi_forget(struct fastcgi *host, int fd)
{
	epoll_ctl(host->epoll, EPOLL_CTL_DEL, fd, NULL);
}

static int
fastcgi_set_up(struct fastcgi *host)
{
	int flags = fcntl(LISTEN_FD, F_GETFL);

	if (FCGX_Init() != 0 ||
	    FCGX_InitRequest(&host->fcgx, -1, 0) != 0 ||
	    fastcgi_set_signals(host) == -1)
		return -1;
	/* Others may be quicker to accept what epoll woke this process for. */
	if (flags == -1 || fcntl(LISTEN_FD, F_SETFL, flags | O_NONBLOCK) == -1)
		return -1;
	/*
	 * Whoever made the socket may have been sparing with its queue
	 * (mod_fcgid has room for 5): a full one is a 502 or a 503 for VK.
	 */
	(void)listen(LISTEN_FD, SOMAXCONN);
	host->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (host->epoll == -1 ||
	    fastcgi_watch(host, host->signals, EPOLLIN) == -1)
		return -1;
	return fastcgi_watch(host, LISTEN_FD, EPOLLIN | EPOLLEXCLUSIVE);
}

static void
limit(int fd, int option, int64_t milliseconds)
{
	struct timeval time;

	if (milliseconds < 1)
		milliseconds = 1;
	time.tv_sec = (time_t)(milliseconds / 1000);
	time.tv_usec = (suseconds_t)(milliseconds % 1000 * 1000);
	(void)setsockopt(fd, SOL_SOCKET, option, &time, sizeof(time));
}

/* Waits for its next request side by side with the others. */
static void
put_aside(struct fastcgi *host, int fd)
{
	if (host->idle < IDLE_MAX && fastcgi_watch(host, fd, EPOLLIN) == 0)
		host->idle++;
	else
		close(fd);
}

static void
cannot_accept(struct fastcgi *host, int error)
{
	struct epoll_event event;

	switch (error) {
	case EMFILE:
	case ENFILE:
	case ENOBUFS:
	case ENOMEM:
		if (!host->full)
			log_msg(LOG_LEVEL_ERROR, "cannot accept: %s",
			    strerror(error));
		host->full = true;
		/* The connection stays queued: do not spin on it. */
		fastcgi_forget(host, LISTEN_FD);
		(void)epoll_wait(host->epoll, &event, 1, 100);
		if (fastcgi_watch(host, LISTEN_FD, EPOLLIN | EPOLLEXCLUSIVE) ==
		    -1)
			host->stopping = true;	/* rather than deaf */
		break;
	case EBADF:
	case EINVAL:
	case ENOTSOCK:
		log_msg(LOG_LEVEL_ERROR, "the socket is gone: %s",
		    strerror(error));
		host->stopping = true;
		break;
	default:	/* another process was quicker, or the peer left */
		break;
	}
}

/* A new connection that has something to say; -1: none has. */
static int
accept_connection(struct fastcgi *host)
{
	int64_t time = host->receiver->conf->body_timeout;
	int fd = accept4(LISTEN_FD, NULL, NULL, SOCK_CLOEXEC);
	char byte;

	if (fd == -1) {
		cannot_accept(host, errno);
		return -1;
	}
	if (host->full)
		log_msg(LOG_LEVEL_INFO, "connections are accepted again");
	host->full = false;
	limit(fd, SO_RCVTIMEO, time);
	limit(fd, SO_SNDTIMEO, time);
	if (recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 1)
		return fd;
	put_aside(host, fd);
	return -1;
}

/* A connection to read a request from; -1: none this time. */
static int
wait_for_request(struct fastcgi *host)
{
	struct epoll_event event;

	if (epoll_wait(host->epoll, &event, 1, -1) != 1)
		return -1;
	if (event.data.fd == host->signals) {
		host->stopping = true;
		return -1;
	}
	if (event.data.fd == LISTEN_FD)
		return accept_connection(host);
	fastcgi_forget(host, event.data.fd);
	host->idle--;
	return event.data.fd;
}

/*
 * Reads what one record holds at a time, so that the deadline is looked at
 * between them; a read that waits for the peer has its own limit.
 */
static size_t
fastcgi_read_body(struct http_request *http, char *into, size_t size)
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
		if (want == 1 && got > 0) {
			left = http->deadline - clock_ms();
			if (left <= 0)
				return got;
			limit(request->fcgx->ipcFd, SO_RCVTIMEO, left);
			request->hurried = true;
		}
		if (want > size - got)
			want = size - got;
		n = FCGX_GetStr(into + got, (int)want, in);
		if (n <= 0)
			return got;
		got += (size_t)n;
		/* The secret is in it: web/receive.c wipes the copy it has. */
		explicit_bzero(in->rdNext - n, (size_t)n);
	}
	request->at_end = FCGX_GetChar(in) == EOF && FCGX_GetError(in) == 0;
	return got;
}

static void
fastcgi_send_answer(FCGX_Request *fcgx, const struct http_answer *answer)
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
finish(struct fastcgi *host, const struct fastcgi_request *request)
{
	FCGX_Request *fcgx = &host->fcgx;

	if (!request->at_end || host->stopping || host->idle >= KEPT_MAX)
		fcgx->keepConnection = 0;
	if (request->at_end && !fcgx->keepConnection)
		FCGX_Detach(fcgx);
	FCGX_Finish_r(fcgx);
	if (fcgx->ipcFd == -1)
		return;
	if (request->hurried)
		limit(fcgx->ipcFd, SO_RCVTIMEO,
		    host->receiver->conf->body_timeout);
	put_aside(host, fcgx->ipcFd);
	fcgx->ipcFd = -1;
}

/* Reads a request up to its body. 0, or -1: the connection is closed. */
static int
begin(struct fastcgi *host, int fd)
{
	FCGX_Request *fcgx = &host->fcgx;
	int result;

	/*
	 * With a connection in place libfcgi accepts none, if it takes that one
	 * for kept (else it begins by closing it). If no request can be read
	 * there is nobody to linger for.
	 */
	fcgx->ipcFd = fd;
	fcgx->keepConnection = 1;
	FCGX_Detach(fcgx);
	result = FCGX_Accept_r(fcgx);
	FCGX_Attach(fcgx);
	if (result == 0)
		return 0;
	fcgx->ipcFd = -1;
	return -1;
}

static void
serve_request(struct fastcgi *host, int fd)
{
	FCGX_Request *fcgx = &host->fcgx;
	struct fastcgi_request request;
	struct http_answer answer;

	if (begin(host, fd) == -1)
		return;
	request = (struct fastcgi_request){
		.http = {
			.method = FCGX_GetParam("REQUEST_METHOD", fcgx->envp),
			.length = FCGX_GetParam("CONTENT_LENGTH", fcgx->envp),
			.retry_counter = FCGX_GetParam(
			    "HTTP_X_RETRY_COUNTER", fcgx->envp),
			.read = fastcgi_read_body,
		},
		.fcgx = fcgx,
	};
	receive(host->receiver, &request.http, &answer);
	fastcgi_send_answer(fcgx, &answer);
	finish(host, &request);
	receive_done(host->receiver);
}

/*
 * A web server may have sent its next request on a connection kept open before
 * it can know of the end: such a request is still answered.
 */
static void
serve_idle(struct fastcgi *host)
{
	struct epoll_event event;

	fastcgi_forget(host, LISTEN_FD);
	fastcgi_forget(host, host->signals);
	while (epoll_wait(host->epoll, &event, 1, 0) == 1) {
		fastcgi_forget(host, event.data.fd);
		serve_request(host, event.data.fd);
	}
}

int
fastcgi_serve(struct receiver *receiver)
{
	struct fastcgi host = { .receiver = receiver };
	int fd;

	if (fastcgi_set_up(&host) == -1) {
		log_msg(LOG_LEVEL_ERROR, "cannot serve FastCGI: %s",
		    strerror(errno));
		return 1;
	}
	while (!host.stopping) {
		fd = wait_for_request(&host);
		if (fd != -1)
			serve_request(&host, fd);
	}
	serve_idle(&host);
	close(host.epoll);
	return 0;
}
