/* what callers see of the view */
#include "common/store/internal.h"

/* An index is written anew when that many events had to be read, and at least a part of
 * the messages there are: so its cost is spread over them. */
#define SAVE_EVENTS 64u
#define SAVE_PART   8u

static bool
refresh_event(struct chain_walk *w, const struct event *e)
{
	view_apply(w->context, e);
	return true;
}

/* All that the journal says beyond the index, or all. */
static int
view_fill(struct store_account *a, struct view *v, bool with_index, struct err *err)
{
	struct chain_walk walk = {.event = refresh_event, .context = v};
	uint64_t position = 0;
	enum store_result found;
	uint32_t number = 0;
	struct chain c;
	int result = -1;

	if (with_index && !index_load(a, v, &number, &position))
		return 1;
	found = chain_open(a, position, &c, err);
	if (found == STORE_OK && position > 0 && c.at[0].number != number)
		found = STORE_NONE;
	if (found == STORE_OK)
		result = chain_walk(&c, position, a->state.position, &walk, err);
	else if (found == STORE_NONE)
		result = 1;
	if (found != STORE_FAULT)
		chain_release(&c);
	return result;
}

int
view_load(struct store_account *a, bool with_index, struct view **out, struct err *err)
{
	struct view *v = view_new();
	int result = with_index ? view_fill(a, v, true, err) : 1;

	if (result == 1) {
		view_free(&v);
		v = view_new();
		result = view_fill(a, v, false, err);
	}
	if (result == 1)
		result = err_set(err, "store: account %llx has no journal",
				 (unsigned long long)a->id);
	if (result < 0) {
		view_free(&v);
		return -1;
	}
	*out = v;
	return 0;
}

int
view_ensure(struct store_account *a, struct err *err)
{
	ASSERT(a->locked);
	if (a->view)
		return 0;
	durable_read(a);
	if (view_load(a, true, &a->view, err) < 0)
		return -1;
	a->viewed = true;
	texts_look_again(a);
	watch_view(a);
	return 0;
}

void
view_renew(struct store_account *a)
{
	struct err ignored;

	if (a->viewed && !a->stale)
		(void)!view_ensure(a, &ignored);
}

static enum store_result
refresh_load(struct store_account *a, struct err *err)
{
	enum store_result result = account_lock(a, true, err);

	if (result != STORE_OK)
		return result;
	durable_read(a);
	result = account_follow(a, true, err);
	if (result == STORE_OK && view_ensure(a, err) < 0)
		result = STORE_FAULT;
	account_unlock(a);
	return result;
}

enum store_result
store_view_refresh(struct store_account *a, struct err *err)
{
	enum store_result result = STORE_OK;

	ASSERT(!a->locked);
	if (a->view && !a->stale && a->view->lag.on)
		return STORE_OK;
	if (a->view)
		result = account_follow(a, false, err);
	/* It is gone, too, when all had to be read anew. */
	if (result == STORE_OK && !a->view)
		result = refresh_load(a, err);
	if (result == STORE_OK)
		watch_listed(a);
	return result;
}

static uint64_t
view_records(const struct view *v)
{
	uint64_t n = 0;

	for (size_t i = 0; i < v->n; i++)
		n += box_n(&v->boxes[i]) + v->boxes[i].n_gone;
	return n;
}

enum store_result
store_view_save(struct store_account *a, struct err *err)
{
	enum store_result result;
	bool due = a->view && a->view->events >= SAVE_EVENTS &&
		   a->view->events >= view_records(a->view) / SAVE_PART;

	if (!due || a->durable < a->state.position)
		return STORE_OK;
	result = account_lock(a, false, err);
	if (result != STORE_OK)
		return result == STORE_BUSY ? STORE_OK : result;
	/* Not when others went on meanwhile: the next one may. */
	if (account_follow(a, true, err) < 0)
		result = STORE_FAULT;
	else if (a->view && a->durable >= a->state.position && index_save(a, err) < 0)
		result = STORE_FAULT;
	account_unlock(a);
	return result;
}

/* --- mailboxes ------------------------------------------------------------ */

static bool
record_hidden(const struct store_account *a, const struct store_record *r)
{
	return (r->flags & RECORD_GONE) || r->appended > a->durable;
}

/* As a client may see it: without messages that are not durable yet. */
static void
mailbox_show(const struct store_account *a, const struct store_mailbox *box,
	     struct store_mailbox *out)
{
	const struct box *b = a->view ? view_box(a->view, box->id) : NULL;

	*out = *box;
	out->messages = b ? b->live : 0;
	out->unseen = b ? b->unseen : 0;
	out->bytes = b ? b->bytes : 0;
	for (size_t i = b ? box_n(b) : 0; i-- > 0;) {
		const struct store_record *r = box_at(b, i);

		if (r->appended <= a->durable)
			break;
		out->uidnext = r->uid;
		/* Who resynchronises from here must be told of it. */
		if (out->modseq >= r->appended)
			out->modseq = r->appended - 1;
		if (r->flags & RECORD_GONE)
			continue;
		out->messages--;
		out->unseen -= !(r->flags & STORE_SEEN);
		out->bytes -= store_record_size(r);
	}
}

bool
store_mailbox_next(const struct store_account *a, uint32_t id,
		   struct store_mailbox *out)
{
	size_t i = id == UINT32_MAX ? a->state.n : state_place(&a->state, id + 1);

	if (i == a->state.n)
		return false;
	mailbox_show(a, &a->state.boxes[i], out);
	return true;
}

bool
store_mailbox_get(const struct store_account *a, uint32_t id, struct store_mailbox *out)
{
	const struct store_mailbox *box = state_box(&a->state, id);

	if (box)
		mailbox_show(a, box, out);
	return box != NULL;
}

uint32_t
store_mailbox_find(const struct store_account *a, struct span name)
{
	for (size_t i = 0; i < a->state.n; i++)
		if (name_same(a->state.boxes[i].name, name))
			return a->state.boxes[i].id;
	return 0;
}

bool
store_subscribed_next(const struct store_account *a, size_t *place, struct span *name)
{
	if (*place >= a->state.n_names)
		return false;
	*name = a->state.names[(*place)++];
	return true;
}

/* --- messages ------------------------------------------------------------- */

static const struct store_record *
record_from(const struct store_account *a, const struct box *b, size_t i)
{
	for (; i < box_n(b); i++)
		if (!record_hidden(a, box_at(b, i)))
			return box_at(b, i);
	return NULL;
}

static const struct box *
box_shown(const struct store_account *a, uint32_t mailbox)
{
	const struct box *b = a->view ? view_box(a->view, mailbox) : NULL;

	return b && !b->deleted ? b : NULL;
}

const struct store_record *
store_first(const struct store_account *a, uint32_t mailbox)
{
	const struct box *b = box_shown(a, mailbox);

	return b ? record_from(a, b, 0) : NULL;
}

const struct store_record *
store_next(const struct store_account *a, const struct store_record *record)
{
	const struct box *b = box_shown(a, record->mailbox);
	size_t i;

	if (!b)
		return NULL;
	if (b->n_base > 0 && record >= b->base && record < b->base + b->n_base)
		i = (size_t)(record - b->base);
	else
		i = b->n_base + (size_t)(record - b->extra);
	return record_from(a, b, i + 1);
}

const struct store_record *
store_find(const struct store_account *a, uint32_t mailbox, uint32_t uid)
{
	const struct box *b = box_shown(a, mailbox);
	size_t i = b ? box_lower(b, uid) : 0;

	if (!b || i == box_n(b) || box_at(b, i)->uid != uid ||
	    record_hidden(a, box_at(b, i)))
		return NULL;
	return box_at(b, i);
}

const struct store_record *
store_find_from(const struct store_account *a, uint32_t mailbox, uint32_t uid)
{
	const struct box *b = box_shown(a, mailbox);

	return b ? record_from(a, b, box_lower(b, uid)) : NULL;
}

const struct store_gone *
store_expunged(const struct store_account *a, uint32_t mailbox, size_t *n)
{
	const struct box *b = box_shown(a, mailbox);

	*n = b ? b->n_gone : 0;
	return b ? b->gone : NULL;
}

int
store_keyword_find(const struct store_account *a, struct span name)
{
	for (int i = 0; i < STORE_KEYWORDS_MAX; i++)
		if (a->state.keywords[i].at &&
		    span_equal_nocase(a->state.keywords[i], name))
			return i;
	return -1;
}

struct span
store_keyword_name(const struct store_account *a, int bit)
{
	if (bit < 0 || bit >= STORE_KEYWORDS_MAX)
		return span_make("", 0);
	return a->state.keywords[bit].at ? a->state.keywords[bit] : span_make("", 0);
}
