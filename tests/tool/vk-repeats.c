/*
 * vk-repeats.c - sends events again and again, as if their answers were lost.
 *
 *	vk-repeats PORT GROUP SECRET BOOK FIRST EVENTS SENDS MS SECONDS
 *
 * Eight processes send SENDS test_task events (tests/handlers/task.c) in all,
 * each one of EVENTS from peer FIRST on, at random. A handler takes up to MS.
 * Then every event is sent until it is answered ok. Prints how many were
 * answered ok and how many were not. Status 1: some event was not accepted
 * within SECONDS.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SENDERS 8

static struct counts {
	atomic_int left, ok, refused, next;
} *counts;

static const char *group, *secret, *book;
static int port, first, events, most_ms;
static time_t end;

static int
dial(void)
{
	const struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_port = htons((unsigned short)port),
		.sin_addr = { htonl(INADDR_LOOPBACK) },
	};
	const struct timeval limit = { .tv_sec = 5 };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd == -1)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	if (connect(fd, (const struct sockaddr *)&to, sizeof(to)) == 0)
		return fd;
	close(fd);
	return -1;
}

/* Whether the answer is 200 and exactly ok. */
static bool
ask(const char *body)
{
	char request[2048], answer[1024];
	size_t got = 0;
	ssize_t n;
	int fd = dial(), len;
	bool good;

	if (fd == -1)
		return false;
	len = snprintf(request, sizeof(request), "POST /callback HTTP/1.0\r\n"
	    "Host: localhost\r\nContent-Type: application/json\r\n"
	    "Content-Length: %zu\r\n\r\n%s", strlen(body), body);
	if (send(fd, request, (size_t)len, MSG_NOSIGNAL) == len)
		while (got < sizeof(answer) - 1 && (n = recv(fd, answer + got,
		    sizeof(answer) - 1 - got, 0)) > 0)
			got += (size_t)n;
	close(fd);
	answer[got] = '\0';
	good = strncmp(answer, "HTTP/1.", 7) == 0 &&
	    strncmp(answer + 8, " 200 ", 5) == 0 && got > 6 &&
	    strcmp(answer + got - 6, "\r\n\r\nok") == 0;
	atomic_fetch_add(good ? &counts->ok : &counts->refused, 1);
	return good;
}

static bool
send_event(int event)
{
	char body[1024];

	snprintf(body, sizeof(body), "{\"type\":\"test_task\",\"group_id\":%s,"
	    "\"event_id\":\"%d-1\",\"v\":\"5.199\",\"secret\":\"%s\","
	    "\"object\":{\"book\":\"%s\",\"peer_id\":%d,\"seq\":1,"
	    "\"do\":\"ok\",\"ms\":%d}}", group, event, secret, book, event,
	    rand() % (most_ms + 1));
	return ask(body);
}

/* 0: every event was accepted in the end. */
static int
send_all(int sender)
{
	const struct timespec pause = { .tv_nsec = 20000000 };
	int event;

	srand((unsigned int)(sender * 7919 + getpid()));
	while (atomic_fetch_sub(&counts->left, 1) > 0)
		(void)send_event(first + rand() % events);
	while ((event = atomic_fetch_add(&counts->next, 1)) < first + events)
		while (!send_event(event)) {
			if (time(NULL) > end)
				return 1;
			nanosleep(&pause, NULL);
		}
	return 0;
}

int
main(int argc, char **argv)
{
	int i, status, failed = 0;

	if (argc != 10)
		return 2;
	port = (int)strtol(argv[1], NULL, 10);
	group = argv[2];
	secret = argv[3];
	book = argv[4];
	first = (int)strtol(argv[5], NULL, 10);
	events = (int)strtol(argv[6], NULL, 10);
	most_ms = (int)strtol(argv[8], NULL, 10);
	end = time(NULL) + strtol(argv[9], NULL, 10);
	counts = mmap(NULL, sizeof(*counts), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (counts == MAP_FAILED)
		return 2;
	counts->left = (int)strtol(argv[7], NULL, 10);
	counts->next = first;
	for (i = 0; i < SENDERS; i++)
		if (fork() == 0)
			_exit(send_all(i));
	while (wait(&status) > 0)
		failed |= status != 0;
	printf("%d ok, %d not\n", counts->ok, counts->refused);
	return failed;
}
