/* the way to a destination is looked up */
#include "delivery/remote/remote.h"

struct slot {
	struct asking *asking;
	size_t number;
	struct dns_ask *ask; /* null: not under way */
};

struct asking {
	struct remote *remote;
	struct destination *destination;
	struct hop_plan *plan;
	struct slot slots[HOP_SLOTS_MAX];
};

static void asking_go(struct asking *a);

void
resolve_cancel(struct destination *d)
{
	struct asking *a = d->asking;

	if (!a)
		return;
	d->asking = NULL;
	for (size_t i = 0; i < HOP_SLOTS_MAX; i++)
		dns_client_cancel(&a->slots[i].ask);
	hop_plan_free(&a->plan);
	free(a);
}

static void
on_answer(void *context, const struct dns_answer *answer)
{
	struct slot *s = context;

	s->ask = NULL;
	hop_plan_answer(s->asking->plan, s->number, answer);
	asking_go(s->asking);
}

static void
on_sts_answer(void *context, const struct sts_answer *answer)
{
	struct slot *s = context;

	s->ask = NULL;
	hop_plan_answer_sts(s->asking->plan, answer->mode, answer->hosts, answer->text);
	asking_go(s->asking);
}

static void
question_ask(struct asking *a, const struct hop_question *q)
{
	struct slot *s = &a->slots[q->slot];

	*s = (struct slot){.asking = a, .number = q->slot};
	if (q->sts)
		s->ask = dns_client_ask_sts(a->remote->dns, q->name, on_sts_answer, s);
	else
		s->ask = dns_client_ask(a->remote->dns, q->type, q->name, on_answer, s);
}

static uint64_t
fresh_ms(uint32_t ttl_s)
{
	if (ttl_s < WAY_FRESH_MIN_S)
		ttl_s = WAY_FRESH_MIN_S;
	if (ttl_s > WAY_FRESH_MAX_S)
		ttl_s = WAY_FRESH_MAX_S;
	return (uint64_t)ttl_s * 1000;
}

static struct job *
waiting_take(struct destination *d)
{
	struct job *job = TAILQ_FIRST(&d->waiting);

	if (job) {
		TAILQ_REMOVE(&d->waiting, job, link);
		job->waits = false;
	}
	return job;
}

static void
asking_found(struct asking *a)
{
	struct remote *r = a->remote;
	struct destination *d = a->destination;
	struct job *job;

	way_unref(&d->way);
	d->way = nexthop_way(r, d);
	d->way->plan = a->plan;
	d->way->fresh_until_ms = proc_ticks_ms() + fresh_ms(hop_plan_ttl_s(a->plan));
	a->plan = NULL;
	resolve_cancel(d);
	d->n_jobs++; /* it stays until all of them are on their way */
	while ((job = waiting_take(d)))
		job_start(r, job);
	d->n_jobs--;
	destination_settle(r, d);
}

static void
asking_failed(struct asking *a)
{
	const struct hop_failure failure = *hop_plan_failure(a->plan);
	struct remote *r = a->remote;
	struct destination *d = a->destination;
	struct job *job;

	resolve_cancel(d);
	d->n_jobs++;
	while ((job = waiting_take(d)))
		job_fail(r, job, &failure);
	d->n_jobs--;
	destination_settle(r, d);
}

static void
asking_go(struct asking *a)
{
	struct hop_question q;

	for (;;) {
		switch (hop_plan_next(a->plan, &q)) {
		case HOP_ASK:
			question_ask(a, &q);
			break;
		case HOP_WAIT:
			return;
		case HOP_FOUND:
			asking_found(a);
			return;
		case HOP_FAILED:
			asking_failed(a);
			return;
		}
	}
}

void
resolve_start(struct remote *r, struct destination *d)
{
	struct hop_wish wish;

	if (d->asking)
		return;
	nexthop_wish(r, d, &wish);
	d->asking = memory_new(1, sizeof(*d->asking));
	d->asking->remote = r;
	d->asking->destination = d;
	d->asking->plan = hop_plan_new(&wish);
	asking_go(d->asking);
}
