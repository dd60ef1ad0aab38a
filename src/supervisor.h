/*
 * supervisor.h - between a process and its supervisor: the signals that stop
 * the process (SIGTERM, SIGINT, and SIGUSR1, which web servers send), and
 * systemd's readiness protocol.
 */
#ifndef SUPERVISOR_H
#define SUPERVISOR_H

#include <signal.h>

/*
 * Blocks the stop signals and those in the set, and no others; ignores SIGPIPE.
 * The set gets all that are blocked.
 */
void supervisor_block_stops(sigset_t *set);

/* "READY=1", "STOPPING=1": see sd_notify(3). Without systemd: nothing. */
void supervisor_notify(const char *state);

#endif
