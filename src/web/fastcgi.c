/*
 * fastcgi.c - requests from a listening socket, one at a time.
 *
 * Stop signals are one more descriptor to wait for: no request is lost by one.
 * A connection is served once it has data, so one process serves any number of
 * connections that the web server keeps open, and a silent peer costs nothing.
 * A peer that goes away or stalls costs its request only.
 */
#include "web/receive.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "conf/conf.h"
#include "log.h"
#include "supervisor.h"
#include "web/libfcgi.h"
#include "web/records.h"

#include "banned.h"

#define LISTEN_FD 0
#define LINGER_MS 2000
#define ACCEPT_MS 5	/* stop signals wait so long */
#define KEPT_MAX 64	/* idle connections; others are not kept open */
#define IDLE_MAX 512	/* the same, with those that never sent a byte */

struct fastcgi {
	struct receiver *receiver;
	struct records records;	/* of the connection that is served */
	int epoll;
	int signals;			/* readable after a stop signal */
	int idle[IDLE_MAX];		/* connections in epoll, oldest first */
	size_t n_idle;
	bool stopping;
	bool crowded;			/* new connections waited just now */
	unsigned int events;		/* of new connections */
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
	/* Another process may accept the connection that woke this one. */
	if (flags == -1 || fcntl(LISTEN_FD, F_SETFL, flags | O_NONBLOCK) == -1)
		return -1;
	/* mod_fcgid's queue has 5 places: a full one is a 502 or 503 for VK. */
	(void)listen(LISTEN_FD, SOMAXCONN);
	host->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (host->signals == -1 || host->epoll == -1 ||
	    fastcgi_watch(host, host->signals, EPOLLIN) == -1)
		return -1;
	return fastcgi_watch(host, LISTEN_FD, EPOLLIN | EPOLLEXCLUSIVE);
}

static bool
has_data(int fd)
{
	char byte;

	return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 1;
}

/*
 * Takes the connection out of the idle ones, and of epoll, where a copy of it
 * in a handler's child would keep it.
 */
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

static size_t
fastcgi_read_body(struct http_request *http, char *into, size_t size)
{
	return records_body(http->from, into, size, http->deadline);
}

static bool
send_answer(struct fastcgi *host, const char *bytes, size_t len)
{
	int64_t deadline = 0, left = 1;
	struct pollfd fd = { .fd = host->records.fd, .events = POLLOUT };
	ssize_t sent;

	while (len > 0 && left > 0) {
		sent = send(fd.fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (sent >= 0) {
			bytes += sent;
			len -= (size_t)sent;
			continue;
		}
		if (errno != EAGAIN && errno != EINTR)
			return false;
		if (deadline == 0)
			deadline = clock_ms() +
			    host->receiver->conf->body_timeout;
		left = deadline - clock_ms();
		(void)poll(&fd, 1, left > 0 ? (int)left : 0);
	}
	return len == 0;
}

/*
 * Reads and drops the rest of a body that was refused, for a while: closing the
 * connection with unread bytes would drop the answer.
 */
static void
fastcgi_linger(int fd)
{
	struct pollfd in = { .fd = fd, .events = POLLIN };
	int64_t deadline = clock_ms() + LINGER_MS, left = LINGER_MS;
	char waste[4096];

	(void)shutdown(fd, SHUT_WR);
	while (left > 0 && poll(&in, 1, (int)left) > 0 &&
	    recv(fd, waste, sizeof(waste), MSG_DONTWAIT) > 0)
		left = deadline - clock_ms();
}

/* Answers a request whose parameters are here. False: close its connection. */
static bool
answer_request(struct fastcgi *host, int64_t deadline)
{
	struct records *records = &host->records;
	struct http_request http = {
		.method = *records->method != '\0' ? records->method : NULL,
		.length = records->length,
		.retry_counter = records->retry_counter,
		.read = fastcgi_read_body, .from = records,
		.deadline = deadline,
	};
	struct http_answer answer;
	char out[RECORDS_HEAD + HTTP_ANSWER_MAX + RECORDS_TAIL];
	bool sent;

	receive(host->receiver, &http, &answer);
	/* An error means that the peer went away: VK repeats the event. */
	sent = send_answer(host, out, records_answer(records, out,
	    http_write(&answer, out + RECORDS_HEAD)));
	/* A refused request may have ended, with no body. */
	(void)records_body(records, out, 0, 0);
	if (sent && records->state != RECORDS_WHOLE)
		fastcgi_linger(records->fd);
	return sent && records->state == RECORDS_WHOLE && records->keep &&
	    !host->stopping && host->n_idle < KEPT_MAX;
}

/* True: the connection is to be kept. */
static bool
serve_request(struct fastcgi *host)
{
	int64_t deadline = clock_ms() + host->receiver->conf->body_timeout;
	struct records *records = &host->records;

	if (!records_begin(records, deadline))
		return false;
	if (records->state != RECORDS_ODD)
		return answer_request(host, deadline);
	libfcgi_serve(host->receiver, records->fd, records->at, records->len);
	return false;
}

/* Serves the requests that are here. True: the connection is to be kept. */
static bool
serve_connection(struct fastcgi *host)
{
	bool keep, more;

	do {
		keep = serve_request(host);
		more = records_next(&host->records);
		receive_done(host->receiver);
	} while (keep && more);
	return keep;
}

/* False: none waits. */
static bool
serve_new(struct fastcgi *host)
{
	int fd = accept4(LISTEN_FD, NULL, NULL, SOCK_CLOEXEC), opened;

	if (fd == -1) {
		cannot_accept(host, errno);
		return false;
	}
	if (host->full)
		log_msg(LOG_LEVEL_INFO, "connections are accepted again");
	host->full = false;
	opened = records_open(&host->records, fd);
	if (opened == 0 || (opened == 1 && serve_connection(host)))
		put_aside(host, fd);
	else
		close(fd);
	return true;
}

/* The one that was served goes behind the others, in the order of idleness. */
static void
serve_kept(struct fastcgi *host, int fd)
{
	int opened = records_open(&host->records, fd);
	size_t i = 0;

	if (opened == 0)
		return;
	while (host->idle[i] != fd)
		i++;
	if (opened == -1 || !serve_connection(host)) {
		close(take_idle(host, i));
		return;
	}
	memmove(host->idle + i, host->idle + i + 1,
	    (host->n_idle - i - 1) * sizeof(host->idle[0]));
	host->idle[host->n_idle - 1] = fd;
}

/* Under load the next one waits, and needs no look at epoll. */
static void
serve_all_new(struct fastcgi *host)
{
	int64_t until = clock_ms() + ACCEPT_MS;

	if (!serve_new(host) || (!host->crowded && ++host->events % 8 != 0))
		return;
	do
		host->crowded = serve_new(host);
	while (host->crowded && clock_ms() < until);
}

static void
fastcgi_serve_next(struct fastcgi *host)
{
	struct epoll_event event;

	if (epoll_wait(host->epoll, &event, 1, -1) != 1)
		return;
	if (event.data.fd == host->signals)
		host->stopping = true;
	else if (event.data.fd != LISTEN_FD)
		serve_kept(host, event.data.fd);
	else
		serve_all_new(host);
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
	while (epoll_wait(host->epoll, &event, 1, 0) == 1)
		serve_kept(host, event.data.fd);
}

int
fastcgi_serve(struct receiver *receiver)
{
	static struct fastcgi host;

	host.receiver = receiver;
	if (fastcgi_set_up(&host) == -1) {
		log_msg(LOG_LEVEL_ERROR, "cannot serve FastCGI: %s",
		    strerror(errno));
		return 1;
	}
	while (!host.stopping)
		fastcgi_serve_next(&host);
	serve_idle(&host);
	close(host.epoll);
	return 0;
}
