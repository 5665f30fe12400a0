/* the order in which a connection tries addresses; who runs a host */
#include "delivery/remote/hop/plan.h"

static uint64_t
random_next(uint64_t *state)
{
	uint64_t x = *state += UINT64_C(0x9e3779b97f4a7c15);

	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

/* Hosts by preference, shuffled among equals (Fisher and Yates). */
static void
hosts_shuffle(const struct hop_plan *p, uint64_t random, size_t order[HOP_HOSTS_MAX])
{
	for (size_t i = 0; i < p->n_hosts; i++)
		order[i] = i;
	for (size_t i = p->n_hosts; i-- > 1;) {
		size_t from = i;

		while (from > 0 &&
		       p->hosts[from - 1].preference == p->hosts[i].preference)
			from--;
		size_t with =
		    from + (size_t)(random_next(&random) % (uint64_t)(i - from + 1));
		size_t kept = order[i];

		order[i] = order[with];
		order[with] = kept;
	}
}

/* The addresses of a host: IPv6 and IPv4 by turns, each family from a random start. */
static size_t
addresses_put(const struct hop_host *h, uint64_t *random, struct hop_try *out)
{
	const struct net_address *families[2][HOP_HOST_ADDRESSES_MAX];
	size_t count[2] = {0}, start[2], n = 0;

	for (size_t i = 0; i < h->n_addresses; i++) {
		size_t family = net_address_is_ipv4(&h->addresses[i]);

		families[family][count[family]++] = &h->addresses[i];
	}
	for (size_t f = 0; f < 2; f++)
		start[f] = (size_t)(random_next(random) % (count[f] ? count[f] : 1));
	for (size_t i = 0; i < h->n_addresses; i++)
		for (size_t f = 0; f < 2; f++)
			if (i < count[f])
				out[n++] = (struct hop_try){
				    h, *families[f][(start[f] + i) % count[f]]};
	return n;
}

size_t
hop_plan_order(const struct hop_plan *p, const struct hop_health *health,
	       uint64_t now_s, uint64_t random, struct hop_try out[HOP_ADDRESSES_MAX])
{
	struct hop_try all[HOP_HOSTS_MAX * HOP_HOST_ADDRESSES_MAX];
	size_t order[HOP_HOSTS_MAX], n = 0, taken = 0;

	hosts_shuffle(p, random, order);
	for (size_t i = 0; i < p->n_hosts; i++)
		n += addresses_put(&p->hosts[order[i]], &random, all + n);
	for (int bad = 0; bad < 2; bad++)
		for (size_t i = 0; i < n && taken < HOP_ADDRESSES_MAX; i++)
			if (hop_health_bad(health, &all[i].address, now_s) == bad)
				out[taken++] = all[i];
	return taken;
}

bool
hop_plan_has_better(const struct hop_plan *p, const struct hop_host *host,
		    const struct hop_health *health, uint64_t now_s)
{
	for (size_t i = 0; i < p->n_hosts; i++)
		for (size_t k = 0; k < p->hosts[i].n_addresses; k++)
			if (p->hosts[i].preference < host->preference &&
			    !hop_health_bad(health, &p->hosts[i].addresses[k], now_s))
				return true;
	return false;
}

void
hop_try_put(const struct hop_try *t, struct buf *out)
{
	buf_put(out, t->host->name);
	buf_put_char(out, '[');
	net_address_put(&t->address, out);
	buf_put_char(out, ']');
}

struct span
hop_provider(struct span host)
{
	size_t last = span_find_last(host, '.'), second, third;

	if (last == host.n)
		return host;
	second = span_find_last(span_first(host, last), '.');
	if (second == last)
		return host;
	if (host.n - last - 1 == 2 && last - second - 1 <= 3) {
		third = span_find_last(span_first(host, second), '.');
		return third == second ? host : span_after(host, third + 1);
	}
	return span_after(host, second + 1);
}
