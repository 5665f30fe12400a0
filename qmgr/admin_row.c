#include "qmgr/admin_row.h"

#include <unistd.h>

#include "common/detail/detail.h"

/* The rows of one message, one after another. */
struct rows {
	struct ipc_peer *peer;
	const struct entry *entry;
	const struct envelope *envelope;
	bool all; /* also recipients that are done */
	struct ipc_queue_row row;
	struct detail detail;
	uint32_t n_sent;

	struct envelope_recipient recipient; /* the one being put */
	struct buf targets;                  /* of it, in this row */
	struct buf list, states;             /* of the row */
	uint32_t n;                          /* recipients in it */
};

static void
row_fill(struct rows *r, struct buf *envelope, struct buf *text)
{
	if (r->envelope) {
		struct envelope part = *r->envelope;

		part.recipients = buf_span(&r->list);
		part.n_recipients = r->n;
		envelope_put(envelope, &part);
	}
	r->detail.states = buf_span(&r->states);
	detail_put(text, &r->detail);
	r->row.envelope = buf_span(envelope);
	r->row.reason = buf_span(text);
}

static void
row_send(struct rows *r)
{
	struct buf envelope = buf_make(IPC_PACKET_MAX), text = buf_make(IPC_PACKET_MAX);

	row_fill(r, &envelope, &text);
	ipc_send_queue_row(r->peer, &r->row);
	r->detail.headers = SPAN("");
	r->n_sent++;
	r->n = 0;
	buf_reset(&r->list);
	buf_reset(&r->states);
	buf_release(&envelope);
	buf_release(&text);
}

/* What there is of the recipient goes into the row; the row goes when it is full. */
static void
recipient_end(struct rows *r)
{
	if (r->targets.n == 0)
		return;
	r->recipient.targets = buf_span(&r->targets);
	recipient_put(&r->list, &r->recipient);
	r->n++;
	buf_reset(&r->targets);
	if (r->list.n >= ADMIN_ENVELOPE_MAX)
		row_send(r);
}

static char
state_letter(const struct entry *e, uint32_t ordinal)
{
	static const char letters[] = {[TARGET_OPEN] = DETAIL_OPEN,
				       [TARGET_DONE] = DETAIL_DONE,
				       [TARGET_FAILED] = DETAIL_FAILED,
				       [TARGET_WORK] = DETAIL_WORK};

	return ordinal < e->n_targets ? letters[entry_target(e, ordinal)] : DETAIL_OPEN;
}

static void
target_add(struct rows *r, uint32_t ordinal, const struct target *t)
{
	char letter = state_letter(r->entry, ordinal);

	if (letter == DETAIL_DONE && !r->all)
		return;
	target_put(&r->targets, t);
	buf_put_char(&r->states, letter);
	if (r->targets.n >= ADMIN_ENVELOPE_MAX)
		recipient_end(r);
}

static void
recipients_send(struct rows *r)
{
	struct cursor c = cursor_make(r->envelope->recipients);
	uint32_t ordinal = 0;
	struct target t;

	while (recipient_next(&c, &r->recipient)) {
		struct cursor k = cursor_make(r->recipient.targets);

		while (target_next(&k, &t))
			target_add(r, ordinal++, &t);
		recipient_end(r);
	}
	if (r->n > 0)
		row_send(r);
}

static struct rows
rows_make(const struct queue *q, struct ipc_peer *peer, uint64_t tag,
	  const struct entry *e)
{
	struct rows r = {
	    .peer = peer,
	    .entry = e,
	    .row = {.tag = tag,
		    .id = e->id,
		    .status = (uint8_t)queue_entry_status(e),
		    .arrived_us = (uint64_t)e->arrived_s * 1000000,
		    .next_try_us = (uint64_t)e->due_s * 1000000,
		    .tries = e->tries,
		    .content_bytes = e->content_bytes},
	    .detail = {.reason = word_text(&q->words, e->reason)},
	    .targets = buf_make(ENVELOPE_BYTES_MAX),
	    .list = buf_make(ENVELOPE_BYTES_MAX),
	    .states = buf_make(ENVELOPE_BYTES_MAX)
        };

	if (e->state != ENTRY_WAITING)
		r.row.next_try_us = 0;
	return r;
}

void
admin_row_send(struct qmgr *m, struct ipc_peer *peer, uint64_t tag,
	       const struct entry *e, const struct envelope *envelope)
{
	struct rows r = rows_make(m->queue, peer, tag, e);

	r.envelope = envelope;
	if (envelope)
		recipients_send(&r);
	if (envelope && r.n_sent == 0) { /* none waits: only a report does */
		r.all = true;
		recipients_send(&r);
	}
	if (!envelope)
		row_send(&r);
	buf_release(&r.targets);
	buf_release(&r.list);
	buf_release(&r.states);
}

/* --- show ----------------------------------------------------------------- */

/* Of bytes that begin a message: its header block, without the empty line. */
static size_t
headers_end(struct span bytes)
{
	size_t end = span_find_span(bytes, SPAN("\r\n\r\n"));

	return end < bytes.n ? end + 2 : bytes.n;
}

/* What of the body comes with the last bytes is cut off unseen. */
static void
headers_read(struct qmgr *m, const struct entry *e, struct buf *out)
{
	struct place p = entry_place(e);
	uint64_t at = p.offset + LOG_HEAD_BYTES + SPOOL_HEAD_BYTES + p.envelope_bytes;
	size_t want = p.content_bytes < DETAIL_HEADERS_MAX ? (size_t)p.content_bytes
							   : DETAIL_HEADERS_MAX;
	struct err err;
	struct segment_fd *s = segment_fd_get(m, p.segment, &err);
	char *bytes = buf_extend(out, want);
	ssize_t n = s && bytes ? pread(s->file.fd, bytes, want, (off_t)at) : -1;

	out->n = n > 0 ? headers_end(span_make(bytes, (size_t)n)) : 0;
}

void
admin_show_send(struct qmgr *m, struct ipc_peer *peer, uint64_t tag,
		const struct entry *e, const struct envelope *envelope)
{
	struct rows r = rows_make(m->queue, peer, tag, e);
	struct buf headers = buf_make(DETAIL_HEADERS_MAX);

	r.envelope = envelope;
	r.all = true;
	headers_read(m, e, &headers);
	r.detail.headers = buf_span(&headers);
	if (envelope)
		recipients_send(&r);
	else
		row_send(&r);
	buf_release(&headers);
	buf_release(&r.targets);
	buf_release(&r.list);
	buf_release(&r.states);
}
