/* from MX records to hosts [RFC5321 5.1] */
#include "delivery/remote/hop/plan.h"

/* Spreads the random bits of the plan over its hosts (splitmix64). */
static uint64_t
rank_of(const struct hop_plan *p, struct span name)
{
	uint64_t x = p->wish.random;

	for (size_t i = 0; i < name.n; i++)
		x = (x ^ (uint8_t)name.at[i]) * UINT64_C(0x100000001b3);
	x ^= x >> 30;
	x *= UINT64_C(0xbf58476d1ce4e5b9);
	return x ^ (x >> 27);
}

static bool
comes_before(const struct hop_plan *p, size_t a, size_t b)
{
	if (p->hosts[a].preference != p->hosts[b].preference)
		return p->hosts[a].preference < p->hosts[b].preference;
	return p->work[a].rank < p->work[b].rank;
}

static void
hosts_swap(struct hop_plan *p, size_t a, size_t b)
{
	struct hop_host host = p->hosts[a];
	struct host_work work = p->work[a];

	p->hosts[a] = p->hosts[b];
	p->work[a] = p->work[b];
	p->hosts[b] = host;
	p->work[b] = work;
}

static void
host_put(struct hop_plan *p, size_t at, struct span name, uint16_t preference)
{
	p->hosts[at] = (struct hop_host){.name = name, .preference = preference};
	p->work[at] = (struct host_work){.rank = rank_of(p, name), .target = name};
}

static void
host_ask(struct hop_plan *p, size_t i)
{
	if (p->wish.family != CONF_REMOTE_IP_6)
		plan_want(p, host_slot(i, HOST_A), p->hosts[i].name);
	if (p->wish.family != CONF_REMOTE_IP_4)
		plan_want(p, host_slot(i, HOST_AAAA), p->hosts[i].name);
}

void
host_add(struct hop_plan *p, struct span name, uint16_t preference)
{
	ASSERT(p->n_hosts < HOP_HOSTS_MAX);
	host_put(p, p->n_hosts, plan_copy(p, name), preference);
	host_ask(p, p->n_hosts++);
}

static bool
is_known(struct hop_plan *p, struct span name, uint16_t preference)
{
	for (size_t i = 0; i < p->n_hosts; i++) {
		if (!span_equal_nocase(p->hosts[i].name, name))
			continue;
		if (preference < p->hosts[i].preference)
			p->hosts[i].preference = preference;
		while (i > 0 && comes_before(p, i, i - 1)) {
			hosts_swap(p, i, i - 1);
			i--;
		}
		return true;
	}
	return false;
}

/* In its place among the best so far; the worst of too many falls out. */
static void
host_sort_in(struct hop_plan *p, struct span name, uint16_t preference)
{
	struct hop_host last_host;
	struct host_work last_work;
	size_t i = p->n_hosts;

	if (is_known(p, name, preference))
		return;
	if (i < HOP_HOSTS_MAX) {
		host_put(p, i, name, preference);
		p->n_hosts++;
	} else {
		i--;
		last_host = p->hosts[i];
		last_work = p->work[i];
		host_put(p, i, name, preference);
		if (preference > last_host.preference ||
		    (preference == last_host.preference &&
		     p->work[i].rank >= last_work.rank)) {
			p->hosts[i] = last_host;
			p->work[i] = last_work;
			return;
		}
	}
	while (i > 0 && comes_before(p, i, i - 1)) {
		hosts_swap(p, i, i - 1);
		i--;
	}
}

/* The preference at which we are an MX ourselves, by name; beyond all when not. */
static unsigned
own_preference(const struct hop_plan *p, struct span records)
{
	struct cursor c = cursor_make(records);
	unsigned best = UINT16_MAX + 1u;
	struct dns_record r;

	while (dns_record_next(&c, &r))
		if (r.type == DNS_MX && r.preference < best &&
		    span_equal_nocase(r.name, p->wish.hostname))
			best = r.preference;
	return best;
}

/* A policy that must be kept, where DANE cannot come before it, chooses the hosts. */
static bool
is_barred(const struct hop_plan *p, struct span name)
{
	return p->sts == STS_ENFORCE && !p->mx_secure &&
	       p->wish.policy == CONF_REMOTE_TLS_DANE &&
	       !sts_hosts_match(p->sts_hosts, name);
}

struct mx_seen {
	size_t null, own, barred;
};

static void
hosts_make(struct hop_plan *p, struct span records, struct mx_seen *seen)
{
	unsigned own = own_preference(p, records);
	struct cursor c = cursor_make(records);
	struct dns_record r;

	while (dns_record_next(&c, &r)) {
		if (r.type != DNS_MX)
			continue;
		if (r.name.n == 0)
			seen->null++;
		else if (r.preference >= own)
			seen->own++;
		else if (is_barred(p, r.name))
			seen->barred++;
		else
			host_sort_in(p, r.name, r.preference);
	}
	for (size_t i = 0; i < p->n_hosts; i++)
		p->hosts[i].name = p->work[i].target = plan_copy(p, p->hosts[i].name);
	for (size_t i = 0; i < p->n_hosts; i++)
		host_ask(p, i);
}

static void
hosts_none(struct hop_plan *p, const struct mx_seen *seen)
{
	struct span domain = span_first(p->wish.domain, DNS_NAME_MAX);

	if (seen->barred > 0) {
		plan_fail(p, false, 4, 7, 5,
			  "no mail server of %.*s is one of its MTA-STS policy",
			  SPAN_ARG(domain));
	} else if (seen->own > 0) {
		plan_fail(p, true, 5, 4, 6, "mail for %.*s loops back to this server",
			  SPAN_ARG(domain));
	} else if (seen->null == 0) {
		plan_fail(p, false, 4, 4, 3,
			  "the answer about the mail servers of %.*s cannot be read",
			  SPAN_ARG(domain));
	} else {
		plan_fail(p, true, 5, 1, 10, "%.*s takes no mail (null MX)",
			  SPAN_ARG(domain));
		p->failure.code = 556; /* [RFC7505 4.1] */
	}
}

static void
mx_found(struct hop_plan *p)
{
	struct mx_seen seen = {0};

	hosts_make(p, p->mx_records, &seen);
	if (p->n_hosts == 0)
		hosts_none(p, &seen);
}

/* Which hosts are looked at may depend on the policy, so it is waited for. */
void
mx_settle(struct hop_plan *p)
{
	bool waits =
	    p->slots[SLOT_STS] == SLOT_WANTED || p->slots[SLOT_STS] == SLOT_ASKED;

	if (p->failed || p->mx_known || waits || p->slots[SLOT_MX] != SLOT_ANSWERED)
		return;
	p->mx_known = true;
	if (p->mx_records.n > 0)
		mx_found(p);
	else if (is_barred(p, p->wish.domain))
		hosts_none(p, &(struct mx_seen){.barred = 1});
	else
		host_add(p, p->wish.domain, 0); /* [RFC5321 5.1] the implicit MX */
}

void
mx_take(struct hop_plan *p, const struct dns_answer *a)
{
	struct span domain = span_first(p->wish.domain, DNS_NAME_MAX);
	struct span why = span_first(a->text, 160);
	const char *colon = why.n > 0 ? ": " : "";

	p->mx_secure = a->security == DNS_SECURE;
	switch (a->outcome) {
	case DNS_OK:
		p->mx_records = plan_copy(p, a->records);
		break;
	case DNS_NO_DATA:
		break;
	case DNS_NO_NAME:
		plan_fail(p, true, 5, 1, 2, "there is no domain %.*s%s%.*s",
			  SPAN_ARG(domain), colon, SPAN_ARG(why));
		return;
	default:
		plan_fail(p, false, 4, 4, 3,
			  "the mail servers of %.*s cannot be asked for%s%s%.*s",
			  SPAN_ARG(domain),
			  a->security == DNS_BOGUS ? " (DNSSEC: bogus)" : "", colon,
			  SPAN_ARG(why));
		return;
	}
	mx_settle(p);
}
