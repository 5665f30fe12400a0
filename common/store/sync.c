/* what is durable, and what is void */
#include "common/store/internal.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static bool
position_void(const struct store_account *a, uint64_t position)
{
	return position > a->void_from && position <= a->void_to;
}

/* See batch_roll(); a new file that cannot be had now is tried again later. */
static void
synced_roll(struct store_account *a)
{
	struct err ignored;

	if (a->durable == a->state.position &&
	    a->journal_end > a->store->settings.journal_file_bytes &&
	    journal_roll(a, &(struct event_head){0}, &ignored) < 0)
		a->stale = true;
}

enum store_result
store_synced(struct store_account *a, uint64_t position, struct err *err)
{
	enum store_result result = account_lock(a, false, err);
	int done;

	if (result != STORE_OK)
		return result;
	durable_read(a);
	done = account_follow(a, true, err);
	if (done == 0 && position_void(a, position))
		done = err_set(err, "store: account %llx: what was appended is void",
			       (unsigned long long)a->id);
	if (done == 0 && position > a->durable)
		done = durable_write(a, position, err);
	if (done == 0)
		synced_roll(a);
	view_renew(a);
	account_unlock(a);
	return done == 0 ? STORE_OK : STORE_FAULT;
}

static bool
abandon_event(struct chain_walk *w, const struct event *e)
{
	struct store_account *a = w->context;

	if (e->kind != EVENT_HEAD)
		state_apply(&a->state, e);
	return true;
}

static void
abandon_damage(struct chain_walk *w, const struct log_record *where, uint32_t number)
{
	struct store_account *a = w->context;

	(void)number;
	state_damage(&a->state, where->next - where->offset);
}

/* The state as of what is durable. */
static int
abandon_rewind(struct store_account *a, struct err *err)
{
	struct chain_walk walk = {
	    .event = abandon_event, .damage = abandon_damage, .context = a};
	struct buf hold = buf_make(JOURNAL_EVENT_MAX);
	const struct log_file *f;
	struct event head;
	struct chain c;
	int result = -1;

	if (chain_open(a, a->durable, &c, err) != STORE_OK) {
		buf_release(&hold);
		return err_set(err, "store: account %llx cannot be rewound",
			       (unsigned long long)a->id);
	}
	if (account_file(a, FILE_JOURNAL, (uint32_t)c.at[0].number, &f, err) ==
		STORE_OK &&
	    chain_head(f, &head, &hold, err) == STORE_OK) {
		state_take(&a->state, &head);
		result = head.head.snapshot
			     ? 0
			     : chain_walk(&c, head.head.base, a->durable, &walk, err);
	}
	chain_release(&c);
	buf_release(&hold);
	return result;
}

static int
abandon(struct store_account *a, struct err *err)
{
	struct event_head next = {.previous_end = a->durable};
	struct event_state *tail = &a->state.tail;

	if (a->durable == a->state.position)
		return 0;
	if (abandon_rewind(a, err) < 0) {
		a->stale = true;
		return -1;
	}
	if (next.previous_end == 0)
		next.previous_end = 8; /* all of the first file */
	tail->data.end = tail->summary.end = 0;
	view_free(&a->view);
	deliveries_free(&a->known);
	log_file_close(&a->files[FILE_DATA]);
	log_file_close(&a->files[FILE_SUMMARY]);
	if (journal_roll(a, &next, err) < 0)
		return -1;
	a->void_from = next.previous_end;
	a->void_to = a->base;
	a->stale = true;
	return 0;
}

enum store_result
store_abandon(struct store_account *a, int64_t now_us, struct err *err)
{
	enum store_result result = account_lock(a, true, err);
	int done;

	if (result != STORE_OK)
		return result;
	a->now_us = now_us;
	durable_read(a);
	done = account_follow(a, true, err);
	if (done == 0)
		done = abandon(a, err);
	account_unlock(a);
	return done == 0 ? STORE_OK : STORE_FAULT;
}

/* Missing ones were never finished or are compacted away. *broken: a sync failed, and
 * a second one would say nothing. */
static int
sync_file(struct store_account *a, enum file_sort sort, uint32_t number, bool *broken,
	  struct err *err)
{
	const struct log_file *f;

	switch (account_file(a, sort, number, &f, err)) {
	case STORE_OK:
		*broken = log_file_sync(f, err) < 0;
		return *broken ? -1 : 0;
	case STORE_FAULT:
		return -1;
	default:
		return 0;
	}
}

/* The data file that was being written where the chain begins. */
static uint32_t
sync_first_data(struct store_account *a, const struct chain *c, struct err *err)
{
	struct buf hold = buf_make(JOURNAL_EVENT_MAX);
	const struct log_file *f;
	struct event head;
	uint32_t number = 1;

	if (c->n > 0 &&
	    account_file(a, FILE_JOURNAL, (uint32_t)c->at[0].number, &f, err) ==
		STORE_OK &&
	    chain_head(f, &head, &hold, err) == STORE_OK)
		number = head.state.data.number;
	buf_release(&hold);
	return number > 0 ? number : 1;
}

static int
sync_names(const struct store_account *a, struct err *err)
{
	const struct log_io *io = a->store->io;
	char fan[3];
	int fd, result = -1;

	if (io->fsync(io->disk, a->dir) < 0)
		return err_sys(err, "store: cannot sync a directory");
	if (a->durable > 0 || a->store->root < 0)
		return 0;
	snprintf(fan, sizeof(fan), "%02x", (unsigned)(a->id & 0xff));
	fd = openat(a->store->root, fan, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0 && fsync(fd) == 0 && fsync(a->store->root) == 0)
		result = 0;
	else
		err_sys(err, "store: cannot sync a directory");
	if (fd >= 0)
		close(fd);
	return result;
}

/* Those data files that may have been written since. */
static int
sync_data(struct store_account *a, const struct chain *c, bool *broken, struct err *err)
{
	const struct log_dir dir = account_dir(a, FILE_DATA);
	uint32_t first = sync_first_data(a, c, err);
	struct log_numbers numbers;
	int result = 0;

	if (log_dir_list(&dir, &numbers, err) < 0)
		return -1;
	for (size_t i = 0; i < numbers.n && result == 0; i++)
		if (numbers.at[i] >= first && numbers.at[i] <= UINT32_MAX)
			result = sync_file(a, FILE_DATA, (uint32_t)numbers.at[i],
					   broken, err);
	log_numbers_release(&numbers);
	return result;
}

/* Data first: the journal must not be durable before what it speaks of. */
static int
sync_files(struct store_account *a, const struct chain *c, bool *broken,
	   struct err *err)
{
	if (sync_data(a, c, broken, err) < 0)
		return -1;
	for (size_t i = 0; i < c->n; i++)
		if (sync_file(a, FILE_JOURNAL, (uint32_t)c->at[i].number, broken, err) <
		    0)
			return -1;
	/* It is in the chain, but for a chain that a compaction began anew. */
	*broken =
	    log_file_sync(&a->files[FILE_JOURNAL], err) < 0 || sync_names(a, err) < 0;
	return *broken ? -1 : 0;
}

int
account_sync_or_not(struct store_account *a, bool *broken, struct err *err)
{
	struct chain c;
	int result;

	*broken = false;
	if (a->durable == a->state.position)
		return 0;
	if (chain_open(a, a->durable, &c, err) == STORE_FAULT)
		return -1;
	result = sync_files(a, &c, broken, err);
	chain_release(&c);
	return result == 0 ? durable_write(a, a->state.position, err) : -1;
}

int
account_sync(struct store_account *a, struct err *err)
{
	struct err first;
	bool broken;

	durable_read(a);
	if (account_follow(a, true, err) < 0)
		return -1;
	if (account_sync_or_not(a, &broken, err) == 0)
		return 0;
	/* The first fault is the one to tell. */
	if (broken && abandon(a, &first) < 0)
		a->stale = true;
	return -1;
}

enum store_result
store_sync(struct store_account *a, int64_t now_us, struct err *err)
{
	enum store_result result = account_lock(a, true, err);

	if (result != STORE_OK)
		return result;
	a->now_us = now_us;
	if (account_sync(a, err) < 0)
		result = STORE_FAULT;
	/* Somebody else's sync failed after this handle had appended. */
	if (result == STORE_OK && position_void(a, a->written)) {
		err_set(err, "store: account %llx: what was appended is void",
			(unsigned long long)a->id);
		result = STORE_FAULT;
	}
	a->written = 0;
	view_renew(a);
	account_unlock(a);
	return result;
}
