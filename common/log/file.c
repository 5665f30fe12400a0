#include "common/log/file.h"

#include <errno.h>

/* How much of the header area there is, up to all of it; -1 for a fault. */
static ssize_t
header_read(const struct log_io *io, int fd, char header[LOG_HEADER_BYTES],
	    struct err *err)
{
	size_t n = 0;

	while (n < LOG_HEADER_BYTES) {
		ssize_t got =
		    io->pread(io->disk, fd, header + n, LOG_HEADER_BYTES - n, n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_sys(err, "log: cannot read the header");
		if (got == 0)
			break;
		n += (size_t)got;
	}
	return (ssize_t)n;
}

enum log_open
log_file_open(struct log_file *f, const struct log_io *io, int fd, uint32_t kind,
	      uint64_t number, struct err *err)
{
	static const enum log_open results[] = {
	    [LOG_HEADER_OK] = LOG_OPEN_OK,
	    [LOG_HEADER_UNREADY] = LOG_OPEN_UNREADY,
	    [LOG_HEADER_DAMAGED] = LOG_OPEN_DAMAGED,
	};
	struct log_id id = {.kind = kind, .number = number};
	char header[LOG_HEADER_BYTES];
	ssize_t n = header_read(io, fd, header, err);
	enum log_header found;

	if (n < 0)
		return LOG_OPEN_FAULT;
	found = log_header_check(span_make(header, (size_t)n), &id);
	if (found == LOG_HEADER_OK)
		*f = (struct log_file){io, fd, id};
	return results[found];
}

void
log_file_close(struct log_file *f)
{
	if (f->fd >= 0)
		f->io->close(f->io->disk, f->fd);
	f->fd = -1;
}

int
log_file_sync(const struct log_file *f, struct err *err)
{
	if (f->io->fdatasync(f->io->disk, f->fd) < 0)
		return err_sys(err, "log: cannot sync file %llu",
			       (unsigned long long)f->id.number);
	return 0;
}

int
log_file_size(const struct log_file *f, uint64_t *size, struct err *err)
{
	if (f->io->size(f->io->disk, f->fd, size) < 0)
		return err_sys(err, "log: cannot tell the size of file %llu",
			       (unsigned long long)f->id.number);
	return 0;
}
