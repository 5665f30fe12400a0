#include "common/store/event.h"

void
event_range_put(struct store_range range, struct buf *out)
{
	wire_put_u32(out, range.first);
	wire_put_u32(out, range.last);
}

bool
event_range_next(struct span *rest, struct store_range *out)
{
	struct cursor c = cursor_make(*rest);
	struct store_range r;

	r.first = wire_get_u32(&c);
	r.last = wire_get_u32(&c);
	if (c.failed)
		return false;
	*rest = c.rest;
	*out = r;
	return true;
}

static struct store_delivery_id
delivery_get(struct cursor *c)
{
	struct store_delivery_id id;

	id.queue_id = wire_get_u64(c);
	id.ordinal = wire_get_u32(c);
	id.spool = wire_get_u32(c);
	return id;
}

void
event_delivery_put(struct store_delivery_id id, struct buf *out)
{
	wire_put_u64(out, id.queue_id);
	wire_put_u32(out, id.ordinal);
	wire_put_u32(out, id.spool);
}

bool
event_delivery_next(struct span *rest, struct store_delivery_id *out)
{
	struct cursor c = cursor_make(*rest);
	struct store_delivery_id id = delivery_get(&c);

	if (c.failed)
		return false;
	*rest = c.rest;
	*out = id;
	return true;
}

void
event_box_put(const struct store_mailbox *box, struct buf *out)
{
	wire_put_u32(out, box->id);
	wire_put_u32(out, box->uidvalidity);
	wire_put_u32(out, box->uidnext);
	wire_put_u8(out, box->special_use);
	wire_put_u8(out, box->subscribed);
	wire_put_u64(out, box->modseq);
	wire_put_u64(out, box->expunged_since);
	wire_put_u64(out, box->messages);
	wire_put_u64(out, box->unseen);
	wire_put_u64(out, box->bytes);
	wire_put_bytes(out, box->name);
}

static void
box_get(struct cursor *c, struct store_mailbox *box)
{
	box->id = wire_get_u32(c);
	box->uidvalidity = wire_get_u32(c);
	box->uidnext = wire_get_u32(c);
	box->special_use = wire_get_u8(c);
	box->subscribed = wire_get_u8(c) != 0;
	box->modseq = wire_get_u64(c);
	box->expunged_since = wire_get_u64(c);
	box->messages = wire_get_u64(c);
	box->unseen = wire_get_u64(c);
	box->bytes = wire_get_u64(c);
	box->name = wire_get_bytes(c);
}

bool
event_box_next(struct span *rest, struct store_mailbox *out)
{
	struct cursor c = cursor_make(*rest);
	struct store_mailbox box;

	box_get(&c, &box);
	if (c.failed)
		return false;
	*rest = c.rest;
	*out = box;
	return true;
}

void
event_keyword_put(uint8_t bit, struct span name, struct buf *out)
{
	wire_put_u8(out, bit);
	wire_put_bytes(out, name);
}

bool
event_keyword_next(struct span *rest, uint8_t *bit, struct span *name)
{
	struct cursor c = cursor_make(*rest);
	uint8_t b = wire_get_u8(&c);
	struct span s = wire_get_bytes(&c);

	if (c.failed)
		return false;
	*rest = c.rest;
	*bit = b;
	*name = s;
	return true;
}

void
event_name_put(struct span name, struct buf *out)
{
	wire_put_bytes(out, name);
}

bool
event_name_next(struct span *rest, struct span *name)
{
	struct cursor c = cursor_make(*rest);
	struct span s = wire_get_bytes(&c);

	if (c.failed)
		return false;
	*rest = c.rest;
	*name = s;
	return true;
}

static void
place_put(const struct event_place *place, struct buf *out)
{
	wire_put_u32(out, place->number);
	wire_put_u64(out, place->end);
}

static void
place_get(struct cursor *c, struct event_place *place)
{
	place->number = wire_get_u32(c);
	place->end = wire_get_u64(c);
	if (place->end % 8 != 0 || place->end > UINT32_MAX)
		c->failed = true;
}

static void
head_put(const struct event *e, struct buf *out)
{
	wire_put_u32(out, EVENT_VERSION);
	wire_put_u64(out, e->head.account);
	wire_put_u64(out, e->head.base);
	wire_put_u64(out, e->head.previous_end);
	wire_put_u32(out, e->head.previous);
	wire_put_u8(out, e->head.snapshot);
	buf_put(out, span_make(e->head.boot, sizeof(e->head.boot)));
	wire_put_u32(out, e->state.next_mailbox);
	wire_put_u32(out, e->state.last_uidvalidity);
	place_put(&e->state.data, out);
	place_put(&e->state.summary, out);
	place_put(&e->state.text, out);
	wire_put_bytes(out, e->keywords_list);
	wire_put_bytes(out, e->boxes);
	wire_put_bytes(out, e->names);
}

static void
head_get(struct cursor *c, struct event *e)
{
	struct span boot;

	if (wire_get_u32(c) != EVENT_VERSION)
		c->failed = true;
	e->head.account = wire_get_u64(c);
	e->head.base = wire_get_u64(c);
	e->head.previous_end = wire_get_u64(c);
	e->head.previous = wire_get_u32(c);
	e->head.snapshot = wire_get_u8(c) != 0;
	boot = wire_get_raw(c, sizeof(e->head.boot));
	if (!c->failed)
		memcpy(e->head.boot, boot.at, sizeof(e->head.boot));
	e->state.next_mailbox = wire_get_u32(c);
	e->state.last_uidvalidity = wire_get_u32(c);
	place_get(c, &e->state.data);
	place_get(c, &e->state.summary);
	place_get(c, &e->state.text);
	e->keywords_list = wire_get_bytes(c);
	e->boxes = wire_get_bytes(c);
	e->names = wire_get_bytes(c);
	if (e->head.base % 8 != 0)
		c->failed = true;
}

static void
append_put(const struct event *e, struct buf *out)
{
	const struct store_record *r = &e->record;

	wire_put_u32(out, r->uid);
	wire_put_u64(out, r->appended);
	buf_put(out, span_make(r->guid, sizeof(r->guid)));
	wire_put_u32(out, r->flags);
	wire_put_u64(out, r->keywords);
	wire_put_u64(out, r->content_bytes);
	wire_put_u64(out, (uint64_t)r->internal_us);
	wire_put_u64(out, (uint64_t)r->saved_us);
	wire_put_u64(out, r->thread_key);
	wire_put_u32(out, r->data_number);
	wire_put_u32(out, r->data_offset);
	wire_put_u32(out, r->summary_number);
	wire_put_u32(out, r->summary_offset);
	wire_put_u32(out, e->summary_bytes);
	wire_put_u32(out, (uint32_t)e->uidl.n);
	wire_put_u32(out, r->given);
	event_delivery_put(e->delivery, out);
	buf_put(out, e->uidl);
	wire_put_bytes(out, e->prefix);
}

static void
append_get(struct cursor *c, struct event *e)
{
	struct store_record *r = &e->record;
	struct span guid;

	*r = (struct store_record){.mailbox = e->mailbox, .modseq = e->modseq};
	r->uid = wire_get_u32(c);
	r->appended = wire_get_u64(c);
	guid = wire_get_raw(c, sizeof(r->guid));
	if (!c->failed)
		memcpy(r->guid, guid.at, sizeof(r->guid));
	r->flags = wire_get_u32(c) & STORE_FLAGS;
	r->keywords = wire_get_u64(c);
	r->content_bytes = wire_get_u64(c);
	r->internal_us = (int64_t)wire_get_u64(c);
	r->saved_us = (int64_t)wire_get_u64(c);
	r->thread_key = wire_get_u64(c);
	r->data_number = wire_get_u32(c);
	r->data_offset = wire_get_u32(c);
	r->summary_number = wire_get_u32(c);
	r->summary_offset = wire_get_u32(c);
	e->summary_bytes = wire_get_u32(c);
	r->uidl_bytes = wire_get_u32(c);
	r->given = wire_get_u32(c);
	e->delivery = delivery_get(c);
	e->uidl = wire_get_raw(c, r->uidl_bytes);
	e->prefix = wire_get_bytes(c);
	r->prefix_bytes = (uint32_t)e->prefix.n;
	if (r->appended == 0)
		r->appended = e->modseq;
	if (r->uid == 0 || r->content_bytes > UINT32_MAX)
		c->failed = true;
}

static void
counts_put(const struct event *e, struct buf *out)
{
	wire_put_u64(out, e->n);
	wire_put_u64(out, e->bytes);
	wire_put_u64(out, (uint64_t)e->unseen);
	wire_put_bytes(out, e->ranges);
}

static void
counts_get(struct cursor *c, struct event *e)
{
	e->n = wire_get_u64(c);
	e->bytes = wire_get_u64(c);
	e->unseen = (int64_t)wire_get_u64(c);
	e->ranges = wire_get_bytes(c);
}

static void
flags_put(const struct event *e, struct buf *out)
{
	wire_put_u8(out, (uint8_t)e->verb);
	wire_put_u32(out, e->flags);
	wire_put_u64(out, e->keywords);
	counts_put(e, out);
}

static void
flags_get(struct cursor *c, struct event *e)
{
	uint8_t verb = wire_get_u8(c);

	if (verb > STORE_FLAGS_REPLACE)
		c->failed = true;
	else
		e->verb = (enum store_flag_verb)verb;
	e->flags = wire_get_u32(c) & STORE_FLAGS;
	e->keywords = wire_get_u64(c);
	counts_get(c, e);
}

static void
copy_put(const struct event *e, struct buf *out)
{
	wire_put_u32(out, e->to);
	wire_put_u32(out, e->first);
	counts_put(e, out);
}

static void
copy_get(struct cursor *c, struct event *e)
{
	e->to = wire_get_u32(c);
	e->first = wire_get_u32(c);
	counts_get(c, e);
}

static void
mailbox_put(const struct event *e, struct buf *out)
{
	event_box_put(&e->box, out);
}

static void
mailbox_get(struct cursor *c, struct event *e)
{
	box_get(c, &e->box);
}

static void
keyword_put(const struct event *e, struct buf *out)
{
	event_keyword_put(e->bit, e->name, out);
}

static void
keyword_get(struct cursor *c, struct event *e)
{
	e->bit = wire_get_u8(c);
	e->name = wire_get_bytes(c);
	if (e->bit >= STORE_KEYWORDS_MAX)
		c->failed = true;
}

static void
relocated_put(const struct event *e, struct buf *out)
{
	wire_put_u32(out, e->uid);
	wire_put_u32(out, e->summary_number);
	wire_put_u32(out, e->summary_offset);
	wire_put_u32(out, e->summary_bytes);
}

static void
relocated_get(struct cursor *c, struct event *e)
{
	e->uid = wire_get_u32(c);
	e->summary_number = wire_get_u32(c);
	e->summary_offset = wire_get_u32(c);
	e->summary_bytes = wire_get_u32(c);
}

static void
dropped_put(const struct event *e, struct buf *out)
{
	wire_put_u32(out, e->uid);
	wire_put_u64(out, e->bytes);
	wire_put_u64(out, (uint64_t)e->unseen);
	event_delivery_put(e->delivery, out);
}

static void
dropped_get(struct cursor *c, struct event *e)
{
	e->uid = wire_get_u32(c);
	e->bytes = wire_get_u64(c);
	e->unseen = (int64_t)wire_get_u64(c);
	e->delivery = delivery_get(c);
	e->n = 1;
}

static void
deliveries_put(const struct event *e, struct buf *out)
{
	wire_put_bytes(out, e->list);
}

static void
deliveries_get(struct cursor *c, struct event *e)
{
	e->list = wire_get_bytes(c);
}

static void
replace_put(const struct event *e, struct buf *out)
{
	wire_put_u64(out, e->since);
	counts_put(e, out);
}

static void
replace_get(struct cursor *c, struct event *e)
{
	e->since = wire_get_u64(c);
	counts_get(c, e);
}

static void
subscribed_put(const struct event *e, struct buf *out)
{
	wire_put_u8(out, e->on);
	wire_put_bytes(out, e->name);
}

static void
subscribed_get(struct cursor *c, struct event *e)
{
	e->on = wire_get_u8(c) != 0;
	e->name = wire_get_bytes(c);
}

static void
nothing_put(const struct event *e, struct buf *out)
{
	(void)e;
	(void)out;
}

static void
nothing_get(struct cursor *c, struct event *e)
{
	(void)c;
	(void)e;
}

static const struct codec {
	void (*put)(const struct event *, struct buf *);
	void (*get)(struct cursor *, struct event *);
} codecs[EVENT_KINDS] = {
    [EVENT_HEAD] = {head_put,       head_get      },
    [EVENT_APPEND] = {append_put,     append_get    },
    [EVENT_FLAGS] = {flags_put,      flags_get     },
    [EVENT_EXPUNGE] = {counts_put,     counts_get    },
    [EVENT_COPY] = {copy_put,       copy_get      },
    [EVENT_MOVE] = {copy_put,       copy_get      },
    [EVENT_MAILBOX] = {mailbox_put,    mailbox_get   },
    [EVENT_UNMAILBOX] = {nothing_put,    nothing_get   },
    [EVENT_KEYWORD] = {keyword_put,    keyword_get   },
    [EVENT_RELOCATED] = {relocated_put,  relocated_get },
    [EVENT_DROPPED] = {dropped_put,    dropped_get   },
    [EVENT_DELIVERIES] = {deliveries_put, deliveries_get},
    [EVENT_SEALED] = {nothing_put,    nothing_get   },
    [EVENT_REPLACE] = {replace_put,    replace_get   },
    [EVENT_RESTORED] = {replace_put,    replace_get   },
    [EVENT_SUBSCRIBED] = {subscribed_put, subscribed_get},
    [EVENT_COMPACTED] = {nothing_put,    nothing_get   },
};

void
event_put(const struct event *e, struct buf *out)
{
	wire_put_u64(out, e->modseq);
	wire_put_u64(out, (uint64_t)e->time_us);
	wire_put_u32(out, e->mailbox);
	codecs[e->kind].put(e, out);
}

bool
event_get(uint16_t kind, struct span payload, uint64_t position, struct event *out)
{
	struct cursor c = cursor_make(payload);

	if (kind >= EVENT_KINDS || !codecs[kind].get)
		return false;
	*out = (struct event){.kind = (enum event_kind)kind};
	out->modseq = wire_get_u64(&c);
	out->time_us = (int64_t)wire_get_u64(&c);
	out->mailbox = wire_get_u32(&c);
	if (out->modseq == 0)
		out->modseq = position;
	codecs[kind].get(&c, out);
	return cursor_done(&c);
}
