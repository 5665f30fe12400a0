/* long values, piece by piece */
#include "imapd/session/fetch.h"

void
nul_hide(char *at, char *end)
{
	while (at && at < end) {
		at = memchr(at, '\0', (size_t)(end - at));
		if (at)
			*at++ = (char)0x80;
	}
}

void
put_without_nul(struct buf *out, struct span s)
{
	char *at = buf_extend(out, s.n);

	if (!at || s.n == 0)
		return;
	memcpy(at, s.at, s.n);
	nul_hide(at, at + s.n);
}

struct byte_range
item_window(const struct imap_fetch_item *item, uint64_t n)
{
	struct byte_range window = {0, n};

	if (!item->partial)
		return window;
	window.from = item->offset < n ? item->offset : n;
	if (item->count < n - window.from)
		window.to = window.from + item->count;
	return window;
}

/* Puts s, or as much of it as is wanted of what was decoded. */
static void
piece_put(const struct fetch_stream *stream, struct span s, struct buf *out)
{
	if (stream->as_is)
		buf_put(out, s);
	else
		put_without_nul(out, s);
}

enum fetch_result
stream_literal(struct fetch *f, const struct fetch_op *op, struct byte_range range,
	       struct buf *out, struct err *err)
{
	uint64_t held = f->held.n, body = range.to - range.from;
	struct byte_range window = item_window(op->item, held + body);

	buf_put(out, op->label);
	if (window.from == window.to) {
		buf_put(out, SPAN("\"\""));
		return FETCH_DONE;
	}
	imap_put_literal_head(out, window.to - window.from, false);
	f->stream = (struct fetch_stream){.mode = STREAM_PUT};
	f->stream.held_at = window.from < held ? window.from : held;
	if (window.to < held)
		f->held.n = (size_t)window.to;
	f->stream.at = range.from + (window.from > held ? window.from - held : 0);
	f->stream.end = range.from + (window.to > held ? window.to - held : 0);
	return stream_run(f, out, err);
}

void
stream_measure(struct fetch *f, struct byte_range range, enum mime_encoding encoding,
	       uint64_t enough)
{
	f->stream = (struct fetch_stream){.mode = STREAM_MEASURE,
					  .at = range.from,
					  .end = range.to,
					  .enough = enough};
	mime_decoder_init(&f->stream.decoder, encoding);
}

/* The next piece of the content. */
static enum fetch_result
content_piece(struct fetch *f, struct span *piece, struct err *err)
{
	uint64_t left = f->stream.end - f->stream.at;
	size_t n = left < SESSION_PIECE_MAX ? (size_t)left : SESSION_PIECE_MAX;

	if (store_content_read(f->content, f->stream.at, n, piece, err) != STORE_OK)
		return FETCH_FAULT;
	if (piece->n == 0) {
		err_set(err, "imap: a message is shorter than it was");
		return FETCH_FAULT;
	}
	f->stream.at += piece->n;
	f->left_ns -= FETCH_NS_KIB * (int64_t)(1 + piece->n / 1024);
	return FETCH_DONE;
}

/* What was decoded goes out, or is counted. */
static void
decoded_take(struct fetch *f, struct buf *out)
{
	struct fetch_stream *stream = &f->stream;
	struct span s = buf_span(&f->piece);

	if (stream->mode == STREAM_MEASURE) {
		stream->nul = stream->nul || memchr(s.at ? s.at : "", '\0', s.n);
		stream->left += s.n;
	} else {
		uint64_t skip = stream->skip < s.n ? stream->skip : s.n;

		s = span_after(s, (size_t)skip);
		if (s.n > stream->left)
			s.n = (size_t)stream->left;
		piece_put(stream, s, out);
		stream->skip -= skip;
		stream->left -= s.n;
	}
	buf_reset(&f->piece);
}

static enum fetch_result
decode_step(struct fetch *f, struct buf *out, struct err *err)
{
	struct fetch_stream *stream = &f->stream;
	enum fetch_result result;
	struct span piece;

	result = content_piece(f, &piece, err);
	if (result != FETCH_DONE)
		return result;
	mime_decoder_feed(&stream->decoder, piece, &f->piece);
	if (stream->at == stream->end)
		mime_decoder_end(&stream->decoder, &f->piece);
	decoded_take(f, out);
	return FETCH_DONE;
}

static enum fetch_result
put_step(struct fetch *f, struct buf *out, struct err *err)
{
	struct fetch_stream *stream = &f->stream;
	enum fetch_result result = FETCH_DONE;
	struct span piece;

	if (stream->held_at < f->held.n) {
		piece =
		    span_first(span_after(buf_span(&f->held), (size_t)stream->held_at),
			       SESSION_PIECE_MAX);
		stream->held_at += piece.n;
	} else {
		result = content_piece(f, &piece, err);
	}
	if (result == FETCH_DONE)
		piece_put(stream, piece, out);
	return result;
}

static bool
stream_ended(const struct fetch *f)
{
	const struct fetch_stream *stream = &f->stream;

	if (stream->mode == STREAM_DECODE && stream->left == 0)
		return true;
	if (stream->mode == STREAM_MEASURE && stream->left >= stream->enough)
		return true;
	if (stream->mode == STREAM_PUT && stream->held_at < f->held.n)
		return false;
	return stream->mode == STREAM_OFF || stream->at >= stream->end;
}

enum fetch_result
stream_run(struct fetch *f, struct buf *out, struct err *err)
{
	while (!stream_ended(f)) {
		enum fetch_result result;

		if (f->stream.mode != STREAM_MEASURE && session_full(f->session, out))
			return FETCH_ROOM;
		if (f->left_ns < 0)
			return FETCH_TURN;
		result = f->stream.mode == STREAM_PUT ? put_step(f, out, err)
						      : decode_step(f, out, err);
		if (result != FETCH_DONE)
			return result;
	}
	buf_reset(&f->held);
	if (f->stream.mode != STREAM_MEASURE)
		f->stream.mode = STREAM_OFF;
	return FETCH_DONE;
}
