/* authd/lookup.c - what the directory knows of an address; may run several times */
#include "authd/question.h"
#include "common/srs/srs.h"

/* 1 yes, 0 no, -1 */
static int
is_ours(struct directory *d, struct span domain, struct err *err)
{
	struct directory_domain found;

	switch (directory_domain_find(d, domain, &found, err)) {
	case DIRECTORY_DONE:
		return 1;
	case DIRECTORY_FAULT:
		return -1;
	default:
		return 0;
	}
}

/* ---- senders of mail that leads outside */

static bool
leads_outside(const struct directory_route *route)
{
	for (size_t i = 0; i < route->n; i++)
		if (route->targets[i].account == 0)
			return true;
	return false;
}

/* What another server gets to see instead of a sender that is not ours. */
static int
rewrite_sender(struct directory *d, struct question *q, struct span address)
{
	const struct authd *a = q->errand.authd;
	char domain[DIRECTORY_DOMAIN_MAX + 1];
	struct err none;
	int ours;

	if (!proc_settings(a->proc)->srs || q->ask.sender.n == 0 ||
	    !leads_outside(&q->route) ||
	    directory_domain_canonical(address_domain(address), domain, &none) != 0)
		return 0;
	ours = is_ours(d, address_domain(q->ask.sender), &q->err);
	if (ours == 0 &&
	    !srs_forward(&a->rewriting.keys, q->ask.sender, span_str(domain),
			 srs_day(proc_now_us() / 1000000), &q->rewritten))
		buf_reset(&q->rewritten); /* too long: better this sender than none */
	return ours < 0 ? -1 : 0;
}

/* ---- return addresses that were made here */

/* A report comes back to a sender that was rewritten here: it goes on to whom that
 * stands for. *address is whom to resolve when that has become one of ours. 1 when
 * that is all, 0, -1. */
static int
look_up_return(struct directory *d, struct question *q, struct span *address)
{
	const struct authd *a = q->errand.authd;
	enum srs_result srs =
	    srs_reverse(&a->rewriting.keys, q->ask.address,
			srs_day(proc_now_us() / 1000000), &q->address);
	int ours;

	if (srs == SRS_NONE)
		return 0;
	ours = is_ours(d, address_domain(q->ask.address), &q->err);
	if (ours <= 0)
		return ours; /* an address as any other */
	if (srs == SRS_OK) {
		ours = is_ours(d, address_domain(buf_span(&q->address)), &q->err);
		if (ours > 0)
			*address = buf_span(&q->address);
		if (ours != 0)
			return ours < 0 ? -1 : 0;
	}
	q->srs = (int)srs;
	q->returns = true;
	return 1;
}

/* ---- all of it */

void
question_look_up(struct directory *d, struct errand *e)
{
	struct question *q = (struct question *)e;
	struct directory_policy policy = authd_policy(e->authd);
	struct span address = q->ask.address;
	int returns;

	policy.sender = q->ask.sender;
	policy.login = q->ask.account;
	question_empty(q);
	if (!tables_judge(q))
		return;
	returns = look_up_return(d, q, &address);
	if (returns != 0)
		return; /* answered, or a fault */
	tables_resolve(d, q, &policy, address);
	if (q->tables != ACCESS_NOTHING)
		return;
	if (q->kind == DIRECTORY_ROUTE_TARGETS && rewrite_sender(d, q, address) != 0)
		q->kind = DIRECTORY_ROUTE_FAULT;
	tables_hops(q);
}

void
question_empty(struct question *q)
{
	arena_release(&q->arena);
	buf_release(&q->address);
	buf_release(&q->rewritten);
	if (q->access)
		lookup_begin(q->access->lookup);
	arena_init(&q->arena, 2 * DIRECTORY_ARENA_BYTES); /* with what tables say */
	buf_init(&q->address, SRS_ADDRESS_MAX);
	buf_init(&q->rewritten, SRS_ADDRESS_MAX);
	q->route = (struct directory_route){0};
	q->kind = DIRECTORY_ROUTE_FAULT;
	q->returns = false;
	q->tables = ACCESS_NOTHING;
	q->hops = NULL;
	q->relay_hop = (struct span){0};
}
