/*
 * fcgi.c - a FastCGI client that takes any actions, including those of no web
 * server, one after the other on one connection to a unix socket:
 *
 *	fcgi SOCKET ACTION ...
 *
 *	keep		requests from here on ask to keep the connection
 *	post FILE	a whole request with FILE for its body
 *	head LENGTH	begins a request that promises a body of LENGTH bytes
 *	part FILE	a piece of the body
 *	end		the end of the body
 *	raw FILE	bytes as they are, as many as the other side takes
 *	answer		reads an answer and prints it
 *	closed		waits until the other side closes the connection
 *	crowd N		opens N more connections, which stay silent
 *	make FILE	makes an empty file, to tell others how far it is
 *	await FILE	waits until a file is there
 *
 * Status 1: an answer is missing or the connection ended early. The time limit
 * for everything is 30 s.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum {
	BEGIN = 1, END = 3, PARAMS = 4, STDIN = 5, STDOUT = 6, STDERR = 7,
	VALUES = 10
};

#define RECORD_MAX 65535
#define FILE_MAX (16 << 20)

static int
fail(const char *what)
{
	fprintf(stderr, "fcgi: %s: %s\n", what, strerror(errno));
	return -1;
}

static int
dial(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (fd == -1 || connect(fd, (struct sockaddr *)&address,
	    sizeof(address)) == -1)
		return fail(path);
	return fd;
}

static int
send_all(int fd, const void *bytes, size_t len)
{
	const char *at = bytes;
	ssize_t sent;

	for (; len > 0; at += sent, len -= (size_t)sent) {
		sent = send(fd, at, len, MSG_NOSIGNAL);
		if (sent == -1)
			return fail("send");
	}
	return 0;
}

static int
send_record(int fd, int type, const void *bytes, size_t len)
{
	const unsigned char header[8] = { 1, (unsigned char)type, 0, 1,
	    (unsigned char)(len >> 8), (unsigned char)len };

	if (send_all(fd, header, sizeof(header)) == -1)
		return -1;
	return send_all(fd, bytes, len);
}

static int
send_param(int fd, const char *name, const char *value)
{
	char pair[256];
	int len = snprintf(pair, sizeof(pair), "%c%c%s%s", (int)strlen(name),
	    (int)strlen(value), name, value);

	return send_record(fd, PARAMS, pair, (size_t)len);
}

static int
send_head(int fd, const char *length, bool keep)
{
	const unsigned char begin[8] = { 0, 1, keep };

	if (send_record(fd, BEGIN, begin, sizeof(begin)) == -1 ||
	    send_param(fd, "REQUEST_METHOD", "POST") == -1 ||
	    send_param(fd, "CONTENT_LENGTH", length) == -1)
		return -1;
	return send_record(fd, PARAMS, "", 0);
}

static char *
read_file(const char *path, size_t *len)
{
	char *bytes = malloc(FILE_MAX);
	FILE *file = fopen(path, "r");

	if (bytes == NULL || file == NULL) {
		fail(path);
		exit(1);
	}
	*len = fread(bytes, 1, FILE_MAX, file);
	fclose(file);
	return bytes;
}

static int
send_file(int fd, const char *path)
{
	size_t len, at, piece;
	char *bytes = read_file(path, &len);
	int result = 0;

	for (at = 0; at < len && result == 0; at += piece) {
		piece = len - at < RECORD_MAX ? len - at : RECORD_MAX;
		result = send_record(fd, STDIN, bytes + at, piece);
	}
	free(bytes);
	return result;
}

static int
send_raw(int fd, const char *path)
{
	size_t len;
	char *bytes = read_file(path, &len);
	ssize_t sent;
	size_t at;

	for (at = 0; at < len; at += (size_t)sent) {
		sent = send(fd, bytes + at, len - at, MSG_NOSIGNAL);
		if (sent == -1)
			break;
	}
	free(bytes);
	return 0;
}

static int
post(int fd, const char *path, bool keep)
{
	char length[24];
	size_t len;

	free(read_file(path, &len));
	snprintf(length, sizeof(length), "%zu", len);
	if (send_head(fd, length, keep) == -1 || send_file(fd, path) == -1)
		return -1;
	return send_record(fd, STDIN, "", 0);
}

static int
read_all(int fd, void *into, size_t size)
{
	char *at = into;
	ssize_t got;

	for (; size > 0; at += got, size -= (size_t)got) {
		got = read(fd, at, size);
		if (got > 0)
			continue;
		if (got == 0)
			errno = ECONNRESET;
		return fail("answer");
	}
	return 0;
}

static int
print_answer(int fd)
{
	static unsigned char content[RECORD_MAX + 256];
	unsigned char header[8];
	size_t len;

	for (;;) {
		if (read_all(fd, header, sizeof(header)) == -1)
			return -1;
		len = (size_t)header[4] << 8 | header[5];
		if (read_all(fd, content, len + header[6]) == -1)
			return -1;
		if (header[1] == STDOUT || header[1] == VALUES)
			fwrite(content, 1, len, stdout);
		if (header[1] != END)
			continue;
		putchar('\n');
		fflush(stdout);
		return 0;
	}
}

static int
await_close(int fd)
{
	char byte;
	ssize_t got;

	do
		got = read(fd, &byte, 1);
	while (got > 0);
	return got == 0 || errno == ECONNRESET ? 0 : fail("close");
}

static int
make_file(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT, 0666);

	return fd == -1 ? fail(path) : close(fd);
}

static int
await_file(const char *path)
{
	static const struct timespec tick = { .tv_nsec = 10000000 };

	while (access(path, F_OK) == -1)
		nanosleep(&tick, NULL);
	return 0;
}

static int
crowd(const char *path, const char *n)
{
	long left = strtol(n, NULL, 10);

	for (; left > 0; left--)
		if (dial(path) == -1)
			return -1;
	return 0;
}

/* Does the action argv[0]. Returns the number of words used; -1: it failed. */
static int
act(const char *path, int fd, char **argv, bool *keep)
{
	const char *action = argv[0], *arg = argv[1];
	int result;

	if (strcmp(action, "keep") == 0) {
		*keep = true;
		return 1;
	}
	if (strcmp(action, "end") == 0)
		return send_record(fd, STDIN, "", 0) == 0 ? 1 : -1;
	if (strcmp(action, "answer") == 0)
		return print_answer(fd) == 0 ? 1 : -1;
	if (strcmp(action, "closed") == 0)
		return await_close(fd) == 0 ? 1 : -1;
	errno = EINVAL;
	if (arg == NULL)
		return fail(action);
	result = strcmp(action, "post") == 0 ? post(fd, arg, *keep) :
	    strcmp(action, "head") == 0 ? send_head(fd, arg, *keep) :
	    strcmp(action, "part") == 0 ? send_file(fd, arg) :
	    strcmp(action, "raw") == 0 ? send_raw(fd, arg) :
	    strcmp(action, "crowd") == 0 ? crowd(path, arg) :
	    strcmp(action, "make") == 0 ? make_file(arg) :
	    strcmp(action, "await") == 0 ? await_file(arg) : fail(action);
	return result == 0 ? 2 : -1;
}

int
main(int argc, char **argv)
{
	bool keep = false;
	int fd, took, i;

	if (argc < 2)
		return 2;
	alarm(30);
	fd = dial(argv[1]);
	if (fd == -1)
		return 1;
	for (i = 2; i < argc; i += took) {
		took = act(argv[1], fd, argv + i, &keep);
		if (took == -1)
			return 1;
	}
	return 0;
}
