/* host.h - the web server at the other end: as FastCGI or as CGI. */
#ifndef HOST_H
#define HOST_H

#include <stdbool.h>

struct receiver;

/* Is descriptor 0 a listening socket, as under FastCGI? */
bool fastcgi_is_host(void);

/*
 * Serves until SIGTERM, SIGUSR1 or SIGINT; the current request is answered
 * first. Returns the exit status.
 */
int fastcgi_serve(struct receiver *);

/* Was the program started for one request, as under CGI? */
bool cgi_is_host(void);

/* Answers that one request. Returns the exit status. */
int cgi_serve(struct receiver *);

/* Answers 503: the program could not read its configuration. */
void cgi_send_unconfigured(void);

#endif
