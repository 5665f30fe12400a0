/* authd/tables.c - what lookup tables change in the answer to a question */
#include "authd/question.h"

/* False, and q->tables is why, when it is not to go on. */
static bool
goes_on(struct question *q, enum access_verdict verdict)
{
	q->tables = verdict;
	if (verdict == ACCESS_FAULT)
		q->kind = DIRECTORY_ROUTE_FAULT;
	return verdict == ACCESS_NOTHING;
}

/* Reports of our own go where they have to, and so does what a table says. */
bool
tables_judge(struct question *q)
{
	if (!q->access || q->ask.by_table ||
	    (q->errand.peer && ipc_peer_kind(q->errand.peer) == IPC_KIND_BOUNCE))
		return true;
	return goes_on(q, access_judge(q->access, &q->ask, &q->err));
}

/* --- aliases --------------------------------------------------------------------- */

static bool
keep(struct question *q, struct span *s)
{
	return s->n == 0 || arena_copy(&q->arena, *s, s);
}

static bool
known(const struct directory_route *route, const struct directory_target *t)
{
	for (size_t i = 0; i < route->n; i++) {
		const struct directory_target *own = &route->targets[i];

		if (own->account == t->account &&
		    span_equal(own->address, t->address) &&
		    span_equal(own->detail, t->detail))
			return true;
	}
	return false;
}

/* False when there are too many. */
static bool
target_join(struct question *q, const struct directory_target *t)
{
	struct directory_route *all = &q->route;
	struct directory_target own = *t;

	if (known(all, t))
		return true;
	if (all->n == DIRECTORY_TARGETS_MAX || !keep(q, &own.address) ||
	    !keep(q, &own.detail) || !keep(q, &own.sender))
		return false;
	all->targets[all->n++] = own;
	return true;
}

/* What one of the addresses of an alias leads to, in with the others. One that leads
 * nowhere is left out as long as there is another. */
static enum directory_route_kind
route_join(struct question *q, enum directory_route_kind kind, struct span address,
	   const struct directory_route *route)
{
	struct directory_target outside = {.address = address};

	switch (kind) {
	case DIRECTORY_ROUTE_TARGETS:
		q->route.skipped += route->skipped;
		for (size_t i = 0; i < route->n; i++)
			if (!target_join(q, &route->targets[i]))
				return DIRECTORY_ROUTE_TOO_MANY;
		return kind;
	case DIRECTORY_ROUTE_NOT_LOCAL:
		return target_join(q, &outside) ? DIRECTORY_ROUTE_TARGETS
						: DIRECTORY_ROUTE_TOO_MANY;
	default:
		q->route.skipped++;
		return kind;
	}
}

static void
resolve_each(struct directory *d, struct question *q,
	     const struct directory_policy *policy, const struct span *to, size_t n)
{
	enum directory_route_kind first = DIRECTORY_ROUTE_TARGETS;

	q->route.targets =
	    arena_new(&q->arena, DIRECTORY_TARGETS_MAX, sizeof(*q->route.targets));
	if (!q->route.targets) { /* q->kind is a fault */
		err_set(&q->err, "too many aliases");
		return;
	}
	for (size_t i = 0; i < n; i++)
		directory_expect(d, to[i]);
	for (size_t i = 0; i < n; i++) {
		enum directory_route_kind kind;
		struct directory_route route;
		struct arena arena;

		arena_init(&arena, DIRECTORY_ARENA_BYTES);
		kind = directory_resolve(d, to[i], policy, &arena, &route, &q->err);
		if (kind != DIRECTORY_ROUTE_FAULT)
			kind = route_join(q, kind, to[i], &route);
		arena_release(&arena);
		q->kind = kind;
		if (kind == DIRECTORY_ROUTE_FAULT || kind == DIRECTORY_ROUTE_TOO_MANY)
			return;
		if (first == DIRECTORY_ROUTE_TARGETS)
			first = kind;
	}
	q->kind = q->route.n > 0 ? DIRECTORY_ROUTE_TARGETS : first;
	q->route.by_alias = true;
}

/* Alias tables are for our domains, and for those who may send to anywhere: nobody
 * else gets mail to another domain through here because a table knows it. */
static int
may_be_alias(struct directory *d, struct question *q, struct span address)
{
	struct directory_domain found;

	if (q->ask.may_relay || q->ask.account)
		return 1;
	switch (directory_domain_find(d, address_domain(address), &found, &q->err)) {
	case DIRECTORY_FAULT:
		return -1;
	case DIRECTORY_DONE:
		return 1;
	default:
		return 0;
	}
}

void
tables_resolve(struct directory *d, struct question *q,
	       const struct directory_policy *policy, struct span address)
{
	struct span *to;
	size_t n = 0;
	int may = q->access ? may_be_alias(d, q, address) : 0;

	if (may < 0)
		return; /* q->kind is a fault until it is something else */
	if (may > 0 && !goes_on(q, access_aliases(q->access, address, &q->arena, &to,
						  &n, &q->err)))
		return;
	if (n > 0)
		resolve_each(d, q, policy, to, n);
	else
		q->kind = directory_resolve(d, address, policy, &q->arena, &q->route,
					    &q->err);
}

/* --- routes ------------------------------------------------------------------------
 */

/* For targets outside, and for an address that is relayed as it is. */
void
tables_hops(struct question *q)
{
	enum access_verdict verdict = ACCESS_NOTHING;

	if (!q->access)
		return;
	if (q->kind == DIRECTORY_ROUTE_NOT_LOCAL &&
	    (q->ask.may_relay || q->ask.account))
		verdict = access_route(q->access, q->ask.address, &q->arena,
				       &q->relay_hop, &q->err);
	if (q->kind == DIRECTORY_ROUTE_TARGETS) {
		q->hops = arena_new(&q->arena, q->route.n, sizeof(*q->hops));
		if (!q->hops)
			verdict =
			    (enum access_verdict)err_set(&q->err, "too many targets");
	}
	for (size_t i = 0; q->hops && i < q->route.n && verdict == ACCESS_NOTHING; i++)
		if (q->route.targets[i].account == 0)
			verdict = access_route(q->access, q->route.targets[i].address,
					       &q->arena, &q->hops[i], &q->err);
	(void)goes_on(q, verdict);
}
