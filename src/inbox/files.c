/*
 * files.c - the SQLite backend's files: whose they are, and the reserve.
 *
 * A file that is not plainly this user's own is refused: somebody else may have
 * put a link there. SQLite itself follows no link either.
 *
 * The reserve is disk space for ends. The log must fit into the database before
 * it can be begun anew, so on a disk that is full to the last byte no end could
 * be written any more, and no event be forgotten. PATH-reserve takes up as much
 * space as the database will grow by, and a little for the log. An event is
 * stored only if the reserve is there; with a full disk the reserve is given up
 * (store.c), which leaves room for ends, and made again when twice as much is
 * free: what was given up is not for events.
 */
#include "inbox/store.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"
#include "owner.h"
#include "private_file.h"

#include "banned.h"

#define RESERVE_STEP ((int64_t)64 * 1024)
#define RESERVE_STEPS 5		/* beside the database's growth */
#define RESERVE_SPARE ((int64_t)8 * 1024 * 1024)

static int
files_refuse(const char *file, const char *reason, char error[INBOX_ERROR_MAX])
{
	snprintf(error, INBOX_ERROR_MAX, "inbox %.256s: %s", file, reason);
	return -1;
}

static int
files_refuse_denied(const char *file, uid_t owner, char error[INBOX_ERROR_MAX])
{
	char user[OWNER_NAME_MAX], name[OWNER_NAME_MAX];

	if (owner == geteuid())
		return files_refuse(file, "its mode keeps its owner from "
		    "reading and writing it: chmod u+rw", error);
	(void)owner_name(geteuid(), user);
	snprintf(error, INBOX_ERROR_MAX, "inbox %.200s: it belongs to %s, not "
	    "to %s: chown %s all files of the inbox, and run vkcb as that user "
	    "alone", file, owner_name(owner, name), user, user);
	return -1;
}

int
files_check(const char *where, char error[INBOX_ERROR_MAX])
{
	static const char *const ends[] = { "", "-wal", "-shm", "-lock" };
	char path[PATH_MAX];
	struct stat st;
	size_t i;
	int why;

	if (inbox_check(where, error) == -1)
		return -1;
	for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		snprintf(path, sizeof(path), "%s%s", where, ends[i]);
		if (private_file_look(path) == 0)
			continue;
		why = errno;
		if ((why == EACCES || why == EPERM) && lstat(path, &st) == 0)
			return files_refuse_denied(path, st.st_uid, error);
		return files_refuse(path, private_file_error(why), error);
	}
	return 0;
}

static int
files_open_reserve(struct store *store)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s-reserve", store->path);
	if (store->reserve == -1)
		store->reserve = private_file_open(path, O_RDWR | O_CREAT);
	if (store->reserve == -1)
		files_refuse(path, private_file_error(errno),
		    store->inbox.error);
	return store->reserve == -1 ? -1 : 0;
}

/* How much the database grows by when it takes what is in the log. */
static int
files_growth(struct store *store, int64_t *bytes)
{
	struct stat st;
	int64_t pages;

	if (store_number(store, &pages, "PRAGMA page_count", "") == -1)
		return -1;
	if (stat(store->path, &st) == -1)
		st.st_size = 0;
	*bytes = pages * STORE_PAGE - st.st_size;
	if (*bytes < 0)
		*bytes = 0;
	return 0;
}

int
files_keep_reserve(struct store *store)
{
	int64_t want;
	struct stat st;
	int code;

	if (store->in_memory)
		return 0;
	if (files_growth(store, &want) == -1 ||
	    files_open_reserve(store) == -1 || fstat(store->reserve, &st) == -1)
		return -1;
	want = (want / RESERVE_STEP + RESERVE_STEPS) * RESERVE_STEP;
	if (st.st_size > want + RESERVE_SPARE)
		(void)!ftruncate(store->reserve, want);
	if (st.st_size >= want)
		return 0;
	code = posix_fallocate(store->reserve, 0,
	    st.st_size == 0 ? 2 * want : want);
	(void)!ftruncate(store->reserve, code == 0 ? want : st.st_size);
	if (code == ENOSPC || code == EDQUOT)
		return store_fail(store, SQL_FULL);
	return 0;
}

bool
files_give_up_reserve(struct store *store)
{
	struct stat st;

	if (files_open_reserve(store) == -1 ||
	    fstat(store->reserve, &st) == -1 || st.st_size == 0)
		return false;
	return ftruncate(store->reserve, 0) == 0;
}

void
files_take_reserve_back(struct store *store)
{
	(void)posix_fallocate(store->reserve, 0, RESERVE_STEPS * RESERVE_STEP);
}
