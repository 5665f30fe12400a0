/* common/log/writer.h - the one writer of a file
 *
 * A record costs one pwritev and its CRC; nothing is allocated. After one failed
 * write or sync the writer is dead for ever: every call answers LOG_DEAD with
 * the first fault, nothing is tried again. What it wrote since the last sync may
 * or may not be there; only log_recover() may say so.
 */
#pragma once

#include "common/log/file.h"

#define LOG_SPANS_MAX 16 /* in one append or piece */

enum log_result {
	LOG_OK,
	LOG_FULL, /* does not fit below the limit, or in LOG_RECORD_MAX; nothing
		   * was written, the writer lives on (a stream is abandoned) */
	LOG_DEAD, /* *err is the fault that killed it */
};

struct log_writer {
	struct log_file file; /* the fd is the opener's to close, after the last sync */
	uint64_t position;    /* where the next record starts */
	uint64_t synced;      /* all below is durable */
	uint64_t limit;       /* no record ends beyond */
	struct {
		bool open;
		uint32_t crc;
		uint64_t n; /* payload bytes so far */
		uint16_t kind;
	} stream;
	bool dead;
	struct err fault;
};

/* Goes on at `position`: LOG_HEADER_BYTES in a file just created or recycled,
 * or log_recovery.end of a growing file. All before is durable by then.
 * `limit`: the size of a pre-written segment, or LOG_FILE_MAX at most. */
void log_writer_init(struct log_writer *w, const struct log_file *f, uint64_t position,
		     uint64_t limit);

/* True when a record of n payload bytes would fit. */
MUST_USE bool log_writer_room(const struct log_writer *w, uint64_t n);

/* One record, its payload gathered from at most LOG_SPANS_MAX spans. `kind` is
 * neither 0 nor LOG_KIND_MARK. *offset is where it starts. */
MUST_USE enum log_result
log_append(struct log_writer *w, uint16_t kind, const struct span *spans,
	   size_t n_spans, uint64_t *offset, struct err *err);

/* A record whose length is known at its end only. Until log_stream_end() it is
 * no record, and log_append() must not be called. Its first bytes are written
 * last. Abandoning costs nothing: the next record takes the place. */
MUST_USE enum log_result
log_stream_begin(struct log_writer *w, uint16_t kind, struct err *err);
MUST_USE enum log_result
log_stream_piece(struct log_writer *w, const struct span *spans, size_t n_spans,
		 struct err *err);
MUST_USE enum log_result
log_stream_end(struct log_writer *w, uint64_t *offset, struct err *err);
void log_stream_abandon(struct log_writer *w);

/* A sync in three steps, so that the slow one can run on another thread while
 * records go on being appended: note what it will cover, run log_file_sync() on
 * w->file (or a copy), and hand in its result and *err. LOG_OK: every record
 * that ends at or before `covered` is durable. */
MUST_USE uint64_t log_sync_begin(const struct log_writer *w);
MUST_USE enum log_result
log_sync_end(struct log_writer *w, uint64_t covered, int result, struct err *err);

/* All three at once. No call when nothing is new. */
MUST_USE enum log_result log_sync(struct log_writer *w, struct err *err);
