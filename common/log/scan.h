/* common/log/scan.h - looking for records through a window; inside the room only
 *
 * A scan does at most a few times the work of reading the file once, whatever
 * the file holds: bytes of records that fail only by their last CRC are counted,
 * and when they sum up to more than damage can explain, that is a fault.
 */
#pragma once

#include "common/log/reader.h"

enum log_scan_result {
	LOG_SCAN_FAULT = -1,
	LOG_SCAN_NONE,
	LOG_SCAN_FOUND,
};

void log_scan_init(struct log_scan *s, const struct log_file *f);
void log_scan_release(struct log_scan *s);

/* Forgets what was read: the file may have changed. Keeps count of the work. */
void log_scan_reset(struct log_scan *s);

/* The record at `offset`, if there is one that ends at or before `limit`. */
MUST_USE enum log_scan_result
log_scan_at(struct log_scan *s, uint64_t offset, uint64_t limit, struct log_record *out,
	    struct err *err);

/* The first record at or after `from`. */
MUST_USE enum log_scan_result
log_scan_seek(struct log_scan *s, uint64_t from, uint64_t limit, struct log_record *out,
	      struct err *err);

/* What the records at or after `from` say was durable, in *synced if it is more
 * than what is there. */
MUST_USE int log_scan_proof(struct log_scan *s, uint64_t from, uint64_t limit,
			    uint64_t *synced, struct err *err);

/* What the file holds from `offset` on, at least one byte of it, at most as far
 * as `limit`; empty where the file ends. */
MUST_USE int log_scan_bytes(struct log_scan *s, uint64_t offset, uint64_t limit,
			    struct span *out, struct err *err);
