/* the state of an account, read from the journal's last file */
#include "common/store/internal.h"

#include <errno.h>

#define PENDING_MAX 1000000 /* messages looked at after a crash */

static void
pending_add(struct pending *p, const struct event *e)
{
	if (p->n == PENDING_MAX)
		return;
	if (p->n == p->size) {
		p->size = p->size ? 2 * p->size : 16;
		p->at = memory_resize(p->at, p->size, sizeof(*p->at));
	}
	p->at[p->n++] = (struct pending_message){e->record, e->delivery};
}

static void
pending_replace(struct pending *p, const struct event *e)
{
	struct pending_replace *at;

	p->replaces = memory_resize(p->replaces, p->n_replaces + 1, sizeof(*at));
	at = &p->replaces[p->n_replaces++];
	*at = (struct pending_replace){.since = e->since,
				       .modseq = e->modseq,
				       .mailbox = e->mailbox,
				       .n = e->n,
				       .bytes = e->bytes,
				       .unseen = e->unseen,
				       .ranges = buf_make(JOURNAL_EVENT_MAX)};
	buf_put(&at->ranges, e->ranges);
}

/* An earlier load has dropped it: a second time would count it again, and forget the
 * delivery that has taken its place since. */
static void
pending_dropped(struct pending *p, const struct event *e)
{
	for (size_t i = p->n; i-- > 0;) {
		const struct store_record r = p->at[i].record;

		if (r.mailbox != e->mailbox || r.uid != e->uid)
			continue;
		memmove(&p->at[i], &p->at[i + 1], (--p->n - i) * sizeof(*p->at));
		pending_torn(p, &r);
		return;
	}
}

/* What was to be replaced is back already. */
static void
pending_restored(struct pending *p, const struct event *e)
{
	for (size_t i = p->n_replaces; i-- > 0;) {
		if (p->replaces[i].modseq != e->since ||
		    p->replaces[i].mailbox != e->mailbox)
			continue;
		buf_release(&p->replaces[i].ranges);
		memmove(&p->replaces[i], &p->replaces[i + 1],
			(--p->n_replaces - i) * sizeof(*p->replaces));
	}
}

static void
pending_reset(struct pending *p)
{
	for (size_t i = 0; i < p->n_replaces; i++)
		buf_release(&p->replaces[i].ranges);
	p->n = p->n_replaces = 0;
}

static void
pending_release(struct pending *p)
{
	pending_reset(p);
	free(p->replaces);
	free(p->at);
}

struct loading {
	struct store_account *account;
	struct pending pending;
	struct event_head head;
	bool has_head;
	bool goes_on; /* the disk has no room for a new file: the last one goes on */
	uint64_t sealed_at; /* offset of the last event, if that seals; else 0 */
	struct buf hold;
};

static void
load_event(struct loading *l, const struct event *e, uint64_t position)
{
	struct store_account *a = l->account;

	l->sealed_at = e->kind == EVENT_SEALED ? e->offset : 0;
	if (e->kind == EVENT_HEAD) {
		if (!l->has_head) {
			l->head = e->head;
			state_take(&a->state, e);
			a->base = e->head.base;
		}
		l->has_head = true;
		return;
	}
	if (!l->has_head || l->head.snapshot)
		return;
	if (e->kind == EVENT_APPEND && position > a->durable)
		pending_add(&l->pending, e);
	if (e->kind == EVENT_REPLACE && position > a->durable)
		pending_replace(&l->pending, e);
	if (e->kind == EVENT_DROPPED)
		pending_dropped(&l->pending, e);
	if (e->kind == EVENT_RESTORED)
		pending_restored(&l->pending, e);
	state_apply(&a->state, e);
}

/* All whole records; *end is where they end. */
static int
load_records(struct loading *l, uint64_t *end, struct err *err)
{
	const struct log_file *f = &l->account->files[FILE_JOURNAL];
	struct log_reader r;
	struct log_record record, whole;
	enum log_read result;

	log_reader_init(&r, f, LOG_HEADER_BYTES, LOG_END_UNKNOWN);
	if (l->account->durable > l->head.base + LOG_HEADER_BYTES)
		r.synced = l->account->durable - l->head.base;
	while ((result = log_reader_next(&r, &record, err)) != LOG_READ_END) {
		uint64_t position = l->head.base + record.next;
		struct event e;

		if (result == LOG_READ_RECORD && !record.payload.at)
			result = log_fetch(f, record.offset, record.n, &l->hold, &whole,
					   err);
		else
			whole = record;
		if (result == LOG_READ_FAULT)
			break;
		if (result == LOG_READ_DAMAGE)
			state_damage(&l->account->state, record.next - record.offset);
		else if (event_get(record.kind, whole.payload, position, &e)) {
			e.offset = (uint32_t)record.offset;
			load_event(l, &e, position);
		}
	}
	*end = r.at;
	if (l->account->durable < l->head.base + r.synced && r.synced > 0)
		l->account->durable = l->head.base + r.synced;
	log_reader_release(&r);
	return result == LOG_READ_FAULT ? -1 : 0;
}

/* Cuts off what a crash left torn. True when the file ends at *end now. */
static int
load_mend(struct loading *l, uint64_t end, bool *changed, struct err *err)
{
	const struct store_account *a = l->account;
	const struct log_file *f = &a->files[FILE_JOURNAL];
	struct log_recovery was;
	uint64_t size;

	*changed = false;
	if (log_file_size(f, &size, err) < 0)
		return -1;
	if (size == end)
		return 0;
	if (log_recover(f, LOG_GROWS,
			a->durable > l->head.base ? a->durable - l->head.base : 0, &was,
			err) < 0)
		return -1;
	*changed = was.end != end;
	return 0;
}

/* There is no next file, for its creation failed: this one goes on. */
static int
load_unseal(struct loading *l, struct err *err)
{
	struct store_account *a = l->account;
	const struct log_file *f = &a->files[FILE_JOURNAL];

	if (l->sealed_at == 0)
		return 0;
	if (f->io->ftruncate(f->io->disk, f->fd, l->sealed_at) < 0)
		return err_sys(err, "store: cannot shorten a journal");
	a->journal_end = l->sealed_at;
	a->state.position = a->base + l->sealed_at;
	a->headroom_number = 0; /* it went with the end */
	headroom_keep(a);
	return 0;
}

/* OK, NONE (not a file to go on in), FAULT. */
static enum store_result
load_file(struct loading *l, struct err *err)
{
	struct store_account *a = l->account;
	bool changed = true;
	uint64_t end = 0;
	struct event head;

	for (int tries = 0; changed; tries++) {
		enum store_result result =
		    chain_head(&a->files[FILE_JOURNAL], &head, &l->hold, err);

		if (result != STORE_OK)
			return result;
		if (tries == 3) {
			err_set(err, "store: journal of %llx changes while it is read",
				(unsigned long long)a->id);
			return STORE_FAULT;
		}
		l->head = head.head;
		l->has_head = false;
		l->sealed_at = 0;
		pending_reset(&l->pending);
		if (load_records(l, &end, err) < 0 ||
		    load_mend(l, end, &changed, err) < 0)
			return STORE_FAULT;
		if (!l->has_head)
			return STORE_NONE;
	}
	if (l->head.account != a->id) {
		err_set(err, "store: directory %llx holds the journal of account %llx",
			(unsigned long long)a->id, (unsigned long long)l->head.account);
		return STORE_FAULT;
	}
	a->journal_end = end;
	a->state.position = a->base + end;
	return load_unseal(l, err) < 0 ? STORE_FAULT : STORE_OK;
}

/* The last journal file that is one. Later ones, whose creation a crash cut short,
 * hold nothing and are removed. OK, NONE, FAULT. */
static enum store_result
load_last(struct loading *l, const struct log_numbers *numbers, struct err *err)
{
	struct store_account *a = l->account;
	const struct log_dir dir = account_dir(a, FILE_JOURNAL);
	enum store_result result = STORE_NONE;
	size_t i = numbers->n;

	while (i > 0) {
		switch (log_dir_open(&dir, numbers->at[--i], LOG_WRITE,
				     &a->files[FILE_JOURNAL], err)) {
		case LOG_OPEN_FAULT:
			return STORE_FAULT;
		case LOG_OPEN_OK:
			result = load_file(l, err);
			break;
		case LOG_OPEN_UNREADY:
			break;
		case LOG_OPEN_DAMAGED:
			err_set(err, "store: journal.%llu of account %llx is damaged",
				(unsigned long long)numbers->at[i],
				(unsigned long long)a->id);
			return STORE_FAULT;
		}
		if (result != STORE_NONE)
			break;
		log_file_close(&a->files[FILE_JOURNAL]);
	}
	if (result == STORE_FAULT)
		return STORE_FAULT;
	if (result == STORE_NONE
		? a->durable > 0
		: a->durable > a->state.position && i + 1 < numbers->n) {
		err_set(err, "store: the last events of account %llx are lost",
			(unsigned long long)a->id);
		return STORE_FAULT;
	}
	for (size_t k = result == STORE_OK ? i + 1 : 0; k < numbers->n; k++)
		if (log_dir_remove(&dir, numbers->at[k], err) < 0)
			return STORE_FAULT;
	return result;
}

static bool
boot_differs(const struct store_account *a, const struct event_head *head)
{
	return memcmp(a->store->boot, head->boot, sizeof(head->boot)) != 0;
}

static int
load_found(struct store_account *a, struct err *err)
{
	static const struct {
		const char *name;
		enum store_special_use use;
	} rows[] = {
	    {"INBOX",   STORE_USE_NONE   },
            {"Drafts",  STORE_USE_DRAFTS },
	    {"Sent",    STORE_USE_SENT   },
            {"Archive", STORE_USE_ARCHIVE},
	    {"Junk",    STORE_USE_JUNK   },
            {"Trash",   STORE_USE_TRASH  },
	};

	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		struct event e = {.kind = EVENT_MAILBOX, .modseq = 8};

		e.box = (struct store_mailbox){
		    .id = (uint32_t)(i + STORE_INBOX),
		    .uidvalidity = (uint32_t)(a->now_us / 1000000) + (uint32_t)i,
		    .uidnext = 1,
		    .special_use = (uint8_t)rows[i].use,
		    .subscribed = true,
		    .name = span_str(rows[i].name),
		    .modseq = 8,
		};
		state_apply(&a->state, &e);
	}
	return journal_roll(a, &(struct event_head){0}, err);
}

static int
load_finish(struct loading *l, enum store_result result, struct err *err)
{
	struct store_account *a = l->account;
	struct event_head next = {0};

	if (result == STORE_NONE) {
		state_release(&a->state);
		return load_found(a, err);
	}
	/* A snapshot counts only after it was synced, and every other file is begun
	 * only after the one before it was. */
	if (l->head.snapshot || a->durable > a->state.position)
		a->durable = a->state.position;
	if (a->durable < a->base && l->head.previous > 0)
		a->durable = a->base;
	if (load_settle(a, &l->pending, err) < 0)
		return -1;
	if (boot_differs(a, &l->head) && !l->goes_on)
		next.base = JOURNAL_GAP;
	if (!l->head.snapshot && next.base == 0)
		return 0;
	if (journal_roll(a, &next, err) == 0)
		return 0;
	l->goes_on = !l->head.snapshot && (err->code == ENOSPC || err->code == EDQUOT);
	return -1;
}

/* What others declared void since this handle last looked. */
static int
load_voids(struct store_account *a, uint64_t position, struct err *err)
{
	struct chain c;

	switch (chain_open(a, position, &c, err)) {
	case STORE_FAULT:
		return -1;
	case STORE_OK:
		break;
	default: /* a compaction has begun anew, with all there was */
		return 0;
	}
	for (size_t i = 0; i < c.n; i++)
		if (c.at[i].head.previous_end < position &&
		    position <= c.at[i].head.base) {
			a->void_from = c.at[i].head.previous_end;
			a->void_to = c.at[i].head.base;
		}
	chain_release(&c);
	return 0;
}

static void
account_forget(struct store_account *a)
{
	account_files_close(a);
	state_release(&a->state);
	view_free(&a->view);
	deliveries_free(&a->known);
}

static int
load_all(struct loading *l, struct err *err)
{
	struct store_account *a = l->account;
	struct log_dir dir = account_dir(a, FILE_JOURNAL);
	enum store_result result;
	struct log_numbers numbers;

	account_forget(a);
	a->stale = true;
	durable_read(a);
	dir.io = &a->store->lazy; /* names are synced with what is appended next */
	if (log_dir_list(&dir, &numbers, err) < 0)
		return -1;
	result = load_last(l, &numbers, err);
	log_numbers_release(&numbers);
	return result == STORE_FAULT ? -1 : load_finish(l, result, err);
}

int
account_load(struct store_account *a, struct err *err)
{
	struct loading l = {.account = a, .hold = buf_make(JOURNAL_EVENT_MAX)};
	int loaded;

	ASSERT(a->locked);
	/* It outlives a load that fails. */
	if (a->state.position > 0)
		a->seen = a->state.position;
	loaded = load_all(&l, err);
	/* On a full disk mail can be read and deleted all the same; MODSEQs that a
	 * power loss took may then be given again. The next opening tries anew. */
	if (loaded < 0 && l.goes_on)
		loaded = load_all(&l, err);
	if (loaded == 0 && a->seen > 0)
		loaded = load_voids(a, a->seen, err);
	if (loaded == 0)
		a->stale = false;
	buf_release(&l.hold);
	pending_release(&l.pending);
	return loaded;
}
