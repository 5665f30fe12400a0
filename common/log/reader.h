/* common/log/reader.h - records of a file that nobody vouches for
 *
 * By pread only: a file that shrinks under a mapping would be a SIGBUS.
 */
#pragma once

#include "common/log/file.h"

#define LOG_WINDOW_BYTES (512u << 10)
#define LOG_END_UNKNOWN  UINT64_MAX

/* A bounded window over a file; inside the room only. */
struct log_scan {
	struct log_file file;
	char *window;
	size_t size; /* allocated, LOG_WINDOW_BYTES at most */
	uint64_t base;
	size_t n;
	uint64_t unreadable; /* the disk failed below this offset; 0: nowhere */
	uint64_t wasted;     /* bytes of records that looked well until their CRC */
};

struct log_reader {
	struct log_scan scan;
	uint64_t at;      /* where log_reader_next() goes on; save it to resume there */
	uint64_t end;     /* or LOG_END_UNKNOWN */
	uint64_t limit;   /* where the file ended when last looked at */
	uint64_t claimed; /* all below was durable once, say the records read */
	uint64_t synced;  /* the same, and what later records or the caller say */
};

enum log_read {
	LOG_READ_FAULT = -1,
	LOG_READ_RECORD,
	LOG_READ_DAMAGE, /* record->offset to record->next held what is lost */
	LOG_READ_END,    /* no more; with an unknown end, ask again later */
};

/* `from` (a multiple of 8) is LOG_HEADER_BYTES or a place an earlier reader stopped at.
 * `end` is log_recovery.end, or a position the writer told; all before it that is not a
 * record is reported as damage. With LOG_END_UNKNOWN the reader follows a file
 * that is being written, and stops before what could be a torn tail. After
 * LOG_READ_END a known `end` may be raised to go on. Bytes that the disk cannot
 * read are damage like any other. */
void log_reader_init(struct log_reader *r, const struct log_file *f, uint64_t from,
		     uint64_t end);
void log_reader_release(struct log_reader *r);

/* The payload is valid until the next call. A record larger than the window has
 * been checked all the same; payload.at is null, and the caller reads n bytes
 * at payload_at itself. */
MUST_USE enum log_read
log_reader_next(struct log_reader *r, struct log_record *record, struct err *err);

/* The one record at `offset`, checked, its bytes appended to `hold` (which is
 * reset first), with one pread when `hint` is at least its payload. DAMAGE when
 * there is none, or it is larger than `hold` may be. */
MUST_USE enum log_read
log_fetch(const struct log_file *f, uint64_t offset, size_t hint, struct buf *hold,
	  struct log_record *record, struct err *err);

/* Checks the one record at `offset` in bounded memory, whatever its size;
 * payload.at is null, n and payload_at say where it is. */
MUST_USE enum log_read log_verify(const struct log_file *f, uint64_t offset,
				  struct log_record *record, struct err *err);
