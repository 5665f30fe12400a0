/* a plan: questions, answers, and what comes of them */
#include "delivery/remote/hop/plan.h"

#include <stdarg.h>
#include <stdio.h>

#define TTL_MAX_S 3600u

void
plan_fail(struct hop_plan *p, bool forever, unsigned a, unsigned b, unsigned c,
	  const char *format, ...)
{
	va_list args;

	p->failed = true;
	p->failure = (struct hop_failure){
	    .forever = forever,
	    .enhanced = {(uint16_t)a, (uint16_t)b, (uint16_t)c},
	};
	va_start(args, format);
	vsnprintf(p->failure.text, sizeof(p->failure.text), format, args);
	va_end(args);
}

void
plan_want(struct hop_plan *p, size_t slot, struct span name)
{
	ASSERT(slot < HOP_SLOTS_MAX);
	if (p->slots[slot] != SLOT_UNUSED)
		return;
	p->slots[slot] = SLOT_WANTED;
	p->slot_names[slot] = name;
}

void
plan_ttl(struct hop_plan *p, uint32_t ttl_s)
{
	if (ttl_s < p->ttl_s)
		p->ttl_s = ttl_s;
}

struct span
plan_copy(struct hop_plan *p, struct span s)
{
	struct span copy;

	return arena_copy(&p->arena, s, &copy) ? copy : SPAN("");
}

/* "[192.0.2.1]" or "[IPv6:2001:db8::1]" [RFC5321 4.1.3]. */
struct span
literal_of(const struct hop_wish *wish)
{
	struct span inside, text = wish->domain;

	if (wish->literal)
		return text;
	if (text.n < 2 || text.at[0] != '[' || text.at[text.n - 1] != ']')
		return SPAN("");
	inside = span_make(text.at + 1, text.n - 2);
	return span_after(inside, span_starts_nocase(inside, SPAN("IPv6:")) ? 5 : 0);
}

static void
literal_take(struct hop_plan *p, struct net_address address)
{
	struct hop_host *h = &p->hosts[0];

	address.port = p->wish.port;
	p->mx_known = true;
	p->n_hosts = 1;
	h->addresses[0] = address;
	h->n_addresses = 1;
	if (p->wish.literal || !p->wish.mx)
		return; /* the operator's word */
	if (address_is_nobody(&address))
		p->work[0].fault = HOST_NO_ADDRESS;
	else if (address_is_own(p, &address))
		p->work[0].fault = HOST_OWN;
}

static void
wish_copy(struct hop_plan *p, const struct hop_wish *wish)
{
	p->wish = *wish;
	p->wish.domain = plan_copy(p, wish->domain);
	p->wish.tls_name = plan_copy(p, wish->tls_name);
	p->wish.hostname = plan_copy(p, wish->hostname);
}

struct hop_plan *
hop_plan_new(const struct hop_wish *wish)
{
	struct hop_plan *p = memory_new(1, sizeof(*p));
	struct net_address literal;

	arena_init(&p->arena, HOP_BYTES_MAX);
	wish_copy(p, wish);
	p->ttl_s = TTL_MAX_S;
	if (net_address_parse(literal_of(&p->wish), &literal)) {
		literal_take(p, literal);
		return p;
	}
	if (!wish->mx) {
		p->mx_known = p->mx_secure = true;
		host_add(p, p->wish.domain, 0);
		return p;
	}
	plan_want(p, SLOT_MX, p->wish.domain);
	if (wish->sts && (wish->policy == CONF_REMOTE_TLS_DANE || wish->require_tls))
		plan_want(p, SLOT_STS, p->wish.domain);
	return p;
}

void
hop_plan_free(struct hop_plan **p)
{
	if (!*p)
		return;
	arena_release(&(*p)->arena);
	free(*p);
	*p = NULL;
}

static enum dns_type
slot_type(size_t slot)
{
	static const enum dns_type types[HOST_SLOTS] = {
	    [HOST_A] = DNS_A,
	    [HOST_AAAA] = DNS_AAAA,
	    [HOST_CNAME] = DNS_CNAME,
	    [HOST_TLSA] = DNS_TLSA,
	    [HOST_TLSA_ALIAS] = DNS_TLSA,
	};

	return slot == SLOT_MX ? DNS_MX : types[(slot - SLOT_HOSTS) % HOST_SLOTS];
}

static enum hop_step
question_next(struct hop_plan *p, struct hop_question *out)
{
	bool waiting = false;

	for (size_t i = 0; i < HOP_SLOTS_MAX; i++) {
		waiting |= p->slots[i] == SLOT_ASKED;
		if (p->slots[i] != SLOT_WANTED)
			continue;
		p->slots[i] = SLOT_ASKED;
		*out = (struct hop_question){.slot = i, .name = p->slot_names[i]};
		out->sts = i == SLOT_STS;
		if (!out->sts)
			out->type = slot_type(i);
		return HOP_ASK;
	}
	return waiting ? HOP_WAIT : HOP_FOUND;
}

/* --- the end -------------------------------------------------------------- */

/* We are one of the hosts by our address: it and all that are no better go. */
static void
loop_drop(struct hop_plan *p)
{
	unsigned limit = UINT16_MAX + 1u;

	for (size_t i = 0; i < p->n_hosts; i++)
		if (p->work[i].fault == HOST_OWN && p->hosts[i].preference < limit)
			limit = p->hosts[i].preference;
	for (size_t i = 0; i < p->n_hosts; i++)
		if (p->hosts[i].preference >= limit)
			p->work[i].fault = HOST_OWN;
}

static const struct host_work *
worst_of(const struct hop_plan *p)
{
	const struct host_work *worst = NULL;

	for (size_t i = 0; i < p->n_hosts; i++)
		if (!worst || p->work[i].fault > worst->fault)
			worst = &p->work[i];
	return worst;
}

static void
fail_without_host(struct hop_plan *p)
{
	const struct host_work *w = worst_of(p);
	struct span domain = span_first(p->wish.domain, DNS_NAME_MAX);
	struct span why = w ? span_first(w->why, 120) : SPAN("");
	const char *colon = why.n > 0 ? ": " : "";

	switch (w ? w->fault : HOST_OWN) {
	case HOST_GOOD:
	case HOST_OWN:
		plan_fail(p, true, 5, 4, 6, "mail for %.*s loops back to this server",
			  SPAN_ARG(domain));
		return;
	case HOST_NO_ADDRESS:
		plan_fail(p, true, 5, 4, 4,
			  "no mail server of %.*s has an address%s%.*s",
			  SPAN_ARG(domain), colon, SPAN_ARG(why));
		return;
	case HOST_POLICY:
		plan_fail(p, false, 4, 7, 5, "TLS with %.*s is not possible: %.*s",
			  SPAN_ARG(domain), SPAN_ARG(why));
		return;
	case HOST_TLSA_LATER:
		plan_fail(p, false, 4, 7, 5,
			  "the DANE records of the mail servers of %.*s cannot be "
			  "had%s%.*s",
			  SPAN_ARG(domain), colon, SPAN_ARG(why));
		return;
	case HOST_LATER:
		plan_fail(p, false, 4, 4, 3,
			  "the addresses of the mail servers of %.*s cannot be had"
			  "%s%.*s",
			  SPAN_ARG(domain), colon, SPAN_ARG(why));
		return;
	case HOST_REQUIRE:
		plan_fail(p, true, 5, 7, 30, "REQUIRETLS cannot be kept for %.*s: %.*s",
			  SPAN_ARG(domain), SPAN_ARG(why));
		return;
	}
}

static void
keep_good(struct hop_plan *p)
{
	size_t n = 0;

	for (size_t i = 0; i < p->n_hosts; i++)
		if (p->work[i].fault == HOST_GOOD)
			p->hosts[n++] = p->hosts[i];
	p->n_hosts = n;
}

static void
plan_finish(struct hop_plan *p)
{
	bool any = false;

	for (size_t i = 0; i < p->n_hosts; i++)
		rule_decide(p, i);
	if (p->wish.mx)
		loop_drop(p);
	for (size_t i = 0; i < p->n_hosts; i++)
		any |= p->work[i].fault == HOST_GOOD;
	if (any)
		keep_good(p);
	else
		fail_without_host(p);
}

enum hop_step
hop_plan_next(struct hop_plan *p, struct hop_question *out)
{
	enum hop_step step;

	if (p->failed)
		return HOP_FAILED;
	if (p->finished)
		return HOP_FOUND;
	step = question_next(p, out);
	if (step != HOP_FOUND)
		return step;
	plan_finish(p);
	p->finished = true;
	return p->failed ? HOP_FAILED : HOP_FOUND;
}

/* --- answers -------------------------------------------------------------- */

void
hop_plan_answer(struct hop_plan *p, size_t slot, const struct dns_answer *a)
{
	ASSERT(slot < HOP_SLOTS_MAX && slot != SLOT_STS &&
	       p->slots[slot] == SLOT_ASKED);
	p->slots[slot] = SLOT_ANSWERED;
	if (p->failed)
		return;
	plan_ttl(p, a->ttl_s);
	if (slot == SLOT_MX)
		mx_take(p, a);
	else
		host_take(p, slot, a);
}

void
hop_plan_answer_sts(struct hop_plan *p, enum sts_mode mode, struct span hosts,
		    struct span text)
{
	ASSERT(p->slots[SLOT_STS] == SLOT_ASKED);
	p->slots[SLOT_STS] = SLOT_ANSWERED;
	p->sts = mode;
	p->sts_hosts = plan_copy(p, hosts);
	if (mode == STS_LATER && !p->failed)
		plan_fail(p, false, 4, 4, 3,
			  "the MTA-STS policy of %.*s cannot be asked for%s%.*s",
			  SPAN_ARG(span_first(p->wish.domain, DNS_NAME_MAX)),
			  text.n > 0 ? ": " : "", SPAN_ARG(span_first(text, 120)));
	mx_settle(p);
}

const struct hop_failure *
hop_plan_failure(const struct hop_plan *p)
{
	ASSERT(p->failed);
	return &p->failure;
}

size_t
hop_plan_hosts(const struct hop_plan *p, const struct hop_host **hosts)
{
	*hosts = p->hosts;
	return p->n_hosts;
}

uint32_t
hop_plan_ttl_s(const struct hop_plan *p)
{
	return p->ttl_s;
}
