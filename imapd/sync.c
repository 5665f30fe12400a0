/* one sync of the file system for all that was written, in a thread; then its sessions
 * go on */
#include "imapd/imapd.h"

#include <event2/event.h>
#include <stddef.h>

#define NEVER         UINT64_MAX
#define SYNC_PAUSE_MS 1000 /* after a sync that failed */

static void
on_timer(evutil_socket_t fd, short what, void *context)
{
	(void)fd;
	(void)what;
	(void)context; /* the turn that follows does the work */
}

void
sync_init(struct imapd *d)
{
	TAILQ_INIT(&d->unsynced);
	d->sync_next_ms = NEVER;
	d->sync_timer = evtimer_new(proc_base(d->proc), on_timer, d);
	ASSERT(d->sync_timer);
}

bool
sync_idle(const struct imapd *d)
{
	return !d->sync_running && TAILQ_EMPTY(&d->unsynced);
}

/* --- which homes ---------------------------------------------------------- */

/* The only place that changes either mark. */
static void
mark(struct home *h, bool due, bool syncing)
{
	struct imapd *d = h->imapd;
	bool was = h->sync_due || h->syncing;

	d->n_syncing = d->n_syncing - h->syncing + syncing;
	h->sync_due = due;
	h->syncing = syncing;
	if (!was && (due || syncing))
		TAILQ_INSERT_TAIL(&d->unsynced, h, synced);
	else if (was && !due && !syncing)
		TAILQ_REMOVE(&d->unsynced, h, synced);
}

void
sync_within(struct home *h, uint64_t ms)
{
	uint64_t due_ms = proc_ticks_ms() + ms;

	mark(h, true, h->syncing);
	if (due_ms < h->imapd->sync_next_ms)
		h->imapd->sync_next_ms = due_ms;
}

void
sync_forget(struct home *h)
{
	mark(h, false, false);
}

/* What is there now is what the sync covers. */
static void
collect(struct imapd *d)
{
	struct home *h;

	TAILQ_FOREACH(h, &d->unsynced, synced)
	{
		mark(h, false, true);
		h->covered = store_position(h->account->mail);
		h->account->flags_unsynced = false;
	}
	d->sync_next_ms = NEVER;
	d->syncs++;
}

/* --- afterwards ----------------------------------------------------------- */

/* Also when it is what this process said last: another may have changed it since, and
 * this one back. */
static void
tell_usage(struct home *h)
{
	struct ipc_peer *authd = proc_peer(h->imapd->proc, IPC_KIND_AUTHD, 0);
	struct store_usage now = store_usage(h->account->mail);
	struct ipc_usage m = {.account = h->id,
			      .modseq = store_position(h->account->mail),
			      .bytes = now.bytes,
			      .messages = now.messages};

	if (authd)
		ipc_send_usage(authd, &m);
}

/* Sessions that waited go on: with what they waited for, or without it. */
static void
release(struct home *h, bool failed)
{
	uint64_t durable = store_durable(h->account->mail);
	struct connection *c, *next;

	for (c = LIST_FIRST(&h->connections); c; c = next) {
		next = LIST_NEXT(c, of_home);
		if (failed && c->session)
			session_sync_failed(c->session);
		if (c->wait != WAIT_SYNC)
			continue;
		if (!failed && session_sync_position(c->session) > durable)
			continue; /* it is due again */
		connection_wait(c, WAIT_INPUT);
		connection_drive(c);
	}
}

/* False: the account is busy. */
static bool
settle_one(struct home *h)
{
	struct err err = {0};
	enum store_result result = store_synced(h->account->mail, h->covered, &err);

	if (result == STORE_BUSY)
		return false;
	mark(h, h->sync_due, false);
	h->account->epoch++;
	if (result == STORE_OK)
		tell_usage(h);
	else
		logline(LOGLINE_ERROR, "imap.fault", L_U64("account", h->id),
			L_STR("what", "sync"), L_ERR(&err));
	notify_refresh(h);
	release(h, result != STORE_OK);
	return true;
}

/* Those that are busy stay. */
static void
settle(struct imapd *d)
{
	struct home *h, *next;

	for (h = TAILQ_FIRST(&d->unsynced); h; h = next) {
		next = TAILQ_NEXT(h, synced);
		if (h->syncing)
			(void)settle_one(h);
	}
	if (d->n_syncing > 0)
		timer_within(d, d->sync_timer, BUSY_RETRY_MS);
}

/* What no sync covered is void. The lock is waited for: this is rare, and whoever has
 * it gives it back soon. */
static void
abandon(struct home *h)
{
	struct err err = {0};
	enum store_result result;

	mark(h, false, false);
	h->account->flags_unsynced = false;
	store_account_wait(h->account->mail, true);
	result = store_abandon(h->account->mail, (int64_t)proc_now_us(), &err);
	store_account_wait(h->account->mail, false);
	h->account->epoch++;
	if (result != STORE_OK)
		home_fault(h, "abandon", &err);
	notify_refresh(h);
	release(h, true);
}

static void
sync_failed(struct imapd *d)
{
	struct home *h, *last = TAILQ_LAST(&d->unsynced, homes), *next;

	d->sync_faults++;
	d->sync_paused_until_ms = proc_ticks_ms() + SYNC_PAUSE_MS;
	d->sync_next_ms = NEVER;
	logline(LOGLINE_ERROR, "imap.sync_failed", L_ERR(&d->sync_error));
	/* What the released sessions write anew is for the next one. */
	for (h = TAILQ_FIRST(&d->unsynced); h; h = next) {
		next = h == last ? NULL : TAILQ_NEXT(h, synced);
		abandon(h);
	}
}

/* --- the sync itself ------------------------------------------------------ */

static struct imapd *
imapd_of(struct proc_job *job)
{
	return (struct imapd *)(void *)((char *)job - offsetof(struct imapd, sync_job));
}

static void
sync_work(struct proc_job *job)
{
	struct imapd *d = imapd_of(job);

	d->sync_result = store_sync_disk(d->store, &d->sync_error);
}

static void
sync_done(struct proc_job *job)
{
	struct imapd *d = imapd_of(job);

	d->sync_running = false;
	if (d->sync_result < 0)
		sync_failed(d);
	else
		settle(d);
}

void
sync_now(struct imapd *d)
{
	if (d->sync_running || TAILQ_EMPTY(&d->unsynced))
		return;
	collect(d);
	sync_work(&d->sync_job);
	sync_done(&d->sync_job);
}

void
sync_turn(struct imapd *d)
{
	uint64_t now = proc_ticks_ms(), due = d->sync_next_ms;

	if (d->sync_running)
		return;
	if (d->n_syncing > 0)
		settle(d); /* durable; waiting for a lock */
	if (d->n_syncing > 0 || due == NEVER)
		return;
	if (due < d->sync_paused_until_ms)
		due = d->sync_paused_until_ms;
	if (due > now && !d->draining) {
		timer_within(d, d->sync_timer, due - now);
		return;
	}
	collect(d);
	d->sync_job = (struct proc_job){.work = sync_work, .done = sync_done};
	d->sync_running = proc_work(d->proc, &d->sync_job);
	if (!d->sync_running) {
		sync_work(&d->sync_job);
		sync_done(&d->sync_job);
	}
}
