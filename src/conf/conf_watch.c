/*
 * conf_watch.c - sees that a file of the configuration was changed, and reads
 * it all anew.
 *
 * A file is known by where it is, its size and its times. One that is younger
 * than its times can tell is read again until it is not, so that no change is
 * missed. What is broken is logged, and the configuration before it stays.
 */
#include "conf/conf.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "banned.h"

enum change { UNCHANGED, UNSETTLED, CHANGED };

/* A file system's clock may tick as seldom as every 10 ms. */
static bool
is_past(const struct timespec *time, const struct timespec *now)
{
	return now->tv_sec > time->tv_sec + 1 ||
	    (now->tv_sec - time->tv_sec) * 1000000000L +
	    now->tv_nsec - time->tv_nsec > 50000000L;
}

struct conf_stamp
conf_stamp(const char *path)
{
	struct timespec now;
	struct stat st;

	if (stat(path, &st) == -1)
		return (struct conf_stamp){ .settled = true };
	clock_gettime(CLOCK_REALTIME, &now);
	return (struct conf_stamp){
		.device = st.st_dev,
		.inode = st.st_ino,
		.size = st.st_size,
		.written = st.st_mtim,
		.changed = st.st_ctim,
		.settled = is_past(&st.st_mtim, &now) ||
		    is_past(&st.st_ctim, &now),
	};
}

static bool
same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static bool
same(const struct conf_stamp *a, const struct stat *st)
{
	return a->device == st->st_dev && a->inode == st->st_ino &&
	    a->size == st->st_size && same_time(&a->written, &st->st_mtim) &&
	    same_time(&a->changed, &st->st_ctim);
}

static enum change
conf_watch_look(const struct conf_stamp *was, const char *path)
{
	struct stat st;

	if (path == NULL || *path == '\0')
		return UNCHANGED;
	/* No inode: it was not there when it was looked for last. */
	if (stat(path, &st) == -1)
		return was->inode == 0 ? UNCHANGED : CHANGED;
	if (!same(was, &st))
		return CHANGED;
	return was->settled ? UNCHANGED : UNSETTLED;
}

static enum change
latest(enum change a, enum change b)
{
	return a > b ? a : b;
}

/* The file, and the keys beside it; or the files that a group names. */
static enum change
look_at_all(const struct conf *conf, const struct conf_group *group)
{
	if (group == NULL)
		return latest(conf_watch_look(&conf->stamp, conf->path),
		    conf_watch_look(&conf->keys_stamp, conf->keys));
	return latest(conf_watch_look(&group->secret_file.stamp,
			  group->secret_file.path),
	    conf_watch_look(&group->token_file.stamp, group->token_file.path));
}

/* UNCHANGED: it would be refused again. */
static enum change
look_at_refused(const char *path, const struct conf_refused *refused)
{
	enum change change = latest(conf_watch_look(&refused->stamp, path),
	    latest(conf_watch_look(&refused->keys_stamp, refused->keys),
	    conf_watch_look(&refused->named_stamp, refused->named)));

	return refused->transient ? latest(change, UNSETTLED) : change;
}

/* Requests come by the thousand: what is broken is read, and told of, once. */
bool
conf_refresh(struct conf **conf, const struct conf_group *group)
{
	static struct conf_refused refused;
	enum change change = look_at_all(*conf, group), since = CHANGED;
	char said[CONF_ERROR_MAX];
	struct conf *fresh;

	if (refused.error[0] != '\0')
		since = look_at_refused((*conf)->path, &refused);
	if (since == CHANGED)
		refused.error[0] = '\0';
	if (change == UNCHANGED || since == UNCHANGED)
		return false;
	memcpy(said, refused.error, sizeof(said));
	fresh = conf_try((*conf)->path, &refused);
	if (fresh == NULL) {
		if (strcmp(said, refused.error) != 0)
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
	if (change == CHANGED)
		log_msg(LOG_LEVEL_INFO, "configuration reloaded");
	return true;
}
