#include "authd/ticket.h"
#include "common/sasl/sasl.h"

void
tickets_init(struct tickets *t)
{
	*t = (struct tickets){0};
}

void
tickets_release(struct tickets *t)
{
	if (t->at)
		explicit_bzero(t->at, t->size * sizeof(*t->at));
	free(t->at);
	tickets_init(t);
}

static void
take_out(struct tickets *t, size_t i)
{
	t->at[i] = t->at[--t->n];
	explicit_bzero(&t->at[t->n], sizeof(t->at[t->n]));
}

static void
drop_expired(struct tickets *t, uint64_t now_ms)
{
	for (size_t i = 0; i < t->n;)
		if (t->at[i].expires_ms <= now_ms)
			take_out(t, i);
		else
			i++;
}

bool
tickets_add(struct tickets *t, const uint8_t bits[TICKET_BYTES], uint64_t account,
	    unsigned service, uint64_t now_ms)
{
	struct ticket *ticket;

	drop_expired(t, now_ms);
	if (t->n == TICKETS_MAX)
		return false;
	if (t->n == t->size) {
		t->size = t->size ? 2 * t->size : 16;
		t->at = memory_resize(t->at, t->size, sizeof(*t->at));
	}
	ticket = &t->at[t->n++];
	memcpy(ticket->bits, bits, TICKET_BYTES);
	ticket->account = account;
	ticket->service = service;
	ticket->expires_ms = now_ms + TICKET_MS;
	return true;
}

void
tickets_forget(struct tickets *t, uint64_t account)
{
	for (size_t i = 0; i < t->n;)
		if (t->at[i].account == account)
			take_out(t, i);
		else
			i++;
}

bool
tickets_redeem(struct tickets *t, struct span bits, unsigned service, uint64_t now_ms,
	       uint64_t *account)
{
	drop_expired(t, now_ms);
	if (bits.n != TICKET_BYTES)
		return false;
	for (size_t i = 0; i < t->n; i++) {
		struct ticket found = t->at[i];

		if (!scram_equal(found.bits, bits.at, TICKET_BYTES))
			continue;
		take_out(t, i);
		if (found.service != service)
			return false;
		*account = found.account;
		return true;
	}
	return false;
}
