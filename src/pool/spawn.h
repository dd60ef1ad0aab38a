/* spawn.h - starting a family of workers from a web server's program. */
#ifndef SPAWN_H
#define SPAWN_H

struct program;

/*
 * Starts a family that works until the inbox is empty: it shares nothing with
 * the web server, and lives on when that ends. 0, or -1 with errno.
 */
int spawn_pool(const struct program *, const char *conf_path);

#endif
