/* what the DNS says about one host: its addresses and its TLSA records */
#include "delivery/remote/hop/plan.h"

/* A loopback address at a port of ours is ours, whatever it is bound to. */
bool
address_is_own(const struct hop_plan *p, const struct net_address *a)
{
	for (size_t i = 0; i < p->wish.n_own; i++)
		if (net_address_equal(&p->wish.own[i], a) ||
		    (net_address_is_loopback(a) && p->wish.own[i].port == a->port))
			return true;
	return false;
}

/* "This host", multicast and broadcast: no address of a server. */
bool
address_is_nobody(const struct net_address *a)
{
	static const uint8_t zero[16];

	if (net_address_is_ipv4(a))
		return a->ip[12] == 0 || a->ip[12] >= 224;
	return memcmp(a->ip, zero, sizeof(zero)) == 0 || a->ip[0] == 0xff;
}

/* Half of the places are kept for the other family. */
static size_t
addresses_allowed(const struct hop_plan *p)
{
	return p->wish.family == CONF_REMOTE_IP_ANY ? HOP_HOST_ADDRESSES_MAX / 2
						    : HOP_HOST_ADDRESSES_MAX;
}

static void
addresses_take(struct hop_plan *p, size_t host, const struct dns_answer *a)
{
	struct hop_host *h = &p->hosts[host];
	struct cursor c = cursor_make(a->records);
	size_t left = addresses_allowed(p);
	struct dns_record r;

	while (dns_record_next(&c, &r)) {
		struct net_address address = {.port = p->wish.port};

		if (r.type != DNS_A && r.type != DNS_AAAA)
			continue;
		dns_record_ip(&r, address.ip);
		if (address_is_nobody(&address))
			continue;
		if (p->wish.mx && address_is_own(p, &address))
			p->work[host].fault = HOST_OWN;
		if (left == 0)
			continue;
		left--;
		h->addresses[h->n_addresses++] = address;
	}
}

static void
address_take(struct hop_plan *p, size_t host, const struct dns_answer *a)
{
	struct host_work *w = &p->work[host];

	if (a->outcome == DNS_OK) {
		addresses_take(p, host, a);
		w->has_secure |= a->security == DNS_SECURE;
		w->has_insecure |= a->security != DNS_SECURE;
		if (!span_equal_nocase(a->name, w->target))
			w->target = plan_copy(p, a->name);
	}
	if (a->outcome == DNS_LATER)
		w->has_later = true;
	if (a->text.n > 0 && w->why.n == 0)
		w->why = plan_copy(p, a->text);
}

static bool
slot_is_open(const struct hop_plan *p, size_t slot)
{
	return p->slots[slot] == SLOT_WANTED || p->slots[slot] == SLOT_ASKED;
}

/* [RFC7672 2.2.1] only a host whose name is secure can have a TLSA record that counts.
 */
static bool
tlsa_counts(const struct hop_plan *p)
{
	return p->mx_secure &&
	       (p->wish.policy == CONF_REMOTE_TLS_DANE ||
		p->wish.policy == CONF_REMOTE_TLS_DANE_ONLY || p->wish.require_tls) &&
	       p->wish.policy != CONF_REMOTE_TLS_NONE;
}

static bool
is_alias(const struct hop_plan *p, size_t host)
{
	return !span_equal_nocase(p->work[host].target, p->hosts[host].name);
}

static void
tlsa_want(struct hop_plan *p, size_t host, enum host_slot what, struct span base)
{
	struct buf name = buf_make(DNS_NAME_MAX + 16);

	dns_tlsa_put(base, p->wish.port, &name);
	plan_want(p, host_slot(host, what), plan_copy(p, buf_span(&name)));
	buf_release(&name);
}

/* [RFC7672 2.2.2] where all on the way to the addresses is secure, TLSA records are
 * those of its end. Where it is not, the name itself may still be an alias in a signed
 * zone, which the question for its CNAME tells; then they are the name's own. Signed
 * in part, such as A without AAAA, is not secure. */
static void
dane_ask(struct hop_plan *p, size_t host)
{
	const struct host_work *w = &p->work[host];

	if (w->has_secure && !w->has_insecure)
		tlsa_want(p, host, HOST_TLSA, w->target);
	else if (is_alias(p, host))
		plan_want(p, host_slot(host, HOST_CNAME), p->hosts[host].name);
}

static void
addresses_known(struct hop_plan *p, size_t host)
{
	struct host_work *w = &p->work[host];

	if (slot_is_open(p, host_slot(host, HOST_A)) ||
	    slot_is_open(p, host_slot(host, HOST_AAAA)) || w->fault != HOST_GOOD)
		return;
	if (p->hosts[host].n_addresses == 0)
		w->fault = w->has_later ? HOST_LATER : HOST_NO_ADDRESS;
	else if (tlsa_counts(p))
		dane_ask(p, host);
}

/* Nobody knows whether DANE is asked for, so it cannot be passed over. */
static void
dane_later(struct hop_plan *p, size_t host, const struct dns_answer *a)
{
	p->work[host].fault = HOST_TLSA_LATER;
	p->work[host].why = plan_copy(p, a->text);
}

static void
cname_answer(struct hop_plan *p, size_t host, const struct dns_answer *a)
{
	if (a->outcome == DNS_LATER)
		dane_later(p, host, a);
	else if (a->outcome == DNS_OK && a->security == DNS_SECURE)
		tlsa_want(p, host, HOST_TLSA_ALIAS, p->hosts[host].name);
}

/* All that are of the right form go to the TLS room, which knows what it can use. */
static void
tlsa_take(struct hop_plan *p, size_t host, const struct dns_answer *a)
{
	struct hop_host *h = &p->hosts[host];
	struct cursor c = cursor_make(a->records);
	struct tls_tlsa *list = arena_new(&p->arena, HOP_TLSA_MAX, sizeof(*list));
	struct dns_record r;

	p->work[host].tlsa_found = true;
	while (list && h->n_tlsa < HOP_TLSA_MAX && dns_record_next(&c, &r)) {
		struct tls_tlsa t = {r.usage, r.selector, r.matching, r.data};

		if (r.type != DNS_TLSA || tls_tlsa_usable(&t, 1) == 0 ||
		    !arena_copy(&p->arena, r.data, &t.data))
			continue;
		list[h->n_tlsa++] = t;
	}
	h->tlsa = list;
}

static void
tlsa_answer(struct hop_plan *p, size_t host, enum host_slot what,
	    const struct dns_answer *a)
{
	struct host_work *w = &p->work[host];
	bool alias = what == HOST_TLSA_ALIAS;

	if (a->outcome == DNS_LATER) {
		dane_later(p, host, a);
	} else if (a->outcome == DNS_OK && a->security == DNS_SECURE) {
		w->base = alias ? p->hosts[host].name : w->target;
		tlsa_take(p, host, a);
	} else if (!alias && is_alias(p, host)) {
		tlsa_want(p, host, HOST_TLSA_ALIAS, p->hosts[host].name);
	}
}

void
host_take(struct hop_plan *p, size_t slot, const struct dns_answer *a)
{
	size_t host = (slot - SLOT_HOSTS) / HOST_SLOTS;
	enum host_slot what = (slot - SLOT_HOSTS) % HOST_SLOTS;

	if (what == HOST_TLSA || what == HOST_TLSA_ALIAS) {
		tlsa_answer(p, host, what, a);
	} else if (what == HOST_CNAME) {
		cname_answer(p, host, a);
	} else {
		address_take(p, host, a);
		addresses_known(p, host);
	}
}
