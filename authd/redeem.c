#include "authd/question.h"

#include <sys/random.h>

bool
ticket_make(struct authd *a, uint64_t account, unsigned service,
	    uint8_t bits[TICKET_BYTES])
{
	if (getrandom(bits, TICKET_BYTES, 0) != TICKET_BYTES)
		return false;
	return tickets_add(&a->tickets, bits, account, service, proc_ticks_ms());
}

struct redeeming {
	struct errand errand;
	uint64_t tag;
	uint64_t id; /* of the account; 0: the ticket is no good */
	enum directory_result result;
	struct directory_account account;
	struct directory_domain domain;
	struct err err;
};

/* The account is read anew: it may have been disabled since the login. */
static void
look_up(struct directory *d, struct errand *e)
{
	struct redeeming *r = (struct redeeming *)e;

	r->result = DIRECTORY_NOT_FOUND;
	if (r->id)
		r->result = directory_account_find_id(d, r->id, &r->account, &r->err);
	if (r->result == DIRECTORY_DONE)
		r->result = directory_domain_find(
		    d, address_domain(span_str(r->account.address)), &r->domain,
		    &r->err);
}

static void
redeeming_free(struct errand *e)
{
	struct redeeming *r = (struct redeeming *)e;

	directory_password_wipe(&r->account.password);
	free(r);
}

static void
answer(struct errand *e)
{
	struct redeeming *r = (struct redeeming *)e;
	struct ipc_ticket_redeemed m = {.tag = r->tag};

	if (r->result == DIRECTORY_DONE && !r->account.disabled) {
		m.ok = 1;
		m.account = r->account.id;
		m.quota_bytes = r->account.quota_bytes;
		m.domain = r->domain.id;
		m.domain_quota_bytes = r->domain.quota_bytes;
		m.address = span_str(r->account.address);
	} else if (r->result == DIRECTORY_FAULT) {
		logline(LOGLINE_ERROR, "auth.fault", L_ERR(&r->err));
	} else {
		logline(LOGLINE_WARNING, "auth.ticket.refused",
			L_STR("peer", ipc_kind_name(ipc_peer_kind(e->peer))));
	}
	ipc_send_ticket_redeemed(e->peer, &m);
	redeeming_free(e);
}

static const struct errand_kind looking = {DIRECTORY_READS, look_up, answer,
					   redeeming_free};

void
ticket_redeem(struct authd *a, struct ipc_peer *peer, const struct ipc_ticket_redeem *m)
{
	struct redeeming *r = memory_new(1, sizeof(*r));

	r->errand = (struct errand){.kind = &looking, .authd = a, .peer = peer};
	r->tag = m->tag;
	if (!tickets_redeem(&a->tickets, m->ticket, m->service, proc_ticks_ms(),
			    &r->id))
		r->id = 0;
	if (errand_run(&r->errand))
		return;
	r->result = DIRECTORY_FAULT;
	err_set(&r->err, "too many wait for the directory");
	answer(&r->errand);
}
