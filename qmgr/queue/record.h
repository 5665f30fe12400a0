/* qmgr/queue/record.h - what the state log says, as bytes
 *
 * A record of spool/state is a row of notes, each a u8 kind and its fields. Every
 * note sets something; none is relative to another, so that notes may be read
 * again, and a snapshot may be mixed with what happens while it is written.
 * Byte by byte in docs/spool.md.
 */
#pragma once

#include "qmgr/queue/entry.h"
#include "qmgr/queue/limits.h"

#define STATE_NOTES 1 /* kind of the records in spool/state */

enum note_kind {
	NOTE_DONE = 1,     /* the message is no more */
	NOTE_MESSAGE = 2,  /* it is in the queue, thus */
	NOTE_TARGET = 3,   /* what became of one target */
	NOTE_SNAPSHOT = 4, /* what follows, up to the end, is the whole queue */
	NOTE_SEGMENT = 5,  /* after NOTE_SNAPSHOT: what of a segment it knows */
	NOTE_SNAPSHOT_END = 6,
	NOTE_PAUSE = 7, /* outgoing mail, to `domain` or all, is paused or not */
	NOTE_SENT = 8,  /* how much an account has sent */
};

struct note {
	enum note_kind kind;
	uint64_t id;        /* of DONE, MESSAGE, TARGET */
	struct place place; /* of MESSAGE */
	uint32_t arrived_s; /* from here on of MESSAGE */
	uint32_t due_s;
	uint32_t n_targets;
	uint16_t tries;
	bool held;          /* of PAUSE: paused */
	bool warned;        /* its sender, that it is late */
	bool given_up;      /* the operator wants no more tries */
	bool removed;       /* the operator threw it away */
	struct span domain; /* also of PAUSE */
	struct span reason;
	uint32_t ordinal; /* of TARGET */
	uint8_t state;    /* of TARGET: TARGET_OPEN, _DONE or _FAILED */
	uint32_t segment; /* of SEGMENT; all records that start before known_end */
	uint64_t known_end;
	struct limit_counts sent; /* of SENT */
};

void note_put(struct buf *out, const struct note *n);

/* False at the end, and (the cursor then has failed) at what is no note. */
MUST_USE bool note_next(struct cursor *notes, struct note *out);
