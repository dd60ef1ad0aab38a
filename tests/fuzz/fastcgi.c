/*
 * fastcgi.c - any bytes as what a web server sends on a connection: records of
 * FastCGI, well formed or not.
 *
 * The first byte says how the others are taken: as they are, or each as a
 * record's type, id, padding and length, with the contents behind it. The other
 * side reads only whole records, and then the end.
 */
#include <assert.h>
#include <fastcgi.h>
#include <sanitizer/lsan_interface.h>
#include <setjmp.h>
#include <stdlib.h>

#include "event/catalogue.h"
#include "src/web/fastcgi.c"

int LLVMFuzzerInitialize(int *, char ***);
int LLVMFuzzerTestOneInput(const unsigned char *, size_t);

/*
 * Two faults of libfcgi 2.4.2 are stepped over. A management record of an
 * unknown type leaks 48 bytes. A parameter of over 2 GiB is too much for its
 * malloc(), and an assertion of its own ends the process.
 */
const char *__lsan_default_suppressions(void);
const char *__asan_default_options(void);

const char *
__lsan_default_suppressions(void)
{
	return "leak:libfcgi";
}

const char *
__asan_default_options(void)
{
	return "allocator_may_return_null=1:max_allocation_size_mb=64:"
	    "print_suppressions=0";
}

static jmp_buf ended;

void
__assert_fail(const char *claim, const char *file, unsigned int line,
    const char *function)
{
	(void)line;
	(void)function;
	if (strstr(file, "fcgiapp.c") == NULL || strstr(claim, "size") == NULL)
		abort();
	longjmp(ended, 1);
}

static enum vkcb_outcome
take(struct vkcb_event *ev)
{
	return ev->retry_counter % 2 == 0 ? VKCB_OK : VKCB_FAIL;
}

static const struct vkcb_handler any = { ON(any, take) };

/* Fuzz entries have their own table of handlers. */
const struct handler handlers[] = { { "any", &any }, { NULL, NULL } };
const size_t n_handlers = 1;

static struct receiver receiver;
static struct fastcgi host = { .receiver = &receiver, .signals = -1 };

static void
assert_true(bool good)
{
	if (!good)
		abort();
}

/* Looking for leaks after each input that leaks in libfcgi takes too long. */
static void
look_for_leaks_seldom(int *argc, char ***argv)
{
	static char *with[64], option[] = "-detect_leaks=0";

	assert_true(*argc + 2 < 64);
	memcpy(with, *argv, (size_t)*argc * sizeof(*with));
	with[(*argc)++] = option;
	*argv = with;
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const char text[] = "[vkcb]\nbody_timeout = 2s\n"
	    "[default]\nsecret = none\nconfirmation = 693d0ba9\n"
	    "[group 219876543]\nsecret = Kf7vQ2mXw9aLcR4t\n"
	    "confirmation = 7d1a2b3c\n";
	struct conf_refused refused;
	struct conf *conf;

	look_for_leaks_seldom(argc, argv);
	conf = conf_parse("/nowhere/vkcb.conf", text, sizeof(text) - 1,
	    &refused);
	host.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (conf == NULL || log_open("/dev/null", LOG_LEVEL_INFO) == -1 ||
	    host.epoll == -1)
		abort();
	receiver_init(&receiver, conf);
	receiver.conf_fixed = true;
	return 0;
}

/* Records: four bytes each, and their contents. */
static void
send_records(int fd, const unsigned char *data, size_t size)
{
	static const unsigned char padding[255];
	unsigned char header[8] = { 1 };
	size_t len;

	while (size >= 4) {
		len = (size_t)data[2] << 8 | data[3];
		header[1] = data[0] & 15;
		header[3] = data[0] >> 7 == 0;	/* the request's id: 1 or 0 */
		header[4] = data[2];
		header[5] = data[3];
		header[6] = data[1];
		data += 4;
		size -= 4;
		if (len > size)
			len = size;
		(void)!send(fd, header, 8, MSG_DONTWAIT | MSG_NOSIGNAL);
		(void)!send(fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL);
		(void)!send(fd, padding, header[6],
		    MSG_DONTWAIT | MSG_NOSIGNAL);
		data += len;
		size -= len;
	}
}

/* Whole records of a kind that an application sends, and their end. */
static void
read_records(int fd)
{
	static unsigned char all[1 << 20];
	size_t len = 0, at = 0;
	ssize_t got;

	while ((got = recv(fd, all + len, sizeof(all) - len,
	    MSG_DONTWAIT)) > 0)
		len += (size_t)got;
	assert_true(got == 0 || errno == ECONNRESET);
	while (got == 0 && at < len) {
		assert_true(len - at >= 8 && all[at] == 1);
		assert_true(all[at + 1] == FCGI_END_REQUEST ||
		    all[at + 1] == FCGI_STDOUT || all[at + 1] == FCGI_STDERR ||
		    all[at + 1] == FCGI_GET_VALUES_RESULT ||
		    all[at + 1] == FCGI_UNKNOWN_TYPE);
		at += 8 + ((size_t)all[at + 4] << 8 | all[at + 5]) +
		    all[at + 6];
		assert_true(at <= len);
	}
}

int
LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	static unsigned int runs;
	int ends[2], room = 1 << 20;

	assert_true(++runs % 10000 != 0 ||
	    __lsan_do_recoverable_leak_check() == 0);
	if (size == 0)
		return 0;
	assert_true(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
	    ends) == 0);
	(void)setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	(void)setsockopt(ends[1], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	if (data[0] % 2 == 0)
		(void)!send(ends[0], data + 1, size - 1,
		    MSG_DONTWAIT | MSG_NOSIGNAL);
	else
		send_records(ends[0], data + 1, size - 1);
	(void)shutdown(ends[0], SHUT_WR);
	put_aside(&host, ends[1]);
	if (setjmp(ended) == 0) {
		while (host.n_idle > 0)
			serve_kept(&host, host.idle[0]);
		read_records(ends[0]);
		close(ends[0]);
	} else {
		/* Those of this connection were opened last. */
		(void)close_range((unsigned int)ends[0], ~0U, 0);
		host.n_idle = 0;
	}
	return 0;
}
