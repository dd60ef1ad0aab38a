/* spawn.h - starting a family of workers from a web server's program. */
#ifndef SPAWN_H
#define SPAWN_H

#include <stdbool.h>

struct program;

/*
 * Starts a family that works until the inbox is empty: it shares nothing with
 * the web server, and lives on when that ends. is_cgi: standard error is kept
 * only if it is a file. 0, or -1 with errno.
 */
int spawn_pool(const struct program *, const char *conf_path, bool is_cgi);

#endif
