/*
 * conf_watch.c - reads the configuration anew when one of its files changed.
 *
 * A broken configuration is logged, and the one before it stays. The process
 * remembers the last failure in a static variable: requests come by the
 * thousand, and a broken file is to be read, and logged, once.
 */
#include "conf/conf.h"

#include <errno.h>
#include <string.h>

#include "log.h"

#include "banned.h"

static enum file_change
latest(enum file_change a, enum file_change b)
{
	return a > b ? a : b;
}

/* The file and the keys beside it, or the files that a group names. */
static enum file_change
conf_change(const struct conf *conf, const struct conf_group *group)
{
	if (group == NULL)
		return latest(file_stamp_compare(&conf->stamp, conf->path),
		    file_stamp_compare(&conf->keys_stamp, conf->keys));
	return latest(file_stamp_compare(&group->secret_file.stamp,
	    group->secret_file.path), file_stamp_compare(
	    &group->token_file.stamp, group->token_file.path));
}

bool
conf_refresh(struct conf **conf, const struct conf_group *group)
{
	static struct conf_refused refused;
	enum file_change change = conf_change(*conf, group);
	enum file_change since = FILE_CHANGED;
	char before[CONF_ERROR_MAX];
	struct conf *fresh;

	/* FILE_UNCHANGED: the load would fail again. */
	if (refused.error[0] != '\0')
		since = latest(file_stamp_compare(&refused.stamp,
		    (*conf)->path), file_stamp_compare(&refused.named_stamp,
		    refused.named));
	if (since == FILE_CHANGED)
		refused.error[0] = '\0';
	if (change == FILE_UNCHANGED || since == FILE_UNCHANGED)
		return false;
	memcpy(before, refused.error, sizeof(before));
	fresh = conf_read((*conf)->path, &refused);
	if (fresh == NULL) {
		if (strcmp(before, refused.error) != 0)
			log_msg(LOG_LEVEL_ERROR, "new configuration is "
			    "invalid, keeping the old one: %s",
			    refused.error);
		return false;
	}
	conf_free(*conf);
	*conf = fresh;
	if (log_open(fresh->log, (enum log_level)fresh->log_level) == -1)
		log_msg(LOG_LEVEL_ERROR, "cannot open the log %s: %s",
		    fresh->log, strerror(errno));
	if (change == FILE_CHANGED)
		log_msg(LOG_LEVEL_INFO, "configuration reloaded");
	return true;
}
