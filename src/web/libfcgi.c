/*
 * libfcgi.c - conversations that are no plain request, held by libfcgi: a
 * question for FCGI_GET_VALUES, another role, a record of no known type, bytes
 * that are not FastCGI. No web server that is known sends them to a responder.
 *
 * libfcgi reads from descriptors alone, so the bytes come to it by a pair of
 * sockets. An answer that does not fit into them ends the conversation.
 */
#include "web/libfcgi.h"

#include <fcgiapp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "banned.h"

static size_t
stream_body(struct http_request *http, char *into, size_t size)
{
	int got = FCGX_GetStr(into, (int)size, http->from);

	return got > 0 ? (size_t)got : 0;
}

static void
stream_request(struct receiver *receiver, FCGX_Request *fcgx)
{
	struct http_request http = {
		.method = FCGX_GetParam("REQUEST_METHOD", fcgx->envp),
		.length = FCGX_GetParam("CONTENT_LENGTH", fcgx->envp),
		.retry_counter = FCGX_GetParam("HTTP_X_RETRY_COUNTER",
		    fcgx->envp),
		.read = stream_body, .from = fcgx->in,
	};
	struct http_answer answer;
	char out[HTTP_ANSWER_MAX];

	receive(receiver, &http, &answer);
	(void)FCGX_PutStr(out, (int)http_write(&answer, out), fcgx->out);
	receive_done(receiver);
}

/* Nothing waits: all that the peer says is in the socket. */
static void
converse(struct receiver *receiver, int fd)
{
	FCGX_Request fcgx;

	if (FCGX_Init() != 0 || FCGX_InitRequest(&fcgx, -1, 0) != 0) {
		close(fd);
		return;
	}
	/* libfcgi reads from a connection that it takes for a kept one. */
	fcgx.ipcFd = fd;
	fcgx.keepConnection = 1;
	FCGX_Detach(&fcgx);
	if (FCGX_Accept_r(&fcgx) != 0)
		return;		/* closed by libfcgi */
	stream_request(receiver, &fcgx);
	fcgx.keepConnection = 0;
	FCGX_Finish_r(&fcgx);
}

void
libfcgi_serve(struct receiver *receiver, int peer, const char *bytes,
    size_t len)
{
	char answer[4096];
	ssize_t got;
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC |
	    SOCK_NONBLOCK, 0, pair) == -1)
		return;
	(void)!send(pair[0], bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	(void)shutdown(pair[0], SHUT_WR);
	converse(receiver, pair[1]);
	while ((got = recv(pair[0], answer, sizeof(answer), 0)) > 0)
		(void)!send(peer, answer, (size_t)got, MSG_DONTWAIT |
		    MSG_NOSIGNAL);
	close(pair[0]);
}
