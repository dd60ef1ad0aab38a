/*
 * stop.h - the signals that stop a process: SIGTERM, SIGINT, and SIGUSR1, which
 * web servers send.
 */
#ifndef STOP_H
#define STOP_H

#include <signal.h>

/*
 * Blocks the stop signals and those in the set, and no others. The set gets all
 * of them.
 */
void stop_block(sigset_t *set);

#endif
