/*
 * stop.c - the one list of stop signals. Nothing can fail.
 */
#include "stop.h"

#include <stddef.h>

#include "banned.h"

void
stop_block(sigset_t *set)
{
	static const int stops[] = { SIGTERM, SIGUSR1, SIGINT };
	size_t i;

	for (i = 0; i < sizeof(stops) / sizeof(stops[0]); i++) {
		sigaddset(set, stops[i]);
		/* An ignored signal, as after `vkcb &`, is never pending. */
		signal(stops[i], SIG_DFL);
	}
	(void)sigprocmask(SIG_SETMASK, set, NULL);
}
