/* numbers: what the client knows, and what it has not been told */
#include "imapd/session/inner.h"

void
view_close(struct session *s)
{
	struct view *v = &s->view;

	free(v->uids);
	imap_ranges_release(&v->flags);
	imap_ranges_release(&v->expunged);
	imap_ranges_release(&v->recent);
	imap_ranges_release(&v->held);
	*v = (struct view){0};
}

/* Room for `more` uids. */
static void
view_grow(struct view *v, size_t more)
{
	if (v->n + more <= v->size)
		return;
	v->size = v->n + more + v->n / 16 + 16;
	v->uids = memory_resize(v->uids, v->size, sizeof(*v->uids));
}

/* Is it all that there is now, and nothing else? */
static bool
view_is_whole(const struct view *v, const struct store_mailbox *box)
{
	return !v->appended && !v->all && !v->gone && v->expunged.n == 0 &&
	       v->n == box->messages && v->uidvalidity == box->uidvalidity;
}

void
view_leave(struct session *s)
{
	struct account_left *left = &s->account->left;
	struct view *v = &s->view;
	struct store_mailbox box;

	if (v->mailbox > 0 && store_mailbox_get(s->account->mail, v->mailbox, &box) &&
	    view_is_whole(v, &box)) {
		free(left->uids);
		*left = (struct account_left){.mailbox = v->mailbox,
					      .uidvalidity = v->uidvalidity,
					      .modseq = box.modseq,
					      .uids = v->uids,
					      .n = v->n,
					      .size = v->size};
		v->uids = NULL;
	}
	view_close(s);
}

/* What one that left, or one that has it selected, knows need not be read again. */
static bool
view_take_known(struct session *s, const struct store_mailbox *box)
{
	struct account_left *left = &s->account->left;
	struct view *v = &s->view;
	const struct session *other;

	if (left->mailbox == box->id && left->modseq == box->modseq &&
	    left->n == box->messages && left->uidvalidity == box->uidvalidity) {
		v->uids = left->uids;
		v->n = left->n;
		v->size = left->size;
		*left = (struct account_left){0};
		return true;
	}
	LIST_FOREACH(other, &s->account->sessions, of_account)
	if (other != s && other->view.mailbox == box->id &&
	    view_is_whole(&other->view, box)) {
		view_grow(v, other->view.n);
		v->n = other->view.n;
		if (v->n > 0)
			memcpy(v->uids, other->view.uids, v->n * sizeof(*v->uids));
		return true;
	}
	return false;
}

/* The first that is not seen, and those that are recent. */
static void
view_look_known(struct session *s, const struct store_mailbox *box)
{
	const struct store_account *mail = s->account->mail;
	uint32_t shown = account_shown(s->account, box->id);
	const struct store_record *r;
	struct view *v = &s->view;
	size_t i = v->n;

	for (r = box->unseen > 0 ? store_first(mail, box->id) : NULL; r;
	     r = store_next(mail, r))
		if (!(r->flags & STORE_SEEN))
			break;
	v->unseen = r ? view_number(v, r->uid) : 0;
	while (i > 0 && v->uids[i - 1] >= shown)
		i--;
	for (; i < v->n; i++)
		imap_ranges_add(&v->recent, v->uids[i], v->uids[i]);
	if (v->n > 0)
		v->uidnext = v->uids[v->n - 1] + 1;
	if (!v->read_only)
		account_show(s->account, box->id, v->uidnext);
}

size_t
view_take_new(struct session *s)
{
	const struct store_account *mail = s->account->mail;
	const struct store_record *r;
	struct view *v = &s->view;
	uint32_t shown = account_shown(s->account, v->mailbox);
	size_t before = v->n;

	v->appended = false;
	for (r = store_find_from(mail, v->mailbox, v->uidnext); r;
	     r = store_next(mail, r)) {
		if (v->n == v->size)
			view_grow(v, 1);
		v->uids[v->n++] = r->uid;
		if (v->unseen == 0 && !(r->flags & STORE_SEEN))
			v->unseen = (uint32_t)v->n;
		if (r->uid >= shown)
			imap_ranges_add(&v->recent, r->uid, r->uid);
	}
	if (v->n == before)
		return 0;
	v->uidnext = v->uids[v->n - 1] + 1;
	if (!v->read_only)
		account_show(s->account, v->mailbox, v->uidnext);
	return v->n - before;
}

void
view_open(struct session *s, uint32_t mailbox, bool read_only)
{
	struct view *v = &s->view;
	struct store_mailbox box;

	view_close(s);
	if (!store_mailbox_get(s->account->mail, mailbox, &box))
		return;
	v->mailbox = mailbox;
	v->read_only = read_only;
	v->uidvalidity = box.uidvalidity;
	v->uidnext = 1;
	v->modseq = v->told_modseq = box.modseq;
	if (view_take_known(s, &box)) {
		view_look_known(s, &box);
	} else {
		view_grow(v, (size_t)box.messages);
		(void)view_take_new(s);
	}
	if (box.uidnext > v->uidnext)
		v->uidnext = box.uidnext;
}

/* --- notes ---------------------------------------------------------------- */

static void
note_push(struct imap_ranges *notes, struct store_range range)
{
	struct imap_range *last = notes->n > 0 ? &notes->at[notes->n - 1] : NULL;

	/* Often one after the other. */
	if (last && last->first <= range.first && range.first <= last->last + 1) {
		if (range.last > last->last)
			last->last = range.last;
		return;
	}
	if (notes->n == notes->size) {
		notes->size = notes->size ? 2 * notes->size : 4;
		notes->at = memory_resize(notes->at, notes->size, sizeof(*notes->at));
	}
	notes->at[notes->n++] = (struct imap_range){range.first, range.last};
}

void
view_sort_notes(struct imap_ranges *notes)
{
	struct imap_ranges sorted = {0};

	imap_set_resolve(&(struct imap_set){.at = notes->at, .n = notes->n}, 0, false,
			 &sorted);
	imap_ranges_release(notes);
	*notes = sorted;
}

static void
note_all(struct view *v)
{
	imap_ranges_release(&v->flags);
	imap_ranges_release(&v->expunged);
	v->all = true;
}

static void
note_ranges(struct view *v, struct imap_ranges *notes, struct store_uids uids)
{
	if (v->all)
		return;
	if (uids.n > VIEW_UNTOLD_MAX) {
		note_all(v);
		return;
	}
	for (size_t i = 0; i < uids.n; i++)
		note_push(notes, uids.at[i]);
	if (notes->n <= VIEW_UNTOLD_MAX)
		return;
	view_sort_notes(notes);
	if (notes->n > VIEW_UNTOLD_MAX / 2)
		note_all(v);
}

static void
held_let_go(struct view *v)
{
	struct imap_ranges held = v->held;

	v->held = (struct imap_ranges){0};
	note_ranges(v, &v->flags, session_uids(&held));
	imap_ranges_release(&held);
}

static void
note_flags(struct view *v, const struct store_change *change)
{
	if (!v->silent) {
		note_ranges(v, &v->flags, change->uids);
		return;
	}
	held_let_go(v);
	for (size_t i = 0; i < change->uids.n; i++)
		note_push(&v->held, change->uids.at[i]);
	v->held_modseq = change->modseq;
}

void
view_silent_begin(struct view *v)
{
	v->silent = true;
	v->held_modseq = 0;
}

void
view_silent_end(struct view *v, uint64_t modseq)
{
	if (v->held_modseq != modseq)
		held_let_go(v);
	imap_ranges_release(&v->held);
	v->silent = false;
}

void
view_note(struct view *v, const struct store_change *change)
{
	if (v->mailbox == 0 ||
	    (change->mailbox != v->mailbox && change->kind != STORE_CHANGE_ALL))
		return;
	switch (change->kind) {
	case STORE_CHANGE_APPENDED:
		v->appended = true;
		break;
	case STORE_CHANGE_FLAGS:
		note_flags(v, change);
		break;
	case STORE_CHANGE_EXPUNGED:
		note_ranges(v, &v->expunged, change->uids);
		break;
	case STORE_CHANGE_MAILBOX:
		break;
	case STORE_CHANGE_ALL:
		v->appended = true;
		note_all(v);
		break;
	}
}

bool
view_has_news(const struct session *s)
{
	const struct view *v = &s->view;

	return v->appended || v->all || v->flags.n > 0 || v->expunged.n > 0;
}

bool
view_recent(const struct view *v, uint32_t uid)
{
	return v->recent.n > 0 && imap_ranges_contain(&v->recent, uid);
}

size_t
view_recent_count(const struct view *v)
{
	struct imap_ranges numbers = {0};
	size_t n = 0;

	if (v->recent.n == 0)
		return 0;
	view_numbers(v, &v->recent, &numbers);
	for (size_t i = 0; i < numbers.n; i++)
		n += numbers.at[i].last - numbers.at[i].first + 1;
	imap_ranges_release(&numbers);
	return n;
}

/* --- numbers and uids ----------------------------------------------------- */

size_t
view_lower(const struct view *v, size_t n, uint32_t uid)
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (v->uids[middle] < uid)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

uint32_t
view_uid(const struct view *v, uint32_t number)
{
	return number > 0 && number <= v->n ? v->uids[number - 1] : 0;
}

uint32_t
view_number(const struct view *v, uint32_t uid)
{
	size_t i = view_lower(v, v->n, uid);

	return i < v->n && v->uids[i] == uid ? (uint32_t)(i + 1) : 0;
}

void
view_numbers(const struct view *v, const struct imap_ranges *uids,
	     struct imap_ranges *numbers)
{
	imap_ranges_release(numbers);
	for (size_t i = 0; i < uids->n; i++) {
		size_t first = view_lower(v, v->n, uids->at[i].first);
		size_t end = uids->at[i].last == UINT32_MAX
				 ? v->n
				 : view_lower(v, v->n, uids->at[i].last + 1);

		if (first < end)
			imap_ranges_add(numbers, (uint32_t)first + 1, (uint32_t)end);
	}
}

void
view_uids(const struct view *v, const struct imap_ranges *numbers,
	  struct imap_ranges *uids)
{
	imap_ranges_release(uids);
	for (size_t i = 0; i < numbers->n; i++) {
		uint32_t n = numbers->at[i].first, last = numbers->at[i].last;

		/* Most often no uid is missing between the two. */
		if (v->uids[last - 1] - v->uids[n - 1] == last - n)
			imap_ranges_add(uids, v->uids[n - 1], v->uids[last - 1]);
		else
			for (; n <= last; n++)
				imap_ranges_add(uids, v->uids[n - 1], v->uids[n - 1]);
	}
}

bool
view_resolve(const struct session *s, const struct imap_set *set, bool uid,
	     struct imap_ranges *numbers)
{
	const struct view *v = &s->view;
	struct imap_ranges uids = {0};

	if (set->saved) {
		view_numbers(v, &s->saved, numbers);
		return true;
	}
	if (!uid) {
		for (size_t i = 0; i < set->n; i++)
			if (set->at[i].first > v->n || set->at[i].last > v->n ||
			    v->n == 0)
				return false;
		imap_set_resolve(set, (uint32_t)v->n, true, numbers);
		return true;
	}
	imap_set_resolve(set, v->n > 0 ? v->uids[v->n - 1] : 0, false, &uids);
	view_numbers(v, &uids, numbers);
	imap_ranges_release(&uids);
	return true;
}

/* --- walking -------------------------------------------------------------- */

/* The record of a number; the walk's last record is kept where it is gone. */
static const struct store_record *
walk_record(const struct session *s, struct view_walk *w, uint32_t number, bool near)
{
	const struct store_account *mail = s->account->mail;
	uint32_t uid = s->view.uids[number - 1];
	const struct store_record *r;

	if (near && w->record && w->epoch == s->account->epoch)
		r = store_next(mail, w->record);
	else
		r = store_find(mail, s->view.mailbox, uid);
	if (r && r->uid < uid)
		r = store_find(mail, s->view.mailbox, uid);
	if (r && r->uid != uid)
		return NULL;
	w->epoch = s->account->epoch;
	w->record = r;
	return r;
}

bool
view_next(const struct session *s, const struct imap_ranges *numbers,
	  struct view_walk *w, uint32_t *number, const struct store_record **record)
{
	uint32_t next = w->number + 1;
	bool near = w->number > 0;

	if (w->range >= numbers->n)
		return false;
	if (next > numbers->at[w->range].last) {
		if (++w->range == numbers->n)
			return false;
	}
	if (next < numbers->at[w->range].first) {
		next = numbers->at[w->range].first;
		near = false;
	}
	w->number = *number = next;
	*record = walk_record(s, w, next, near);
	return true;
}
