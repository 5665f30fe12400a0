/* Transactions with other servers. */
#include "qmgr/queue/internal.h"

#define RECIPIENT_BYTES 13 /* of one in a relay list, without its texts */

/* --- from targets to transactions ----------------------------------------- */

static size_t
list_bytes(const struct work_target *t)
{
	return RECIPIENT_BYTES + t->target.address.n + t->orcpt.n;
}

struct picked {
	uint32_t ordinal, destination;
	struct span sender;
};

/* A job lists its targets from the last added to the first. */
static int
picked_compare(const void *a, const void *b)
{
	const struct picked *x = a, *y = b;
	int order;

	if (x->destination != y->destination)
		return x->destination < y->destination ? -1 : 1;
	order = span_compare(x->sender, y->sender);
	if (order != 0)
		return order;
	return x->ordinal > y->ordinal ? -1 : x->ordinal < y->ordinal;
}

/* How many from the front go into one transaction. */
static uint32_t
transaction_cut(const struct queue *q, const struct work *w, const struct picked *all,
		uint32_t n)
{
	size_t bytes = 0;
	uint32_t i = 0;

	while (i < n && i < q->config.relay_recipients_max &&
	       all[i].destination == all[0].destination &&
	       span_equal(all[i].sender, all[0].sender) &&
	       span_equal(w->targets[all[i].ordinal].target.next_hop,
			  w->targets[all[0].ordinal].target.next_hop)) {
		bytes += list_bytes(&w->targets[all[i].ordinal]);
		if (i > 0 && bytes > RELAY_LIST_BYTES_MAX)
			break;
		i++;
	}
	return i;
}

/* Jobs of one message that share a destination share a flow; a single one goes with
 * the others of its sender. */
static uint64_t
flow_key(const struct queue *q, const struct work *w, struct span sender, bool single)
{
	uint64_t id = entry_at(&q->entries, w->ref)->id;

	return single ? UINT64_C(1) << 63 | crc32c(0, sender) : id;
}

static void
transaction_make(struct queue *q, uint32_t work, const struct picked *all, uint32_t n,
		 uint64_t flow)
{
	uint32_t destination = all[0].destination;
	uint32_t job =
	    job_new(q, work, JOB_REMOTE, destination_instance(q, destination));
	struct job *j = &q->jobs[job];

	for (uint32_t i = 0; i < n; i++)
		job_target_add(q, job, all[i].ordinal);
	j->destination = destination;
	j->flow = flow_enter(&q->destinations.flows, destination, flow);
	job_line_up(q, job);
}

/* What one destination gets of the message: n targets. */
static void
destination_start(struct queue *q, uint32_t work, const struct picked *all, uint32_t n,
		  uint32_t now_s)
{
	struct work *w = &q->works[work];
	struct span domain = address_domain(w->targets[all[0].ordinal].target.address);
	uint32_t k = transaction_cut(q, w, all, n);
	uint64_t flow = flow_key(q, w, all[0].sender, k == n);
	struct admission a = {.due_s = now_s + DESTINATION_PAUSE_S,
			      .reason = SPAN("too many destinations at once")};
	enum admit admit = ADMIT_LATER;

	if (all[0].destination != ENTRY_NONE)
		admit =
		    destination_admit(q, all[0].destination, domain, flow, now_s, &a);
	if (admit != ADMIT_NOW) {
		work_put_off(q, work, admit, &a);
		return;
	}
	for (; n > 0; k = n > 0 ? transaction_cut(q, w, all, n) : 0) {
		transaction_make(q, work, all, k, flow);
		all += k;
		n -= k;
	}
}

/* How many from the front have one destination and, as far as an operator may pause
 * one, one domain. */
static uint32_t
same_count(const struct work *w, const struct picked *all, uint32_t n)
{
	struct span domain = address_domain(w->targets[all[0].ordinal].target.address);
	uint32_t i = 1;

	while (i < n && all[i].destination == all[0].destination &&
	       span_equal_nocase(
		   address_domain(w->targets[all[i].ordinal].target.address), domain))
		i++;
	return i;
}

void
relay_start(struct queue *q, uint32_t work, const uint32_t *ordinals, uint32_t n,
	    uint32_t now_s)
{
	struct picked one, *all = n > 1 ? memory_new(n, sizeof(*all)) : &one;
	const struct work *w = &q->works[work];

	for (uint32_t i = 0; i < n; i++)
		all[i] =
		    (struct picked){.ordinal = ordinals[i],
				    .destination = w->targets[ordinals[i]].destination,
				    .sender = work_sender(w, &w->targets[ordinals[i]])};
	if (n > 1)
		qsort(all, n, sizeof(*all), picked_compare);
	for (uint32_t i = 0, k; i < n; i += k) {
		k = same_count(&q->works[work], all + i, n - i);
		destination_start(q, work, all + i, k, now_s);
	}
	if (n > 1)
		free(all);
}

/* --- line ----------------------------------------------------------------- */

void
relay_line_up(struct queue *q, uint32_t job)
{
	uint32_t destination = q->jobs[job].destination;

	q->destinations.at[destination].n_jobs++;
	line_add(q, job);
	pace_line_changed(q, destination);
}

void
relay_leave(struct queue *q, struct job *j, uint32_t now_s)
{
	uint32_t destination = j->destination;

	flow_leave(&q->destinations.flows, j->flow);
	q->destinations.at[destination].n_jobs--;
	if (j->state == JOB_SENT) {
		pace_sent_ended(q, destination, now_s);
		return;
	}
	line_remove(q, j);
	pace_line_changed(q, destination);
}

struct span
job_domain(const struct queue *q, const struct job *j)
{
	return address_domain(q->works[j->work].targets[j->first].target.address);
}

/* --- out ------------------------------------------------------------------ */

static void
recipients_list(struct queue *q, const struct work *w, const struct job *j)
{
	buf_reset(&q->relay_list);
	for (uint32_t i = j->first; i != ENTRY_NONE; i = w->targets[i].next) {
		const struct work_target *t = &w->targets[i];
		struct relay_recipient r = {.ordinal = i,
					    .notify = t->notify,
					    .address = t->target.address,
					    .orcpt = t->orcpt};

		relay_recipient_put(&q->relay_list, &r);
	}
}

bool
queue_next_relay(struct queue *q, uint32_t instance, uint32_t now_s,
		 struct queue_relay *out)
{
	struct job *j = pace_next(q, instance, now_s);
	const struct work_target *t;
	const struct entry *e;
	const struct work *w;

	if (!j)
		return false;
	job_sent(q, j);
	w = &q->works[j->work];
	e = entry_at(&q->entries, w->ref);
	t = &w->targets[j->first];
	recipients_list(q, w, j);
	q->n_relays++;
	q->n_replays += (e->flags & ENTRY_REPLAY) != 0;
	*out = (struct queue_relay){.job = job_number(q, j),
				    .id = e->id,
				    .place = entry_place(e),
				    .arrived_us = w->arrived_us,
				    .replay = e->flags & ENTRY_REPLAY,
				    .n = j->n,
				    .envelope = &w->envelope,
				    .domain = address_domain(t->target.address),
				    .next_hop = t->target.next_hop,
				    .sender = work_sender(w, t),
				    .recipients = buf_span(&q->relay_list)};
	return true;
}

/* --- answers -------------------------------------------------------------- */

/* Takes it out of the job, whose other targets go on waiting for theirs. */
static bool
job_target_remove(struct queue *q, struct job *j, uint32_t ordinal)
{
	struct work *w = &q->works[j->work];
	uint32_t *at = &j->first;

	while (*at != ENTRY_NONE && *at != ordinal)
		at = &w->targets[*at].next;
	if (*at == ENTRY_NONE)
		return false;
	*at = w->targets[ordinal].next;
	j->n--;
	return true;
}

static void
results_take(struct queue *q, struct job *j, struct span results, uint32_t now_s)
{
	struct cursor c = cursor_make(results);
	struct relay_result r;

	while (relay_result_next(&c, &r))
		if (r.outcome <= DELIVERY_FAILED &&
		    job_target_remove(q, j, r.ordinal)) {
			j->deferred |= r.outcome == DELIVERY_DEFERRED;
			result_take(q, j->work, &r, now_s);
		}
}

/* The job has ended; what no result named is to be tried again. */
static void
rest_defer(struct queue *q, struct job *j, struct span text, uint32_t now_s)
{
	struct relay_result r = {.outcome = DELIVERY_DEFERRED,
				 .text = text.n > 0 ? text : SPAN("no answer")};

	while (j->first != ENTRY_NONE) {
		j->deferred = true;
		r.ordinal = j->first;
		(void)job_target_remove(q, j, r.ordinal);
		result_take(q, j->work, &r, now_s);
	}
}

/* Feedback comes last: it may end other jobs, of any message. */
static void
relay_end(struct queue *q, struct job *j, enum relay_connection connection,
	  uint32_t now_s)
{
	uint32_t work = j->work, destination = j->destination, reason = 0;
	bool deferred = j->deferred;

	if (connection != RELAY_TALKED)
		reason = word_take(
		    &q->words,
		    word_text(&q->words,
			      entry_at(&q->entries, q->works[work].ref)->reason));
	job_free(q, j, now_s);
	work_maybe_end(q, work, now_s);
	pace_feedback(q, destination, connection, deferred,
		      word_text(&q->words, reason), now_s);
	word_drop(&q->words, &reason);
}

bool
queue_relayed(struct queue *q, uint32_t instance, const struct ipc_relayed *r,
	      uint32_t now_s)
{
	struct job *j = job_find(q, JOB_REMOTE, instance, r->job);

	if (!j)
		return false;
	results_take(q, j, r->results, now_s);
	if (!r->last)
		return true;
	rest_defer(q, j, r->text, now_s);
	destination_used(q, j->destination, now_s);
	destination_provider(q, j->destination, r->provider);
	relay_end(q, j, r->connection, now_s);
	return true;
}
