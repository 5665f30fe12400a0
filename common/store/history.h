/* common/store/history.h - what a journal says of its own past; inside the room only */
#pragma once

#include "common/store/internal.h"

struct history_box {
	uint32_t id;
	uint32_t uidvalidity;
	struct span name; /* owned */
};

struct history {
	int64_t until_us;     /* events after it do not count */
	int64_t cutoff_us;    /* what was expunged by then may have been compacted */
	int64_t compacted_us; /* when the last compaction was; 0: there was none */
	struct history_box *boxes; /* all that there were, by ascending id */
	size_t n;
};

/* One event of a walk through the whole chain. */
void history_take(struct history *h, const struct event *e);
MUST_USE const struct history_box *history_box(const struct history *h, uint32_t id);
/* All of the account's journal. The lock is held. */
MUST_USE int
history_read(struct store_account *a, struct history *out, struct err *err);
void history_release(struct history *h);
