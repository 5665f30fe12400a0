/* one account: opened, followed, closed */
#include "common/store/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

void
account_path_put(uint64_t id, char path[STORE_PATH_BYTES])
{
	snprintf(path, STORE_PATH_BYTES, "%02x/%016llx", (unsigned)(id & 0xff),
		 (unsigned long long)id);
}

enum store_result
account_path_open(const struct store *s, uint64_t id, unsigned mode, int *fd,
		  struct err *err)
{
	char path[STORE_PATH_BYTES], fan[3];

	if (s->root < 0) {
		*fd = s->lone;
		return STORE_OK;
	}
	account_path_put(id, path);
	*fd = openat(s->root, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (*fd < 0 && errno == ENOENT && !(mode & STORE_MAY_CREATE))
		return STORE_NONE;
	if (*fd < 0 && errno == ENOENT) {
		snprintf(fan, sizeof(fan), "%.2s", path);
		if ((mkdirat(s->root, fan, 0700) < 0 && errno != EEXIST) ||
		    (mkdirat(s->root, path, 0700) < 0 && errno != EEXIST)) {
			err_sys(err, "store: cannot make directory %s", path);
			return STORE_FAULT;
		}
		*fd = openat(s->root, path,
			     O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	}
	if (*fd >= 0)
		return STORE_OK;
	err_sys(err, "store: cannot open directory %s", path);
	return STORE_FAULT;
}

static int
lock_open(const struct store *s, int dir, struct err *err)
{
	const struct log_io *io = s->io;
	int fd = io->open(io->disk, dir, "lock", LOG_WRITE);

	if (fd < 0 && errno == ENOENT) {
		fd = io->open(io->disk, dir, "lock", LOG_CREATE);
		if (fd < 0 && errno == EEXIST)
			fd = io->open(io->disk, dir, "lock", LOG_WRITE);
	}
	return fd < 0 ? err_sys(err, "store: cannot open the lock") : fd;
}

static struct store_account *
account_new(struct store *store, uint64_t id, int dir, int lock)
{
	struct store_account *a = memory_new(1, sizeof(*a));

	a->store = store;
	a->id = id;
	a->dir = dir;
	a->lock = lock;
	a->wait = true;
	for (int i = 0; i < FILE_SORTS; i++)
		a->files[i].fd = a->cached[i].fd = -1;
	batch_init(&a->batch);
	a->summary = buf_make(SUMMARY_MAX + 4096);
	a->content = buf_make(LOG_RECORD_MAX);
	a->prefix = buf_make(STORE_PREFIX_MAX + 1024);
	return a;
}

void
store_account_close(struct store_account **account)
{
	struct store_account *a = *account;

	if (!a)
		return;
	if (a->batch.open)
		store_batch_cancel(a);
	account_files_close(a);
	state_release(&a->state);
	view_free(&a->view);
	deliveries_free(&a->known);
	batch_release(&a->batch);
	buf_release(&a->summary);
	buf_release(&a->content);
	buf_release(&a->prefix);
	free(a->places);
	texts_free(&a->texts);
	free(a->watch.at);
	a->store->io->close(a->store->io->disk, a->lock);
	if (a->store->root >= 0)
		close(a->dir);
	free(a);
	*account = NULL;
}

enum store_result
store_account_open(struct store *store, uint64_t id, unsigned mode, int64_t now_us,
		   struct store_account **out, struct err *err)
{
	struct store_account *a;
	enum store_result result;
	int dir, lock;

	result = account_path_open(store, id, mode, &dir, err);
	if (result != STORE_OK)
		return result;
	lock = lock_open(store, dir, err);
	if (lock < 0) {
		if (store->root >= 0)
			close(dir);
		return STORE_FAULT;
	}
	a = account_new(store, id, dir, lock);
	a->now_us = now_us;
	result = account_lock(a, !(mode & STORE_NO_WAIT), err);
	if (result == STORE_OK) {
		if (account_load(a, err) < 0)
			result = STORE_FAULT;
		account_unlock(a);
	}
	if (result == STORE_OK)
		*out = a;
	else
		store_account_close(&a);
	return result;
}

void
store_account_wait(struct store_account *account, bool wait)
{
	account->wait = wait;
}

uint64_t
store_account_id(const struct store_account *account)
{
	return account->id;
}

struct store_usage
store_usage(const struct store_account *account)
{
	return account->state.usage;
}

uint64_t
store_position(const struct store_account *account)
{
	return account->state.position;
}

uint64_t
store_durable(const struct store_account *account)
{
	return account->durable;
}

/* Who does not wait adds a large copy of its own bit by bit. */
static void
apply_to_view(struct store_account *a, const struct event *e)
{
	size_t step = lag_steps(a);

	if (e->kind != EVENT_COPY || a->wait || !a->batch.open || e->n <= step) {
		view_apply(a->view, e);
		return;
	}
	(void)!lag_step(a->view, SIZE_MAX);
	lag_begin(a->view, e);
	/* What is hidden of the mailbox says from where on it is. */
	(void)!lag_step(a->view, step);
}

void
account_apply(struct store_account *a, const struct event *e)
{
	state_apply(&a->state, e);
	if (a->view)
		apply_to_view(a, e);
	watch_event(a, e);
	if (!a->known)
		return;
	if (e->kind == EVENT_APPEND && !delivery_none(e->delivery))
		deliveries_add(a->known, e->delivery);
	else if (e->kind == EVENT_DROPPED)
		deliveries_remove(a->known, e->delivery);
}

/* Reads on from where the handle stands to `end`, an offset, or as far as there are
 * records. *sealed: the file goes on in another. */
static int
follow_file(struct store_account *a, uint64_t end, bool *sealed, struct err *err)
{
	const struct log_file *f = &a->files[FILE_JOURNAL];
	struct buf hold = buf_make(JOURNAL_EVENT_MAX);
	struct log_record record, whole;
	enum log_read result;
	struct log_reader r;

	*sealed = false;
	log_reader_init(&r, f, a->journal_end, end);
	while ((result = log_reader_next(&r, &record, err)) == LOG_READ_RECORD) {
		struct event e;

		whole = record;
		if (!record.payload.at)
			result =
			    log_fetch(f, record.offset, record.n, &hold, &whole, err);
		if (result != LOG_READ_RECORD)
			break;
		a->journal_end = record.next;
		/* What seals the file is not among what the next one goes on from. */
		*sealed = record.kind == EVENT_SEALED;
		if (*sealed)
			continue;
		a->state.position = a->base + record.next;
		if (!event_get(record.kind, whole.payload, a->state.position, &e))
			continue;
		e.file = (uint32_t)f->id.number;
		e.offset = (uint32_t)record.offset;
		account_apply(a, &e);
	}
	log_reader_release(&r);
	buf_release(&hold);
	if (result == LOG_READ_DAMAGE)
		a->stale = true;
	return result == LOG_READ_FAULT ? -1 : 0;
}

static enum store_result
follow_reload(struct store_account *a, struct err *err)
{
	enum store_result result = STORE_OK;
	bool locked = a->locked;

	a->stale = true;
	if (!locked)
		result = account_lock(a, true, err);
	if (result != STORE_OK)
		return result;
	if (account_load(a, err) < 0)
		result = STORE_FAULT;
	if (!locked)
		account_unlock(a);
	return result;
}

enum store_result
account_follow(struct store_account *a, bool to_end, struct err *err)
{
	bool sealed = false;
	uint64_t size;

	ASSERT(!to_end || a->locked);
	if (!to_end)
		durable_read(a);
	if (!a->stale && !to_end && a->durable <= a->state.position)
		return STORE_OK;
	if (!a->stale) {
		if (log_file_size(&a->files[FILE_JOURNAL], &size, err) < 0)
			return STORE_FAULT;
		if (to_end && size == a->journal_end)
			return STORE_OK;
		if (!to_end && a->durable > a->base + size)
			a->stale = true;
	}
	if (!a->stale && follow_file(a, to_end ? LOG_END_UNKNOWN : a->durable - a->base,
				     &sealed, err) < 0)
		return STORE_FAULT;
	/* Something torn that the lock's last holder left. */
	if (to_end && !a->stale && size != a->journal_end)
		a->stale = true;
	if (a->stale || sealed)
		return follow_reload(a, err);
	return STORE_OK;
}
