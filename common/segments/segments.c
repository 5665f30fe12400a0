#include "common/segments/segments.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#define SEGMENTS_FIRST 16 /* room for so many at first */

static struct segment *
segment_at(const struct segments *all, uint32_t number)
{
	for (size_t i = all->n; i-- > 0;)
		if (all->at[i].number == number)
			return &all->at[i];
	return NULL;
}

void
segments_put(struct segments *all, uint32_t number, int fd)
{
	struct segment *s = segment_at(all, number);

	if (s) {
		close(s->fd);
		*s = (struct segment){number, fd, 0};
		return;
	}
	if (all->n == all->size) {
		all->size = all->size ? 2 * all->size : SEGMENTS_FIRST;
		all->at = memory_resize(all->at, all->size, sizeof(*all->at));
	}
	all->at[all->n++] = (struct segment){number, fd, 0};
}

void
segments_drop(struct segments *all, uint32_t number)
{
	struct segment *s = segment_at(all, number);

	if (!s)
		return;
	close(s->fd);
	*s = all->at[--all->n];
}

void
segments_release(struct segments *all)
{
	for (size_t i = 0; i < all->n; i++)
		close(all->at[i].fd);
	free(all->at);
	*all = (struct segments){0};
}

bool
segments_message(struct segments *all, const struct ipc_message *m, int fd)
{
	if (m->number == IPC_NUMBER_segment_fd)
		segments_put(all, m->segment_fd.segment, fd);
	else if (m->number == IPC_NUMBER_segment_drop)
		segments_drop(all, m->segment_drop.segment);
	else
		return false;
	return true;
}

static bool
segment_holds(struct segment *s, uint64_t offset, uint64_t n)
{
	struct stat st;

	if (offset > UINT64_MAX - n)
		return false;
	if (offset + n > s->size && fstat(s->fd, &st) == 0)
		s->size = (uint64_t)st.st_size;
	return offset + n <= s->size;
}

static bool
pread_all(int fd, char *at, size_t n, uint64_t offset)
{
	while (n > 0) {
		ssize_t got = pread(fd, at, n, (off_t)offset);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		at += got;
		offset += (uint64_t)got;
		n -= (size_t)got;
	}
	return true;
}

enum segments_result
segments_read(struct segments *all, uint32_t number, uint64_t offset, char *at,
	      size_t n)
{
	struct segment *s = segment_at(all, number);

	if (!s)
		return SEGMENTS_UNKNOWN;
	if (!segment_holds(s, offset, n))
		return SEGMENTS_BEYOND;
	return pread_all(s->fd, at, n, offset) ? SEGMENTS_OK : SEGMENTS_FAULT;
}

const char *
segments_text(enum segments_result result)
{
	switch (result) {
	case SEGMENTS_OK:
		return "";
	case SEGMENTS_UNKNOWN:
		return "4.3.0 segment of the spool not known";
	case SEGMENTS_BEYOND:
		return "4.3.0 message beyond the segment";
	case SEGMENTS_FAULT:
		return "4.3.0 the spool cannot be read";
	}
	return "";
}
