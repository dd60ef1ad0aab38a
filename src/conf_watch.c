/*
 * conf_watch.c - sees that a file of the configuration was changed, and reads
 * it all anew.
 *
 * A file is known by where it is, its size and its times. One that is younger
 * than its times can tell is read again until it is not, so that no change is
 * missed. What is broken is logged, and the configuration before it stays.
 */
#include "conf.h"

#include <errno.h>
#include <string.h>
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

void
conf_stamp(struct conf_stamp *stamp, const struct stat *st)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	*stamp = (struct conf_stamp){
		.device = st->st_dev,
		.inode = st->st_ino,
		.size = st->st_size,
		.written = st->st_mtim,
		.changed = st->st_ctim,
		.settled = is_past(&st->st_mtim, &now) ||
		    is_past(&st->st_ctim, &now),
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
look(const struct conf_stamp *was, const char *path)
{
	struct stat st;

	if (path == NULL)
		return UNCHANGED;
	/* No inode: it was not there when it was looked for last. */
	if (stat(path, &st) == -1)
		return was->inode == 0 ? UNCHANGED : CHANGED;
	if (!same(was, &st))
		return CHANGED;
	return was->settled ? UNCHANGED : UNSETTLED;
}

/* Once for each state of the file: requests come by the thousand. */
static void
say_broken(const char *path, const char *error)
{
	static struct conf_stamp said;
	static bool said_gone;
	struct stat st;

	if (stat(path, &st) == -1) {
		if (said_gone)
			return;
		said_gone = true;
	} else {
		said_gone = false;
		if (same(&said, &st))
			return;
		conf_stamp(&said, &st);
	}
	log_msg(LOG_LEVEL_ERROR, "the changed configuration is broken, the one "
	    "before it stays: %s", error);
}

/* The file, and the keys beside it; or the files that a group names. */
static enum change
look_at_all(const struct conf *conf, const struct conf_group *group)
{
	enum change first, second;

	if (group == NULL) {
		first = look(&conf->stamp, conf->path);
		second = look(&conf->keys_stamp, conf->keys);
	} else {
		first = look(&group->secret_file.stamp,
		    group->secret_file.path);
		second = look(&group->token_file.stamp,
		    group->token_file.path);
	}
	return first > second ? first : second;
}

bool
conf_refresh(struct conf **conf, const struct conf_group *group)
{
	enum change change = look_at_all(*conf, group);
	char error[CONF_ERROR_MAX];
	struct conf *fresh;

	if (change == UNCHANGED)
		return false;
	fresh = conf_read((*conf)->path, error);
	if (fresh == NULL) {
		say_broken((*conf)->path, error);
		return false;
	}
	conf_free(*conf);
	*conf = fresh;
	if (log_open(fresh->log, (enum log_level)fresh->log_level) == -1)
		log_msg(LOG_LEVEL_ERROR, "cannot open the log %s: %s",
		    fresh->log, strerror(errno));
	if (change == CHANGED)
		log_msg(LOG_LEVEL_INFO, "configuration read anew");
	return true;
}
