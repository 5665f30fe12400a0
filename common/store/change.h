/* common/store/change.h - everything but appending that changes a mailbox
 *
 * Each takes the lock (waits for it), learns what others did, appends its events and
 * gives the lock back; the view is as new as that afterwards. Durable only after
 * store_sync(). All need a view. UIDs that are not there are skipped, so a range may be
 * wider than what it names; ranges are ascending and do not overlap.
 */
#pragma once

#include "common/store/view.h"

struct store_range {
	uint32_t first, last;
};

struct store_uids {
	const struct store_range *at;
	size_t n;
};

enum store_flag_verb {
	STORE_FLAGS_ADD,
	STORE_FLAGS_REMOVE,
	STORE_FLAGS_REPLACE,
};

/* OK, NONE (no such mailbox), FAULT. *modseq: of the change, 0 when nothing changed.
 * Messages that have the flags already are left alone. */
MUST_USE enum store_result
store_flags_change(struct store_account *account, uint32_t mailbox,
		   struct store_uids uids, enum store_flag_verb verb, uint32_t flags,
		   uint64_t keywords, int64_t now_us, uint64_t *modseq,
		   struct err *err);

/* OK, LIMIT, FAULT. A keyword gets its bit. */
MUST_USE enum store_result
store_keyword_add(struct store_account *account, struct span name, int64_t now_us,
		  int *bit, struct err *err);

/* Whether \Deleted or not. OK, NONE, FAULT. *n: how many there were. */
MUST_USE enum store_result
store_expunge(struct store_account *account, uint32_t mailbox, struct store_uids uids,
	      int64_t now_us, uint64_t *n, struct err *err);

/* The copies get *first, *first + 1 ... in the order of their uids. OK, NONE, LIMIT,
 * FAULT. *n may be 0. */
MUST_USE enum store_result
store_copy(struct store_account *account, uint32_t from, struct store_uids uids,
	   uint32_t to, int64_t now_us, uint32_t *first, uint64_t *n, struct err *err);
MUST_USE enum store_result
store_move(struct store_account *account, uint32_t from, struct store_uids uids,
	   uint32_t to, int64_t now_us, uint32_t *first, uint64_t *n, struct err *err);

/* OK, EXISTS, LIMIT (too many; name empty, too long or not UTF-8), FAULT. Levels above
 * are the caller's affair. */
MUST_USE enum store_result
store_mailbox_create(struct store_account *account, struct span name,
		     enum store_special_use use, int64_t now_us, uint32_t *id,
		     struct err *err);

/* With all below it. OK, NONE (or INBOX), EXISTS, LIMIT, FAULT. */
MUST_USE enum store_result
store_mailbox_rename(struct store_account *account, uint32_t id, struct span name,
		     int64_t now_us, struct err *err);

/* With its messages, without what is below it. OK, NONE (or INBOX), FAULT. */
MUST_USE enum store_result
store_mailbox_delete(struct store_account *account, uint32_t id, int64_t now_us,
		     struct err *err);
/* OK, NONE, FAULT. */
MUST_USE enum store_result
store_mailbox_subscribe(struct store_account *account, uint32_t id, bool subscribed,
			int64_t now_us, struct err *err);
