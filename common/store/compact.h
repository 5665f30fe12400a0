/* common/store/compact.h - what the files of a compaction share; inside the room only
 *
 * New files are written beside the old ones and synced; then one rename of the new
 * journal, a snapshot, makes all of them count at once.
 */
#pragma once

#include "common/store/history.h"

/* A message of the old account. */
struct ref {
	struct store_record *record;
	bool keep;
};

struct compaction {
	struct store_account *account;
	struct store_account *source; /* whose mail it gets: its own, but for a
				       * replacement (restore_replace.c) */
	uint64_t base;                /* of the new journal */
	struct view *view;            /* of all there is, the expunged included */
	uint32_t cutoff_s;            /* what was expunged by then goes */
	struct ref *refs;
	size_t n;
	uint64_t dropped;
	uint64_t left;      /* could not be read */
	store_finder *find; /* is told of those; or null */
	void *context;
	struct event_state tail; /* of the new account */
	struct history history;
};

/* Is it to be in the new account, if only as something expunged? */
MUST_USE bool compact_keeps(const struct compaction *c, const struct box *b,
			    const struct store_record *r);

/* Copies the records of all files of a sort that hold something to drop; the kept
 * records then say the new place. A damaged one stays where it is. */
MUST_USE int compact_copy(struct compaction *c, enum file_sort sort, struct err *err);

/* Writes and syncs the snapshot under another name; *number is what it is to get. */
MUST_USE int compact_journal(struct compaction *c, uint64_t *number, struct err *err);

#define COMPACT_PREFIX "compact."

/* The steps of it that a replacement shares. Who is there, and what of it is kept. */
void compact_plan(struct compaction *c);
/* Removes what a compaction that was cut short left. */
MUST_USE int compact_clean(struct compaction *c, struct err *err);
/* From here on the new files are the account. */
MUST_USE int compact_publish(struct store_account *a, uint64_t number, struct err *err);
/* The state is what the snapshot says; old files go. */
MUST_USE int compact_finish(struct compaction *c, struct err *err);
void compact_release(struct compaction *c);
