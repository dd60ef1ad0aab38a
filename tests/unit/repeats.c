/* repeats.c - the file of events that are done, and its lock. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "event/envelope.h"
#include "file.h"
#include "log.h"
#include "web/repeats.h"

#define SECOND INT64_C(1000000000)
#define NOW (10 * 3600 * SECOND)

static char folder[] = "/tmp/vkcb-repeats.XXXXXX";
static char path[PATH_MAX], log_path[PATH_MAX];
static struct repeats_file file;

static bool
has(uint64_t n, int64_t now)
{
	return repeats_has(&file, (uint64_t[]){ n, ~n }, now);
}

static void
add(uint64_t n, int64_t now)
{
	repeats_add(&file, (uint64_t[]){ n, ~n }, now);
}

static void
two_hours(void **state)
{
	(void)state;
	memset(&file, 0, sizeof(file));
	assert_false(has(7, NOW));
	add(7, NOW);
	assert_true(has(7, NOW));
	assert_true(has(7, NOW + REPEATS_KEPT - 1));
	assert_false(has(7, NOW + REPEATS_KEPT));
	assert_false(has(8, NOW));
	/* Half of a key is no key. */
	assert_false(repeats_has(&file, (uint64_t[]){ 7, 7 }, NOW));
}

/* All of these are in one bucket. */
static void
oldest_goes(void **state)
{
	uint64_t n;

	(void)state;
	memset(&file, 0, sizeof(file));
	for (n = 0; n <= REPEATS_WAYS; n++)
		add(1 + n * REPEATS_BUCKETS, NOW + (int64_t)n);
	assert_false(has(1, NOW + 100));
	for (n = 1; n <= REPEATS_WAYS; n++)
		assert_true(has(1 + n * REPEATS_BUCKETS, NOW + 100));
}

/* Half as many events as the file has room for are all there. */
static void
many(void **state)
{
	const size_t n = REPEATS_BUCKETS * REPEATS_WAYS / 2;
	size_t missing = 0;
	uint64_t random = 88172645463325252U;
	size_t i, round;

	(void)state;
	memset(&file, 0, sizeof(file));
	for (round = 0; round < 2; round++) {
		random = 88172645463325252U;
		for (i = 0; i < n; i++) {
			random ^= random << 13;
			random ^= random >> 7;
			random ^= random << 17;
			if (round == 0)
				add(random, NOW + (int64_t)i);
			else
				missing += !has(random, NOW + (int64_t)n);
		}
	}
	assert_true(missing < n / 100);
}

/* The clock starts again with a boot, and the file may stay. */
static void
time_ahead(void **state)
{
	uint64_t n;

	(void)state;
	memset(&file, 0, sizeof(file));
	for (n = 0; n < REPEATS_WAYS; n++)
		add(1 + n * REPEATS_BUCKETS, NOW + (int64_t)n);
	assert_true(has(1, SECOND));
	assert_true(has(1, REPEATS_KEPT));
	assert_false(has(1, REPEATS_KEPT + SECOND));
	for (n = 20; n < 24; n++)
		add(1 + n * REPEATS_BUCKETS, 2 * SECOND);
	for (n = 20; n < 24; n++)
		assert_true(has(1 + n * REPEATS_BUCKETS, 3 * SECOND));
}

static void
garbage_slots(void **state)
{
	unsigned char *at = (unsigned char *)&file;
	unsigned int random = 1;
	uint64_t n;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(file); i++) {
		random = random * 1103515245 + 12345;
		at[i] = (unsigned char)(random >> 16);
	}
	for (n = 1; n < 1000; n++)
		assert_false(has(n, NOW));
	for (n = 1; n < 1000; n++)
		add(n, NOW + (int64_t)n);
	for (n = 1; n < 1000; n++)
		assert_true(has(n, NOW + 1000));
}

/*
 * The file in a folder, and its lock.
 */

static struct repeats repeats = { .fd = -1 };

static enum repeats_known
begin(const char *id)
{
	const struct text text = { id, strlen(id) };

	repeats.looked = 0;
	return repeats_begin(&repeats, folder, 1, &text);
}

/* The event is new, and done now. */
static void
handle_event(const char *id)
{
	assert_int_equal(begin(id), REPEATS_UNKNOWN);
	repeats_end(&repeats, true);
	assert_int_equal(begin(id), REPEATS_DONE);
}

static size_t
lines_logged(const char *text)
{
	char content[65536];
	const char *at = content;
	size_t len, n = 0;

	assert_int_equal(file_read(log_path, content, sizeof(content), &len),
	    0);
	while ((at = strstr(at, text)) != NULL) {
		at++;
		n++;
	}
	return n;
}

static void
write_over(const char *text, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, text, len), (ssize_t)len);
	close(fd);
}

static void
done_and_failed(void **state)
{
	struct stat st;

	(void)state;
	handle_event("a");
	assert_int_equal(begin("b"), REPEATS_UNKNOWN);
	repeats_end(&repeats, false);
	assert_int_equal(begin("b"), REPEATS_UNKNOWN);
	repeats_end(&repeats, false);
	assert_int_equal(begin(""), REPEATS_UNKNOWN);
	repeats_end(&repeats, true);
	assert_int_equal(begin(""), REPEATS_UNKNOWN);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, REPEATS_SIZE);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(begin("a"), REPEATS_DONE);
	/* Known to the next process, and after a new configuration. */
	repeats_close(&repeats);
	assert_int_equal(repeats_begin(&repeats, folder, 1,
	    &(struct text){ "a", 1 }), REPEATS_DONE);
	assert_int_equal(lines_logged("repeated"), 0);
}

/* A file cut short, with other contents, or gone is made anew. */
static void
bad_files(void **state)
{
	char *text = calloc(1, REPEATS_SIZE);

	(void)state;
	assert_non_null(text);
	handle_event("before");
	assert_int_equal(truncate(path, 0), 0);
	handle_event("before");
	assert_int_equal(truncate(path, 5000), 0);
	handle_event("before");
	write_over("words", 5);
	handle_event("before");
	memset(text, 'x', REPEATS_SIZE);
	write_over(text, REPEATS_SIZE);
	handle_event("before");
	assert_int_equal(truncate(path, 2 * REPEATS_SIZE), 0);
	handle_event("after");
	assert_int_equal(begin("before"), REPEATS_DONE);
	assert_int_equal(lines_logged("repeated"), 0);
	assert_int_equal(unlink(path), 0);
	handle_event("before");
	free(text);
}

/* Pages are lost while the handler runs. */
static void
cut_meanwhile(void **state)
{
	(void)state;
	repeats_close(&repeats);	/* cmocka took SIGBUS over */
	assert_int_equal(begin("cut"), REPEATS_UNKNOWN);
	assert_int_equal(truncate(path, 0), 0);
	repeats_end(&repeats, true);
	handle_event("after the cut");
	assert_int_equal(begin("cut"), REPEATS_UNKNOWN);
	repeats_end(&repeats, true);
}

/* A child runs the event; byte by byte it says how far it is. */
static pid_t
child_runs(const char *id, int *tell)
{
	int ready[2], go[2];
	pid_t pid;
	char byte;

	assert_int_equal(pipe(ready), 0);
	assert_int_equal(pipe(go), 0);
	pid = fork();
	if (pid == 0) {
		repeats_close(&repeats);
		byte = begin(id) == REPEATS_UNKNOWN ? 'u' : 'x';
		(void)!write(ready[1], &byte, 1);
		(void)!read(go[0], &byte, 1);
		repeats_end(&repeats, true);
		_exit(0);
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	assert_int_equal(byte, 'u');
	close(ready[0]);
	close(ready[1]);
	close(go[0]);
	*tell = go[1];
	return pid;
}

static void
running(void **state)
{
	int tell;
	pid_t pid = child_runs("r", &tell);

	(void)state;
	assert_int_equal(begin("r"), REPEATS_RUNNING);
	handle_event("another");
	/* A repeat that waits sees the end. */
	if (fork() == 0) {
		usleep(200000);
		(void)!write(tell, "g", 1);
		_exit(0);
	}
	assert_int_equal(begin("r"), REPEATS_DONE);
	while (waitpid(-1, NULL, 0) > 0)
		;
	assert_true(pid > 0);
	close(tell);
}

static void
killed(void **state)
{
	int tell;
	pid_t pid = child_runs("k", &tell);

	(void)state;
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	handle_event("k");
	close(tell);
}

/* The file may be neither opened in the folder nor in TMPDIR. */
static void
no_file(void **state)
{
	(void)state;
	repeats_close(&repeats);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	setenv("TMPDIR", "/nowhere", 1);
	assert_int_equal(begin("n"), REPEATS_UNKNOWN);
	repeats_end(&repeats, true);
	assert_int_equal(begin("n"), REPEATS_UNKNOWN);
	repeats_end(&repeats, true);
	assert_int_equal(lines_logged("repeated events are handled again"), 1);
	assert_int_equal(rmdir(path), 0);
	handle_event("n");
}

static int
set_up(void **state)
{
	(void)state;
	if (mkdtemp(folder) == NULL ||
	    file_own_path(folder, "repeats", path) == -1)
		return -1;
	snprintf(log_path, sizeof(log_path), "%s/log", folder);
	return log_open(log_path, LOG_LEVEL_INFO);
}

static int
tear_down(void **state)
{
	(void)state;
	repeats_close(&repeats);
	(void)unlink(path);
	(void)unlink(log_path);
	return rmdir(folder);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_hours),
		cmocka_unit_test(oldest_goes),
		cmocka_unit_test(many),
		cmocka_unit_test(time_ahead),
		cmocka_unit_test(garbage_slots),
		cmocka_unit_test(done_and_failed),
		cmocka_unit_test(bad_files),
		cmocka_unit_test(cut_meanwhile),
		cmocka_unit_test(running),
		cmocka_unit_test(killed),
		cmocka_unit_test(no_file),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
