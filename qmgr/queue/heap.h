/* qmgr/queue/heap.h - waiting messages by when they are due; entry->link is kept
 * up to date, so that any of them can be taken out */
#pragma once

#include "qmgr/queue/entry.h"

struct heap_slot {
	uint32_t due_s;
	uint32_t ref;
};

struct heap {
	struct heap_slot *slots;
	size_t n, size;
};

void heap_release(struct heap *h);
/* By the entry's due_s. */
void heap_add(struct heap *h, const struct entries *all, uint32_t ref);
void heap_remove(struct heap *h, const struct entries *all, uint32_t ref);
/* The one due first, when it is due by now. */
MUST_USE bool heap_due(const struct heap *h, uint32_t now_s, uint32_t *ref);
