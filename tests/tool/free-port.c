/* free-port.c - prints a TCP port of 127.0.0.1 that nobody listens on. */
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>

int
main(void)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd == -1 ||
	    bind(fd, (struct sockaddr *)&address, sizeof(address)) == -1 ||
	    getsockname(fd, (struct sockaddr *)&address, &len) == -1)
		return 1;
	printf("%d\n", ntohs(address.sin_port));
	return 0;
}
