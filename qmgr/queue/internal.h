/* qmgr/queue/internal.h - between the files of this room only */
#pragma once

#include "qmgr/queue/queue.h"

#define QUEUE_REMOTE_REASON "outgoing delivery is not part of this version"
#define QUEUE_AWAY_REASON   "local delivery is away"

/* The only place that changes an entry's state: leaves what the old one had
 * (heap, held count), enters the new one. ENTRY_WAITING takes due_s as it is. */
void queue_enter(struct queue *q, uint32_t ref, enum entry_state to);

/* The message is no more: noted, counted off its segment, forgotten. */
void queue_finish(struct queue *q, uint32_t ref, enum queue_event_kind why);
/* To be tried again at `due_s`. */
void queue_defer(struct queue *q, uint32_t ref, uint32_t due_s, struct span recipient);
void queue_hold(struct queue *q, uint32_t ref, struct span reason);
void queue_set_reason(struct queue *q, struct entry *e, struct span reason);
/* When the next try after `tries` is. */
MUST_USE uint32_t queue_retry_s(struct queue *q, uint32_t tries, uint32_t now_s);

/* Does the text say that the disk is full? [RFC3463 3.4] */
MUST_USE bool full_said(struct span text);
/* May this one be tried soon, to see whether there is space again? */
MUST_USE bool full_probe(struct queue *q, uint32_t now_s);
/* One that had waited for space got it. */
void full_over(struct queue *q);

void queue_note_message(struct queue *q, struct entry *e);
void queue_note_target(struct queue *q, struct entry *e, uint32_t ordinal);
void queue_event_add(struct queue *q, enum queue_event_kind kind, const struct entry *e,
		     struct span recipient);

/* Jobs */
void job_add(struct queue *q, uint32_t work, uint32_t ordinal, const struct target *t,
	     struct span original);
MUST_USE struct job *job_find(const struct queue *q, uint64_t job);
/* Takes the jobs of a work that were not sent out of their lines. */
void jobs_cancel(struct queue *q, uint32_t work);

/* Work */
MUST_USE uint32_t work_new(struct queue *q, uint32_t ref);
/* When it has no jobs left: the message is done, deferred or held. */
void work_maybe_end(struct queue *q, uint32_t work, uint32_t now_s);
