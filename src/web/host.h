/* host.h - the web server at the other end: as FastCGI or as CGI. */
#ifndef HOST_H
#define HOST_H

#include <stdbool.h>

struct receiver;

/* Is descriptor 0 a listening socket? Then the web server speaks FastCGI. */
bool fastcgi_is_host(void);

/*
 * Serves until SIGTERM, SIGUSR1 or SIGINT; a request in hand is answered
 * first. The exit status.
 */
int fastcgi_serve(struct receiver *);

/* Was the program started for one request, as CGI? */
bool cgi_is_host(void);

/* Answers that one request. The exit status. */
int cgi_serve(struct receiver *);

/* For a CGI program that cannot even read its configuration: a 503. */
void cgi_send_unconfigured(void);

#endif
