/* common/store/batch.h - appending messages
 *
 * Nothing is written before store_batch_end(), which makes one write a file for all
 * messages of the batch. On a fault, none of the batch's messages is there.
 */
#pragma once

#include "common/store/account.h"
#include "common/store/uids.h"
#include "common/store/view.h"

/* 16 bytes that name one delivery to one account for good; all zero: none. */
struct store_delivery_id {
	uint64_t queue_id;
	uint32_t ordinal;
	uint32_t spool;
};

struct store_message {
	uint32_t mailbox;    /* its id */
	struct span content; /* lives until store_batch_end() */
	struct span prefix;  /* header lines of this recipient, each ended by CRLF */
	uint32_t flags;      /* STORE_SEEN .. */
	uint64_t keywords;
	int64_t internal_us; /* INTERNALDATE */
	int64_t saved_us;    /* SAVEDATE: now, but for what is imported */
	struct store_delivery_id delivery;
	bool replay;      /* an earlier try may have succeeded: look */
	int64_t since_us; /* no try was before; 0: they were lately */
	/* For what comes from elsewhere (import.h); else zero. */
	int64_t now_us;      /* when it is not saved_us */
	uint32_t uid;        /* to get, UIDNEXT or above */
	const uint8_t *guid; /* to get: of these bytes, for good */
	struct span uidl;    /* its POP3 unique-id: 1 to 70 of ! to ~ */
};

struct store_appended {
	bool known; /* was stored by an earlier try; uid is 0 then */
	uint32_t uid;
	uint8_t guid[STORE_GUID_BYTES];
	uint64_t size; /* prefix and content */
};

/* Takes the lock and learns what others did. OK, BUSY (never when both `wait` and
 * store_account_wait()), FAULT. */
MUST_USE enum store_result
store_batch_begin(struct store_account *account, bool wait, struct err *err);

/* OK, NONE (no such mailbox), EXISTS (the uid is below UIDNEXT), LIMIT (the batch is
 * full, or what it has must be written before a replay can be looked for: end it first;
 * or the message is over STORE_MESSAGE_MAX, or its unique-id is none, or the mailbox is
 * out of UIDs), FAULT. */
MUST_USE enum store_result
store_append(struct store_account *account, const struct store_message *message,
	     struct store_appended *out, struct err *err);

/* Expunges, as part of the batch [RFC8508]: what is appended and what is expunged
 * becomes visible together, in one write to the journal, and after a crash the old ones
 * are gone only if all messages that the batch appended are whole: else all stay. Ask
 * after the last append. Needs a view. OK, NONE (no such mailbox), LIMIT (too many
 * ranges), FAULT. *done, which may be null: those that will go. */
MUST_USE enum store_result
store_batch_expunge(struct store_account *account, uint32_t mailbox,
		    struct store_uids uids, struct store_uid_list *done,
		    struct err *err);

/* Writes and gives the lock back. OK, FAULT. */
MUST_USE enum store_result
store_batch_end(struct store_account *account, struct err *err);

/* Forgets what was appended and gives the lock back. Refresh the view before it is
 * looked at again, here as after a fault. */
void store_batch_cancel(struct store_account *account);
