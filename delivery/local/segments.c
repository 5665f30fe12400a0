/* descriptors of the spool's segments, as qmgr passed them */
#include "delivery/local/local.h"

#include <sys/stat.h>
#include <unistd.h>

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
		all->size = all->size ? 2 * all->size : 16;
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

const struct segment *
segments_find(struct segments *all, uint32_t number, uint64_t offset, uint64_t bytes,
	      bool *inside)
{
	struct segment *s = segment_at(all, number);
	struct stat st;

	*inside = false;
	if (!s || offset > UINT64_MAX - bytes)
		return s;
	if (offset + bytes > s->size && fstat(s->fd, &st) == 0)
		s->size = (uint64_t)st.st_size;
	*inside = offset + bytes <= s->size;
	return s;
}
