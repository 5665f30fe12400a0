/* common/store/maintain.h - checking and tidying an account
 *
 * Slow: for the admin command or a worker thread.
 */
#pragma once

#include "common/store/view.h"

enum store_damage {
	STORE_DAMAGE_JOURNAL, /* events are lost: offset and bytes */
	STORE_DAMAGE_CONTENT, /* the bytes of one message */
	STORE_DAMAGE_PREFIX,  /* the prefix of one message */
	STORE_DAMAGE_SUMMARY, /* rebuilt by store_rebuild() */
	STORE_DAMAGE_INDEX,   /* as above */
	STORE_DAMAGE_COUNTS,  /* what the journal counts is not what there is */
	STORE_DAMAGE_TEXT,    /* offset and bytes of text.N; rebuilt as summaries are */
};

struct store_finding {
	enum store_damage what;
	uint32_t mailbox; /* 0: not about a message */
	uint32_t uid;
	uint32_t file;   /* N of journal.N, data.N, summary.N, text.N */
	uint64_t offset; /* in it */
	uint64_t bytes;
	const char *text; /* one line; lives as long as the call of the finder */
};

typedef void store_finder(void *context, const struct store_finding *finding);

/* Checks every CRC and every count. OK (whether there were findings or not), FAULT. */
MUST_USE enum store_result
store_verify(struct store_account *account, store_finder *find, void *context,
	     uint64_t *findings, struct err *err);

/* Writes the index anew, and those summaries and texts that are missing or damaged. */
MUST_USE enum store_result store_rebuild(struct store_account *account, int64_t now_us,
					 uint64_t *summaries, struct err *err);

struct store_compaction {
	uint64_t bytes_before, bytes_after; /* of all files */
	uint64_t messages_dropped;          /* expunged and old enough */
	uint64_t messages_left;             /* could not be read: where they were */
};

/* Rewrites the account without what was expunged before now - keep_s. Crash-safe at
 * every point; who has files open reads on. Holds the lock: deliveries wait. A message
 * that is damaged, or that the disk cannot read, stays where it is, and so does its
 * file: `find`, which may be null, is told of it (STORE_DAMAGE_CONTENT). */
MUST_USE enum store_result
store_compact(struct store_account *account, uint64_t keep_s, int64_t now_us,
	      store_finder *find, void *context, struct store_compaction *out,
	      struct err *err);
