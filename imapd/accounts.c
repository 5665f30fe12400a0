/* the accounts that are open: opened and looked after in worker threads */
#include "imapd/imapd.h"

#include <event2/event.h>
#include <stddef.h>

#define HASH_MIN 256

/* --- finding -------------------------------------------------------------- */

static struct home **
place_of(const struct imapd *d, uint64_t id)
{
	uint64_t h = id * UINT64_C(0x9e3779b97f4a7c15);
	struct home **at = &d->hash[(h >> 20) & (d->hash_size - 1)];

	while (*at && (*at)->id != id)
		at = &(*at)->chain;
	return at;
}

static void
hash_grow(struct imapd *d)
{
	struct home **old = d->hash, *h;

	d->hash_size = d->hash_size ? 2 * d->hash_size : HASH_MIN;
	d->hash = memory_new(d->hash_size, sizeof(struct home *));
	TAILQ_FOREACH(h, &d->homes, used)
	{
		h->chain = NULL;
		*place_of(d, h->id) = h;
	}
	free(old);
}

struct home *
home_find(const struct imapd *d, uint64_t account)
{
	return *place_of(d, account);
}

static struct home *
home_of(struct proc_job *job)
{
	return (struct home *)(void *)((char *)job - offsetof(struct home, job));
}

/* --- life ----------------------------------------------------------------- */

static struct home *
home_new(struct imapd *d, uint64_t id)
{
	struct home *h = memory_new(1, sizeof(*h));

	if (d->n_homes == d->hash_size)
		hash_grow(d);
	h->imapd = d;
	h->id = id;
	h->state = HOME_OPENING;
	LIST_INIT(&h->connections);
	*place_of(d, id) = h;
	TAILQ_INSERT_TAIL(&d->homes, h, used);
	d->n_homes++;
	d->n_empty++;
	return h;
}

static void
home_free(struct home *h)
{
	struct imapd *d = h->imapd;
	struct home **at = place_of(d, h->id);

	ASSERT(LIST_EMPTY(&h->connections) && *at == h);
	*at = h->chain;
	sync_forget(h);
	notify_forget(h);
	texts_forget(h);
	TAILQ_REMOVE(&d->homes, h, used);
	d->n_homes--;
	d->n_empty--;
	store_account_close(&h->mail);
	account_free(&h->account);
	free(h->domain.name);
	free(h);
}

/* Fails all that wait for it, and forgets it. */
static void
home_unopened(struct home *h, const char *reason)
{
	struct connection *c, *next;

	for (c = LIST_FIRST(&h->connections); c; c = next) {
		next = LIST_NEXT(c, of_home);
		connection_refuse(c, "UNAVAILABLE", reason);
	}
	home_free(h);
}

void
home_fault(struct home *h, const char *what, const struct err *err)
{
	logline(LOGLINE_ERROR, "imap.fault", L_U64("account", h->id),
		L_STR("what", what), L_ERR(err));
	h->broken = true;
	notify_tell(h);
}

static void
end_all(struct home *h, enum session_ending why)
{
	struct connection *c, *next;

	for (c = LIST_FIRST(&h->connections); c; c = next) {
		next = LIST_NEXT(c, of_home);
		connection_end(c, why);
	}
}

void
home_bury(struct home *h)
{
	end_all(h, SESSION_END_FAULT);
	home_free(h);
}

void
home_end_sessions(struct imapd *d, uint64_t account)
{
	struct home *h = home_find(d, account);

	if (h)
		end_all(h, SESSION_END_CLOSED);
}

void
homes_end_all(struct imapd *d)
{
	struct home *h;

	TAILQ_FOREACH(h, &d->homes, used)
	end_all(h, SESSION_END_STOPPING);
}

static bool
work(struct home *h, enum home_state state, void (*does)(struct proc_job *),
     void (*done)(struct proc_job *))
{
	enum home_state before = h->state;

	h->state = state;
	h->job = (struct proc_job){.work = does, .done = done};
	if (proc_work(h->imapd->proc, &h->job))
		return true;
	h->state = before;
	return false;
}

/* --- opening -------------------------------------------------------------- */

static int64_t
now_us(void)
{
	return (int64_t)proc_now_us();
}

/* Of the store this only reads what never changes, while the loop uses it for other
 * accounts. What was just delivered is made durable, and is listed from the start. */
static void
open_work(struct proc_job *job)
{
	struct home *h = home_of(job);

	h->result = store_account_open(h->imapd->store, h->id, STORE_MAY_CREATE,
				       now_us(), &h->mail, &h->err);
	if (h->result == STORE_OK)
		h->result = store_sync(h->mail, now_us(), &h->err);
	if (h->result == STORE_OK)
		h->result = store_view_refresh(h->mail, &h->err);
}

/* The sessions that waited for a worker to be through. */
static void
begin_all(struct home *h)
{
	struct connection *c, *next;

	for (c = LIST_FIRST(&h->connections); c; c = next) {
		next = LIST_NEXT(c, of_home);
		if (c->wait == WAIT_HOME)
			connection_begin(c);
		else if (c->wait == WAIT_INPUT)
			net_stream_resume(c->stream);
	}
}

static void
open_done(struct proc_job *job)
{
	struct home *h = home_of(job);
	struct imapd *d = h->imapd;

	if (h->result != STORE_OK) {
		logline(LOGLINE_ERROR, "imap.unopened", L_U64("account", h->id),
			L_ERR(&h->err));
		home_unopened(h, "the account cannot be opened");
		return;
	}
	store_account_wait(h->mail, false);
	h->account = account_new(d->store, h->mail, h->quota_bytes);
	h->mail = NULL;
	h->account->domain = &h->domain;
	h->account->owner = h;
	h->account->charsets = &d->charsets;
	h->saved_at = store_position(h->account->mail);
	h->saved_ms = h->left_ms = proc_ticks_ms();
	h->state = HOME_OPEN;
	texts_want(h);
	if (h->refresh_due)
		notify_refresh(h);
	begin_all(h);
}

static void
set_quota(struct home *h, uint64_t quota_bytes)
{
	h->quota_bytes = quota_bytes;
	if (h->account)
		h->account->quota_bytes = quota_bytes;
}

static void
set_domain(struct home *h, const struct arrival *a)
{
	struct span address = span_str(a->address);

	h->domain.id = a->domain;
	h->domain.quota_bytes = a->domain_quota_bytes;
	free(h->domain.name);
	h->domain.name =
	    span_dup(span_after(address, span_find_last(address, '@') + 1));
}

void
home_join(struct imapd *d, const struct arrival *a, struct connection *c)
{
	struct home *h = home_find(d, a->account);
	bool fresh = !h;

	if (fresh)
		h = home_new(d, a->account);
	if (LIST_EMPTY(&h->connections))
		d->n_empty--;
	c->home = h;
	LIST_INSERT_HEAD(&h->connections, c, of_home);
	TAILQ_REMOVE(&d->homes, h, used);
	TAILQ_INSERT_TAIL(&d->homes, h, used);
	set_quota(h, a->quota_bytes);
	set_domain(h, a);
	if (h->state == HOME_OPEN)
		connection_begin(c);
	else if (fresh && !work(h, HOME_OPENING, open_work, open_done))
		home_unopened(h, "too busy");
}

void
home_set_quota(struct imapd *d, uint64_t account, uint64_t quota_bytes)
{
	struct home *h = home_find(d, account);

	if (h)
		set_quota(h, quota_bytes);
}

void
home_leave(struct connection *c)
{
	struct home *h = c->home;

	LIST_REMOVE(c, of_home);
	c->home = NULL;
	if (!LIST_EMPTY(&h->connections))
		return;
	h->imapd->n_empty++;
	h->left_ms = proc_ticks_ms();
	if (h->account)
		notify_watch(h, false);
}

/* --- looking after -------------------------------------------------------- */

static void
save_work(struct proc_job *job)
{
	struct home *h = home_of(job);

	h->result = store_view_save(h->account->mail, &h->err);
}

static bool
unused(const struct home *h)
{
	return LIST_EMPTY(&h->connections) && h->state == HOME_OPEN && !h->sync_due &&
	       !h->syncing && !h->broken;
}

static void
save_done(struct proc_job *job)
{
	struct home *h = home_of(job);

	h->state = HOME_OPEN;
	account_resume(h->account);
	/* An index that could not be written is made again next time. */
	if (h->result != STORE_OK)
		logline(LOGLINE_WARNING, "imap.unsaved", L_U64("account", h->id),
			L_ERR(&h->err));
	h->saved_ms = proc_ticks_ms();
	h->saved_at = store_position(h->account->mail);
	if (h->closing && unused(h)) {
		home_free(h);
		return;
	}
	h->closing = false;
	if (h->refresh_due)
		notify_refresh(h);
	begin_all(h);
}

static bool
save(struct home *h)
{
	account_pause(h->account);
	if (work(h, HOME_SAVING, save_work, save_done))
		return true;
	account_resume(h->account);
	return false;
}

/* Is nothing under way that would have to wait for a worker? */
static bool
quiet(const struct home *h)
{
	const struct connection *c;

	if (h->state != HOME_OPEN || h->sync_due || h->syncing || h->telling)
		return false;
	LIST_FOREACH(c, &h->connections, of_home)
	if (c->wait != WAIT_INPUT)
		return false;
	return true;
}

static void
home_close(struct home *h)
{
	h->closing = true;
	if (store_position(h->account->mail) == h->saved_at)
		home_free(h);
	else if (!save(h))
		h->closing = false;
}

static void
look_after(struct home *h, uint64_t now, bool crowded)
{
	if (unused(h) && (crowded || h->closing || h->imapd->draining ||
			  now - h->left_ms >= HOME_KEPT_MS)) {
		home_close(h);
		return;
	}
	if (!quiet(h))
		return;
	if (!h->text_due)
		store_text_forget(h->account->mail);
	if (now - h->saved_ms >= HOME_SAVE_MS &&
	    store_position(h->account->mail) != h->saved_at)
		(void)save(h);
}

/* Those that were used last are looked at last. */
void
homes_look_after(struct imapd *d)
{
	uint64_t now = proc_ticks_ms(),
		 max = proc_settings(d->proc)->imapd_accounts_max;
	size_t empty = d->n_empty;
	struct home *h, *next;

	for (h = TAILQ_FIRST(&d->homes); h; h = next) {
		next = TAILQ_NEXT(h, used);
		if (unused(h))
			look_after(h, now, empty-- > max);
		else
			look_after(h, now, false);
	}
}

static void
on_sweep(evutil_socket_t fd, short what, void *context)
{
	struct imapd *d = context;
	const struct timeval in = {HOME_SWEEP_MS / 1000, HOME_SWEEP_MS % 1000 * 1000};
	struct home *h;

	(void)fd;
	(void)what;
	homes_look_after(d);
	/* Whoever changed one and could not say so is found out here at the latest. */
	TAILQ_FOREACH(h, &d->homes, used)
	if (!LIST_EMPTY(&h->connections) && h->state == HOME_OPEN)
		notify_refresh(h);
	evtimer_add(d->sweep, &in);
}

int
homes_init(struct imapd *d, struct err *err)
{
	const struct store_settings settings = {.summarize = true};

	d->store = store_new(proc_settings(d->proc)->mail_directory, &settings, err);
	if (!d->store)
		return -1;
	TAILQ_INIT(&d->homes);
	TAILQ_INIT(&d->locked);
	hash_grow(d);
	d->sweep = evtimer_new(proc_base(d->proc), on_sweep, d);
	ASSERT(d->sweep);
	on_sweep(-1, 0, d);
	return 0;
}
