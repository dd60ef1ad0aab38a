/*
 * vk-sender.c - sends events as VK does: each until it is answered ok.
 *
 *	vk-sender PORT GROUP SECRET BOOK CONVERSATIONS MS SECONDS STOP
 *
 * A process for each conversation (peer 1, 2, ...) sends test_task events
 * (tests/handlers/task.c) one after the other; a handler takes up to MS.
 * Another process, peer 666, sends a few events that crash their handler. A
 * failed event is sent again, at growing intervals, as by VK. Once the file
 * STOP exists, no new event is sent. Prints "PEER SEQ TRIES" for each accepted
 * event. Status 1: some event was not accepted within SECONDS.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define POISON 666
#define POISON_EVENTS 3

static const char *group, *secret, *book, *stop;
static int port, most_ms;
static time_t end;

static int
dial(void)
{
	const struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_port = htons((unsigned short)port),
		.sin_addr = { htonl(INADDR_LOOPBACK) },
	};
	const struct timeval limit = { .tv_sec = 3 };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd == -1)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	if (connect(fd, (const struct sockaddr *)&to, sizeof(to)) == 0)
		return fd;
	close(fd);
	return -1;
}

/* Whether the answer is 200 and exactly ok. */
static bool
ask(const char *body, int retry)
{
	char request[2048], answer[1024];
	size_t got = 0;
	ssize_t n;
	int fd = dial(), len;

	if (fd == -1)
		return false;
	len = snprintf(request, sizeof(request), "POST /callback HTTP/1.0\r\n"
	    "Host: localhost\r\nContent-Type: application/json\r\n"
	    "Content-Length: %zu\r\nX-Retry-Counter: %d\r\n\r\n%s",
	    strlen(body), retry, body);
	if (send(fd, request, (size_t)len, MSG_NOSIGNAL) == len)
		while (got < sizeof(answer) - 1 && (n = recv(fd, answer + got,
		    sizeof(answer) - 1 - got, 0)) > 0)
			got += (size_t)n;
	close(fd);
	answer[got] = '\0';
	return strncmp(answer, "HTTP/1.", 7) == 0 &&
	    strncmp(answer + 8, " 200 ", 5) == 0 && got > 6 &&
	    strcmp(answer + got - 6, "\r\n\r\nok") == 0;
}

static bool
deliver(int peer, int seq)
{
	char body[1024], line[64];
	struct timespec pause = { 0, 0 };
	int tries, len;

	snprintf(body, sizeof(body), "{\"type\":\"test_task\",\"group_id\":%s,"
	    "\"event_id\":\"%d-%d\",\"v\":\"5.199\",\"secret\":\"%s\","
	    "\"object\":{\"book\":\"%s\",\"peer_id\":%d,\"seq\":%d,"
	    "\"do\":\"%s\",\"ms\":%d}}", group, peer, seq, secret, book, peer,
	    seq, peer == POISON ? "crash" : "ok", rand() % (most_ms + 1));
	for (tries = 0; !ask(body, tries); tries++) {
		if (time(NULL) > end)
			return false;
		pause.tv_nsec = tries < 8 ? 2000000L << tries : 500000000L;
		nanosleep(&pause, NULL);
	}
	len = snprintf(line, sizeof(line), "%d %d %d\n", peer, seq, tries + 1);
	return write(STDOUT_FILENO, line, (size_t)len) == len;
}

static int
converse(int peer)
{
	int seq;

	srand((unsigned int)(peer * 7919 + getpid()));
	for (seq = 1; access(stop, F_OK) == -1 && (peer != POISON ||
	    seq <= POISON_EVENTS); seq++)
		if (!deliver(peer, seq))
			return 1;
	return 0;
}

int
main(int argc, char **argv)
{
	int conversations, status, failed = 0, peer;

	if (argc != 9)
		return 2;
	port = (int)strtol(argv[1], NULL, 10);
	group = argv[2];
	secret = argv[3];
	book = argv[4];
	conversations = (int)strtol(argv[5], NULL, 10);
	most_ms = (int)strtol(argv[6], NULL, 10);
	end = time(NULL) + strtol(argv[7], NULL, 10);
	stop = argv[8];
	for (peer = 0; peer <= conversations; peer++)
		if (fork() == 0)
			_exit(converse(peer == 0 ? POISON : peer));
	while (wait(&status) > 0)
		failed |= status != 0;
	return failed;
}
