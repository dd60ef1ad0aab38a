/*
 * hold.c - a handler that waits, for tests of events during a run. The text
 * "hold PATH" makes the file PATH.held, then waits up to 20 s for PATH.go.
 */
#include "vkcb.h"

#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define TICKS 2000

static enum vkcb_outcome
hold(struct vkcb_event *ev, const struct vk_message_new *new)
{
	static const struct timespec tick = { .tv_nsec = 10000000 };
	const char *text = new->message->text;
	char path[4096];
	int fd, i;

	if (strncmp(text, "hold ", 5) != 0)
		return VKCB_OK;
	snprintf(path, sizeof(path), "%s.held", text + 5);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
	if (fd == -1)
		return VKCB_FAIL;
	close(fd);
	snprintf(path, sizeof(path), "%s.go", text + 5);
	for (i = 0; i < TICKS && access(path, F_OK) == -1; i++)
		nanosleep(&tick, NULL);
	vkcb_log(ev, "let go");
	return VKCB_OK;
}

const struct vkcb_handler handler_hold = {
	ON(message_new, hold),
	.summary = "waits when the text is hold PATH",
};
