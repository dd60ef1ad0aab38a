/* private-file.c - only a plain file of ours is opened. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "file.h"

static char folder[] = "/tmp/vkcb-private.XXXXXX";

static int
make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) == NULL || chdir(folder) == -1 ? -1 : 0;
}

static int
remove_folder(void **state)
{
	(void)state;
	return chdir("/") == -1 ? -1 : rmdir(folder);
}

static mode_t
mode_of(int fd)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	return st.st_mode & 07777;
}

static void
a_new_file_is_this_users_alone(void **state)
{
	mode_t mask = umask(0);
	int fd = file_open_private("new", O_RDWR | O_CREAT);

	(void)state;
	(void)umask(mask);
	assert_true(fd != -1);
	assert_int_equal(mode_of(fd), 0600);
	assert_true((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
	close(fd);
	fd = file_open_private("new", O_RDWR);
	assert_true(fd != -1);
	close(fd);
	assert_int_equal(unlink("new"), 0);
}

static void
nothing_is_made_by_looking(void **state)
{
	(void)state;
	assert_int_equal(file_open_private("none", O_RDWR), -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(access("none", F_OK), -1);
}

static void
refuses(int error, const char *words)
{
	assert_int_equal(file_open_private("x", O_RDWR | O_CREAT), -1);
	assert_int_equal(errno, error);
	assert_string_equal(file_error(errno), words);
	if (error == EPERM)
		return;
	assert_int_equal(file_open_shared("x"), -1);
	assert_int_equal(errno, error);
}

static void
a_link_is_refused(void **state)
{
	int fd = file_open_private("target", O_RDWR | O_CREAT);

	(void)state;
	assert_true(fd != -1);
	close(fd);
	assert_int_equal(symlink("target", "x"), 0);
	refuses(ELOOP, "a symbolic link: remove it");
	assert_int_equal(unlink("x"), 0);
	assert_int_equal(symlink("nowhere", "x"), 0);
	refuses(ELOOP, "a symbolic link: remove it");
	assert_int_equal(access("nowhere", F_OK), -1);
	assert_int_equal(unlink("x"), 0);
	assert_int_equal(link("target", "x"), 0);
	refuses(EMLINK, "a file with a second name: remove it");
	assert_int_equal(unlink("x"), 0);
	assert_int_equal(unlink("target"), 0);
}

static void
a_fifo_and_a_folder_are_refused(void **state)
{
	(void)state;
	assert_int_equal(mkfifo("x", 0600), 0);
	refuses(EINVAL, "no regular file: remove it");
	assert_int_equal(unlink("x"), 0);
	assert_int_equal(mkdir("x", 0700), 0);
	refuses(EISDIR, "Is a directory");
	assert_int_equal(rmdir("x"), 0);
}

static void
another_users_file_may_only_be_shared(void **state)
{
	int fd = file_open_private("x", O_RDWR | O_CREAT);

	(void)state;
	assert_true(fd != -1);
	close(fd);
	if (chown("x", 65534, 65534) == 0) {
		refuses(EPERM, "a file of another user: remove it, or run vkcb "
		    "as that user");
		fd = file_open_shared("x");
		assert_true(fd != -1);
		close(fd);
	}
	assert_int_equal(unlink("x"), 0);
}

static void
a_shared_file_is_as_writable_as_its_folder(void **state)
{
	static const struct {
		mode_t folder, file;
	} rows[] = {
		{ 0700, 0600 }, { 0755, 0600 }, { 02775, 0660 },
		{ 01777, 0666 },
	};
	mode_t mask = umask(077);
	size_t i;
	int fd;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(chmod(".", rows[i].folder), 0);
		fd = file_open_shared("x");
		assert_true(fd != -1);
		assert_int_equal(mode_of(fd), rows[i].file);
		close(fd);
		assert_int_equal(unlink("x"), 0);
	}
	(void)umask(mask);
}

/* The folder's owner could not open a file created by root. */
static void
root_makes_no_file_in_a_users_folder(void **state)
{
	(void)state;
	assert_int_equal(chmod(".", 0755), 0);
	if (chown(".", 65534, 65534) == -1)
		return;
	assert_int_equal(file_open_shared("x"), -1);
	assert_int_equal(errno, EACCES);
	assert_int_equal(access("x", F_OK), -1);
	assert_int_equal(chown(".", 0, 0), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_file_is_this_users_alone),
		cmocka_unit_test(nothing_is_made_by_looking),
		cmocka_unit_test(a_link_is_refused),
		cmocka_unit_test(a_fifo_and_a_folder_are_refused),
		cmocka_unit_test(another_users_file_may_only_be_shared),
		cmocka_unit_test(a_shared_file_is_as_writable_as_its_folder),
		cmocka_unit_test(root_makes_no_file_in_a_users_folder),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
