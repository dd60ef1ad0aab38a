/*
 * slow-names.c - loaded before a program (LD_PRELOAD), delays name resolution
 * by half a minute.
 */
#include <netdb.h>
#include <unistd.h>

int
getaddrinfo(const char *node, const char *service,
    const struct addrinfo *hints, struct addrinfo **result)
{
	(void)node;
	(void)service;
	(void)hints;
	*result = NULL;
	sleep(30);
	return EAI_AGAIN;
}
