#include "qmgr/queue/heap.h"

void
heap_release(struct heap *h)
{
	free(h->slots);
	*h = (struct heap){0};
}

static void
slot_put(struct heap *h, const struct entries *all, size_t i, struct heap_slot slot)
{
	h->slots[i] = slot;
	entry_at(all, slot.ref)->link = (uint32_t)i;
}

static void
sift_up(struct heap *h, const struct entries *all, size_t i, struct heap_slot slot)
{
	while (i > 0 && h->slots[(i - 1) / 2].due_s > slot.due_s) {
		slot_put(h, all, i, h->slots[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
	slot_put(h, all, i, slot);
}

static void
sift_down(struct heap *h, const struct entries *all, size_t i, struct heap_slot slot)
{
	for (;;) {
		size_t child = i * 2 + 1;

		if (child >= h->n)
			break;
		if (child + 1 < h->n &&
		    h->slots[child + 1].due_s < h->slots[child].due_s)
			child++;
		if (h->slots[child].due_s >= slot.due_s)
			break;
		slot_put(h, all, i, h->slots[child]);
		i = child;
	}
	slot_put(h, all, i, slot);
}

void
heap_add(struct heap *h, const struct entries *all, uint32_t ref)
{
	struct heap_slot slot = {entry_at(all, ref)->due_s, ref};

	if (h->n == h->size) {
		h->size = h->size ? h->size + h->size / 2 : 256;
		h->slots = memory_resize(h->slots, h->size, sizeof(*h->slots));
	}
	sift_up(h, all, h->n++, slot);
}

void
heap_remove(struct heap *h, const struct entries *all, uint32_t ref)
{
	size_t i = entry_at(all, ref)->link;
	struct heap_slot last;

	ASSERT(i < h->n && h->slots[i].ref == ref);
	last = h->slots[--h->n];
	entry_at(all, ref)->link = ENTRY_NONE;
	if (i == h->n)
		return;
	if (i > 0 && h->slots[(i - 1) / 2].due_s > last.due_s)
		sift_up(h, all, i, last);
	else
		sift_down(h, all, i, last);
}

bool
heap_due(const struct heap *h, uint32_t now_s, uint32_t *ref)
{
	if (h->n == 0 || h->slots[0].due_s > now_s)
		return false;
	*ref = h->slots[0].ref;
	return true;
}
