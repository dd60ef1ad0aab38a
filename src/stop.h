/*
 * stop.h - the signals that ask a process to leave: SIGTERM, SIGUSR1, which web
 * servers send, and SIGINT.
 */
#ifndef STOP_H
#define STOP_H

#include <signal.h>

/*
 * From now on these, and those in the set, are blocked, and no others: they
 * stay pending. The set gets all of them.
 */
void stop_block(sigset_t *set);

#endif
