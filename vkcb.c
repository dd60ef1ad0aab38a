/*
 * vkcb.c - the map of the program.
 *
 * A web server starts vkcb to serve: as FastCGI with a listening socket for
 * descriptor 0, as CGI for one request. A person starts it with a command.
 *
 * One request goes through these files, from top to bottom:
 *
 *	src/fastcgi.c, src/cgi.c  the web server: a request in, an answer out
 *	src/receive.c             the checks, in the order of the manual
 *	  src/conf.c              the groups and their secrets; and
 *	                          src/conf_watch.c when they were changed
 *	  src/envelope.c          type, group, secret, object of a body
 *	    src/json.c            strict JSON
 *	  src/inbox.c             where events wait, if there is an inbox
 *	  src/family.c            wakes the workers; src/spawn.c starts some, of
 *	    src/program.c         the program that is there now
 *	src/event.c               calls the handlers, sums up their outcomes
 *	  src/handlers.c          the table of handlers/
 *	  src/decode.c            JSON into the structs of vkcb.h
 *	  src/call.c              a handler's calls to VK, src/message.c and
 *	                          src/keyboard.c what is built on them
 *	    src/api.c             one call: src/form.c the parameters,
 *	                          src/rate.c its turn, src/post.c the wire
 *	      src/curl.c          libcurl, loaded by the first call
 *	src/http.c                the header of the answer
 *
 * With an inbox, workers call the handlers after the answer: src/work.c is
 * their parent, src/worker.c one of them. The store of the inbox is
 * src/inbox_sqlite.c, with src/inbox_put.c (responders), src/inbox_queue.c
 * (workers), src/inbox_look.c (operators) and src/inbox_row.c (statements).
 *
 * What all of them use: src/arena.c (memory of one request), src/log.c.
 * JSON made, not read: src/json_text.c. What stands for bytes: src/hash.c.
 * Files read whole: src/file.c.
 * The catalogue, read by many: src/events.def, src/objects.def.
 * The commands: src/command.c, one src/cmd_NAME.c each.
 */
#include "vkcb.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "src/command.h"
#include "src/conf.h"
#include "src/host.h"
#include "src/inbox.h"
#include "src/receive.h"

#include "src/banned.h"

/*
 * A web server may start a program without standard output or errors: a
 * connection or the answer would take their numbers, and log lines go there.
 * What a command prints to no standard output is an error, as on a full disk.
 */
static void
open_standard_fds(void)
{
	int fd;

	for (fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) == -1)
			(void)!open("/dev/null", fd == STDOUT_FILENO ?
			    O_RDONLY : O_RDWR);
}

/* NULL: it was said why the program cannot serve. */
static struct conf *
configure(void)
{
	char error[INBOX_ERROR_MAX];
	struct conf *conf = command_configure();

	if (conf == NULL)
		return NULL;
	if (command_open_log(conf) == -1)
		goto bad;
	/* What it lacks must not be found out by the first event. */
	if (conf->inbox == NULL || inbox_check(error) == 0)
		return conf;
	command_fail("configuration", "%s", error);
bad:
	conf_free(conf);
	return NULL;
}

static int
serve(int (*host)(struct receiver *), void (*apologize)(void))
{
	struct receiver receiver;
	struct conf *conf = configure();
	int status;

	if (conf == NULL) {
		if (apologize != NULL)
			apologize();
		return EXIT_PROBLEM;
	}
	receiver_init(&receiver, conf);
	status = host(&receiver);
	receiver_release(&receiver);
	return status;
}

/*
 * The web server first: a CGI program may get a visitor's query as its
 * arguments, and must not take them for a command.
 */
int
main(int argc, char **argv)
{
	open_standard_fds();
	/* Where it is inherited as ignored, no end of a child can be seen. */
	(void)signal(SIGCHLD, SIG_DFL);
	if (fastcgi_is_host())
		return serve(fastcgi_serve, NULL);
	if (cgi_is_host())
		return serve(cgi_serve, cgi_apologize);
	return command_run(argc, argv);
}
