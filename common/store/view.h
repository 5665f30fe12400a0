/* common/store/view.h - what is in the mailboxes
 *
 * A view holds the index in memory and follows the journal. Messages whose append is
 * not yet durable are not listed. Pointers to records live until the next call on the
 * account that is not a pure reader (store_first .. store_expunged, content).
 */
#pragma once

#include "common/store/account.h"
#include "common/store/uids.h"

#define STORE_GUID_BYTES 16
#define STORE_INBOX      1u /* the id of every account's INBOX */

enum store_flag {
	STORE_SEEN = 1 << 0,
	STORE_ANSWERED = 1 << 1,
	STORE_FLAGGED = 1 << 2,
	STORE_DELETED = 1 << 3,
	STORE_DRAFT = 1 << 4,
	STORE_FLAGS = (1 << 5) - 1,
};

enum store_special_use { /* [RFC6154 2] */
	STORE_USE_NONE,
	STORE_USE_ALL,
	STORE_USE_ARCHIVE,
	STORE_USE_DRAFTS,
	STORE_USE_FLAGGED,
	STORE_USE_JUNK,
	STORE_USE_SENT,
	STORE_USE_TRASH,
	STORE_USES,
};

struct store_mailbox {
	uint32_t id; /* never used again; MAILBOXID with uidvalidity */
	uint32_t uidvalidity;
	uint32_t uidnext;
	uint8_t special_use;
	bool subscribed;
	struct span name; /* UTF-8, '/' between levels; "INBOX" is always so written */
	uint64_t modseq;  /* HIGHESTMODSEQ */
	uint64_t expunged_since; /* store_expunged() knows all after this modseq */
	uint64_t messages;
	uint64_t unseen;
	uint64_t bytes; /* prefixes included */
};

/* A message in a mailbox: the fixed record of the index, 128 bytes. */
struct store_record {
	uint32_t crc; /* of the rest */
	uint32_t uid;
	uint64_t modseq;
	uint64_t appended; /* the modseq of its append, copy or move to here */
	uint8_t guid[STORE_GUID_BYTES]; /* of the bytes: the same in a copy; EMAILID */
	uint32_t flags;
	uint32_t prefix_bytes;
	uint64_t keywords;
	uint64_t content_bytes; /* RFC822.SIZE is prefix_bytes + content_bytes */
	int64_t internal_us;
	int64_t saved_us;    /* SAVEDATE: in this mailbox since */
	uint64_t thread_key; /* THREADID */
	uint32_t mailbox;
	uint32_t data_number; /* where the bytes are: data.N */
	uint32_t data_offset;
	uint32_t journal_number; /* where the prefix is: journal.N */
	uint32_t journal_offset;
	uint32_t summary_number; /* 0: none */
	uint32_t summary_offset;
	uint32_t uidl_bytes; /* of its POP3 unique-id, if it came with one */
	uint32_t given;      /* 1: its uid is that of where it was imported from */
	uint32_t expunged_s; /* internal: when, in seconds; 0: it is not */
};

static inline uint64_t
store_record_size(const struct store_record *record)
{
	return record->prefix_bytes + record->content_bytes;
}

/* Learns what happened since; the first time in an account's life as a whole (which
 * rebuilds the index when it is missing, damaged or old), and when everything has to be
 * read anew. OK, BUSY (another has the lock, which is needed for reading anew; only
 * after store_account_wait(account, false); a view that there was may be gone), FAULT.
 * Before store_catch_up() nothing is learned. */
MUST_USE enum store_result
store_view_refresh(struct store_account *account, struct err *err);

/* After store_account_wait(account, false) a store_copy() of many messages is in the
 * journal at once, and whole; the view gets them bit by bit, a bounded step each call.
 * True when it has all of them. Until then they are not listed, whatever was synced,
 * and what needs the lock answers BUSY, after a step of its own. */
MUST_USE bool store_catch_up(struct store_account *account);

/* Writes the index when it is far behind what the view had to read. Anybody may,
 * best at the end of a session. OK (also when not needed), FAULT. */
MUST_USE enum store_result
store_view_save(struct store_account *account, struct err *err);

/* All below need a view: store_view_refresh() was OK at least once. */

/* Mailboxes by ascending id; false when there is none after `id`. */
MUST_USE bool store_mailbox_next(const struct store_account *account, uint32_t id,
				 struct store_mailbox *out);
MUST_USE bool store_mailbox_get(const struct store_account *account, uint32_t id,
				struct store_mailbox *out);
/* By name; INBOX in any case. 0: none. */
MUST_USE uint32_t store_mailbox_find(const struct store_account *account,
				     struct span name);

/* The messages of a mailbox by ascending uid; null after the last. */
MUST_USE const struct store_record *
store_first(const struct store_account *account, uint32_t mailbox);
MUST_USE const struct store_record *
store_next(const struct store_account *account, const struct store_record *record);
/* The one of that uid, or null; O(log n). */
MUST_USE const struct store_record *
store_find(const struct store_account *account, uint32_t mailbox, uint32_t uid);
/* The first whose uid is not less, or null; O(log n). */
MUST_USE const struct store_record *
store_find_from(const struct store_account *account, uint32_t mailbox, uint32_t uid);

struct store_gone {
	uint32_t uid;
	uint32_t crc;
	uint64_t modseq; /* of the expunge */
};

/* What was expunged in a mailbox, oldest first [RFC7162 3.2.10]: all that went after
 * modseq expunged_since of the mailbox. */
MUST_USE const struct store_gone *
store_expunged(const struct store_account *account, uint32_t mailbox, size_t *n);

/* The uids to answer a QRESYNC with VANISHED (EARLIER) [RFC7162 3.2.5.2]: those
 * expunged after `since`, in ascending order; when that is too long ago to be known,
 * all below UIDNEXT that are not there. */
void store_vanished(const struct store_account *account, uint32_t mailbox,
		    uint64_t since, struct store_uid_list *out);

/* Names that are subscribed and have no mailbox, in no order; *place starts at 0. False
 * after the last. The name lives as long as a record does. */
MUST_USE bool store_subscribed_next(const struct store_account *account, size_t *place,
				    struct span *name);

/* The bit of a keyword, its name by bit; -1 and an empty span when there is none. */
MUST_USE int store_keyword_find(const struct store_account *account, struct span name);
MUST_USE struct span store_keyword_name(const struct store_account *account, int bit);
