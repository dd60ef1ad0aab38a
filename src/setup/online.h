/* online.h - `vkcb check --online`: what VK says of a group and its servers. */
#ifndef ONLINE_H
#define ONLINE_H

struct conf;
struct conf_group;

/*
 * Prints each finding with what to do about it. 0, or -1: something keeps
 * events from arriving.
 */
int online_check(const struct conf *, const struct conf_group *);

#endif
