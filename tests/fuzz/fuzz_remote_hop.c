/* tests/fuzz/fuzz_remote_hop.c - any answers of the DNS lead to hosts or to a reason
 *
 * The first bytes choose the wish; then each question takes its answer from the input:
 * outcome, security, length, records.
 */
#include "delivery/remote/hop/hop.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct hop_wish
wish_take(struct cursor *c, const struct net_address *own)
{
	uint8_t flags = wire_get_u8(c);

	return (struct hop_wish){
	    .domain = flags & 1 ? SPAN("[192.0.2.1]") : SPAN("d.example"),
	    .mx = (flags & 2) != 0,
	    .sts = (flags & 4) != 0,
	    .require_tls = (flags & 8) != 0,
	    .port = flags & 16 ? 25 : 2525,
	    .policy = (enum conf_remote_tls)(wire_get_u8(c) % 6),
	    .family = (enum conf_remote_ip)(wire_get_u8(c) % 3),
	    .hostname = SPAN("me.example"),
	    .own = own,
	    .n_own = 1,
	    .random = wire_get_u8(c),
	};
}

static void
question_answer(struct hop_plan *p, const struct hop_question *q, struct cursor *c)
{
	struct dns_answer a = {.outcome = wire_get_u8(c) % DNS_OUTCOME_COUNT,
			       .security = wire_get_u8(c) % DNS_SECURITY_COUNT,
			       .ttl_s = wire_get_u8(c)};
	uint8_t alias = wire_get_u8(c);

	a.name = alias % 4 == 1 ? SPAN("alias.example") : q->name;
	a.records = wire_get_raw(c, wire_get_u16(c));
	a.text = alias % 4 == 2 ? a.records : SPAN("");
	if (q->sts)
		hop_plan_answer_sts(p, (enum sts_mode)(alias % STS_MODE_COUNT),
				    a.records, a.text);
	else
		hop_plan_answer(p, q->slot, &a);
}

static void
found_check(const struct hop_plan *p)
{
	struct hop_health *health = hop_health_new();
	struct hop_try tries[HOP_ADDRESSES_MAX];
	struct buf text = buf_make(1000);
	size_t n = hop_plan_order(p, health, 1, 1, tries);

	ASSERT(n > 0);
	for (size_t i = 0; i < n; i++) {
		const struct hop_host *h = tries[i].host;

		hop_try_put(&tries[i], &text);
		ASSERT(hop_provider(h->name).n <= h->name.n);
		ASSERT(h->tls != HOP_TLS_VERIFY || h->n_names > 0);
		ASSERT(h->tls != HOP_TLS_DANE || h->n_tlsa > 0);
	}
	buf_release(&text);
	hop_health_free(&health);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct net_address own = {
	    .ip = {[10] = 0xff, 0xff, 203, 0, 113, 9},
              .port = 25
        };
	struct cursor c = cursor_make(span_make(data, size));
	struct hop_wish wish = wish_take(&c, &own);
	struct hop_plan *p = hop_plan_new(&wish);
	struct hop_question q;
	enum hop_step step;

	while ((step = hop_plan_next(p, &q)) == HOP_ASK)
		question_answer(p, &q, &c);
	ASSERT(step != HOP_WAIT);
	if (step == HOP_FOUND)
		found_check(p);
	else
		ASSERT(hop_plan_failure(p)->text[0] != '\0');
	hop_plan_free(&p);
	return 0;
}
