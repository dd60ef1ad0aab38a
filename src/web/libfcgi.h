/* libfcgi.h - what is no plain request of a web server, by libfcgi. */
#ifndef LIBFCGI_H
#define LIBFCGI_H

#include "web/receive.h"

/* Answers what stands in these bytes of a peer; keeps the peer open. */
void libfcgi_serve(struct receiver *, int peer, const char *bytes, size_t len);

#endif
