/* authd/domain_use.c - what all accounts of an account's domain hold, for imapd
 *
 * Answered at once where it is known; else the domain is counted, and the answer waits
 * for that, DOMAIN_USE_MS at most.
 */
#include "authd/question.h"

#define DOMAIN_USE_MS 3000

struct domain_use {
	struct errand errand; /* the account's domain is looked up */
	TAILQ_ENTRY(domain_use) link;
	uint64_t tag, account;
	uint64_t gives_up_ms; /* 0: does not wait to be counted */
	struct directory_domain domain;
	enum directory_result result;
	struct err err;
};

static void
answer(struct ipc_peer *peer, uint64_t tag, uint64_t account, bool known,
       uint64_t bytes)
{
	ipc_send_domain_use(peer, &(struct ipc_domain_use){tag, account, known, bytes});
}

static void
use_free(struct domain_use *u)
{
	struct authd *a = u->errand.authd;

	if (u->gives_up_ms) {
		TAILQ_REMOVE(&a->domain_uses, u, link);
		a->n_domain_uses--;
	}
	free(u);
}

static void
use_answer(struct domain_use *u, bool known, uint64_t bytes)
{
	answer(u->errand.peer, u->tag, u->account, known, bytes);
	use_free(u);
}

static void
drop(struct errand *e)
{
	use_free((struct domain_use *)e);
}

static void
look_up(struct directory *d, struct errand *e)
{
	struct domain_use *u = (struct domain_use *)e;
	struct directory_account account;

	u->result = directory_account_find_id(d, u->account, &account, &u->err);
	if (u->result != DIRECTORY_DONE)
		return;
	directory_password_wipe(&account.password);
	u->result = directory_domain_find(d, address_domain(span_str(account.address)),
					  &u->domain, &u->err);
}

static void
wait_for_count(struct domain_use *u)
{
	struct authd *a = u->errand.authd;

	if (a->n_domain_uses == QUESTIONS_MAX) {
		use_answer(u, false, 0);
		return;
	}
	u->gives_up_ms = proc_ticks_ms() + DOMAIN_USE_MS;
	TAILQ_INSERT_TAIL(&a->domain_uses, u, link);
	a->n_domain_uses++;
	authd_tick_later(a);
}

static void
looked(struct errand *e)
{
	struct domain_use *u = (struct domain_use *)e;
	struct authd *a = e->authd;
	uint64_t bytes;

	if (u->result != DIRECTORY_DONE) {
		logline(LOGLINE_ERROR, "quota.fault", L_U64("account", u->account),
			L_ERR(&u->err));
		use_answer(u, false, 0);
		return;
	}
	if (usages_domain_due(a->usages, u->domain.id, proc_ticks_ms()))
		count_domain(a, u->domain.id, span_str(u->domain.name));
	if (usages_domain_get(a->usages, u->domain.id, &bytes) == USAGE_KNOWN)
		use_answer(u, true, bytes);
	else
		wait_for_count(u);
}

static const struct errand_kind looking = {DIRECTORY_READS, look_up, looked, drop};

void
domain_use_ask(struct authd *a, struct ipc_peer *peer,
	       const struct ipc_domain_use_ask *m)
{
	uint64_t domain = usages_domain_of(a->usages, m->account), bytes;
	struct domain_use *u;

	if (domain && !usages_domain_due(a->usages, domain, proc_ticks_ms()) &&
	    usages_domain_get(a->usages, domain, &bytes) == USAGE_KNOWN) {
		answer(peer, m->tag, m->account, true, bytes);
		return;
	}
	u = memory_new(1, sizeof(*u));
	u->errand = (struct errand){.kind = &looking, .authd = a, .peer = peer};
	u->tag = m->tag;
	u->account = m->account;
	if (!errand_run(&u->errand))
		use_answer(u, false, 0);
}

void
domain_uses_told(struct authd *a, uint64_t domain)
{
	struct domain_use *u, *next;
	uint64_t bytes;

	if (TAILQ_EMPTY(&a->domain_uses) ||
	    usages_domain_get(a->usages, domain, &bytes) != USAGE_KNOWN)
		return;
	for (u = TAILQ_FIRST(&a->domain_uses); u; u = next) {
		next = TAILQ_NEXT(u, link);
		if (u->domain.id == domain)
			use_answer(u, true, bytes);
	}
}

void
domain_uses_tick(struct authd *a, uint64_t now_ms)
{
	struct domain_use *u;

	while ((u = TAILQ_FIRST(&a->domain_uses)) && u->gives_up_ms <= now_ms)
		use_answer(u, false, 0);
}

void
domain_uses_drop_peer(struct authd *a, const struct ipc_peer *peer)
{
	struct domain_use *u, *next;

	for (u = TAILQ_FIRST(&a->domain_uses); u; u = next) {
		next = TAILQ_NEXT(u, link);
		if (u->errand.peer == peer)
			use_free(u);
	}
}
