#include "qmgr/queue/record.h"

static void
message_put(struct buf *out, const struct note *n)
{
	wire_put_u64(out, n->id);
	wire_put_u32(out, n->place.segment);
	wire_put_u64(out, n->place.offset);
	wire_put_u32(out, n->place.envelope_bytes);
	wire_put_u64(out, n->place.content_bytes);
	wire_put_u32(out, n->arrived_s);
	wire_put_u32(out, n->due_s);
	wire_put_u32(out, n->n_targets);
	wire_put_u16(out, n->tries);
	wire_put_u8(out, (uint8_t)(n->held | n->warned << 1 | n->given_up << 2 |
				   n->removed << 3));
	wire_put_bytes(out, n->domain);
	wire_put_bytes(out, n->reason);
}

static void
message_get(struct cursor *c, struct note *n)
{
	uint8_t flags;

	n->id = wire_get_u64(c);
	n->place.segment = wire_get_u32(c);
	n->place.offset = wire_get_u64(c);
	n->place.envelope_bytes = wire_get_u32(c);
	n->place.content_bytes = wire_get_u64(c);
	n->arrived_s = wire_get_u32(c);
	n->due_s = wire_get_u32(c);
	n->n_targets = wire_get_u32(c);
	n->tries = wire_get_u16(c);
	flags = wire_get_u8(c);
	n->held = flags & 1;
	n->warned = flags & 2;
	n->given_up = flags & 4;
	n->removed = flags & 8;
	n->domain = wire_get_bytes(c);
	n->reason = wire_get_bytes(c);
	if (n->id == 0 || !place_possible(&n->place) ||
	    n->n_targets > ENVELOPE_TARGETS_MAX)
		c->failed = true;
}

static void
done_put(struct buf *out, const struct note *n)
{
	wire_put_u64(out, n->id);
}

static void
done_get(struct cursor *c, struct note *n)
{
	n->id = wire_get_u64(c);
}

static void
target_note_put(struct buf *out, const struct note *n)
{
	wire_put_u64(out, n->id);
	wire_put_u32(out, n->ordinal);
	wire_put_u8(out, n->state);
}

static void
target_note_get(struct cursor *c, struct note *n)
{
	n->id = wire_get_u64(c);
	n->ordinal = wire_get_u32(c);
	n->state = wire_get_u8(c);
	if (n->state > TARGET_FAILED)
		c->failed = true;
}

static void
segment_put(struct buf *out, const struct note *n)
{
	wire_put_u32(out, n->segment);
	wire_put_u64(out, n->known_end);
}

static void
segment_get(struct cursor *c, struct note *n)
{
	n->segment = wire_get_u32(c);
	n->known_end = wire_get_u64(c);
	if (n->segment == 0)
		c->failed = true;
}

static void
pause_put(struct buf *out, const struct note *n)
{
	wire_put_u8(out, n->held);
	wire_put_bytes(out, n->domain);
}

static void
pause_get(struct cursor *c, struct note *n)
{
	n->held = wire_get_u8(c) != 0;
	n->domain = wire_get_bytes(c);
}

static void
sent_put(struct buf *out, const struct note *n)
{
	wire_put_u64(out, n->sent.account);
	wire_put_u32(out, n->sent.told_s);
	wire_put_u32(out, n->sent.noted_s);
	for (size_t i = 0; i < LIMIT_COUNT; i++) {
		wire_put_u32(out, n->sent.windows[i].period);
		wire_put_u32(out, n->sent.windows[i].before);
		wire_put_u32(out, n->sent.windows[i].now);
	}
}

static void
sent_get(struct cursor *c, struct note *n)
{
	n->sent.account = wire_get_u64(c);
	n->sent.told_s = wire_get_u32(c);
	n->sent.noted_s = wire_get_u32(c);
	for (size_t i = 0; i < LIMIT_COUNT; i++) {
		n->sent.windows[i].period = wire_get_u32(c);
		n->sent.windows[i].before = wire_get_u32(c);
		n->sent.windows[i].now = wire_get_u32(c);
	}
	if (n->sent.account == 0)
		c->failed = true;
}

static const struct note_row {
	void (*put)(struct buf *out, const struct note *n);
	void (*get)(struct cursor *c, struct note *n);
} rows[] = {
    [NOTE_DONE] = {done_put,        done_get       },
    [NOTE_MESSAGE] = {message_put,     message_get    },
    [NOTE_TARGET] = {target_note_put, target_note_get},
    [NOTE_SNAPSHOT] = {NULL,            NULL           },
    [NOTE_SEGMENT] = {segment_put,     segment_get    },
    [NOTE_SNAPSHOT_END] = {NULL,            NULL           },
    [NOTE_PAUSE] = {pause_put,       pause_get      },
    [NOTE_SENT] = {sent_put,        sent_get       },
};

void
note_put(struct buf *out, const struct note *n)
{
	wire_put_u8(out, (uint8_t)n->kind);
	if (rows[n->kind].put)
		rows[n->kind].put(out, n);
}

bool
note_next(struct cursor *notes, struct note *out)
{
	struct note n = {0};
	uint8_t kind;

	if (notes->failed || notes->rest.n == 0)
		return false;
	kind = wire_get_u8(notes);
	if (kind < NOTE_DONE || kind > NOTE_SENT) {
		notes->failed = true;
		return false;
	}
	n.kind = kind;
	if (rows[kind].get)
		rows[kind].get(notes, &n);
	if (notes->failed)
		return false;
	*out = n;
	return true;
}
