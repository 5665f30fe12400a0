/* what all accounts of a domain hold together: authd is asked, sessions wait */
#include "imapd/imapd.h"

void
domain_use_ask(struct connection *c)
{
	struct imapd *d = c->imapd;
	struct ipc_peer *authd = proc_peer(d->proc, IPC_KIND_AUTHD, 0);

	if (!authd) {
		session_domain_use(c->session, false, 0);
		return;
	}
	c->asked = ++d->last_asked;
	connection_wait(c, WAIT_DOMAIN_USE);
	ipc_send_domain_use_ask(authd,
				&(struct ipc_domain_use_ask){c->asked, c->home->id});
}

static void
go_on(struct connection *c, bool known, uint64_t bytes)
{
	session_domain_use(c->session, known, bytes);
	connection_wait(c, WAIT_INPUT);
	connection_drive(c);
}

void
domain_use_told(struct imapd *d, const struct ipc_domain_use *m)
{
	struct home *h = home_find(d, m->account);
	struct connection *c;

	if (!h)
		return;
	LIST_FOREACH(c, &h->connections, of_home)
	if (c->wait == WAIT_DOMAIN_USE && c->asked == m->tag) {
		go_on(c, m->known, m->bytes);
		return;
	}
}

static void
lost_of(struct home *h)
{
	struct connection *c, *next;

	for (c = LIST_FIRST(&h->connections); c; c = next) {
		next = LIST_NEXT(c, of_home);
		if (c->wait == WAIT_DOMAIN_USE)
			go_on(c, false, 0);
	}
}

void
domain_use_lost(struct imapd *d)
{
	struct home *h, *next;

	for (h = TAILQ_FIRST(&d->homes); h; h = next) {
		next = TAILQ_NEXT(h, used);
		lost_of(h);
	}
}

void
domain_set_quota(struct imapd *d, uint64_t domain, uint64_t quota_bytes)
{
	struct home *h;

	TAILQ_FOREACH(h, &d->homes, used)
	if (h->domain.id == domain)
		h->domain.quota_bytes = quota_bytes;
}
