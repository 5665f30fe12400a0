/* qmgr/queue/entry.h - what the queue remembers of one message, in 64 bytes
 *
 * The envelope stays on disk and is read when a try is due. Entries are known by
 * a number (ref) that stays the same while the message lives.
 */
#pragma once

#include "common/log/log.h"
#include "common/spool/spool.h"

#define ENTRY_NONE UINT32_MAX

enum entry_state {
	ENTRY_FREE,
	ENTRY_WAITING, /* in a heap: until due_s, or for its destination */
	ENTRY_LOADING, /* its envelope is being read */
	ENTRY_WORK,    /* has jobs; `link` is its work */
	ENTRY_HELD,    /* until an operator releases it */
};

enum entry_flag {
	ENTRY_REPLAY = 1 << 0,   /* an earlier try may have reached a mailbox */
	ENTRY_MOVING = 1 << 1,   /* a copy was asked for; not to be tried meanwhile */
	ENTRY_RECORDED = 1 << 2, /* the state log knows it */
	ENTRY_HOLD = 1 << 3,     /* to be held when its jobs end */
	ENTRY_REMOVE = 1 << 4,   /* to be removed when its jobs end */
	ENTRY_FULL = 1 << 5,     /* a full disk kept it out of a mailbox */
	ENTRY_WARNED = 1 << 6,   /* its sender was told that it is late */
	ENTRY_GIVE_UP = 1 << 7,  /* the operator wants no more tries */
	ENTRY_ONE = 1 << 8,      /* `domain` is where all its open targets are */
	ENTRY_PARKED = 1 << 9,   /* waits in the park of its destination */
};

enum target_state {
	TARGET_OPEN,
	TARGET_DONE,
	TARGET_FAILED, /* for good; its sender is to be told */
	TARGET_WORK,   /* a job for it exists */
};

/* Where a message stands in spool/seg. */
struct place {
	uint64_t offset; /* of its record */
	uint64_t content_bytes;
	uint32_t envelope_bytes;
	uint32_t segment;
};

struct entry {
	uint64_t id;
	uint32_t segment;
	uint32_t offset_8; /* offset / 8: records stand at multiples of 8 */
	uint32_t content_bytes;
	uint32_t envelope_bytes;
	uint32_t arrived_s;
	uint32_t due_s;
	uint32_t link;   /* place in the heap, number of the work, next free */
	uint32_t domain; /* word: place of the first open target; 0: not known */
	uint32_t reason; /* word: why it was deferred or held; 0 for none */
	uint16_t tries;
	uint16_t n_targets; /* 0: not read yet */
	uint16_t flags;     /* enum entry_flag */
	uint8_t state;      /* enum entry_state */
	union {
		uint8_t one;   /* enum target_state of the only target */
		uint8_t *many; /* of each, allocated, when n_targets > 1 */
	} targets;
};

_Static_assert(sizeof(struct entry) == 64, "a million messages are 64 MB");
_Static_assert(ENVELOPE_TARGETS_MAX <= UINT16_MAX, "n_targets");

#define ENTRY_CHUNK 4096u

struct entries {
	struct entry **chunks;
	size_t n_chunks;
	uint32_t free; /* first of the free ones, linked */
	size_t n_used;
};

void entries_release(struct entries *all);

static inline struct entry *
entry_at(const struct entries *all, uint32_t ref)
{
	return &all->chunks[ref / ENTRY_CHUNK][ref % ENTRY_CHUNK];
}

/* A zeroed one. */
MUST_USE uint32_t entry_new(struct entries *all);
void entry_free(struct entries *all, uint32_t ref);

void entry_set_place(struct entry *e, const struct place *p);
MUST_USE struct place entry_place(const struct entry *e);

/* False when a message cannot stand there. */
MUST_USE bool place_possible(const struct place *p);
/* Where the record after it starts. */
MUST_USE uint64_t place_end(const struct place *p);

/* n > 0 targets, all open. Nothing when the number is the known one; false when
 * another number is known. */
MUST_USE bool entry_set_targets(struct entry *e, uint32_t n);
void entry_forget_targets(struct entry *e);
MUST_USE enum target_state entry_target(const struct entry *e, uint32_t ordinal);
void entry_target_set(struct entry *e, uint32_t ordinal, enum target_state to);
/* Did it arrive more than so many seconds ago? */
MUST_USE bool entry_older(const struct entry *e, uint32_t seconds, uint32_t now_s);
/* How many are in that state. */
MUST_USE uint32_t entry_count(const struct entry *e, enum target_state state);
