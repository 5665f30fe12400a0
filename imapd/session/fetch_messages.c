/* one message after the other, as far as a step goes */
#include "imapd/session/fetch.h"

#define HELD_MAX  ((size_t)MIME_RENDERED_MAX + MIME_HEADER_BLOCK_MAX)
#define PIECE_MAX (2 * SESSION_PIECE_MAX)

void
fetch_init(struct fetch *f, struct session *s)
{
	f->session = s;
	f->flag_bytes = buf_make(SESSION_CODE_MAX);
	f->held = buf_make(HELD_MAX);
	f->block = buf_make(MIME_HEADER_BLOCK_MAX);
	f->piece = buf_make(PIECE_MAX);
}

void
fetch_release(struct fetch *f)
{
	imap_ranges_release(&f->numbers);
	imap_ranges_release(&f->marked);
	buf_release(&f->flag_bytes);
	buf_release(&f->held);
	buf_release(&f->block);
	buf_release(&f->piece);
	free(f->runs.at);
	store_content_close(&f->content);
}

/* --- a message ------------------------------------------------------------ */

static void
message_begin(struct fetch *f, uint32_t number, const struct store_record *r,
	      struct buf *out)
{
	f->number = number;
	f->record = *r;
	f->start = out->n;
	f->summarized = false;
	f->stream.mode = STREAM_OFF;
	f->left_ns -= FETCH_NS_LINE;
	f->op = line_put(f, number, r, out);
	f->spaced = f->op > 0 ? f->op - 1 : 0;
}

static void
message_end(struct fetch *f)
{
	if (f->content)
		store_content_close(&f->content);
	buf_reset(&f->held);
	f->stream.mode = STREAM_OFF;
	f->summarized = false;
	f->was_marked = false;
	f->number = 0;
}

static void
put_record(struct fetch *f, const struct fetch_op *op, struct buf *out)
{
	char *at;

	buf_put(out, op->label);
	if (!op->record) {
		buf_put(out, flags_text(f, &f->record));
		return;
	}
	at = buf_extend(out, f->bound);
	if (at)
		out->n = (size_t)(op->record(op, &f->record, at) - out->at);
}

/* An op, begun or gone on with. */
static enum fetch_result
op_run(struct fetch *f, const struct fetch_op *op, struct buf *out, struct err *err)
{
	if (f->stream.mode == STREAM_PUT || f->stream.mode == STREAM_DECODE)
		return stream_run(f, out, err);
	if (!op->put) {
		put_record(f, op, out);
		return FETCH_DONE;
	}
	return op->put(f, op, out, err);
}

/* \Seen was set, which nobody asked for: what the client is owed then, as far as it is
 * not among the items [RFC9051 6.4.5.1] [RFC7162 3.1]. */
static void
put_marked(struct fetch *f, struct buf *out)
{
	unsigned enabled = f->session->enabled;

	if (!(f->kinds & 1u << IMAP_FETCH_FLAGS)) {
		buf_put(out, SPAN(" FLAGS "));
		buf_put(out, flags_text(f, &f->record));
	}
	if (!(f->kinds & 1u << IMAP_FETCH_UID) && (enabled & IMAP_ENABLE_QRESYNC)) {
		buf_put(out, SPAN(" UID "));
		imap_put_number(out, f->record.uid);
	}
	if (!(f->kinds & 1u << IMAP_FETCH_MODSEQ) &&
	    (enabled & IMAP_ENABLE_CONDSTORE)) {
		buf_put(out, SPAN(" MODSEQ ("));
		imap_put_number(out, f->record.modseq);
		buf_put(out, SPAN(")"));
	}
}

/* What is left of the message. */
static enum fetch_result
message_run(struct fetch *f, struct buf *out, struct err *err)
{
	for (; f->op < f->n_ops; f->op++) {
		const struct fetch_op *op = &f->ops[f->op];
		enum fetch_result result;

		if (f->op > f->spaced) {
			if (session_full(f->session, out))
				return FETCH_ROOM;
			if (f->left_ns < 0)
				return FETCH_TURN;
			buf_put_char(out, ' ');
			f->spaced = f->op;
		}
		result = op_run(f, op, out, err);
		if ((result == FETCH_GONE || result == FETCH_DAMAGED) &&
		    f->start == SIZE_MAX) {
			/* Half of the message is with the client already. */
			buf_put(out, op->label);
			buf_put(out, SPAN("NIL"));
			f->damaged = true;
			result = FETCH_DONE;
		}
		if (result != FETCH_DONE)
			return result;
	}
	if (f->was_marked)
		put_marked(f, out);
	buf_put(out, SPAN(")\r\n"));
	return FETCH_DONE;
}

static void
message_log(const struct fetch *f, const struct err *err)
{
	const struct session *s = f->session;

	logline(LOGLINE_ERROR, "imap.damaged", L_HEX("account", s->account->id),
		L_U64("mailbox", s->view.mailbox), L_U64("uid", f->record.uid),
		L_ERR(err));
}

/* In the middle of a literal nothing can be said any more. */
static enum run
message_lost(struct fetch *f, const struct err *err)
{
	message_log(f, err);
	f->session->state = S_LOGOUT;
	f->session->reason = "a message could not be read to its end";
	return RUN_TURN;
}

/* Goes on with the message under way. RUN_DONE: it is done with. */
static enum run
message_step(struct fetch *f, struct buf *out)
{
	struct err *err = &f->err;

	switch (message_run(f, out, err)) {
	case FETCH_DONE:
		break;
	case FETCH_ROOM:
		f->start = SIZE_MAX;
		return RUN_ROOM;
	case FETCH_TURN:
		f->start = SIZE_MAX;
		return RUN_TURN;
	case FETCH_LOCK:
		f->start = SIZE_MAX;
		return RUN_LOCK;
	case FETCH_GONE:
		out->n = f->start;
		f->gone = true;
		break;
	case FETCH_DAMAGED:
		message_log(f, err);
		out->n = f->start;
		f->damaged = true;
		break;
	case FETCH_FAULT:
		if (f->start == SIZE_MAX)
			return message_lost(f, err);
		message_log(f, err);
		out->n = f->start;
		f->fault = true;
		break;
	}
	message_end(f);
	return RUN_DONE;
}

/* --- all of them ---------------------------------------------------------- */

static bool
is_wanted(const struct fetch *f, const struct store_record *r)
{
	return !f->changed || r->modseq > f->changed_since;
}

/* The next one; number 0 after the last, record null for one that is not wanted. */
static const struct store_record *
next(struct fetch *f, uint32_t *number)
{
	const struct store_record *r;

	if (!view_next(f->session, &f->numbers, &f->walk, number, &r)) {
		*number = 0;
		return NULL;
	}
	if (!r) {
		f->gone = true;
		return NULL;
	}
	return is_wanted(f, r) ? r : NULL;
}

/* Records only. */
static enum run
lines_run(struct fetch *f, struct buf *out)
{
	for (;;) {
		const struct store_record *r;
		uint32_t number;

		if (session_full(f->session, out))
			return RUN_ROOM;
		if (f->left_ns < 0)
			return RUN_TURN;
		f->left_ns -= FETCH_NS_LINE;
		r = next(f, &number);
		if (number == 0)
			return RUN_DONE;
		if (r)
			(void)line_put(f, number, r, out);
	}
}

static enum run
messages_run(struct fetch *f, struct step *step)
{
	while (!f->fault) {
		const struct store_record *r = NULL;
		uint32_t number = 0;
		enum run run;

		if (f->number == 0) {
			if (session_full(f->session, step->out))
				return RUN_ROOM;
			if (f->left_ns < 0)
				return RUN_TURN;
			run = f->marks ? fetch_mark(f, step) : RUN_DONE;
			if (run != RUN_DONE)
				return run;
			f->left_ns -= FETCH_NS_LINE;
			r = next(f, &number);
			if (number == 0)
				return RUN_DONE;
			if (!r)
				continue;
			message_begin(f, number, r, step->out);
			f->was_marked =
			    f->marked.n > 0 && imap_ranges_contain(&f->marked, r->uid);
		}
		run = message_step(f, step->out);
		if (run != RUN_DONE)
			return run;
	}
	return RUN_DONE;
}

enum run
fetch_messages(struct fetch *f, struct step *step)
{
	f->left_ns = SESSION_STEP_US * INT64_C(1000);
	f->summarized = false;
	if (f->lines)
		return lines_run(f, step->out);
	return messages_run(f, step);
}
