#include "common/proc/proc.h"

#include <errno.h>
#include <unistd.h>

static int
read_all(int fd, struct buf *out, struct err *err)
{
	char piece[4096];
	off_t at = 0;
	ssize_t n;

	/* At given offsets: several programs may share one open file. */
	while ((n = pread(fd, piece, sizeof(piece), at)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(err, "cannot read a file that was handed over");
		buf_put(out, span_make(piece, (size_t)n));
		if (out->full)
			return err_set(err, "a file that was handed over is too large");
		at += n;
	}
	return 0;
}

int
proc_read_fd(int fd, struct buf *out, struct err *err)
{
	int result;

	buf_reset(out);
	result = read_all(fd, out, err);
	close(fd);
	return result;
}
