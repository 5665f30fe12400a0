/* an account replaced by another's content, as a compaction replaces it by its own */
#include "common/store/change_internal.h"
#include "common/store/compact.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

/* The number a file of the source has in the account. */
struct moved {
	uint32_t from, to;
};

struct moving {
	struct compaction *c;
	enum file_sort sort;
	struct moved *at;
	size_t n;
	uint64_t last; /* the highest number that is taken */
};

static void
file_name(enum file_sort sort, uint64_t number, char name[STORE_CUT_NAME_MAX])
{
	snprintf(name, STORE_CUT_NAME_MAX, "%s%llu", file_kinds[sort].prefix,
		 (unsigned long long)number);
}

/* The header says another number; the salt, which the records' CRCs start from, stays.
 * OK, NONE (no header to be found: nothing in it can be read anyway), FAULT. */
static enum store_result
header_renumber(const struct moving *m, uint64_t from, uint64_t to, struct err *err)
{
	const struct store_account *source = m->c->source;
	const struct log_dir dir = account_dir(source, m->sort);
	char header[LOG_HEADER_BYTES];
	struct iovec v = {header, sizeof(header)};
	enum store_result result = STORE_OK;
	struct log_file f;
	struct log_id id;

	switch (log_dir_open(&dir, from, LOG_WRITE, &f, err)) {
	case LOG_OPEN_OK:
		break;
	case LOG_OPEN_FAULT:
		return STORE_FAULT;
	default:
		return STORE_NONE;
	}
	id = f.id;
	id.number = to;
	log_header_put(&id, header);
	if (file_write(&f, &v, 1, 0, err) < 0)
		result = STORE_FAULT;
	log_file_close(&f);
	return result;
}

static enum store_result
file_move(struct moving *m, uint64_t number, struct err *err)
{
	char from[STORE_CUT_NAME_MAX], to[STORE_CUT_NAME_MAX];
	enum store_result result = header_renumber(m, number, m->last + 1, err);

	if (result != STORE_OK)
		return result == STORE_NONE ? STORE_OK : result;
	file_name(m->sort, number, from);
	file_name(m->sort, m->last + 1, to);
	if (renameat(m->c->source->dir, from, m->c->account->dir, to) < 0) {
		err_sys(err, "store: cannot move %s", from);
		return STORE_FAULT;
	}
	m->at = memory_resize(m->at, m->n + 1, sizeof(*m->at));
	m->at[m->n++] = (struct moved){(uint32_t)number, (uint32_t)++m->last};
	return STORE_OK;
}

static uint32_t
moved_to(const struct moving *m, uint32_t from)
{
	for (size_t i = 0; i < m->n; i++)
		if (m->at[i].from == from)
			return m->at[i].to;
	return 0;
}

/* All files of a sort go over; the records say where they are then. */
static int
files_move(struct compaction *c, enum file_sort sort, struct err *err)
{
	const struct log_dir own = account_dir(c->account, sort),
			     dir = account_dir(c->source, sort);
	struct event_place *tail = sort == FILE_DATA ? &c->tail.data : &c->tail.summary;
	struct moving m = {.c = c, .sort = sort, .last = tail->number};
	enum store_result result = STORE_OK;
	struct log_numbers numbers;

	if (log_dir_list(&own, &numbers, err) < 0)
		return -1;
	if (numbers.n > 0 && numbers.at[numbers.n - 1] > m.last)
		m.last = numbers.at[numbers.n - 1];
	log_numbers_release(&numbers);
	if (log_dir_list(&dir, &numbers, err) < 0)
		return -1;
	for (size_t i = 0; i < numbers.n && result == STORE_OK; i++)
		result = file_move(&m, numbers.at[i], err);
	log_numbers_release(&numbers);
	for (size_t i = 0; i < c->n; i++) {
		struct store_record *r = c->refs[i].record;
		uint32_t *number =
		    sort == FILE_DATA ? &r->data_number : &r->summary_number;

		*number = moved_to(&m, *number);
	}
	*tail = (struct event_place){(uint32_t)m.last, 0};
	free(m.at);
	return result == STORE_OK ? 0 : -1;
}

/* Nothing that clients know of the account as it was is taken for what is new. */
static void
state_renew(struct compaction *c)
{
	struct state *s = &c->source->state;
	const struct state *old = &c->account->state;

	if (s->tail.last_uidvalidity < old->tail.last_uidvalidity)
		s->tail.last_uidvalidity = old->tail.last_uidvalidity;
	if (s->tail.next_mailbox < old->tail.next_mailbox)
		s->tail.next_mailbox = old->tail.next_mailbox;
	for (size_t i = 0; i < s->n; i++) {
		struct store_mailbox *box = &s->boxes[i];
		const struct store_mailbox *was = state_box(old, box->id);

		if (was && was->uidvalidity == box->uidvalidity &&
		    was->uidnext > box->uidnext)
			box->uidnext = was->uidnext;
		restored_box(s, box, c->base, c->account->now_us);
	}
	for (size_t i = 0; i < c->n; i++)
		if (!(c->refs[i].record->flags & RECORD_GONE))
			c->refs[i].record->modseq = c->base;
}

static int
replace_run(struct compaction *c, struct err *err)
{
	struct store_account *to = c->account, *from = c->source;
	uint64_t number, position = from->state.position;

	if (account_follow(to, true, err) != STORE_OK || account_sync(to, err) < 0 ||
	    view_load(from, false, &c->view, err) < 0 ||
	    history_read(from, &c->history, err) < 0)
		return -1;
	if (position < to->state.position)
		position = to->state.position;
	c->base = position + JOURNAL_GAP;
	c->tail = to->state.tail;
	compact_plan(c);
	if (compact_clean(c, err) < 0 || files_move(c, FILE_DATA, err) < 0 ||
	    files_move(c, FILE_SUMMARY, err) < 0)
		return -1;
	state_renew(c);
	if (compact_journal(c, &number, err) < 0 ||
	    (to->store->root >= 0 && store_sync_disk(to->store, err) < 0) ||
	    compact_publish(to, number, err) < 0)
		return -1;
	return compact_finish(c, err);
}

enum store_result
store_replace(struct store_account *to, struct store_account *from, int64_t now_us,
	      struct err *err)
{
	struct compaction c = {.account = to, .source = from};
	enum store_result result = account_lock(to, true, err);

	if (result != STORE_OK)
		return result;
	result = account_lock(from, true, err);
	if (result != STORE_OK) {
		account_unlock(to);
		return result;
	}
	to->now_us = from->now_us = now_us;
	if (replace_run(&c, err) < 0) {
		to->stale = true;
		result = STORE_FAULT;
	}
	from->stale = true; /* its files are elsewhere */
	view_renew(to);
	account_unlock(from);
	account_unlock(to);
	compact_release(&c);
	return result;
}
