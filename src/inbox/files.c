/*
 * files.c - the SQLite backend's files: whose they are, and the reserve.
 *
 * A file that is not plainly this user's own is refused: somebody else may have
 * put a link there. SQLite itself follows no link either.
 *
 * On a full disk ends must still be written. Three things see to that:
 *
 *  1. With each put the database file is made as long as all that the log holds
 *     for it, so that a checkpoint needs no space, and the log can be begun
 *     anew within the blocks it has.
 *  2. PATH-reserve takes up as much space as ends may make the database grow by
 *     (their times and reasons). A put is refused where the reserve cannot be.
 *  3. Workers give the reserve up when the first does not help. It is made
 *     again when twice as much is free: what was given up is not for puts.
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

#include "banned.h"

#define RESERVE_MIN ((int64_t)5 * STORE_CHUNK)
#define RESERVE_MAX ((int64_t)16 * 1024 * 1024)
#define RESERVE_SHARE 8			/* of the database */

static int
files_refuse_file(struct store *store, const char *file, const char *why)
{
	snprintf(store->inbox.error, INBOX_ERROR_MAX, "inbox %.256s: %s", file,
	    why);
	return -1;
}

int
files_refuse(struct store *store, const char *why)
{
	return files_refuse_file(store, store->path, why);
}

static int
files_refuse_denied(struct store *store, const char *file, uid_t owner)
{
	char user[OWNER_NAME_MAX], name[OWNER_NAME_MAX];

	if (owner == geteuid())
		return files_refuse_file(store, file, "its mode keeps its "
		    "owner from reading and writing it: chmod u+rw");
	(void)owner_name(geteuid(), user);
	snprintf(store->inbox.error, INBOX_ERROR_MAX, "inbox %.200s: it "
	    "belongs to %s, not to %s: chown %s all files of the inbox, and "
	    "run vkcb as that user alone", file, owner_name(owner, name), user,
	    user);
	return -1;
}

int
files_check(struct store *store)
{
	static const char *const ends[] = { "", "-wal", "-shm", "-lock" };
	char path[PATH_MAX];
	struct stat st;
	size_t i;
	int why;

	if (inbox_check(store->path, store->inbox.error) == -1)
		return -1;
	for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		snprintf(path, sizeof(path), "%s%s", store->path, ends[i]);
		if (file_look(path) == 0)
			continue;
		why = errno;
		if ((why == EACCES || why == EPERM) && lstat(path, &st) == 0)
			return files_refuse_denied(store, path, st.st_uid);
		return files_refuse_file(store, path, file_error(why));
	}
	return 0;
}

static int
files_open_reserve(struct store *store)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s-reserve", store->path);
	if (store->reserve == -1)
		store->reserve = file_open_private(path, O_RDWR | O_CREAT);
	return store->reserve != -1 ? 0 : files_refuse_file(store, path,
	    file_error(errno));
}

static int
files_make_reserve(struct store *store, int64_t want)
{
	struct stat st;
	int code;

	if (files_open_reserve(store) == -1 || fstat(store->reserve, &st) == -1)
		return -1;
	if (st.st_size >= want)	/* pages without use are a reserve, too */
		return 0;
	code = posix_fallocate(store->reserve, 0,
	    st.st_size == 0 ? 2 * want : want);
	(void)!ftruncate(store->reserve, code == 0 ? want : st.st_size);
	return code == ENOSPC || code == EDQUOT ? store_fail(store, SQL_FULL) :
	    0;
}

int
files_keep_room(struct store *store)
{
	int64_t pages, unused, size, want;

	if (store->in_memory)
		return 0;
	if (store_run(store, "PRAGMA page_count", ">i", &pages) == -1 ||
	    store_run(store, "PRAGMA freelist_count", ">i", &unused) == -1)
		return -1;
	size = pages * STORE_PAGE;
	want = size / RESERVE_SHARE / STORE_CHUNK * STORE_CHUNK + RESERVE_MIN -
	    unused * STORE_PAGE;
	if (store->sql->file_control(store->db, "main", SQL_FCNTL_SIZE_HINT,
	    &size) != SQL_OK)
		return store_fail(store, SQL_FULL);
	return files_make_reserve(store, want < RESERVE_MAX ? want :
	    RESERVE_MAX);
}

bool
files_has_reserve(struct store *store)
{
	struct stat st;

	return files_open_reserve(store) == 0 &&
	    fstat(store->reserve, &st) == 0 && st.st_size > 0;
}

void
files_give_up_reserve(struct store *store)
{
	if (files_open_reserve(store) == 0)
		(void)!ftruncate(store->reserve, 0);
}
