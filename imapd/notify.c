/* what others do to an account: learned, and told to the sessions that idle */
#include "imapd/imapd.h"

#include <event2/event.h>

void
timer_within(struct imapd *d, struct event *timer, uint64_t ms)
{
	const struct timeval in = {(time_t)(ms / 1000),
				   (suseconds_t)(ms % 1000 * 1000)};
	struct timeval due, now, wanted;

	event_base_gettimeofday_cached(proc_base(d->proc), &now);
	evutil_timeradd(&now, &in, &wanted);
	if (evtimer_pending(timer, &due) && !evutil_timercmp(&wanted, &due, <))
		return;
	evtimer_add(timer, &in);
}

void
retry_within(struct imapd *d, uint64_t ms)
{
	timer_within(d, d->retry, ms);
}

/* Those whose account is still busy come back here. */
static void
on_retry(evutil_socket_t fd, short what, void *context)
{
	struct imapd *d = context;
	struct connection *c, *last = TAILQ_LAST(&d->locked, connections), *next;

	(void)fd;
	(void)what;
	for (c = TAILQ_FIRST(&d->locked); c; c = next) {
		next = c == last ? NULL : TAILQ_NEXT(c, locked);
		connection_wait(c, WAIT_INPUT);
		connection_drive(c);
	}
}

void
notify_init(struct imapd *d)
{
	TAILQ_INIT(&d->telling);
	d->retry = evtimer_new(proc_base(d->proc), on_retry, d);
	ASSERT(d->retry);
}

/* --- telling -------------------------------------------------------------- */

void
notify_tell(struct home *h)
{
	if (h->telling)
		return;
	h->telling = true;
	TAILQ_INSERT_TAIL(&h->imapd->telling, h, told);
}

void
notify_refresh(struct home *h)
{
	h->refresh_due = true;
	notify_tell(h);
}

void
notify_forget(struct home *h)
{
	if (h->telling)
		TAILQ_REMOVE(&h->imapd->telling, h, told);
	h->telling = h->refresh_due = false;
}

void
notify_changed(struct imapd *d, uint64_t account)
{
	struct home *h = home_find(d, account);

	if (h)
		notify_refresh(h);
}

/* False: not now. */
static bool
learn(struct home *h)
{
	struct err err = {0};

	if (h->state != HOME_OPEN)
		return false;
	if (!h->refresh_due)
		return true;
	switch (account_refresh(h->account, &err)) {
	case STORE_BUSY:
		return false;
	case STORE_OK:
		h->refresh_due = false;
		return true;
	default:
		home_fault(h, "refresh", &err);
		return true;
	}
}

static void
push(struct home *h)
{
	struct connection *c, *next;

	for (c = LIST_FIRST(&h->connections); c; c = next) {
		next = LIST_NEXT(c, of_home);
		connection_push(c);
	}
}

/* What comes in while it goes round is for the next turn. */
void
notify_turn(struct imapd *d)
{
	struct homes now = TAILQ_HEAD_INITIALIZER(now);
	struct home *h;

	TAILQ_CONCAT(&now, &d->telling, told);
	while ((h = TAILQ_FIRST(&now))) {
		bool learned = learn(h);

		TAILQ_REMOVE(&now, h, told);
		h->telling = false;
		if (h->broken) {
			home_bury(h);
		} else if (!learned) {
			notify_tell(h);
		} else {
			push(h);
			texts_want(h);
		}
	}
	if (!TAILQ_EMPTY(&d->telling))
		retry_within(d, BUSY_RETRY_MS);
}

/* --- watching ------------------------------------------------------------- */

static struct ipc_peer *
local_of(const struct home *h)
{
	struct proc *p = h->imapd->proc;

	return proc_peer(p, IPC_KIND_LOCAL,
			 (uint32_t)(h->id % proc_count(p, IPC_KIND_LOCAL)));
}

void
notify_watch(const struct home *h, bool on)
{
	struct ipc_account_watch m = {.account = h->id, .on = on};
	struct ipc_peer *local = local_of(h);

	if (local)
		ipc_send_account_watch(local, &m);
}

void
notify_watch_all(struct imapd *d, uint32_t local)
{
	uint32_t locals = proc_count(d->proc, IPC_KIND_LOCAL);
	struct home *h;

	TAILQ_FOREACH(h, &d->homes, used)
	if (h->id % locals == local && h->account && h->account->n_sessions > 0)
		notify_watch(h, true);
}
