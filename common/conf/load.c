#include "common/conf/conf.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static int
read_all(int fd, struct buf *text, struct err *err)
{
	char piece[4096];
	ssize_t n;

	while ((n = read(fd, piece, sizeof(piece))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(err, "cannot be read");
		buf_put(text, span_make(piece, (size_t)n));
		if (text->full)
			return err_set(err, "is larger than 2 MiB");
	}
	return 0;
}

static int
read_file(const char *path, struct buf *text, struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int result;

	if (fd < 0)
		return err_sys(err, "cannot be opened");
	result = read_all(fd, text, err);
	close(fd);
	return result;
}

int
conf_load(const char *path, const char *hostname, struct buf *text,
	  struct settings *out, struct conf_errors *errors)
{
	struct err err;

	buf_reset(text);
	if (read_file(path, text, &err) == 0)
		return conf_parse(buf_span(text), path, hostname, out, errors);
	errors->at = memory_new(1, sizeof(*errors->at));
	errors->n = 1;
	err_set(&errors->at[0], "%.100s: %.120s", path, err.text);
	return -1;
}
