/* file_stamp.h - has a file changed since it was read? */
#ifndef FILE_STAMP_H
#define FILE_STAMP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct file_stamp {
	dev_t device;
	ino_t inode;			/* 0: there was no file */
	off_t size;
	uint64_t written;		/* what `touch -d` sets */
	uint64_t changed;		/* always by the system's clock */
	bool settled;	/* old enough, when read, to show a later change */
};

/* In the order of their weight. */
enum file_change {
	FILE_UNCHANGED,
	FILE_UNSETTLED,		/* as read, but too young to be sure */
	FILE_CHANGED,
};

/* Taken before the file is read: a change while it is read is found later. */
struct file_stamp file_stamp(const char *path);

/* path NULL or "": no file, which does not change. */
enum file_change file_stamp_compare(const struct file_stamp *,
    const char *path);

#endif
