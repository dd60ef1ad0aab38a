/*
 * vkcb.c - the map of the program.
 *
 * A web server starts vkcb to serve: as FastCGI with a listening socket for
 * descriptor 0, as CGI for one request. A person starts it with a command.
 *
 * src/ has a folder for each part. Arrows run down: a part includes what is
 * listed below it, and the ground floor.
 *
 *	src/command/  the commands: one cmd_NAME.c each, command.c picks one
 *	src/setup/    `vkcb setup`, `check --online`: servers at VK
 *	src/web/      a request in, an answer out: fastcgi.c and cgi.c are the
 *	              hosts; receive.c checks in the order of the manual, then
 *	              calls confirm.c, enqueue.c or the handlers
 *	src/pool/     the workers of an inbox: parent.c keeps them, worker.c is
 *	              one, pool.c has their locks, program.c starts
 *	              a pool for an event
 *	src/inbox/    where events wait: inbox.h is the interface; store.c is
 *	              the one in SQLite, put.c writes an event, queue.c is for
 *	              workers, admin.c for operators
 *	src/handler/  the functions that a handler calls: call.c, message.c, ...
 *	src/event/    envelope.c finds type, group, secret and object; event.c
 *	              calls the handlers; decode.c makes the structs of vkcb.h
 *	src/vk/       one call of VK: api.c, with rate.c before http_post.c
 *	src/conf/     conf.c reads vkcb.conf, its keys are a table there;
 *	              conf_watch.c sees changes; keys.c is what setup stored
 *	src/json/     strict JSON: checked, made into trees, written
 *
 * The ground floor, src/NAME.c: arena.c (memory of one request), log.c,
 * notify.c (systemd is told how a service is),
 * file.c, private_file.c (a file of ours, and nothing put in its place),
 * library.c (libraries that are loaded at run time),
 * clock.h, hash.c, owner.c, report.c (an error for a person), stop.c, wipe.c,
 * nearest.c, number.c (integers in text), buffer.c (bytes that grow), utf8.c.
 * The catalogue, read by many: src/events.def, src/objects.def.
 */
#include "vkcb.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "src/command/command.h"
#include "src/conf/conf.h"
#include "src/web/host.h"
#include "src/inbox/inbox.h"
#include "src/web/receive.h"

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
main_configure(void)
{
	char error[INBOX_ERROR_MAX];
	struct conf *conf = command_configure();

	if (conf == NULL)
		return NULL;
	if (command_open_log(conf) == -1)
		goto bad;
	/* What it lacks must not be found out by the first event. */
	if (conf->inbox == NULL || inbox_check(conf->inbox, error) == 0)
		return conf;
	report_fail("configuration", "%s", error);
bad:
	conf_free(conf);
	return NULL;
}

static int
serve(int (*host)(struct receiver *), void (*apologize)(void))
{
	struct receiver receiver;
	struct conf *conf = main_configure();
	int status;

	if (conf == NULL) {
		if (apologize != NULL)
			apologize();
		return EXIT_ERROR;
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
		return serve(cgi_serve, cgi_send_unconfigured);
	return command_run(argc, argv);
}
