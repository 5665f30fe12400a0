/* common/store/change_internal.h - what the files that change a mailbox share */
#pragma once

#include "common/store/internal.h"

/* Messages that were chosen, as ranges. */
struct choice {
	struct buf ranges;
	struct store_range range; /* being made; first 0: none */
	uint64_t n, bytes;
	int64_t unseen;
};

typedef bool choose_one(const struct store_record *r, const void *context);

/* Those among uids that a client can see and `take` (null: all) wants. */
void choose(const struct store_account *a, uint32_t mailbox, struct store_uids uids,
	    choose_one *take, const void *context, struct choice *c);

/* As store_batch_begin(), waiting, and with a view that is up to date. */
MUST_USE enum store_result
change_begin(struct store_account *a, int64_t now_us, struct err *err);

/* Appends the event (for what was chosen, if anything), ends the batch and releases the
 * choice, which may be null. */
MUST_USE enum store_result
change_end(struct store_account *a, struct choice *c, struct event *e, struct err *err);
