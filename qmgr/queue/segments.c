#include "qmgr/queue/segments.h"

void
segments_release(struct segments *all)
{
	free(all->at);
	*all = (struct segments){0};
}

static size_t
place_find(const struct segments *all, uint32_t number)
{
	size_t low = 0, high = all->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (all->at[middle].number < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct queue_segment *
segment_find(const struct segments *all, uint32_t number)
{
	size_t i = place_find(all, number);

	return i < all->n && all->at[i].number == number ? &all->at[i] : NULL;
}

struct queue_segment *
segment_need(struct segments *all, uint32_t number, uint32_t now_s)
{
	size_t i = place_find(all, number);

	if (i < all->n && all->at[i].number == number)
		return &all->at[i];
	if (all->n == all->size) {
		all->size = all->size ? all->size * 2 : 16;
		all->at = memory_resize(all->at, all->size, sizeof(*all->at));
	}
	memmove(all->at + i + 1, all->at + i, (all->n - i) * sizeof(*all->at));
	all->n++;
	all->at[i] = (struct queue_segment){.number = number, .first_s = now_s};
	return &all->at[i];
}

static void
done_or_not(const struct segments *all, struct queue_segment *s)
{
	if (s->live == 0 && s->use == SEGMENT_IN_USE && s->number != all->current)
		s->use = SEGMENT_DONE;
}

void
segment_enter(struct segments *all, const struct place *p, uint32_t now_s)
{
	struct queue_segment *s = segment_need(all, p->segment, now_s);

	s->live++;
	s->live_bytes += place_end(p) - p->offset;
	if (s->use != SEGMENT_PINNED)
		s->use = SEGMENT_IN_USE;
}

void
segment_leave(struct segments *all, const struct place *p)
{
	struct queue_segment *s = segment_find(all, p->segment);

	ASSERT(s && s->live > 0);
	s->live--;
	s->live_bytes -= place_end(p) - p->offset;
	done_or_not(all, s);
}

void
segments_set_current(struct segments *all, uint32_t number)
{
	struct queue_segment *s = segment_find(all, number);

	all->current = number;
	if (s && s->use != SEGMENT_PINNED)
		s->use = SEGMENT_IN_USE;
	for (size_t i = 0; i < all->n; i++)
		done_or_not(all, &all->at[i]);
}

static bool
among(uint32_t number, const uint64_t *numbers, size_t n)
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (numbers[middle] < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low < n && numbers[low] == number;
}

void
segments_forget_gone(struct segments *all, const uint64_t *numbers, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < all->n; i++)
		if (all->at[i].use != SEGMENT_RELEASED ||
		    among(all->at[i].number, numbers, n))
			all->at[kept++] = all->at[i];
	all->n = kept;
}
