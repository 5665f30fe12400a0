/* common/store/restore.h - mail that comes back: from a backup, or from the past
 *
 * A mailbox that is older than what its clients know must not confuse them. So what is
 * restored keeps its UIDVALIDITY and UIDs, but UIDNEXT and MODSEQ go on well above
 * anything that can have been given since the backup: STORE_RESTORED_UIDS and 2^33. Who
 * resynchronises [RFC7162 3.2.5] is told of the flags of every message, and of every
 * uid that is not there.
 *
 * Slow: for the admin command.
 */
#pragma once

#include "common/store/view.h"

#define STORE_RESTORED_UIDS (1u << 20)

/* --- from a backup -------------------------------------------------------- */

/* A file of an account that is being put in place, to be written and closed; the
 * directory is made. OK, EXISTS (the file is there), FAULT. Before the first one ask
 * store_restore_vacant(). */
MUST_USE enum store_result
store_restore_create(const struct store *store, uint64_t id, const char *name, int *fd,
		     struct err *err);
/* OK: the account has no journal. EXISTS, FAULT. */
MUST_USE enum store_result
store_restore_vacant(const struct store *store, uint64_t id, struct err *err);

/* The account that was put in place file by file begins to live: new files, UIDNEXT and
 * MODSEQ as above. Durable after store_sync_disk(). OK, NONE (no account), FAULT. */
MUST_USE enum store_result
store_restored(struct store *store, uint64_t id, int64_t now_us, struct err *err);

/* Everything in `to` is replaced by what is in `from`, an account of another store on
 * the same file system; its files are moved, so that it must be removed afterwards.
 * Who has `to` open learns of it as of a compaction. At each moment before the end the
 * old account is whole, then the new one is. OK, BUSY, FAULT. */
MUST_USE enum store_result
store_replace(struct store_account *to, struct store_account *from, int64_t now_us,
	      struct err *err);

/* --- from the past -------------------------------------------------------- */

/* What an account held at a moment, as far as its journal and files still say. */
struct store_past;

/* The lock is held while the journal is read. OK, BUSY, FAULT. Freed before the account
 * is closed. */
MUST_USE enum store_result
store_past_open(struct store_account *account, int64_t at_us, int64_t now_us,
		struct store_past **out, struct err *err);
void store_past_free(struct store_past **past);

/* What a compaction took is not known; flags are those of the compaction when it came
 * after the moment. 0: there was none. */
MUST_USE int64_t store_past_compacted_us(const struct store_past *past);

struct store_past_mailbox {
	uint32_t id;
	struct span name;         /* as it was then; empty: not known any more */
	bool deleted;             /* since */
	uint64_t messages, bytes; /* then, as far as known */
	uint64_t missing;         /* of them, those that are not there now */
	uint64_t lost; /* at most so many more may have been there: their bytes are
			* gone */
};

/* Mailboxes that there were, by ascending id; false when there is none after `id`. */
MUST_USE bool store_past_mailbox_next(const struct store_past *past, uint32_t id,
				      struct store_past_mailbox *out);

struct store_past_done {
	uint64_t messages, bytes; /* that came back */
	uint64_t damaged;         /* whose bytes cannot be read back */
};

/* The messages of mailbox `id` of then into mailbox `to` of now, with the flags they
 * had and new uids. Without `all`, only those that are in `to` no more; for to == id.
 * No bytes are copied. Durable after store_sync(). OK, NONE (no such mailbox), LIMIT
 * (out of uids), BUSY, FAULT. */
MUST_USE enum store_result
store_past_restore(struct store_account *account, const struct store_past *past,
		   uint32_t id, uint32_t to, bool all, int64_t now_us,
		   struct store_past_done *done, struct err *err);
