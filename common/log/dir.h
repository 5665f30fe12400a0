/* common/log/dir.h - the numbered files of one log
 *
 * Slow calls, for a worker thread; a struct log_dir is only read. A file is
 * named, its header written, and file and directory are synced before it is
 * handed out. Give new files a number higher than any in the list.
 */
#pragma once

#include "common/log/file.h"

#define LOG_PREFIX_MAX 16 /* letters before the number */

struct log_dir {
	const struct log_io *io;
	int fd;
	const char *prefix; /* "journal." makes journal.1; "" for numbers alone */
	uint32_t kind;
};

struct log_numbers {
	uint64_t *at; /* ascending */
	size_t n;
};

/* Every file with the prefix and a plain decimal number, ready or not. Syncs the
 * directory first, so that what it shows is durable, also after a writer was
 * killed: start with it before writing to a file that is there already. */
MUST_USE int
log_dir_list(const struct log_dir *d, struct log_numbers *out, struct err *err);
void log_numbers_release(struct log_numbers *numbers);

MUST_USE enum log_open
log_dir_open(const struct log_dir *d, uint64_t number, enum log_access access,
	     struct log_file *out, struct err *err);

/* A new file, open for writing. `size` bytes are written with zeros at once
 * (LOG_PREWRITTEN), or 0 (LOG_GROWS). On a fault the name is free again, as far
 * as the disk allows. */
MUST_USE int log_dir_create(const struct log_dir *d, uint64_t number, uint64_t size,
			    struct log_file *out, struct err *err);

/* File `from`, which nobody needs any more, becomes the empty file `to` with a new
 * salt; no record of its earlier life can come back. Grown to `size` if shorter.
 * On a fault either name may remain, not holding anything. */
MUST_USE int log_dir_recycle(const struct log_dir *d, uint64_t from, uint64_t to,
			     uint64_t size, struct log_file *out, struct err *err);

/* Gone for good when this returns 0. */
MUST_USE int log_dir_remove(const struct log_dir *d, uint64_t number, struct err *err);
