/* Transactions with other servers. */
#include "qmgr/queue/internal.h"

#define RECIPIENT_BYTES 13 /* of one in a relay list, without its texts */

/* --- from targets to transactions ----------------------------------------- */

/* The reverse-path that the next server is to see. */
static struct span
sender_of(const struct work *w, const struct work_target *t)
{
	return t->target.kind == TARGET_FORWARD ? t->target.sender : w->envelope.sender;
}

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
	       span_equal(all[i].sender, all[0].sender)) {
		bytes += list_bytes(&w->targets[all[i].ordinal]);
		if (i > 0 && bytes > RELAY_LIST_BYTES_MAX)
			break;
		i++;
	}
	return i;
}

static void
transactions_make(struct queue *q, uint32_t work, const struct picked *all, uint32_t n)
{
	while (n > 0) {
		uint32_t k = transaction_cut(q, &q->works[work], all, n), job;
		uint32_t instance = destination_instance(q, all[0].destination);

		if (q->instances[JOB_REMOTE][instance].up) {
			job = job_new(q, work, JOB_REMOTE, instance);
			for (uint32_t i = 0; i < k; i++)
				job_target_add(q, job, all[i].ordinal);
		} else {
			q->works[work].away |= 1 << JOB_REMOTE;
		}
		all += k;
		n -= k;
	}
}

void
relay_start(struct queue *q, uint32_t work, const uint32_t *ordinals, uint32_t n)
{
	struct picked one, *all = n > 1 ? memory_new(n, sizeof(*all)) : &one;
	const struct work *w = &q->works[work];

	for (uint32_t i = 0; i < n; i++)
		all[i] =
		    (struct picked){.ordinal = ordinals[i],
				    .destination = w->targets[ordinals[i]].destination,
				    .sender = sender_of(w, &w->targets[ordinals[i]])};
	if (n > 1)
		qsort(all, n, sizeof(*all), picked_compare);
	transactions_make(q, work, all, n);
	if (n > 1)
		free(all);
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
	const struct job *j = job_next(q, JOB_REMOTE, instance);
	const struct work_target *t;
	const struct entry *e;
	const struct work *w;

	(void)now_s;
	if (!j)
		return false;
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
				    .sender = sender_of(w, t),
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
		if (r.outcome <= DELIVERY_FAILED && job_target_remove(q, j, r.ordinal))
			result_take(q, j->work, &r, now_s);
}

/* The job has ended; what no result named is to be tried again. */
static void
rest_defer(struct queue *q, struct job *j, struct span text, uint32_t now_s)
{
	struct relay_result r = {.outcome = DELIVERY_DEFERRED,
				 .text = text.n > 0 ? text : SPAN("no answer")};

	while (j->first != ENTRY_NONE) {
		r.ordinal = j->first;
		(void)job_target_remove(q, j, r.ordinal);
		result_take(q, j->work, &r, now_s);
	}
}

bool
queue_relayed(struct queue *q, uint32_t instance, const struct ipc_relayed *r,
	      uint32_t now_s)
{
	struct job *j = job_find(q, JOB_REMOTE, instance, r->job);
	uint32_t work;

	if (!j)
		return false;
	work = j->work;
	results_take(q, j, r->results, now_s);
	if (!r->last)
		return true;
	rest_defer(q, j, r->text, now_s);
	job_free(q, j);
	work_maybe_end(q, work, now_s);
	return true;
}
