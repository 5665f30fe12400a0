/* The message on its way out: behind DATA with its dots stuffed, or in chunks */
#include "delivery/remote/session/inner.h"

static const struct span newline = SPAN("\r\n");

void
content_release(struct session *s)
{
	mime_downgrade_free(&s->t.downgrade);
}

/* --- lines ---------------------------------------------------------------- */

/* Bytes at the front of s, whole lines, that may go as they are: each ends in CRLF,
 * holds no other CR or LF and, if dots matter, begins with none. */
static size_t
sound_bytes(struct span s, bool dots_matter)
{
	size_t n = 0;

	while (n < s.n) {
		struct span rest = span_after(s, n);
		size_t cr = span_find(rest, '\r');

		if (cr + 1 >= rest.n || rest.at[cr + 1] != '\n' ||
		    span_find(span_first(rest, cr), '\n') < cr ||
		    (dots_matter && rest.at[0] == '.'))
			break;
		n += cr + 2;
	}
	return n;
}

/* One line at most, with its end if that is there. */
static struct span
take_line(struct span *s)
{
	struct span line = span_first(*s, span_find(*s, '\n') + 1);

	*s = span_after(*s, line.n);
	return line;
}

/* --- DATA [RFC5321 4.5.2] ------------------------------------------------- */

static void
data_put(struct session *s, struct span bytes)
{
	struct dot_put *dot = &s->t.dot;

	while (bytes.n > 0) {
		size_t n = dot->state == DOT_PUT_LINE ? sound_bytes(bytes, true) : 0;

		buf_put(&s->out, span_first(bytes, n));
		bytes = span_after(bytes, n);
		dot_put(dot, &s->out, take_line(&bytes));
	}
}

static void
data_end(struct session *s)
{
	dot_put_end(&s->t.dot, &s->out);
	s->t.final_owed = true;
}

/* --- chunks [RFC3030] ----------------------------------------------------- */

static void
chunk_send(struct session *s, bool last)
{
	struct buf *chunk = &s->t.chunk;

	buf_putf(&s->out, "BDAT %zu%s\r\n", chunk->n, last ? " LAST" : "");
	buf_put(&s->out, buf_span(chunk));
	buf_reset(chunk);
	if (last)
		s->t.final_owed = true;
	else
		s->t.chunks_owed++;
}

/* A line, up to its end: a bare CR or LF becomes CRLF. */
static void
chunk_put_line(struct transaction *t, struct span *rest)
{
	size_t lf = span_find(*rest, '\n');
	struct span text = span_first(*rest, lf);

	text = span_first(text, span_find(text, '\r'));
	buf_put(&t->chunk, text);
	t->in_line |= text.n > 0;
	*rest = span_after(*rest, text.n);
	if (rest->n == 0)
		return;
	t->cr_held = rest->at[0] == '\r';
	*rest = span_after(*rest, 1);
	if (t->cr_held)
		return;
	buf_put(&t->chunk, newline);
	t->in_line = false;
}

static void
chunk_put(struct transaction *t, struct span bytes)
{
	while (bytes.n > 0) {
		size_t n = t->cr_held ? 0 : sound_bytes(bytes, false);

		if (n > 0) {
			buf_put(&t->chunk, span_first(bytes, n));
			bytes = span_after(bytes, n);
			t->in_line = false;
			continue;
		}
		if (!t->cr_held) {
			chunk_put_line(t, &bytes);
			continue;
		}
		buf_put(&t->chunk, newline);
		t->cr_held = t->in_line = false;
		if (bytes.at[0] == '\n')
			bytes = span_after(bytes, 1);
	}
}

/* At most one chunk: without PIPELINING each waits for its reply. */
static void
chunk_end(struct session *s, bool last)
{
	struct transaction *t = &s->t;

	if (last && (t->cr_held || t->in_line))
		buf_put(&t->chunk, newline);
	s->out.full |= t->chunk.full;
	if (last || t->chunk.n >= CHUNK_BYTES)
		chunk_send(s, last);
}

/* --- either --------------------------------------------------------------- */

static void
bytes_put(struct session *s, struct span bytes)
{
	if (s->t.chunked)
		chunk_put(&s->t, bytes);
	else
		data_put(s, bytes);
}

static void
lines_put(struct session *s, struct span bytes)
{
	struct fold *fold = &s->t.fold;

	if (fold->line_bytes_max == 0) {
		bytes_put(s, bytes);
		return;
	}
	while (bytes.n > 0) {
		bytes_put(s, fold_next(fold, &bytes));
		if (bytes.n > 0)
			bytes_put(s, FOLD_BREAK);
	}
}

void
content_put(struct session *s, struct span bytes, bool last)
{
	struct transaction *t = &s->t;

	lines_put(s, bytes);
	if (t->chunked)
		chunk_end(s, last);
	else if (last)
		data_end(s);
	if (last) {
		t->all_sent = true;
		t->stage = STAGE_END;
	}
	s->turn++;
}

static void
content_sent(struct session *s)
{
	output_check(s);
	if (s->state == S_TRANSACTION)
		transaction_go(s);
}

void
session_content(struct session *s, struct span bytes, bool last)
{
	ASSERT(session_wish(s) == SESSION_CONTENT &&
	       bytes.n <= SESSION_CONTENT_BYTES_MAX);
	content_put(s, bytes, last);
	content_sent(s);
}

/* The next piece of a message that is here as a whole. */
static void
flush_piece(struct session *s)
{
	struct transaction *t = &s->t;
	struct span piece = span_first(t->message, FLUSH_BYTES);

	if (t->downgrade) {
		struct buf made = buf_make(OUTPUT_BYTES_MAX);
		bool more = mime_downgrade_next(t->downgrade, FLUSH_BYTES, &made);

		s->out.full |= made.full;
		content_put(s, buf_span(&made), !more);
		buf_release(&made);
		return;
	}
	t->message = span_after(t->message, piece.n);
	content_put(s, piece, t->message.n == 0);
}

void
session_flushed(struct session *s)
{
	ASSERT(session_wish(s) == SESSION_FLUSH);
	flush_piece(s);
	content_sent(s);
}

/* [RFC6531 3.4] Non-ASCII in the header needs SMTPUTF8, which is not offered. */
static bool
header_needs_utf8(const struct session *s, struct span message)
{
	size_t n = mime_header_block_size(message);

	return s->t.given.flags & ENVELOPE_SMTPUTF8 && !s->t.utf8 &&
	       !bytes_are_ascii(span_first(message, n));
}

static void
begin_refused(struct session *s, unsigned status, const char *text)
{
	decide_open(s, verdict_own(s, status, text));
	enter(s, S_READY);
}

void
session_whole(struct session *s, struct span message)
{
	ASSERT(s->state == S_WHOLE);
	if (header_needs_utf8(s, message)) {
		begin_refused(s, STATUS(5, 6, 7),
			      "the message needs SMTPUTF8, which the server does not "
			      "offer: its header is not ASCII");
		return;
	}
	s->t.whole = true;
	s->t.message = message;
	if (!(s->offers.set & SESSION_8BITMIME) && !bytes_are_ascii(message)) {
		s->t.downgrade = mime_downgrade_new(message);
		if (!s->t.downgrade) {
			begin_refused(s, STATUS(5, 6, 3),
				      "the server takes 7-bit messages only, and this "
				      "one is signed or encrypted with 8-bit content, "
				      "which must not be changed");
			return;
		}
	}
	transaction_begin(s);
}
