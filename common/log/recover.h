/* common/log/recover.h - what a file holds after a crash
 *
 * A place that is no record is damage when a later record (or the caller) knows
 * that a sync had covered it; else it is the torn tail, and nothing from there
 * on was ever acknowledged, even where later records happen to have survived.
 * A growing file is cut there and synced before anything may be appended; where
 * that cuts off what proved a place to be damage, a record of recovery's own
 * (LOG_KIND_MARK) says so instead. In a
 * pre-written segment nothing changes: nothing is ever appended to it again.
 *
 * Bytes that no sync is known to have covered are written once more and synced:
 * after a sync that failed, the kernel may show pages that are not on the disk.
 */
#pragma once

#include "common/log/file.h"

enum log_shape {
	LOG_GROWS,
	LOG_PREWRITTEN,
};

struct log_recovery {
	uint64_t end;           /* what follows is no record; all before is durable */
	uint64_t records;       /* valid ones before `end` */
	uint64_t damaged_bytes; /* before `end`; log_reader_next() names each place */
	uint64_t damaged_at;    /* the first of them, when there are any */
	uint64_t damaged_to;    /* where the last of them ends */
	uint64_t cut_bytes;     /* after `end`, in a growing file */
	uint64_t synced;        /* what records and caller knew to be durable */
	uint64_t claimed;       /* of this, what records before `end` say */
	uint64_t unreadable;    /* the disk failed to read bytes before this offset,
				 * the last such place; 0: it read everything */
};

/* `known_synced`: what the caller knows from elsewhere to have been durable; 0
 * when nothing. Slow: reads the whole file; for a worker thread. Running it again
 * changes nothing and gives the same end. A growing file is not cut where the disk
 * failed to read what could be records: that is a fault. On a fault the file is
 * as it was, or cut; try again or leave it alone. */
MUST_USE int
log_recover(const struct log_file *f, enum log_shape shape, uint64_t known_synced,
	    struct log_recovery *out, struct err *err);

/* The same answer, without writing. */
MUST_USE int log_survey(const struct log_file *f, uint64_t known_synced,
			struct log_recovery *out, struct err *err);
