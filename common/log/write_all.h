/* common/log/write_all.h - gathered bytes to one place; inside the room only */
#pragma once

#include "common/log/io.h"

/* All of it or a fault: goes on after a short write and after EINTR. Changes v. */
MUST_USE int log_write_all(const struct log_io *io, int fd, struct iovec *v, int n,
			   uint64_t offset, struct err *err);
MUST_USE int log_write_span(const struct log_io *io, int fd, struct span bytes,
			    uint64_t offset, struct err *err);
