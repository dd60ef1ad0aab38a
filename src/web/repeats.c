/*
 * repeats.c - a file of the events that are done, which processes share.
 *
 * A done event is in the file, as a hash of 128 bits. A running one is a lock
 * on a byte of its own, which the kernel drops when the process ends, however
 * it ends: then the event is unknown again. It is a lock of fcntl's first kind,
 * which belongs to the process: what a handler forks does not keep it.
 *
 * The file is mapped, so that an event costs two system calls, those of its
 * lock. Processes that add an event to a bucket at the same time compete for
 * the oldest slot by exchanging its time; one that is killed meanwhile leaves a
 * key of no event.
 *
 * Only one user may open the file: others could lock all of it, and stop every
 * event. No contents do harm, but for events that are forgotten. Where pages
 * cannot be read or written (a file cut short, some full disks) others are
 * mapped in their place, and the file is opened anew. Without a file all events
 * are unknown.
 */
#include "web/repeats.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "event/envelope.h"
#include "file.h"
#include "hash.h"
#include "log.h"

#include "banned.h"

#define WAIT_MS 1000	/* for an event that runs elsewhere */
#define LOOK_MS 1000	/* between two looks at the file */

/* For the signal handler: where the file is, and whether pages were lost. */
static char *volatile mapped;
static volatile sig_atomic_t lost;

/* A fault elsewhere comes again, and ends the process. */
static void
repeats_replace_pages(int number, siginfo_t *info, void *context)
{
	char *at = info->si_addr;

	(void)context;
	lost = 1;
	if (mapped == NULL || at < mapped || at >= mapped + REPEATS_SIZE ||
	    mmap(mapped, REPEATS_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE |
	    MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
		(void)signal(number, SIG_DFL);
}

/* A time ahead is of an earlier boot: it counts from now on. */
static int64_t
repeats_time(struct repeats_slot *slot, int64_t now)
{
	int64_t time = slot->time;

	if (time <= now)
		return time;
	(void)atomic_compare_exchange_strong(&slot->time, &time, now - 1);
	return now - 1;
}

bool
repeats_has(struct repeats_file *file, const uint64_t key[2], int64_t now)
{
	struct repeats_slot *slots, *slot;

	slots = file->buckets[key[0] % REPEATS_BUCKETS].slots;
	for (slot = slots; slot < slots + REPEATS_WAYS; slot++)
		if (slot->key[0] == key[0] && slot->key[1] == key[1] &&
		    now - repeats_time(slot, now) < REPEATS_KEPT)
			return true;
	return false;
}

void
repeats_add(struct repeats_file *file, const uint64_t key[2], int64_t now)
{
	struct repeats_slot *slots, *slot, *oldest;
	int64_t time;

	slots = file->buckets[key[0] % REPEATS_BUCKETS].slots;
	do {
		oldest = slots;
		for (slot = slots; slot < slots + REPEATS_WAYS; slot++)
			if (repeats_time(slot, now) < oldest->time)
				oldest = slot;
		time = oldest->time;
	} while (!atomic_compare_exchange_strong(&oldest->time, &time, now));
	oldest->key[0] = key[0];
	oldest->key[1] = key[1];
}

void
repeats_close(struct repeats *repeats)
{
	mapped = NULL;
	if (repeats->file != NULL)
		(void)munmap(repeats->file, REPEATS_SIZE);
	repeats->file = NULL;
	if (repeats->fd != -1)
		close(repeats->fd);
	repeats->fd = -1;
	repeats->looked = 0;
}

static int
repeats_lock(const struct repeats *repeats, off_t at, short type)
{
	struct flock lock = { .l_type = type, .l_whence = SEEK_SET,
	    .l_start = at, .l_len = 1 };

	return fcntl(repeats->fd, F_SETLK, &lock);
}

/* 0, or -1 with EAGAIN: another process has the lock for too long. */
static int
repeats_wait(const struct repeats *repeats, off_t at)
{
	int64_t until = clock_ms() + WAIT_MS;

	while (repeats_lock(repeats, at, F_WRLCK) == -1) {
		if (errno != EAGAIN || clock_ms() >= until)
			return -1;
		clock_sleep_until(clock_ns() + 5000000);
	}
	return 0;
}

/* An offset has 31 bits on some machines. */
static off_t
repeats_byte(const struct repeats *repeats)
{
	return (off_t)(repeats->key[1] >> 34);
}

static void
repeats_map(struct repeats *repeats)
{
	struct sigaction act = { .sa_sigaction = repeats_replace_pages,
	    .sa_flags = SA_SIGINFO };
	void *at = mmap(NULL, REPEATS_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED,
	    repeats->fd, 0);

	if (at == MAP_FAILED)
		return;
	(void)sigaction(SIGBUS, &act, NULL);
	mapped = at;
	repeats->file = at;
}

/* Is the file still there, and whole? Then it is mapped. */
static bool
repeats_is_sound(struct repeats *repeats)
{
	struct stat st;

	if (repeats->fd == -1 || fstat(repeats->fd, &st) == -1 ||
	    st.st_size < (off_t)REPEATS_SIZE || st.st_nlink == 0)
		return false;
	if (repeats->file == NULL)
		repeats_map(repeats);
	return repeats->file != NULL;
}

/*
 * 0, or an error. A new file gets room on the disk for all of it, also by
 * several processes at once.
 */
static int
repeats_open_in(struct repeats *repeats, const char *folder)
{
	char path[PATH_MAX];
	int error;

	if (file_own_path(folder, "repeats", path) == -1)
		return ENAMETOOLONG;
	repeats->fd = file_open_private(path, O_RDWR | O_CREAT);
	if (repeats->fd == -1)
		return errno;
	if (repeats_is_sound(repeats))
		return 0;
	error = posix_fallocate(repeats->fd, 0, (off_t)REPEATS_SIZE);
	if (error == 0 && !repeats_is_sound(repeats))
		error = ENOMEM;
	if (error != 0)
		repeats_close(repeats);
	return error;
}

/* The default folder is missing on most machines. */
static void
repeats_open(struct repeats *repeats, const char *folder)
{
	int error;

	repeats_close(repeats);
	lost = 0;
	error = repeats_open_in(repeats, folder);
	if (error == 0 || repeats_open_in(repeats, NULL) == 0 ||
	    repeats->logged)
		return;
	repeats->logged = true;
	log_msg(LOG_LEVEL_WARNING, "repeated events are handled again: no file "
	    "in %s or TMPDIR: %s: set `state` to a folder that vkcb can write "
	    "to", folder, file_error(error));
}

enum repeats_known
repeats_begin(struct repeats *repeats, const char *folder, int64_t group_id,
    const struct text *event_id)
{
	uint64_t *key = repeats->key;
	int64_t now = clock_ms();
	int i;

	if (event_id->len == 0)
		return REPEATS_UNKNOWN;
	if (lost || now - repeats->looked >= LOOK_MS) {
		if (lost || !repeats_is_sound(repeats))
			repeats_open(repeats, folder);
		repeats->looked = now;
	}
	if (repeats->file == NULL)
		return REPEATS_UNKNOWN;
	for (i = 0; i < 2; i++)
		key[i] = hash_add(hash_bytes(i == 0 ? HASH_START : ~HASH_START,
		    &group_id, sizeof(group_id)), event_id->at, event_id->len);
	if (repeats_wait(repeats, repeats_byte(repeats)) == -1)
		return errno == EAGAIN ? REPEATS_RUNNING : REPEATS_UNKNOWN;
	repeats->locked = true;
	if (!repeats_has(repeats->file, key, clock_read_ns(CLOCK_BOOTTIME)))
		return REPEATS_UNKNOWN;
	repeats_end(repeats, false);
	return REPEATS_DONE;
}

void
repeats_end(struct repeats *repeats, bool done)
{
	if (!repeats->locked)
		return;
	repeats->locked = false;
	if (done)
		repeats_add(repeats->file, repeats->key,
		    clock_read_ns(CLOCK_BOOTTIME));
	(void)repeats_lock(repeats, repeats_byte(repeats), F_UNLCK);
}
