/* common/log/io.h - the calls to the disk that the log makes, as a table
 *
 * Each returns what its namesake in POSIX returns, -1 and errno for a failure.
 * log_io_real is the kernel's; the tests put a disk there that tears, drops and
 * reorders what was not synced.
 */
#pragma once

#include <sys/types.h>
#include <sys/uio.h>

#include "common/base/base.h"

enum log_access {
	LOG_READ,
	LOG_WRITE,
	LOG_CREATE, /* for writing; fails when the name is taken */
};

typedef void log_io_name(void *context, const char *name);

struct log_io {
	void *disk; /* handed to every call; null for the kernel's */
	int (*open)(void *disk, int dir, const char *name, enum log_access access);
	void (*close)(void *disk, int fd);
	ssize_t (*pread)(void *disk, int fd, void *at, size_t n, uint64_t offset);
	ssize_t (*pwritev)(void *disk, int fd, const struct iovec *v, int n,
			   uint64_t offset);
	int (*fdatasync)(void *disk, int fd);
	int (*fsync)(void *disk, int fd); /* of a file or a directory */
	int (*ftruncate)(void *disk, int fd, uint64_t size);
	int (*size)(void *disk, int fd, uint64_t *size);
	int (*rename)(void *disk, int dir, const char *from, const char *to);
	int (*unlink)(void *disk, int dir, const char *name);
	int (*list)(void *disk, int dir, log_io_name *each, void *context);
	int (*random)(void *disk, void *at, size_t n);
};

extern const struct log_io log_io_real;
