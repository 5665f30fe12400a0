/* common/log/file.h - an open log file, as writers and readers share it */
#pragma once

#include "common/log/frame.h"
#include "common/log/io.h"

struct log_file {
	const struct log_io *io;
	int fd; /* -1: closed */
	struct log_id id;
};

enum log_open {
	LOG_OPEN_FAULT = -1, /* *err says why */
	LOG_OPEN_OK,
	LOG_OPEN_UNREADY, /* never finished being created or recycled: remove or recycle
			   */
	LOG_OPEN_DAMAGED, /* both headers lost, or no log of this kind and number */
};

/* Takes an open fd (one that was passed, say) after reading its header. The fd
 * stays the caller's unless LOG_OPEN_OK. */
MUST_USE enum log_open
log_file_open(struct log_file *f, const struct log_io *io, int fd, uint32_t kind,
	      uint64_t number, struct err *err);

/* Nothing when closed already. */
void log_file_close(struct log_file *f);

/* fdatasync, for any thread; f is only read. See log_sync_end(). */
MUST_USE int log_file_sync(const struct log_file *f, struct err *err);

MUST_USE int log_file_size(const struct log_file *f, uint64_t *size, struct err *err);
