/*
 * vkcb.c - the map of the program.
 *
 * A web server starts vkcb to serve: as FastCGI with a listening socket for
 * descriptor 0, as CGI for one request. A person starts it with a command.
 *
 * src/ has a folder for each part. Arrows run down: a part includes the parts
 * listed below it, and the ground floor.
 *
 *	src/command/  command.c picks a command, each is a file cmd_NAME.c
 *	src/setup/    `vkcb setup` and `check --online`: a group's server at VK
 *	src/web/      a request in, an answer out. Hosts: cgi.c; fastcgi.c, for
 *	              which records.c reads, and libfcgi.c what is unusual.
 *	              receive.c checks in the order of the manual, and compares
 *	              the secret (check_secret); then confirm.c answers, or
 *	              enqueue.c stores, or the handlers run at once, if
 *	              repeats.c does not know the event as done
 *	src/pool/     the workers of an inbox: worker.c runs tasks, and arms the
 *	              timer that kills it at a handler's timeout; parent.c
 *	              replaces workers; pool.c has the locks; program.c starts
 *	              a pool for an event, and follows a replaced binary
 *	src/inbox/    events that wait: inbox.h is the interface. In SQLite:
 *	              put.c writes an event to disk, queue.c is for workers,
 *	              admin.c for commands, row.c checks what is read, store.c
 *	              opens and commits, files.c checks the owners of its
 *	              files and keeps a reserve.
 *	src/handler/  the functions that handlers call: call.c, message.c,
 *	              keyboard.c, payload.c
 *	src/event/    envelope.c finds type, group, secret and object; event.c
 *	              calls the handlers; decode.c fills the structs of vkcb.h
 *	src/vk/       a call of VK's API: api.c, within rate.c's limit, through
 *	              http_post.c
 *	src/conf/     vkcb.conf. A key is a row in the table of conf.c and a
 *	              field in conf.h; ini.c is the syntax, conf_value.c the
 *	              values; keys.c is setup's file, and memory for secrets
 *	src/json/     strict JSON: check.c, read along: walk.c, 16 bytes at a
 *	              time: scan.h; trees of json-c: tree.c
 *
 * The ground floor, src/NAME.c:
 *
 *	errors        log.c, report.c (a command's, with "did you mean")
 *	files         file.c (no links), owner.c (root becomes the owner)
 *	memory        arena.c (of one request), buffer.c
 *	others        text.c, hash.h, clock.h, supervisor.c (signals,
 *	              systemd), library.c (loaded when needed)
 *
 * The catalogue of VK's events: src/events.def, src/objects.def.
 */
#include "vkcb.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "src/command/command.h"
#include "src/conf/conf.h"
#include "src/inbox/inbox.h"
#include "src/web/receive.h"

#include "src/banned.h"

/*
 * A web server may start a program without standard output or errors: a
 * connection or the answer would take their numbers, and log lines go there.
 * A command that prints to no standard output fails, as on a full disk.
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

/* NULL: cannot serve, and the reason was printed. */
static struct conf *
main_configure(void)
{
	char error[INBOX_ERROR_MAX];
	struct conf *conf = command_configure(true);

	if (conf == NULL)
		return NULL;
	/* A missing library must not be found out by the first event. */
	if (command_open_log(conf) == 0) {
		if (conf->inbox == NULL || inbox_check(conf->inbox, error) == 0)
			return conf;
		report_fail("configuration", "%s", error);
	}
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
	if (getenv("GATEWAY_INTERFACE") != NULL)
		return serve(cgi_serve, cgi_send_unconfigured);
	return command_run(argc, argv);
}
