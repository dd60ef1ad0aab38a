/*
 * cmd_work.c - `vkcb work`: runs the handlers of what the inbox holds.
 */
#include "command/command.h"

#include "conf/conf.h"
#include "log.h"
#include "pool/pool.h"

#include "banned.h"

static int cmd_work(int, char **);

const struct command command_work = {
	.name = "work",
	.args = "[--once]",
	.summary = "runs the handlers of the events in the inbox",
	.help =
	    "--once        leave when nothing is due any more (for cron)\n"
	    "--until-idle  leave when the inbox is empty: what a responder "
	    "starts where\n"
	    "              no `vkcb work` runs\n",
	.run = cmd_work,
};

/* A pool that a responder started has only the log. */
static int
cmd_work_run(struct conf *conf, enum work_until until)
{
	char error[POOL_ERROR_MAX];
	int status = work_run(conf, until, error);

	if (*error != '\0' && until != WORK_IDLE)
		return report_fail("work", "%s", error);
	if (*error != '\0')
		log_msg(LOG_LEVEL_ERROR, "no workers: %s", error);
	return status;
}

static int
cmd_work(int argc, char **argv)
{
	bool once = false, until_idle = false;
	const struct command_option options[] = {
		{ "once", .flag = &once },
		{ "until-idle", .flag = &until_idle },
		{ .name = NULL },
	};
	struct conf *conf;

	if (command_options(&command_work, options, argc, argv, 0) != EXIT_OK)
		return EXIT_USAGE;
	conf = command_configure_inbox("work");
	if (conf == NULL)
		return EXIT_ERROR;
	if (command_open_log(conf) == 0)
		return cmd_work_run(conf, until_idle ? WORK_IDLE :
		    once ? WORK_ONCE : WORK_STOPPED);
	conf_free(conf);
	return EXIT_ERROR;
}
