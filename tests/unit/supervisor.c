/* supervisor.c - systemd is notified if it asks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "supervisor.h"

static void
the_socket_that_systemd_names_gets_the_state(void **state)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	char got[64];
	ssize_t len;
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	(void)state;
	snprintf(at.sun_path, sizeof(at.sun_path), "/tmp/vkcb-notify.%ld",
	    (long)getpid());
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	setenv("NOTIFY_SOCKET", at.sun_path, 1);
	supervisor_notify("READY=1");
	len = recv(fd, got, sizeof(got), MSG_DONTWAIT);
	unlink(at.sun_path);
	assert_int_equal(len, 7);
	assert_memory_equal(got, "READY=1", 7);
	close(fd);
}

static void
without_systemd_nothing_happens(void **state)
{
	(void)state;
	unsetenv("NOTIFY_SOCKET");
	supervisor_notify("READY=1");
	setenv("NOTIFY_SOCKET", "/nowhere/at/all", 1);
	supervisor_notify("READY=1");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_socket_that_systemd_names_gets_the_state),
		cmocka_unit_test(without_systemd_nothing_happens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
