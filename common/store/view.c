/* the messages of an account, in memory */
#include "common/store/internal.h"

struct view *
view_new(void)
{
	return memory_new(1, sizeof(struct view));
}

void
view_free(struct view **view)
{
	struct view *v = *view;

	if (!v)
		return;
	for (size_t i = 0; i < v->n; i++) {
		free(v->boxes[i].extra);
		free(v->boxes[i].gone);
	}
	free(v->boxes);
	lag_release(&v->lag);
	index_release(v);
	free(v);
	*view = NULL;
}

static size_t
view_place(const struct view *v, uint32_t id)
{
	size_t low = 0, high = v->n;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (v->boxes[middle].id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct box *
view_box(struct view *v, uint32_t id)
{
	size_t i = v->last;

	if (i >= v->n || v->boxes[i].id != id)
		i = view_place(v, id);
	if (i == v->n || v->boxes[i].id != id)
		return NULL;
	v->last = i;
	return &v->boxes[i];
}

struct box *
view_box_make(struct view *v, uint32_t id)
{
	size_t i = view_place(v, id);

	if (i < v->n && v->boxes[i].id == id)
		return &v->boxes[i];
	if (v->n == v->size) {
		v->size = v->size ? 2 * v->size : 8;
		v->boxes = memory_resize(v->boxes, v->size, sizeof(*v->boxes));
	}
	memmove(&v->boxes[i + 1], &v->boxes[i], (v->n - i) * sizeof(*v->boxes));
	v->n++;
	v->boxes[i] = (struct box){.id = id};
	return &v->boxes[i];
}

size_t
box_lower(const struct box *b, uint32_t uid)
{
	size_t low = 0, high = box_n(b);
	uint32_t first = high > 0 ? box_at(b, 0)->uid : 0;

	/* Uids are distinct: it is at most that far, and just there when none is
	 * missing. */
	if (uid <= first)
		return 0;
	if (uid - first < high) {
		high = uid - first;
		if (box_at(b, high)->uid == uid)
			return high;
	}
	while (low < high) {
		size_t middle = (low + high) / 2;

		if (box_at(b, middle)->uid < uid)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

void
box_add(struct box *b, const struct store_record *record)
{
	if (b->n_extra == b->size_extra) {
		b->size_extra = b->size_extra ? 2 * b->size_extra : 16;
		b->extra = memory_resize(b->extra, b->size_extra, sizeof(*b->extra));
	}
	b->extra[b->n_extra++] = *record;
}

void
box_add_gone(struct box *b, uint32_t uid, uint64_t modseq)
{
	if (b->n_gone == b->size_gone) {
		b->size_gone = b->size_gone ? 2 * b->size_gone : 16;
		b->gone = memory_resize(b->gone, b->size_gone, sizeof(*b->gone));
	}
	b->gone[b->n_gone++] = (struct store_gone){.uid = uid, .modseq = modseq};
}

uint32_t
record_crc(const struct store_record *record)
{
	return crc32c(0, span_make((const char *)record + sizeof(record->crc),
				   sizeof(*record) - sizeof(record->crc)));
}

uint32_t
gone_crc(const struct store_gone *gone)
{
	struct store_gone g = {.uid = gone->uid, .modseq = gone->modseq};

	return crc32c(0, span_make(&g, sizeof(g)));
}

static void
box_count(struct box *b, const struct store_record *r)
{
	b->live++;
	b->unseen += !(r->flags & STORE_SEEN);
	b->bytes += store_record_size(r);
}

static void
box_uncount(struct box *b, const struct store_record *r)
{
	b->live--;
	b->unseen -= !(r->flags & STORE_SEEN);
	b->bytes -= store_record_size(r);
}

/* A uid out of order, or one that nobody gives, can only come from damage; it is not
 * added. */
static bool
box_push(struct box *b, const struct store_record *r)
{
	size_t n = box_n(b);

	if (r->uid == 0 || r->uid == UINT32_MAX ||
	    (n > 0 && box_at(b, n - 1)->uid >= r->uid))
		return false;
	box_add(b, r);
	box_count(b, r);
	return true;
}

static void
apply_append(struct view *v, const struct event *e)
{
	struct store_record r = e->record;

	r.journal_number = e->file;
	r.journal_offset = e->offset;
	(void)box_push(view_box_make(v, e->mailbox), &r);
}

typedef void
record_each(struct view *v, size_t i, const struct event *e, uint32_t *next);

/* Calls `each` for the live records in the event's ranges, in order of uid. What
 * that adds is not among them. */
static void
ranges_each(struct view *v, const struct event *e, record_each *each)
{
	const struct box *b = view_box(v, e->mailbox);
	size_t n = b ? box_n(b) : 0, i = 0;
	struct span rest = e->ranges;
	struct store_range range;
	uint32_t next = e->first;

	while (event_range_next(&rest, &range)) {
		size_t start = n ? box_lower(view_box(v, e->mailbox), range.first) : 0;

		for (i = start > i ? start : i; i < n; i++) {
			const struct store_record *r =
			    box_at(view_box(v, e->mailbox), i);

			if (r->uid > range.last)
				break;
			if (!(r->flags & RECORD_GONE))
				each(v, i, e, &next);
		}
	}
}

static void
flags_apply(struct store_record *r, const struct event *e)
{
	switch (e->verb) {
	case STORE_FLAGS_ADD:
		r->flags |= e->flags;
		r->keywords |= e->keywords;
		break;
	case STORE_FLAGS_REMOVE:
		r->flags &= ~e->flags;
		r->keywords &= ~e->keywords;
		break;
	case STORE_FLAGS_REPLACE:
		r->flags = e->flags;
		r->keywords = e->keywords;
		break;
	}
	r->modseq = e->modseq;
}

/* As ranges_each(), in line: a whole mailbox is often marked as read. */
static void
apply_flags(struct view *v, const struct event *e)
{
	struct box *b = view_box(v, e->mailbox);
	struct span rest = e->ranges;
	struct store_range range;
	uint64_t was = 0, is = 0;

	while (b && event_range_next(&rest, &range))
		for (size_t i = box_lower(b, range.first); i < box_n(b); i++) {
			struct store_record *r = box_at(b, i);

			if (r->uid > range.last)
				break;
			if (r->flags & RECORD_GONE)
				continue;
			was += !(r->flags & STORE_SEEN);
			flags_apply(r, e);
			is += !(r->flags & STORE_SEEN);
		}
	if (b)
		b->unseen += is - was;
}

static void
expunge_one(struct view *v, size_t i, const struct event *e, uint32_t *next)
{
	struct box *b = view_box(v, e->mailbox);
	struct store_record *r = box_at(b, i);

	(void)next;
	box_uncount(b, r);
	r->flags |= RECORD_GONE;
	r->modseq = e->modseq;
	r->expunged_s = (uint32_t)(e->time_us / 1000000);
	box_add_gone(b, r->uid, e->modseq);
}

/* Those that an expunge took are back, as if flags had changed. */
static void
apply_restored(struct view *v, const struct event *e)
{
	struct box *b = view_box(v, e->mailbox);
	struct span rest = e->ranges;
	struct store_range range;
	size_t kept = 0;

	while (b && event_range_next(&rest, &range))
		for (size_t i = box_lower(b, range.first); i < box_n(b); i++) {
			struct store_record *r = box_at(b, i);

			if (r->uid > range.last)
				break;
			if (!(r->flags & RECORD_GONE) || r->modseq != e->since)
				continue;
			r->flags &= ~(RECORD_GONE | RECORD_DROPPED);
			r->modseq = e->modseq;
			r->expunged_s = 0;
			box_count(b, r);
		}
	for (size_t i = 0; b && i < b->n_gone; i++)
		if (b->gone[i].modseq != e->since)
			b->gone[kept++] = b->gone[i];
	if (b)
		b->n_gone = kept;
}

static void
apply_expunge(struct view *v, const struct event *e)
{
	ranges_each(v, e, expunge_one);
}

void
view_copy_one(struct view *v, size_t i, const struct event *e, uint32_t *next)
{
	struct store_record r = *box_at(view_box(v, e->mailbox), i);

	r.uid = (*next)++;
	r.mailbox = e->to;
	r.modseq = r.appended = e->modseq;
	r.saved_us = e->time_us;
	r.given = 0;
	(void)box_push(view_box_make(v, e->to), &r);
}

static void
apply_copy(struct view *v, const struct event *e)
{
	ranges_each(v, e, view_copy_one);
}

static void
move_one(struct view *v, size_t i, const struct event *e, uint32_t *next)
{
	view_copy_one(v, i, e, next);
	expunge_one(v, i, e, next);
}

static void
apply_move(struct view *v, const struct event *e)
{
	ranges_each(v, e, move_one);
}

static void
apply_unmailbox(struct view *v, const struct event *e)
{
	struct box *b = view_box_make(v, e->mailbox);

	b->deleted = true;
	b->deleted_s = (uint32_t)(e->time_us / 1000000);
}

static void
apply_relocated(struct view *v, const struct event *e)
{
	struct box *b = view_box(v, e->mailbox);
	size_t i = b ? box_lower(b, e->uid) : 0;

	if (!b || i == box_n(b) || box_at(b, i)->uid != e->uid)
		return;
	box_at(b, i)->summary_number = e->summary_number;
	box_at(b, i)->summary_offset = e->summary_offset;
}

/* Its uid was never shown, so nobody is told. */
static void
apply_dropped(struct view *v, const struct event *e)
{
	struct box *b = view_box(v, e->mailbox);
	size_t i = b ? box_lower(b, e->uid) : 0;

	if (!b || i == box_n(b) || box_at(b, i)->uid != e->uid ||
	    (box_at(b, i)->flags & RECORD_GONE))
		return;
	box_uncount(b, box_at(b, i));
	box_at(b, i)->flags |= RECORD_GONE | RECORD_DROPPED;
}

static void (*const kinds[EVENT_KINDS])(struct view *, const struct event *) = {
    [EVENT_APPEND] = apply_append,       [EVENT_FLAGS] = apply_flags,
    [EVENT_EXPUNGE] = apply_expunge,     [EVENT_COPY] = apply_copy,
    [EVENT_MOVE] = apply_move,           [EVENT_UNMAILBOX] = apply_unmailbox,
    [EVENT_RELOCATED] = apply_relocated, [EVENT_DROPPED] = apply_dropped,
    [EVENT_REPLACE] = apply_expunge,     [EVENT_RESTORED] = apply_restored,
};

void
view_apply(struct view *v, const struct event *e)
{
	if (!kinds[e->kind])
		return;
	(void)!lag_step(v, SIZE_MAX);
	v->events++;
	kinds[e->kind](v, e);
}
