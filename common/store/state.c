/* what the journal says of an account without its messages */
#include "common/store/internal.h"

#define EVENT_BYTES_MIN (LOG_HEAD_BYTES + 24u) /* of an event in its frame */
#define COPY_BYTES_MIN  (LOG_HEAD_BYTES + 68u)
#define LOST_UIDS_MAX   (1u << 20) /* skipped for one damaged place */

void
state_release(struct state *s)
{
	for (size_t i = 0; i < s->n; i++)
		free((char *)(uintptr_t)s->boxes[i].name.at);
	free(s->boxes);
	for (size_t i = 0; i < STORE_KEYWORDS_MAX; i++)
		free((char *)(uintptr_t)s->keywords[i].at);
	for (size_t i = 0; i < s->n_names; i++)
		free((char *)(uintptr_t)s->names[i].at);
	free(s->names);
	*s = (struct state){0};
}

size_t
state_place(const struct state *s, uint32_t id)
{
	size_t low = 0, high = s->n;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (s->boxes[middle].id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct store_mailbox *
state_box(const struct state *s, uint32_t id)
{
	size_t i = state_place(s, id);

	return i < s->n && s->boxes[i].id == id ? &s->boxes[i] : NULL;
}

static struct span
name_own(struct span name)
{
	return (struct span){span_dup(name), name.n};
}

/* The place of a name that is subscribed and has no mailbox; n_names: nowhere. */
static size_t
name_place(const struct state *s, struct span name)
{
	size_t i = 0;

	while (i < s->n_names && !span_equal(s->names[i], name))
		i++;
	return i;
}

bool
state_name_has(const struct state *s, struct span name)
{
	return name_place(s, name) < s->n_names;
}

static void
name_set(struct state *s, struct span name, bool on)
{
	size_t i = name_place(s, name);

	if (!on && i < s->n_names) {
		free((char *)(uintptr_t)s->names[i].at);
		s->names[i] = s->names[--s->n_names];
	} else if (on && i == s->n_names && i < STORE_SUBSCRIPTIONS_MAX) {
		s->names = memory_resize(s->names, i + 1, sizeof(*s->names));
		s->names[s->n_names++] = name_own(name);
	}
}

static void
usage_add(struct state *s, const struct store_mailbox *box)
{
	s->usage.bytes += box->bytes;
	s->usage.messages += box->messages;
}

static void
usage_take(struct state *s, const struct store_mailbox *box)
{
	s->usage.bytes -= box->bytes < s->usage.bytes ? box->bytes : s->usage.bytes;
	s->usage.messages -=
	    box->messages < s->usage.messages ? box->messages : s->usage.messages;
}

/* Puts the box there, in place of one of that id. */
static void
box_set(struct state *s, const struct store_mailbox *box)
{
	size_t i = state_place(s, box->id);
	struct span name = name_own(box->name); /* which may be the old one's */
	struct store_mailbox *at;

	if (i == s->n || s->boxes[i].id != box->id) {
		if (s->n == s->size) {
			s->size = s->size ? 2 * s->size : 8;
			s->boxes = memory_resize(s->boxes, s->size, sizeof(*s->boxes));
		}
		memmove(&s->boxes[i + 1], &s->boxes[i], (s->n - i) * sizeof(*s->boxes));
		s->n++;
	} else {
		usage_take(s, &s->boxes[i]);
		free((char *)(uintptr_t)s->boxes[i].name.at);
	}
	at = &s->boxes[i];
	*at = *box;
	at->name = name;
	usage_add(s, at);
	name_set(s, name, false);
	if (box->id >= s->tail.next_mailbox && box->id < UINT32_MAX)
		s->tail.next_mailbox = box->id + 1;
	if (box->uidvalidity > s->tail.last_uidvalidity)
		s->tail.last_uidvalidity = box->uidvalidity;
}

static void
keyword_set(struct state *s, uint8_t bit, struct span name)
{
	if (bit >= STORE_KEYWORDS_MAX)
		return;
	free((char *)(uintptr_t)s->keywords[bit].at);
	s->keywords[bit] = name_own(name);
}

void
state_take(struct state *s, const struct event *head)
{
	struct span boxes = head->boxes, keywords = head->keywords_list,
		    names = head->names, name;
	struct store_mailbox box;
	uint8_t bit;

	state_release(s);
	while (event_keyword_next(&keywords, &bit, &name))
		keyword_set(s, bit, name);
	while (event_box_next(&boxes, &box))
		box_set(s, &box);
	while (event_name_next(&names, &name))
		name_set(s, name, true);
	s->tail = head->state;
}

void
state_put_head(const struct state *s, struct event *head,
	       struct buf hold[STATE_HEAD_BUFS])
{
	struct buf *boxes = &hold[0], *keywords = &hold[1], *names = &hold[2];

	hold[0] = buf_make(JOURNAL_EVENT_MAX / 2);
	hold[1] = buf_make(64u << 10);
	hold[2] = buf_make(STORE_SUBSCRIPTIONS_MAX * (STORE_MAILBOX_NAME_MAX + 4));

	for (size_t i = 0; i < s->n; i++)
		event_box_put(&s->boxes[i], boxes);
	for (size_t i = 0; i < STORE_KEYWORDS_MAX; i++)
		if (s->keywords[i].at)
			event_keyword_put((uint8_t)i, s->keywords[i], keywords);
	for (size_t i = 0; i < s->n_names; i++)
		event_name_put(s->names[i], names);
	head->names = buf_span(names);
	head->boxes = buf_span(boxes);
	head->keywords_list = buf_span(keywords);
	head->state = s->tail;
}

/* Adds messages to a box, whose count of unseen changes by `unseen`. */
static void
box_count_up(struct state *s, struct store_mailbox *box, uint64_t n, uint64_t bytes,
	     int64_t unseen)
{
	box->messages += n;
	box->bytes += bytes;
	box->unseen += (uint64_t)unseen;
	s->usage.messages += n;
	s->usage.bytes += bytes;
}

static uint64_t
minus(uint64_t a, uint64_t b)
{
	return b < a ? a - b : 0;
}

static void
box_count_down(struct state *s, struct store_mailbox *box, uint64_t n, uint64_t bytes,
	       int64_t unseen)
{
	box->messages = minus(box->messages, n);
	box->bytes = minus(box->bytes, bytes);
	box->unseen = minus(box->unseen, (uint64_t)unseen);
	s->usage.messages = minus(s->usage.messages, n);
	s->usage.bytes = minus(s->usage.bytes, bytes);
}

static void
place_move(struct event_place *place, uint32_t number, uint32_t offset, uint64_t n)
{
	uint64_t end = offset + log_frame_bytes(n);

	if (number < place->number || number == 0 || offset % 8 != 0)
		return;
	if (number > place->number || end > place->end)
		*place = (struct event_place){number, end};
}

static void
apply_append(struct state *s, struct store_mailbox *box, const struct event *e)
{
	const struct store_record *r = &e->record;

	if (r->uid >= box->uidnext && r->uid < UINT32_MAX)
		box->uidnext = r->uid + 1;
	box_count_up(s, box, 1, store_record_size(r), !(r->flags & STORE_SEEN));
	place_move(&s->tail.data, r->data_number, r->data_offset,
		   DATA_HEAD_BYTES + r->content_bytes);
	place_move(&s->tail.summary, r->summary_number, r->summary_offset,
		   e->summary_bytes);
}

static void
apply_flags(struct state *s, struct store_mailbox *box, const struct event *e)
{
	(void)s;
	if (e->unseen >= 0)
		box->unseen += (uint64_t)e->unseen;
	else
		box->unseen = minus(box->unseen, 0 - (uint64_t)e->unseen);
}

static void
apply_expunge(struct state *s, struct store_mailbox *box, const struct event *e)
{
	box_count_down(s, box, e->n, e->bytes, e->unseen);
}

static void
apply_restored(struct state *s, struct store_mailbox *box, const struct event *e)
{
	box_count_up(s, box, e->n, e->bytes, e->unseen);
}

static void
apply_copy(struct state *s, struct store_mailbox *box, const struct event *e)
{
	struct store_mailbox *to = state_box(s, e->to);

	(void)box;
	if (!to)
		return;
	if (e->first >= to->uidnext && e->n < UINT32_MAX - e->first)
		to->uidnext = e->first + (uint32_t)e->n;
	to->modseq = e->modseq;
	box_count_up(s, to, e->n, e->bytes, e->unseen);
}

static void
apply_move(struct state *s, struct store_mailbox *box, const struct event *e)
{
	apply_copy(s, box, e);
	apply_expunge(s, box, e);
}

static void
apply_unmailbox(struct state *s, struct store_mailbox *box, const struct event *e)
{
	size_t i = (size_t)(box - s->boxes);

	(void)e;
	usage_take(s, box);
	if (box->subscribed)
		name_set(s, box->name, true);
	free((char *)(uintptr_t)box->name.at);
	memmove(&s->boxes[i], &s->boxes[i + 1], (s->n - i - 1) * sizeof(*box));
	s->n--;
}

static void
apply_relocated(struct state *s, struct store_mailbox *box, const struct event *e)
{
	(void)box;
	place_move(&s->tail.summary, e->summary_number, e->summary_offset,
		   e->summary_bytes);
}

/* Those that are about a mailbox that must be there. */
static const struct {
	void (*apply)(struct state *, struct store_mailbox *, const struct event *);
	bool no_change; /* to what a client sees */
} kinds[EVENT_KINDS] = {
    [EVENT_APPEND] = {apply_append,    false},
    [EVENT_FLAGS] = {apply_flags,     false},
    [EVENT_EXPUNGE] = {apply_expunge,   false},
    [EVENT_COPY] = {apply_copy,      true },
    [EVENT_MOVE] = {apply_move,      false},
    [EVENT_UNMAILBOX] = {apply_unmailbox, true },
    [EVENT_RELOCATED] = {apply_relocated, true },
    [EVENT_DROPPED] = {apply_expunge,   false},
    [EVENT_REPLACE] = {apply_expunge,   false},
    [EVENT_RESTORED] = {apply_restored,  false},
};

void
state_apply(struct state *s, const struct event *e)
{
	struct store_mailbox *box;

	if (e->kind == EVENT_MAILBOX)
		box_set(s, &e->box);
	else if (e->kind == EVENT_KEYWORD)
		keyword_set(s, e->bit, e->name);
	else if (e->kind == EVENT_SUBSCRIBED)
		name_set(s, e->name, e->on);
	if (!kinds[e->kind].apply)
		return;
	box = state_box(s, e->mailbox);
	if (!box)
		return;
	if (!kinds[e->kind].no_change)
		box->modseq = e->modseq;
	kinds[e->kind].apply(s, box, e);
}

static void
skip(uint32_t *next, uint64_t n)
{
	if (*next < UINT32_MAX - n)
		*next += (uint32_t)n;
}

void
state_damage(struct state *s, uint64_t bytes)
{
	uint64_t events = bytes / EVENT_BYTES_MIN + 1;
	uint64_t uids = events + (bytes / COPY_BYTES_MIN + 1) * s->usage.messages;

	if (uids > LOST_UIDS_MAX)
		uids = LOST_UIDS_MAX;
	for (size_t i = 0; i < s->n; i++)
		skip(&s->boxes[i].uidnext, uids);
	skip(&s->tail.next_mailbox, events);
	skip(&s->tail.last_uidvalidity, events);
	s->tail.data.number++;
	s->tail.data.end = 0;
	s->tail.summary.number++;
	s->tail.summary.end = 0;
}
