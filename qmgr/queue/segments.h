/* qmgr/queue/segments.h - the segments, and how much of each is still needed */
#pragma once

#include "qmgr/queue/entry.h"

enum segment_use {
	SEGMENT_IN_USE,
	SEGMENT_DONE,     /* nothing in it is needed; to be told once that is durable */
	SEGMENT_PINNED,   /* damaged: kept for whoever can make sense of it */
	SEGMENT_RELEASED, /* spoold was told; kept in mind until the file is gone */
};

struct queue_segment {
	uint32_t number;
	uint32_t live;       /* messages that stand in it */
	uint64_t live_bytes; /* of them */
	uint64_t known_end;  /* all records that start before are known */
	uint32_t first_s;    /* when it was first heard of */
	uint8_t use;         /* enum segment_use */
	bool emptying;       /* its last messages are being copied onward */
};

struct segments {
	struct queue_segment *at; /* by number */
	size_t n, size;
	uint32_t current; /* being written by spoold: never done; 0: none */
};

void segments_release(struct segments *all);
MUST_USE struct queue_segment *
segment_find(const struct segments *all, uint32_t number);
MUST_USE struct queue_segment *
segment_need(struct segments *all, uint32_t number, uint32_t now_s);
/* A message more or less; a segment that nothing needs becomes SEGMENT_DONE. */
void segment_enter(struct segments *all, const struct place *p, uint32_t now_s);
void segment_leave(struct segments *all, const struct place *p);
/* spoold writes to another one now; the former may be done. */
void segments_set_current(struct segments *all, uint32_t number);
/* Forgets released segments that are not among the n numbers (ascending). */
void segments_forget_gone(struct segments *all, const uint64_t *numbers, size_t n);
