/* one sync of the file system for all that was appended, in a thread; then reports */
#include "delivery/local/local.h"

#include <event2/event.h>

void
sync_add(struct local *l, struct slot *s)
{
	l->urgent |= watches_have(&l->watches, s->id);
	if (s->is_dirty)
		return;
	if (!l->dirty)
		l->oldest_written_ms = proc_ticks_ms();
	s->is_dirty = true;
	s->next_dirty = l->dirty;
	l->dirty = s;
}

bool
sync_idle(const struct local *l)
{
	return !l->sync_running && !l->dirty && !l->syncing;
}

static void
defer_all(struct local *l, struct jobs *jobs, const char *reason)
{
	struct job *job;

	while ((job = jobs_take(jobs)))
		report_deferred(l, job, reason);
}

/* What was appended since the last good sync is void in every account. */
static void
slot_abandon(struct local *l, struct slot *s)
{
	struct err err;

	if (!s->syncing.first && !s->written.first)
		return;
	if (store_abandon(s->account, (int64_t)proc_now_us(), &err) != STORE_OK) {
		logline(LOGLINE_ERROR, "local.fault", L_U64("account", s->id),
			L_ERR(&err));
		store_account_close(&s->account);
	}
	defer_all(l, &s->syncing, "4.3.0 the disk failed");
	defer_all(l, &s->written, "4.3.0 the disk failed");
}

static void
syncing_add(struct local *l, struct slot *s)
{
	if (s->is_syncing)
		return;
	s->is_syncing = true;
	s->next_syncing = l->syncing;
	l->syncing = s;
}

/* What an earlier sync has covered, and only waits for its lock, is not in doubt. */
static void
sync_failed(struct local *l)
{
	struct slot *failed = l->syncing;

	l->count.sync_faults++;
	l->paused_until_ms = proc_ticks_ms() + SYNC_PAUSE_MS;
	logline(LOGLINE_ERROR, "local.sync_failed", L_ERR(&l->sync_error));
	l->syncing = NULL;
	for (struct slot *s = failed, *next; s; s = next) {
		next = s->next_syncing;
		s->is_syncing = false;
		if (s->is_covered)
			syncing_add(l, s);
		else
			slot_abandon(l, s);
	}
	for (struct slot *s = l->dirty, *next; s; s = next) {
		next = s->next_dirty;
		s->is_dirty = false;
		slot_abandon(l, s);
	}
	l->dirty = NULL;
	l->urgent = false;
	l->n_written = 0;
}

/* Its messages may be listed and reported. False: the account is busy. */
static bool
slot_synced(struct local *l, struct slot *s)
{
	struct err err;
	struct job *job;

	if (!s->syncing.first)
		return true;
	switch (store_synced(s->account, s->covered, &err)) {
	case STORE_BUSY:
		return false;
	case STORE_OK:
		while ((job = jobs_take(&s->syncing)))
			report_done(l, job);
		report_usage(l, s);
		report_changed(l, s->id, s->covered);
		return true;
	default:
		logline(LOGLINE_ERROR, "local.fault", L_U64("account", s->id),
			L_ERR(&err));
		defer_all(l, &s->syncing, "4.3.0 the mailbox failed");
		return true;
	}
}

/* Those that are busy stay. */
static void
slots_synced(struct local *l)
{
	struct slot *s = l->syncing, *next;

	l->syncing = NULL;
	for (; s; s = next) {
		next = s->next_syncing;
		s->is_syncing = false;
		s->is_covered = !slot_synced(l, s);
		if (s->is_covered)
			syncing_add(l, s);
	}
	if (l->syncing)
		turn_timer(l, BUSY_RETRY_MS);
}

static void
sync_done(struct proc_job *job)
{
	struct local *l =
	    (struct local *)(void *)((char *)job - offsetof(struct local, sync_job));

	l->sync_running = false;
	if (l->sync_result < 0)
		sync_failed(l);
	else
		slots_synced(l);
}

static void
sync_work(struct proc_job *job)
{
	struct local *l =
	    (struct local *)(void *)((char *)job - offsetof(struct local, sync_job));

	l->sync_result = store_sync_disk(l->store, &l->sync_error);
}

/* What is dirty now is what the sync covers. */
static void
sync_collect(struct local *l)
{
	for (struct slot *s = l->dirty, *next; s; s = next) {
		next = s->next_dirty;
		s->is_dirty = false;
		s->is_covered = false;
		s->covered = store_position(s->account);
		jobs_move(&s->syncing, &s->written);
		syncing_add(l, s);
	}
	l->dirty = NULL;
	l->urgent = false;
	l->n_written = 0;
	l->count.syncs++;
}

void
sync_now(struct local *l)
{
	if (l->sync_running)
		return;
	sync_collect(l);
	sync_work(&l->sync_job);
	sync_done(&l->sync_job);
}

void
sync_maybe(struct local *l)
{
	uint64_t interval = proc_settings(l->proc)->deliver_sync_interval_ms;
	uint64_t age;

	if (l->sync_running)
		return;
	/* Who has the lock of one account, perhaps for minutes, keeps no other waiting.
	 */
	if (l->syncing)
		slots_synced(l);
	if (!l->dirty)
		return;
	age = proc_ticks_ms() - l->oldest_written_ms;
	if (age < interval && l->n_written < UNSYNCED_JOBS_MAX && !l->urgent &&
	    !l->draining) {
		turn_timer(l, interval - age);
		return;
	}
	sync_collect(l);
	l->sync_job = (struct proc_job){.work = sync_work, .done = sync_done};
	if (proc_work(l->proc, &l->sync_job))
		l->sync_running = true;
	else
		sync_now(l);
}
