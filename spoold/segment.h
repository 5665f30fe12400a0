/* spoold/segment.h - one open segment: records, and the sync that many share
 *
 * While a sync of the segment runs in a worker thread, further messages are
 * appended; the next sync covers all of them. A message is told as stored only
 * when a sync that began after its append has succeeded. Under load a sync waits,
 * SEGMENT_GATHER_US at most, for as many messages as have lately come in that
 * time; who sends one message after the other is not kept waiting but for one in
 * SEGMENT_GATHER_TRY times, which finds out whether others are there too. After one
 * failed write or sync the segment is failed for ever, and with it all it had not
 * synced.
 */
#pragma once

#include "common/log/log.h"
#include "common/proc/proc.h"
#include "common/spool/spool.h"

#define SEGMENT_GATHER_US  2000
#define SEGMENT_GATHER_TRY 8

/* The channel a message came in by; generation 0 is nobody (a copy). */
struct origin {
	uint32_t instance;
	uint32_t generation;
};

/* A message as it is handed in: envelope and content are one span, or two. */
struct letter {
	struct spool_head head;
	struct origin origin;
	struct span bytes;
};

/* A message that was appended and waits for its sync. */
struct pending {
	uint64_t id;
	struct origin origin;
	uint64_t offset;
	uint64_t end;
	uint64_t content_bytes;
	uint32_t envelope_bytes;
	bool moved;
};

enum segment_state {
	SEGMENT_OPEN,
	SEGMENT_SEALED, /* takes no more; goes when all is synced */
	SEGMENT_FAILED, /* a write or sync failed */
	SEGMENT_UNUSED, /* its one message was aborted or refused */
};

struct segment {
	struct segment *next; /* the owner's */
	void *owner;
	uint32_t number;
	bool own; /* holds one message only */
	enum segment_state state;
	struct log_file file;
	struct log_writer writer;
	struct pending *pending; /* a queue: n from `first` on */
	size_t first, n, size;
	/* the sync under way */
	bool syncing;
	uint64_t covered;
	int result;
	struct err err;
	struct proc_job job;
	/* the next one waits until so many messages are there, or it is late */
	size_t gather;
	unsigned gathered; /* times in a row that they came in time */
	uint64_t gather_until_us;
};

/* Takes over the file, which has just been created or recycled. */
MUST_USE struct segment *segment_new(const struct log_file *file, uint64_t limit);
void segment_free(struct segment **s);

MUST_USE enum log_result
segment_append(struct segment *s, const struct letter *m, struct err *err);

/* The end of a message that was streamed in, of payload_bytes in all. */
MUST_USE enum log_result
segment_stream_end(struct segment *s, const struct spool_head *head,
		   struct origin origin, uint64_t payload_bytes, struct err *err);

enum segment_wish {
	SEGMENT_WISH_NONE,
	SEGMENT_WISH_LATER, /* to gather more */
	SEGMENT_WISH_SYNC,
};

MUST_USE enum segment_wish segment_wish(const struct segment *s, uint64_t now_us);

/* Notes what the sync will cover; the job's work then runs in a thread. */
void segment_sync_begin(struct segment *s);

/* In the loop, when the work is done. LOG_DEAD: s->err says why. */
MUST_USE enum log_result segment_sync_end(struct segment *s, uint64_t now_us);

/* Takes the next pending message that is synced, or, when `all`, any. */
MUST_USE bool segment_next(struct segment *s, bool all, struct pending *out);
