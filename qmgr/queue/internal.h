/* qmgr/queue/internal.h - between the files of this room only */
#pragma once

#include "qmgr/queue/queue.h"

#define QUEUE_AWAY_REASON "the program that delivers it is away"

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

/* --- jobs ----------------------------------------------------------------- */

/* One of no target yet, at the end of its line. */
uint32_t job_new(struct queue *q, uint32_t work, enum job_kind kind, uint32_t instance);
void job_target_add(struct queue *q, uint32_t job, uint32_t ordinal);
/* It is answered. */
void job_free(struct queue *q, struct job *j);
/* It is not; its targets are open again. */
void job_drop(struct queue *q, struct job *j);
/* Drops the jobs of a work that were not sent. */
void jobs_cancel(struct queue *q, uint32_t work);
/* The next in line, which counts as sent; null: none, or the process is away. */
MUST_USE struct job *job_next(struct queue *q, enum job_kind kind, uint32_t instance);
MUST_USE uint64_t job_number(const struct queue *q, const struct job *j);
/* The sent job of that number; null when there is none at the instance. */
MUST_USE struct job *
job_find(const struct queue *q, enum job_kind kind, uint32_t instance, uint64_t number);

/* A job for the target, or `away`. */
void local_start(struct queue *q, uint32_t work, uint32_t ordinal);
/* Jobs for n targets on other servers, whose destinations are set. */
void relay_start(struct queue *q, uint32_t work, const uint32_t *ordinals, uint32_t n);

/* --- results -------------------------------------------------------------- */

/* Takes an enhanced code that begins the text out of it. */
void result_split(struct relay_result *r);
/* What became of the target r->ordinal. */
void result_take(struct queue *q, uint32_t work, const struct relay_result *r,
		 uint32_t now_s);

/* It is tried no more. */
void
result_give_up(struct queue *q, uint32_t work, uint32_t ordinal, enum given_up why);

/* --- work ----------------------------------------------------------------- */

void works_release(struct queue *q);
/* A job for bounce when the sender is to hear of something; before, what failed and
 * nobody wants to hear of is done. */
MUST_USE bool report_start(struct queue *q, uint32_t work, uint32_t now_s);
/* `due_s`, or sooner: when the sender is to be told that it is late, and when time is
 * up. */
MUST_USE uint32_t report_due(const struct queue *q, const struct entry *e,
			     uint32_t now_s, uint32_t due_s);

/* n_targets is told because the entry may be gone. */
void work_free(struct queue *q, uint32_t work, uint32_t n_targets);
/* When it has no jobs left: the message is done, deferred or held. */
void work_maybe_end(struct queue *q, uint32_t work, uint32_t now_s);

/* --- destinations --------------------------------------------------------- */

/* What stands behind the last "@". */
MUST_USE struct span address_domain(struct span address);
/* The destination of mail to the domain. */
MUST_USE uint32_t destination_of(struct queue *q, struct span domain);
/* Which process of remote talks to it. */
MUST_USE uint32_t destination_instance(const struct queue *q, uint32_t destination);
