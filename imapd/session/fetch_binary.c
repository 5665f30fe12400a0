/* BINARY[...] and BINARY.SIZE[...]: a part, its transfer encoding undone [RFC3516]
 *
 * A part is decoded twice: once to count, since a literal says its size first.
 */
#include "imapd/session/fetch.h"

/* No more than a partial one asks for has to be known. */
static uint64_t
enough(const struct imap_fetch_item *item)
{
	if (!item->partial || item->count > UINT64_MAX - item->offset)
		return UINT64_MAX;
	return item->offset + item->count;
}

/* The size of what the part decodes to in f->stream.left, its encoding in *encoding and
 * place in *range. FETCH_DONE with range->from > range->to: there is no such part. */
static enum fetch_result
part_measure(struct fetch *f, const struct fetch_op *op, struct byte_range *range,
	     enum mime_encoding *encoding, struct buf *out, struct err *err)
{
	const struct mime_place *place;
	enum fetch_result result;

	result = section_find(f, &op->item->section, range, &place, err);
	if (result == FETCH_DONE && range->from <= range->to)
		result = need_content(f, err);
	if (result != FETCH_DONE || range->from > range->to)
		return result;
	*encoding = place ? place->encoding : MIME_BINARY;
	if (*encoding == MIME_ENCODING_UNKNOWN) {
		f->unknown_encoding = true;
		*range = (struct byte_range){1, 0};
		return FETCH_DONE;
	}
	if (f->stream.mode != STREAM_MEASURE)
		stream_measure(f, *range, *encoding, enough(op->item));
	return stream_run(f, out, err);
}

enum fetch_result
put_binary_size(struct fetch *f, const struct fetch_op *op, struct buf *out,
		struct err *err)
{
	enum mime_encoding encoding;
	enum fetch_result result;
	struct byte_range range;

	result = part_measure(f, op, &range, &encoding, out, err);
	if (result != FETCH_DONE)
		return result;
	buf_put(out, op->label);
	imap_put_number(out, range.from > range.to ? 0 : f->stream.left);
	f->stream.mode = STREAM_OFF;
	return FETCH_DONE;
}

enum fetch_result
put_binary(struct fetch *f, const struct fetch_op *op, struct buf *out, struct err *err)
{
	enum mime_encoding encoding;
	enum fetch_result result;
	struct byte_range range, window;
	bool nul;

	result = part_measure(f, op, &range, &encoding, out, err);
	if (result != FETCH_DONE)
		return result;
	buf_put(out, op->label);
	if (range.from > range.to) {
		buf_put(out, SPAN("NIL"));
		return FETCH_DONE;
	}
	nul = f->stream.nul;
	window = item_window(op->item, f->stream.left);
	f->stream.mode = STREAM_OFF;
	if (window.from == window.to) {
		buf_put(out, SPAN("\"\""));
		return FETCH_DONE;
	}
	imap_put_literal_head(out, window.to - window.from, nul);
	f->stream = (struct fetch_stream){.mode = STREAM_DECODE,
					  .as_is = true,
					  .at = range.from,
					  .end = range.to,
					  .skip = window.from,
					  .left = window.to - window.from};
	mime_decoder_init(&f->stream.decoder, encoding);
	return stream_run(f, out, err);
}
