/* online.h - `vkcb check --online`: what VK says of a group and its server. */
#ifndef ONLINE_H
#define ONLINE_H

struct conf;
struct conf_group;

/*
 * Prints what it finds, each with what to do. The exit status: EXIT_ERROR if
 * something would keep events from arriving.
 */
int online_check(const struct conf *, const struct conf_group *);

#endif
