/* an account that was put in place from a backup begins to live */
#include "common/store/change_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum store_result
store_restore_vacant(const struct store *store, uint64_t id, struct err *err)
{
	struct store_cut_file last;

	switch (store_cut_last(store, id, &last, err)) {
	case STORE_OK:
		err_set(err, "store: account %llx has mail", (unsigned long long)id);
		return STORE_EXISTS;
	case STORE_NONE:
		return STORE_OK;
	default:
		return STORE_FAULT;
	}
}

enum store_result
store_restore_create(const struct store *store, uint64_t id, const char *name, int *fd,
		     struct err *err)
{
	enum store_result result;
	int dir;

	result = account_path_open(store, id, STORE_MAY_CREATE, &dir, err);
	if (result != STORE_OK)
		return result;
	*fd =
	    openat(dir, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (*fd < 0) {
		result = errno == EEXIST ? STORE_EXISTS : STORE_FAULT;
		err_sys(err, "store: cannot make %s of account %llx", name,
			(unsigned long long)id);
	}
	close(dir);
	return result;
}

void
restored_box(struct state *s, struct store_mailbox *box, uint64_t modseq,
	     int64_t now_us)
{
	uint32_t seconds = (uint32_t)(now_us / 1000000);

	box->modseq = box->expunged_since = modseq;
	if (box->uidnext < UINT32_MAX - 2 * STORE_RESTORED_UIDS) {
		box->uidnext += STORE_RESTORED_UIDS;
		return;
	}
	/* No uids are left to be skipped: nothing that is known of it counts. */
	if (seconds <= s->tail.last_uidvalidity)
		seconds = s->tail.last_uidvalidity + 1;
	box->uidvalidity = s->tail.last_uidvalidity = seconds;
}

/* Everything in a mailbox is new to who knew it. */
static void
box_renew(struct store_account *a, size_t i)
{
	struct buf range = buf_make(16);
	struct event made = {
	    .kind = EVENT_MAILBOX, .time_us = a->now_us, .box = a->state.boxes[i]};
	struct event flags = {.kind = EVENT_FLAGS,
			      .verb = STORE_FLAGS_ADD,
			      .time_us = a->now_us,
			      .mailbox = made.box.id,
			      .n = made.box.messages,
			      .bytes = made.box.bytes};
	uint32_t last = made.box.uidnext - 1;

	restored_box(&a->state, &made.box, a->base, a->now_us);
	batch_event(a, &made);
	if (flags.n > 0) {
		event_range_put((struct store_range){1, last}, &range);
		flags.ranges = buf_span(&range);
		batch_event(a, &flags);
	}
	buf_release(&range);
}

/* No byte is added to a file that came from the backup: so the backup can go on from
 * what it has. */
static int
files_renew(struct store_account *a, struct err *err)
{
	a->state.tail.data.end = a->state.tail.summary.end = 0;
	log_file_close(&a->files[FILE_DATA]);
	log_file_close(&a->files[FILE_SUMMARY]);
	return journal_roll(a, &(struct event_head){.base = JOURNAL_GAP}, err);
}

static enum store_result
account_renew(struct store_account *a, int64_t now_us, struct err *err)
{
	enum store_result result = account_lock(a, true, err);

	if (result != STORE_OK)
		return result;
	a->now_us = now_us;
	if (account_follow(a, true, err) != STORE_OK || account_sync(a, err) < 0 ||
	    files_renew(a, err) < 0) {
		account_unlock(a);
		return STORE_FAULT;
	}
	a->batch.open = true;
	for (size_t i = 0; i < a->state.n; i++)
		box_renew(a, i);
	return store_batch_end(a, err);
}

enum store_result
store_restored(struct store *store, uint64_t id, int64_t now_us, struct err *err)
{
	struct store_account *a;
	enum store_result result;

	result = store_account_open(store, id, STORE_MUST_EXIST, now_us, &a, err);
	if (result != STORE_OK)
		return result;
	result = account_renew(a, now_us, err);
	store_account_close(&a);
	return result;
}
