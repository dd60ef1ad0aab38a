/* loadtest.h - the same small job many times, by several processes at once. */
#ifndef LOADTEST_H
#define LOADTEST_H

/* Does job number nth and tells how long it took; an exit status. */
typedef int loadtest_fn(void *arg, int nth, double *ms);

/*
 * Runs `count` jobs in `parallel` processes, with a progress bar on a terminal,
 * and prints how long they took. The exit status: 0 if all jobs had 0.
 */
int loadtest_run(int count, int parallel, loadtest_fn *, void *arg);

#endif
