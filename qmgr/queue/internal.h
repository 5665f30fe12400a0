/* qmgr/queue/internal.h - between the files of this room only */
#pragma once

#include "qmgr/queue/queue.h"

#define QUEUE_AWAY_REASON "the program that delivers it is away"
#define QUEUE_HELD_REASON "held by the operator"

/* The only place that changes an entry's state: leaves what the old one had
 * (heap, held count), enters the new one. ENTRY_WAITING takes due_s as it is. */
void queue_enter(struct queue *q, uint32_t ref, enum entry_state to);

/* From any state: to wait until its destination has room. */
void queue_park(struct queue *q, uint32_t ref);

/* The message is no more: noted, counted off its segment, forgotten. */
void queue_finish(struct queue *q, uint32_t ref, enum queue_event_kind why);
/* To be tried again at `due_s`. */
void queue_defer(struct queue *q, uint32_t ref, uint32_t due_s, struct span recipient);
void queue_hold(struct queue *q, uint32_t ref, struct span reason);
void queue_set_reason(struct queue *q, struct entry *e, struct span reason);
/* When the next try after `tries` is. */
MUST_USE uint32_t queue_retry_s(struct queue *q, uint32_t tries, uint32_t now_s);

/* Below n. */
MUST_USE uint32_t queue_random(struct queue *q, uint32_t n);
/* How long until processes of these kinds (bits) that are away are looked for. */
MUST_USE uint32_t queue_away_s(const struct queue *q, uint8_t kinds, uint32_t now_s);

/* Does the text say that the disk is full? [RFC3463 3.4] */
MUST_USE bool full_said(struct span text);
/* May this one be tried soon, to see whether there is space again? */
MUST_USE bool full_probe(struct queue *q, uint32_t now_s);
/* One that had waited for space got it. */
void full_over(struct queue *q);

void queue_note_message(struct queue *q, struct entry *e);
void queue_note_target(struct queue *q, struct entry *e, uint32_t ordinal);
/* Its texts are set here. */
void queue_event_put(struct queue *q, const struct queue_event *event,
		     struct span reason, struct span recipient);
void queue_event_add(struct queue *q, enum queue_event_kind kind, const struct entry *e,
		     struct span recipient);

/* --- jobs ----------------------------------------------------------------- */

/* One of no target yet; once it has them, and a destination if it is of JOB_REMOTE,
 * job_line_up() puts it in line. */
MUST_USE uint32_t job_new(struct queue *q, uint32_t work, enum job_kind kind,
			  uint32_t instance);
void job_target_add(struct queue *q, uint32_t job, uint32_t ordinal);
void job_line_up(struct queue *q, uint32_t job);
/* It is answered. */
void job_free(struct queue *q, struct job *j, uint32_t now_s);
/* It is not; its targets are open again. */
void job_drop(struct queue *q, struct job *j, uint32_t now_s);
/* Drops the jobs of a work that were not sent. */
void jobs_cancel(struct queue *q, uint32_t work, uint32_t now_s);
/* The next in line at local or bounce, which counts as sent; null: none, or the
 * process is away. */
MUST_USE struct job *job_next(struct queue *q, enum job_kind kind, uint32_t instance);
/* It has left its line. */
void job_sent(struct queue *q, struct job *j);
MUST_USE uint64_t job_number(const struct queue *q, const struct job *j);
/* The sent job of that number; null when there is none at the instance. */
MUST_USE struct job *
job_find(const struct queue *q, enum job_kind kind, uint32_t instance, uint64_t number);
/* Of a job of JOB_REMOTE with targets. */
MUST_USE struct span job_domain(const struct queue *q, const struct job *j);

/* The reverse-path that whoever takes the message is to see. */
MUST_USE struct span work_sender(const struct work *w, const struct work_target *t);
/* A job for the target, or `away`. */
void local_start(struct queue *q, uint32_t work, uint32_t ordinal);
/* A job for the answer of an account, or `away`. */
void reply_start(struct queue *q, uint32_t work, uint32_t ordinal);
/* bounce answers such a job. */
void reply_answered(struct queue *q, struct job *j, enum report_outcome outcome);
/* It is not made: nothing more is to be done. */
void reply_drop(struct queue *q, uint32_t work, uint32_t ordinal);
/* Jobs for n targets on other servers, whose destinations are set. */
void relay_start(struct queue *q, uint32_t work, const uint32_t *ordinals, uint32_t n,
		 uint32_t now_s);
void relay_line_up(struct queue *q, uint32_t job);
/* It ends, sent or in line. */
void relay_leave(struct queue *q, struct job *j, uint32_t now_s);

/* --- results -------------------------------------------------------------- */

/* Takes an enhanced code that begins the text out of it. */
void result_split(struct relay_result *r);
/* What was said, out of the message's reason that was made of it. Texts point into it.
 */
void result_of_reason(struct span reason, struct relay_result *out);
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
/* Where mail of the target goes, as the words of entries say it: its domain, behind
 * its next hop and a space where it has one. */
MUST_USE uint32_t place_word(struct queue *q, const struct target *t);
MUST_USE bool place_same(const struct target *a, const struct target *b);
/* The destination of mail to such a place; ENTRY_NONE: there are too many. */
MUST_USE uint32_t destination_of(struct queue *q, struct span place);
MUST_USE uint32_t destination_of_target(struct queue *q, const struct target *t);
/* Does the word know its destination? */
MUST_USE bool destination_tagged(const struct queue *q, const struct word *w);
/* Which process of remote talks to it. */
MUST_USE uint32_t destination_instance(const struct queue *q, uint32_t destination);
MUST_USE struct span destination_key(const struct destination *d);
void destination_used(struct queue *q, uint32_t destination, uint32_t now_s);
/* Its servers belong to that provider. */
void destination_provider(struct queue *q, uint32_t destination, struct span provider);
void destinations_reconfigure(struct queue *q);
void destinations_release(struct destinations *all);
void destinations_tick(struct queue *q, uint32_t now_s);

/* The flow of that key, with one job more. */
MUST_USE uint32_t flow_enter(struct flows *all, uint32_t destination, uint64_t key);
void flow_leave(struct flows *all, uint32_t flow);
/* ENTRY_NONE: none. */
MUST_USE uint32_t flow_find(const struct flows *all, uint32_t destination,
			    uint64_t key);
void flows_release(struct flows *all);

/* By destination and flow of the job. */
void line_add(struct queue *q, uint32_t job);
void line_remove(struct queue *q, const struct job *j);
/* The first of a line that is not empty. */
MUST_USE struct job *line_take(struct queue *q, struct line *l);

void pace_init(struct pace *p, uint32_t window, uint32_t window_max,
	       uint32_t per_minute_max);
/* The next job for the instance, out of its line; null: none may start. */
MUST_USE struct job *pace_next(struct queue *q, uint32_t instance, uint32_t now_s);
/* The line got its first job, or lost its last. */
void pace_line_changed(struct queue *q, uint32_t destination);
void pace_sent_ended(struct queue *q, uint32_t destination, uint32_t now_s);
/* How many jobs it may have in work. */
MUST_USE uint32_t pace_jobs_max(const struct queue *q, struct destination *d,
				uint32_t now_s);
/* How a transaction went. */
void pace_feedback(struct queue *q, uint32_t destination, enum relay_connection how,
		   bool deferred, struct span reason, uint32_t now_s);
void pace_follow(struct queue *q, uint32_t destination, uint32_t lead);
void pace_tick(struct queue *q, uint32_t now_s);

/* --- what must wait for its destination ------------------------------------ */

enum admit {
	ADMIT_NOW,
	ADMIT_FULL,   /* when it has room */
	ADMIT_AWAY,   /* when its process is there */
	ADMIT_LATER,  /* not before due_s: it is dead */
	ADMIT_PAUSED, /* not before due_s: the operator */
};

struct admission {
	uint32_t due_s;
	struct span reason; /* lives as long as what it is the reason of */
};

/* May a message go to the domain of that destination? `flow` is its flow's key, 0
 * while its envelope is not read. */
MUST_USE enum admit
destination_admit(struct queue *q, uint32_t destination, struct span domain,
		  uint64_t flow, uint32_t now_s, struct admission *out);
/* A due message that may not: it waits, unread. False when it is to be read. */
MUST_USE bool queue_put_off(struct queue *q, uint32_t ref, uint32_t now_s);
/* Some targets of the work wait. */
void
work_put_off(struct queue *q, uint32_t work, enum admit why, const struct admission *a);

MUST_USE bool park_possible(const struct queue *q, const struct entry *e);
/* By queue_enter() and queue_park() only. */
void park_add(struct queue *q, uint32_t ref);
void park_remove(struct queue *q, uint32_t ref);
/* A parked message for which there is room. */
MUST_USE bool park_next(struct queue *q, uint32_t now_s, uint32_t *ref);
void park_destination_dead(struct queue *q, uint32_t destination, uint32_t now_s);
void park_tick(struct queue *q, uint32_t now_s);
/* Whether the destination of the message is alive is to be seen now, and not when its
 * back-off ends. */
void park_dead_ask(struct queue *q, const struct entry *e, uint32_t now_s);
/* All are due. */
void park_release(struct queue *q, uint32_t now_s);

/* The clock said `before_s` a moment ago. */
void clock_tick(struct queue *q, uint32_t before_s, uint32_t now_s);
/* Is it to be given up for its age? */
MUST_USE bool
clock_too_old(const struct queue *q, const struct entry *e, uint32_t now_s);

/* What waits for that reason (a word) is due. */
void queue_wake(struct queue *q, uint32_t reason);

/* A message that is read for the first time: held when its account sends too much. */
MUST_USE bool limited_hold(struct queue *q, uint32_t ref,
			   const struct envelope *envelope, uint32_t now_s);

/* All counts, for a snapshot. */
void limited_snapshot(struct queue *q);
void limited_tick(struct queue *q, uint32_t now_s);

/* --- pauses --------------------------------------------------------------- */

MUST_USE bool
pause_find(const struct queue *q, struct span domain, struct span *reason);
/* False when it was so already, or there are too many. */
bool pause_set(struct queue *q, struct span domain);
bool pause_clear(struct queue *q, struct span domain);
void pauses_note(struct queue *q);
