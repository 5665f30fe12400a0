#include "resolver/resolver.h"
#include "resolver/sts.h"

/* One question of another program: a lookup or a policy, whichever it asked for. */
struct ask {
	LIST_ENTRY(ask) link;
	struct resolver *resolver;
	struct ipc_peer *peer;
	uint64_t tag;
	struct lookup *lookup;
	struct sts_wait *policy;
};

static struct ask *
ask_new(struct resolver *r, struct ipc_peer *peer, uint64_t tag)
{
	struct ask *a = memory_new(1, sizeof(*a));

	a->resolver = r;
	a->peer = peer;
	a->tag = tag;
	LIST_INSERT_HEAD(&r->asks, a, link);
	r->n_asks++;
	r->count.asked++;
	return a;
}

static void
ask_free(struct ask *a)
{
	LIST_REMOVE(a, link);
	a->resolver->n_asks--;
	free(a);
}

static void
dns_say(struct ipc_peer *peer, uint64_t tag, const struct dns_answer *answer)
{
	struct ipc_dns_answer m = {.tag = tag,
				   .outcome = (uint8_t)answer->outcome,
				   .security = (uint8_t)answer->security,
				   .ttl_s = answer->ttl_s,
				   .name = answer->name,
				   .records = answer->records,
				   .text = answer->text};

	ipc_send_dns_answer(peer, &m);
}

static void
on_dns(void *context, const struct dns_answer *answer)
{
	struct ask *a = context;

	dns_say(a->peer, a->tag, answer);
	ask_free(a);
}

static void
sts_say(struct ipc_peer *peer, uint64_t tag, const struct sts_answer *answer)
{
	struct ipc_sts_answer m = {.tag = tag,
				   .mode = (uint8_t)answer->mode,
				   .id = answer->id,
				   .hosts = answer->hosts,
				   .text = answer->text};

	ipc_send_sts_answer(peer, &m);
}

static void
on_sts(void *context, const struct sts_answer *answer)
{
	struct ask *a = context;

	sts_say(a->peer, a->tag, answer);
	ask_free(a);
}

void
ask_dns(struct resolver *r, struct ipc_peer *peer, const struct ipc_dns_ask *m)
{
	struct dns_answer busy = {.outcome = DNS_LATER,
				  .name = m->name,
				  .records = SPAN(""),
				  .text = SPAN("too many questions at once")};
	struct ask *a;

	if (!dns_type_known(m->type) || !dns_name_valid(m->name)) {
		ipc_peer_drop(peer, "a question for what is no name or type");
		return;
	}
	if (r->n_asks >= ASKS_MAX) {
		r->count.refused++;
		dns_say(peer, m->tag, &busy);
		return;
	}
	a = ask_new(r, peer, m->tag);
	a->lookup =
	    lookup_start(&r->lookups, (enum dns_type)m->type, m->name, on_dns, a);
}

void
ask_sts(struct resolver *r, struct ipc_peer *peer, const struct ipc_sts_ask *m)
{
	struct sts_answer none = {STS_NONE, SPAN(""), SPAN(""), SPAN("")};
	struct sts_answer busy = {STS_LATER, SPAN(""), SPAN(""),
				  SPAN("too many questions at once")};
	struct ask *a;

	if (!dns_name_valid(m->domain)) {
		ipc_peer_drop(peer, "a question for what is no name");
		return;
	}
	if (!proc_settings(r->proc)->sts || !sts_domain_valid(m->domain)) {
		sts_say(peer, m->tag, &none);
		return;
	}
	if (r->n_asks >= ASKS_MAX) {
		r->count.refused++;
		sts_say(peer, m->tag, &busy);
		return;
	}
	a = ask_new(r, peer, m->tag);
	a->policy = sts_wait_start(
	    r->sts, m->domain, (uint16_t)proc_settings(r->proc)->sts_port, on_sts, a);
	if (!a->policy) {
		ask_free(a);
		r->count.refused++;
		sts_say(peer, m->tag, &busy);
	}
}

void
ask_drop_peer(struct resolver *r, struct ipc_peer *peer)
{
	struct ask *next;

	for (struct ask *a = LIST_FIRST(&r->asks); a; a = next) {
		next = LIST_NEXT(a, link);
		if (a->peer != peer)
			continue;
		lookup_cancel(&a->lookup);
		sts_wait_cancel(&a->policy);
		ask_free(a);
	}
}
