/* the account rewritten without what was expunged long ago */
#include "common/store/compact.h"

#include <stdio.h>

#define POSITIONS_GAP 4096 /* room for what seals the old journal */

bool
compact_keeps(const struct compaction *c, const struct box *b,
	      const struct store_record *r)
{
	if ((b->deleted && b->deleted_s <= c->cutoff_s) || (r->flags & RECORD_DROPPED))
		return false;
	return !(r->flags & RECORD_GONE) || r->expunged_s > c->cutoff_s;
}

/* What is dropped is no longer known as expunged. */
static void
box_forget(struct compaction *c, const struct store_record *r)
{
	struct store_mailbox *m = state_box(&c->source->state, r->mailbox);

	if (m && r->modseq > m->expunged_since)
		m->expunged_since = r->modseq;
}

void
compact_plan(struct compaction *c)
{
	size_t n = 0;

	for (size_t i = 0; i < c->view->n; i++)
		n += box_n(&c->view->boxes[i]);
	c->refs = memory_new(n + 1, sizeof(*c->refs));
	for (size_t i = 0; i < c->view->n; i++) {
		const struct box *b = &c->view->boxes[i];

		for (size_t k = 0; k < box_n(b); k++) {
			struct store_record *r = box_at(b, k);
			bool keep = compact_keeps(c, b, r);

			c->refs[c->n++] = (struct ref){r, keep};
			c->dropped += !keep;
			if (!keep)
				box_forget(c, r);
		}
	}
}

/* Sums the sizes of the account's files. */
static int
files_bytes(struct store_account *a, uint64_t *out, struct err *err)
{
	*out = 0;
	for (int sort = 0; sort < FILE_SORTS; sort++) {
		const struct log_dir dir = account_dir(a, (enum file_sort)sort);
		struct log_numbers numbers;
		struct log_file f;
		uint64_t size;

		if (log_dir_list(&dir, &numbers, err) < 0)
			return -1;
		for (size_t i = 0; i < numbers.n; i++) {
			if (log_dir_open(&dir, numbers.at[i], LOG_READ, &f, err) !=
			    LOG_OPEN_OK)
				continue;
			if (log_file_size(&f, &size, err) == 0)
				*out += size;
			log_file_close(&f);
		}
		log_numbers_release(&numbers);
	}
	return 0;
}

static int
files_remove(struct store_account *a, struct log_dir dir,
	     bool (*wanted)(const struct compaction *, uint32_t number),
	     const struct compaction *c, struct err *err)
{
	struct log_numbers numbers;
	int result = 0;

	dir.io = &a->store->lazy;
	if (log_dir_list(&dir, &numbers, err) < 0)
		return -1;
	for (size_t i = 0; i < numbers.n && result == 0; i++)
		if (!wanted(c, (uint32_t)numbers.at[i]))
			result = log_dir_remove(&dir, numbers.at[i], err);
	log_numbers_release(&numbers);
	return result;
}

static bool
never_wanted(const struct compaction *c, uint32_t number)
{
	(void)c;
	(void)number;
	return false;
}

static bool
data_wanted(const struct compaction *c, uint32_t number)
{
	if (number == c->account->state.tail.data.number)
		return true;
	for (size_t i = 0; i < c->n; i++)
		if (c->refs[i].keep && c->refs[i].record->data_number == number)
			return true;
	return false;
}

static bool
summary_wanted(const struct compaction *c, uint32_t number)
{
	if (number == c->account->state.tail.summary.number)
		return true;
	for (size_t i = 0; i < c->n; i++)
		if (c->refs[i].keep && c->refs[i].record->summary_number == number)
			return true;
	return false;
}

/* The snapshot and what came after it. */
static bool
journal_wanted(const struct compaction *c, uint32_t number)
{
	return number + 1 >= c->account->files[FILE_JOURNAL].id.number;
}

int
compact_publish(struct store_account *a, uint64_t number, struct err *err)
{
	const struct log_io *io = a->store->io;
	char from[40], to[40];

	snprintf(from, sizeof(from), COMPACT_PREFIX "%llu", (unsigned long long)number);
	snprintf(to, sizeof(to), "%s%llu", file_kinds[FILE_JOURNAL].prefix,
		 (unsigned long long)number);
	/* Whoever has the old journal open learns by this that there is a newer one;
	 * should it never come, the old one goes on behind it. */
	if (journal_seal(a, err) < 0)
		return -1;
	if (io->rename(io->disk, a->dir, from, to) < 0)
		return err_sys(err, "store: cannot rename %s", from);
	if (io->fsync(io->disk, a->dir) < 0)
		return err_sys(err, "store: cannot sync a directory");
	return 0;
}

int
compact_finish(struct compaction *c, struct err *err)
{
	struct store_account *a = c->account;

	a->state.position = a->seen = 0; /* nothing is void */
	if (account_load(a, err) < 0 || account_sync(a, err) < 0 ||
	    view_load(a, false, &a->view, err) < 0 || index_save(a, err) < 0)
		return -1;
	view_free(&a->view);
	texts_reset(a);
	if (files_remove(a, account_dir(a, FILE_JOURNAL), journal_wanted, c, err) < 0 ||
	    files_remove(a, account_dir(a, FILE_DATA), data_wanted, c, err) < 0 ||
	    files_remove(a, account_dir(a, FILE_SUMMARY), summary_wanted, c, err) < 0 ||
	    files_remove(a, account_dir(a, FILE_TEXT), data_wanted, c, err) < 0)
		return -1;
	/* The number of one that is gone may be that of the next. */
	account_cached_close(a);
	return 0;
}

int
compact_clean(struct compaction *c, struct err *err)
{
	struct log_dir left = account_dir(c->account, FILE_JOURNAL);

	left.prefix = COMPACT_PREFIX;
	return files_remove(c->account, left, never_wanted, c, err);
}

void
compact_release(struct compaction *c)
{
	view_free(&c->view);
	history_release(&c->history);
	free(c->refs);
}

static int
compact_run(struct compaction *c, struct store_compaction *out, struct err *err)
{
	struct store_account *a = c->account;
	uint64_t number;

	if (account_sync(a, err) < 0 || files_bytes(a, &out->bytes_before, err) < 0 ||
	    compact_clean(c, err) < 0 || view_load(a, false, &c->view, err) < 0 ||
	    history_read(a, &c->history, err) < 0)
		return -1;
	c->base = a->state.position + POSITIONS_GAP;
	compact_plan(c);
	c->tail = a->state.tail;
	if (compact_copy(c, FILE_DATA, err) < 0 ||
	    compact_copy(c, FILE_SUMMARY, err) < 0 ||
	    compact_journal(c, &number, err) < 0 ||
	    compact_publish(a, number, err) < 0 || compact_finish(c, err) < 0)
		return -1;
	out->messages_dropped = c->dropped;
	out->messages_left = c->left;
	return files_bytes(a, &out->bytes_after, err);
}

enum store_result
store_compact(struct store_account *a, uint64_t keep_s, int64_t now_us,
	      store_finder *find, void *context, struct store_compaction *out,
	      struct err *err)
{
	uint64_t now_s = (uint64_t)(now_us / 1000000);
	struct compaction c = {
	    .account = a,
	    .source = a,
	    .cutoff_s = keep_s < now_s ? (uint32_t)(now_s - keep_s) : 0,
	    .find = find,
	    .context = context,
	};
	enum store_result result = account_lock(a, true, err);

	if (result != STORE_OK)
		return result;
	a->now_us = now_us;
	*out = (struct store_compaction){0};
	if (compact_run(&c, out, err) < 0) {
		a->stale = true;
		result = STORE_FAULT;
	}
	view_renew(a);
	account_unlock(a);
	compact_release(&c);
	return result;
}
