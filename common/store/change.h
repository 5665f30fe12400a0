/* common/store/change.h - everything but appending that changes a mailbox
 *
 * Each takes the lock, learns what others did, appends its events and gives the lock
 * back; the view is as new as that afterwards, and is made when there is none. BUSY,
 * which every one of them may answer after store_account_wait(account, false): another
 * process has the lock, nothing was done, try again in some ms. Durable only after a
 * sync. UIDs that are not there, or not listed yet, are skipped, so a range may be
 * wider than what it names. Outputs are set with OK only; lists may be null.
 */
#pragma once

#include "common/store/uids.h"
#include "common/store/view.h"

/* --- messages ------------------------------------------------------------- */

enum store_flag_verb {
	STORE_FLAGS_ADD,
	STORE_FLAGS_REMOVE,
	STORE_FLAGS_REPLACE,
};

struct store_flag_change {
	enum store_flag_verb verb;
	uint32_t flags; /* STORE_SEEN .. */
	uint64_t keywords;
	bool conditional;         /* UNCHANGEDSINCE [RFC7162 3.1.3] */
	uint64_t unchanged_since; /* whose modseq is greater is left alone */
};

/* OK, NONE (no such mailbox), BUSY, FAULT. *modseq: of the change, the same for all
 * that were changed; 0 when nothing was. Messages that have the flags already are left
 * alone. *modified: those left alone because of `unchanged_since`, as decided under the
 * lock. */
MUST_USE enum store_result
store_flags_change(struct store_account *account, uint32_t mailbox,
		   struct store_uids uids, const struct store_flag_change *change,
		   int64_t now_us, uint64_t *modseq, struct store_uid_list *modified,
		   struct err *err);

/* Whether \Deleted or not. OK, NONE, BUSY, FAULT. *n: how many there were; *done:
 * which. */
MUST_USE enum store_result
store_expunge(struct store_account *account, uint32_t mailbox, struct store_uids uids,
	      int64_t now_us, uint64_t *n, struct store_uid_list *done,
	      struct err *err);

/* The copies get *first, *first + 1 ... in the order of their uids, which are *done. A
 * copy is there as a whole or not at all; many are listed after store_catch_up().
 * OK, NONE, LIMIT (out of UIDs), BUSY, FAULT. *n may be 0; *first is then what the next
 * one would get. */
MUST_USE enum store_result
store_copy(struct store_account *account, uint32_t from, struct store_uids uids,
	   uint32_t to, int64_t now_us, uint32_t *first, uint64_t *n,
	   struct store_uid_list *done, struct err *err);
MUST_USE enum store_result
store_move(struct store_account *account, uint32_t from, struct store_uids uids,
	   uint32_t to, int64_t now_us, uint32_t *first, uint64_t *n,
	   struct store_uid_list *done, struct err *err);

/* OK, LIMIT (*err says which), BUSY, FAULT. A keyword gets its bit, for good. */
MUST_USE enum store_result
store_keyword_add(struct store_account *account, struct span name, int64_t now_us,
		  int *bit, struct err *err);

/* --- mailboxes ------------------------------------------------------------ */

/* OK, EXISTS, LIMIT (too many; a level empty, the name too long or not UTF-8), BUSY,
 * FAULT. The levels above are made, too, where they are missing [RFC9051 6.3.4]; only
 * the mailbox itself gets the special use. Subscribed when the name was. */
MUST_USE enum store_result
store_mailbox_create(struct store_account *account, struct span name,
		     enum store_special_use use, int64_t now_us, uint32_t *id,
		     struct err *err);

/* With all below it; levels above the new name are made. INBOX [RFC9051 6.3.6]: its
 * messages move to a new mailbox of that name, it stays, and so does what is below it.
 * OK, NONE, EXISTS (that name, or one that something below would get), LIMIT (also: the
 * new name is below the old), BUSY, FAULT. */
MUST_USE enum store_result
store_mailbox_rename(struct store_account *account, uint32_t id, struct span name,
		     int64_t now_us, struct err *err);

/* With its messages, without what is below it. The name stays subscribed when it was.
 * OK, NONE (or INBOX), BUSY, FAULT. */
MUST_USE enum store_result
store_mailbox_delete(struct store_account *account, uint32_t id, int64_t now_us,
		     struct err *err);

/* OK, NONE, BUSY, FAULT. */
MUST_USE enum store_result
store_mailbox_subscribe(struct store_account *account, uint32_t id, bool subscribed,
			int64_t now_us, struct err *err);

/* By name, with a mailbox or without [RFC9051 6.3.7]. OK (also when nothing changes),
 * LIMIT (the name; STORE_SUBSCRIPTIONS_MAX of those without a mailbox), BUSY, FAULT. */
MUST_USE enum store_result
store_subscribe(struct store_account *account, struct span name, bool subscribed,
		int64_t now_us, struct err *err);
