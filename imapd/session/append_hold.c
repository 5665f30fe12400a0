#include "imapd/session/append_hold.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

void
append_hold_init(struct append_hold *h)
{
	*h = (struct append_hold){.bytes = buf_make(APPEND_MEMORY_MAX), .fd = -1};
}

void
append_hold_release(struct append_hold *h)
{
	if (h->map)
		munmap(h->map, h->map_bytes);
	if (h->fd >= 0)
		close(h->fd);
	buf_release(&h->bytes);
	append_hold_init(h);
}

static int
file_write(int fd, struct span s, struct err *err)
{
	while (s.n > 0) {
		ssize_t n = write(fd, s.at, s.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(err, "imap: cannot write a message that comes");
		s = span_after(s, (size_t)n);
	}
	return 0;
}

/* What is in memory goes into a file. */
static int
file_begin(struct append_hold *h, const char *directory, struct err *err)
{
	h->fd = open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (h->fd < 0)
		return err_sys(err, "imap: no temporary file in %s", directory);
	if (file_write(h->fd, buf_span(&h->bytes), err) < 0)
		return -1;
	buf_release(&h->bytes);
	return 0;
}

int
append_hold_put(struct append_hold *h, const char *directory, struct span s,
		struct err *err)
{
	if (h->fd < 0 && !buf_room(&h->bytes, s.n) && file_begin(h, directory, err) < 0)
		return -1;
	if (h->fd >= 0 && file_write(h->fd, s, err) < 0)
		return -1;
	if (h->fd < 0)
		buf_put(&h->bytes, s);
	h->n += s.n;
	return 0;
}

int
append_hold_all(struct append_hold *h, struct span *out, struct err *err)
{
	if (h->fd < 0) {
		*out = buf_span(&h->bytes);
		return 0;
	}
	if (!h->map) {
		void *map = mmap(NULL, (size_t)h->n, PROT_READ, MAP_PRIVATE, h->fd, 0);

		if (map == MAP_FAILED)
			return err_sys(err, "imap: cannot map a message that came");
		h->map = map;
		h->map_bytes = (size_t)h->n;
	}
	*out = span_make(h->map, h->map_bytes);
	return 0;
}
