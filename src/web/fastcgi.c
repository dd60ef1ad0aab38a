/*
 * fastcgi.c - requests from a listening socket, one at a time, with libfcgi.
 *
 * libfcgi reads and writes the protocol; waiting and accepting are done here,
 * because of three faults of its own accept: a stop signal while it reads a
 * request loses that request, a silent peer blocks it for 2 s, and a connection
 * kept open by the web server pins it while others wait. Here stop signals are
 * one more descriptor to wait for, and a connection is served once it has data,
 * so one process serves any number of connections.
 *
 * A peer that goes away or stalls costs its request only. Out of memory:
 * libfcgi aborts if it lacks the few bytes that it needs per request; the
 * process's supervisor starts another, and VK repeats the event.
 */
#include "web/receive.h"

#include <errno.h>
#include <fcgiapp.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "clock.h"
#include "conf/conf.h"
#include "log.h"
#include "supervisor.h"

#include "banned.h"

#define LISTEN_FD 0
#define KEPT_MAX 64	/* idle connections; others are not kept open */
#define IDLE_MAX 512	/* the same, with those that never sent a byte */

struct fastcgi {
	struct receiver *receiver;
	FCGX_Request fcgx;
	bool rcvtimeo_set;		/* for the current request's body */
	int epoll;
	int signals;			/* readable after a stop signal */
	int idle[IDLE_MAX];		/* connections in epoll, oldest first */
	size_t n_idle;
	bool stopping;
	bool full;			/* accept failed, and the log says so */
};

bool
fastcgi_is_host(void)
{
	int listening = 0;
	socklen_t size = sizeof(listening);

	return getsockopt(LISTEN_FD, SOL_SOCKET, SO_ACCEPTCONN, &listening,
	    &size) == 0 && listening;
}

static int
fastcgi_watch(struct fastcgi *host, int fd, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.fd = fd };

	return epoll_ctl(host->epoll, EPOLL_CTL_ADD, fd, &event);
}

static void
fastcgi_unwatch(struct fastcgi *host, int fd)
{
	epoll_ctl(host->epoll, EPOLL_CTL_DEL, fd, NULL);
}

/*
 * Stop signals interrupt nothing: they stay pending and make a descriptor
 * readable. epoll_pwait() would not do: under load a connection is always
 * ready, and then it delivers no signal.
 */
static int
fastcgi_set_up(struct fastcgi *host)
{
	int flags = fcntl(LISTEN_FD, F_GETFL);
	sigset_t stops;

	sigemptyset(&stops);
	supervisor_block_stops(&stops);
	host->signals = signalfd(-1, &stops, SFD_CLOEXEC | SFD_NONBLOCK);
	if (host->signals == -1 || FCGX_Init() != 0 ||
	    FCGX_InitRequest(&host->fcgx, -1, 0) != 0)
		return -1;
	/* Another process may accept the connection that woke this one. */
	if (flags == -1 || fcntl(LISTEN_FD, F_SETFL, flags | O_NONBLOCK) == -1)
		return -1;
	/* mod_fcgid's queue has 5 places: a full one is a 502 or 503 for VK. */
	(void)listen(LISTEN_FD, SOMAXCONN);
	host->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (host->epoll == -1 ||
	    fastcgi_watch(host, host->signals, EPOLLIN) == -1)
		return -1;
	return fastcgi_watch(host, LISTEN_FD, EPOLLIN | EPOLLEXCLUSIVE);
}

static void
set_timeout(int fd, int option, int64_t milliseconds)
{
	struct timeval time = {
		.tv_sec = milliseconds / 1000,
		.tv_usec = milliseconds % 1000 * 1000,
	};

	(void)setsockopt(fd, SOL_SOCKET, option, &time, sizeof(time));
}

static bool
has_data(int fd)
{
	char byte;

	return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 1;
}

/* Takes the connection out of the idle ones. */
static int
take_idle(struct fastcgi *host, size_t i)
{
	int fd = host->idle[i];

	fastcgi_unwatch(host, fd);
	host->n_idle--;
	memmove(host->idle + i, host->idle + i + 1,
	    (host->n_idle - i) * sizeof(host->idle[0]));
	return fd;
}

/* The oldest connection that is silent makes room for a new one. */
static void
fastcgi_make_room(struct fastcgi *host)
{
	size_t i = 0;

	while (i < host->n_idle && has_data(host->idle[i]))
		i++;
	if (i < host->n_idle)
		close(take_idle(host, i));
}

/* The connection waits for its next request beside the others. */
static void
put_aside(struct fastcgi *host, int fd)
{
	if (host->n_idle == IDLE_MAX)
		fastcgi_make_room(host);
	if (host->n_idle < IDLE_MAX && fastcgi_watch(host, fd, EPOLLIN) == 0)
		host->idle[host->n_idle++] = fd;
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
		/* The connection stays queued: wait, without a busy loop. */
		fastcgi_unwatch(host, LISTEN_FD);
		(void)epoll_wait(host->epoll, &event, 1, 100);
		if (fastcgi_watch(host, LISTEN_FD, EPOLLIN | EPOLLEXCLUSIVE) ==
		    -1)
			host->stopping = true;
		break;
	case EBADF:
	case EINVAL:
	case ENOTSOCK:
		log_msg(LOG_LEVEL_ERROR, "the socket is gone: %s",
		    strerror(error));
		host->stopping = true;
		break;
	default:	/* another process accepted it, or the peer left */
		break;
	}
}

/* Returns a new connection that has data, or -1. */
static int
accept_connection(struct fastcgi *host)
{
	int64_t time = host->receiver->conf->body_timeout;
	int fd = accept4(LISTEN_FD, NULL, NULL, SOCK_CLOEXEC);

	if (fd == -1) {
		cannot_accept(host, errno);
		return -1;
	}
	if (host->full)
		log_msg(LOG_LEVEL_INFO, "connections are accepted again");
	host->full = false;
	set_timeout(fd, SO_RCVTIMEO, time);
	set_timeout(fd, SO_SNDTIMEO, time);
	if (has_data(fd))
		return fd;
	put_aside(host, fd);
	return -1;
}

/* Returns a connection to read a request from, or -1 for none this time. */
static int
wait_for_request(struct fastcgi *host)
{
	struct epoll_event event;
	size_t i = 0;

	if (epoll_wait(host->epoll, &event, 1, -1) != 1)
		return -1;
	if (event.data.fd == host->signals) {
		host->stopping = true;
		return -1;
	}
	if (event.data.fd == LISTEN_FD)
		return accept_connection(host);
	while (host->idle[i] != event.data.fd)
		i++;
	return take_idle(host, i);
}

/*
 * Reads one record's contents at a time and checks the deadline between them; a
 * read that waits for the peer has a timeout of its own.
 */
static size_t
fastcgi_read_body(struct http_request *http, char *into, size_t size)
{
	struct fastcgi *host = http->from;
	FCGX_Stream *in = host->fcgx.in;
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
			set_timeout(host->fcgx.ipcFd, SO_RCVTIMEO, left);
			host->rcvtimeo_set = true;
		}
		if (want > size - got)
			want = size - got;
		n = FCGX_GetStr(into + got, (int)want, in);
		if (n <= 0)
			return got;
		got += (size_t)n;
		/* It may be the secret: receive.c wipes its own copy. */
		explicit_bzero(in->rdNext - n, (size_t)n);
	}
	http->at_end = FCGX_GetChar(in) == EOF && FCGX_GetError(in) == 0;
	return got;
}

/*
 * A connection that still holds a part of the body cannot carry another
 * request: libfcgi lingers, so that the web server can read the answer, and
 * closes it. After a whole body there is no need to linger.
 */
static void
fastcgi_finish(struct fastcgi *host, bool at_end)
{
	FCGX_Request *fcgx = &host->fcgx;

	if (!at_end || host->stopping || host->n_idle >= KEPT_MAX)
		fcgx->keepConnection = 0;
	if (at_end && !fcgx->keepConnection)
		FCGX_Detach(fcgx);
	FCGX_Finish_r(fcgx);
	if (fcgx->ipcFd == -1)
		return;
	if (host->rcvtimeo_set)
		set_timeout(fcgx->ipcFd, SO_RCVTIMEO,
		    host->receiver->conf->body_timeout);
	put_aside(host, fcgx->ipcFd);
	fcgx->ipcFd = -1;
}

static void
serve_request(struct fastcgi *host, int fd)
{
	FCGX_Request *fcgx = &host->fcgx;
	struct http_answer answer;
	struct http_request http;
	char out[HTTP_ANSWER_MAX];
	int result;

	/*
	 * libfcgi reads from a connection that it takes for a kept one, and
	 * accepts none. If no request can be read, it must not linger.
	 */
	fcgx->ipcFd = fd;
	fcgx->keepConnection = 1;
	FCGX_Detach(fcgx);
	result = FCGX_Accept_r(fcgx);
	FCGX_Attach(fcgx);
	if (result != 0) {
		fcgx->ipcFd = -1;	/* closed by libfcgi */
		return;
	}
	host->rcvtimeo_set = false;
	http = (struct http_request){
		.method = FCGX_GetParam("REQUEST_METHOD", fcgx->envp),
		.length = FCGX_GetParam("CONTENT_LENGTH", fcgx->envp),
		.retry_counter = FCGX_GetParam("HTTP_X_RETRY_COUNTER",
		    fcgx->envp),
		.read = fastcgi_read_body, .from = host,
	};
	receive(host->receiver, &http, &answer);
	/* An error means that the peer went away: VK repeats the event. */
	(void)FCGX_PutStr(out, (int)http_write(&answer, out), fcgx->out);
	fastcgi_finish(host, http.at_end);
	receive_done(host->receiver);
}

/*
 * The web server may send a request on a kept connection before it can know
 * that this process ends: such a request is still answered.
 */
static void
serve_idle(struct fastcgi *host)
{
	struct epoll_event event;

	fastcgi_unwatch(host, LISTEN_FD);
	fastcgi_unwatch(host, host->signals);
	while (epoll_wait(host->epoll, &event, 1, 0) == 1) {
		fastcgi_unwatch(host, event.data.fd);
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
