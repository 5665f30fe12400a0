/* BODY[...]: where a section stands, and the fields of a header */
#include "imapd/session/fetch.h"

static const struct byte_range nowhere = {1, 0};

/* Of the message itself. */
static struct byte_range
message_range(const struct fetch *f, enum imap_section_text text)
{
	uint64_t size = store_record_size(&f->record), body;

	if (text == IMAP_SECTION_ALL)
		return (struct byte_range){0, size};
	body = f->record.prefix_bytes + f->summary.header_bytes;
	if (body > size)
		return nowhere;
	return text == IMAP_SECTION_TEXT ? (struct byte_range){body, size}
					 : (struct byte_range){0, body};
}

/* Of a part; its places are of the content. */
static struct byte_range
part_range(const struct fetch *f, uint32_t part, enum imap_section_text text)
{
	const struct store_summary *s = &f->summary;
	uint64_t prefix = f->record.prefix_bytes, end = f->record.content_bytes;
	const struct mime_place *p = &s->places[part];
	struct byte_range r;

	if (text == IMAP_SECTION_MIME) {
		r = (struct byte_range){p->header_start, p->body_start};
		/* The message's own header is that of its only part. */
		if (part == 0)
			return message_range(f, IMAP_SECTION_HEADER);
	} else if (text == IMAP_SECTION_ALL) {
		r = (struct byte_range){p->body_start, p->body_end};
	} else if (p->kind != MIME_MESSAGE || ++part >= s->n_places) {
		return nowhere;
	} else {
		p = &s->places[part];
		r = text == IMAP_SECTION_TEXT
			? (struct byte_range){p->body_start, p->body_end}
			: (struct byte_range){p->header_start, p->body_start};
	}
	if (r.from > r.to || r.to > end)
		return nowhere;
	return (struct byte_range){r.from + prefix, r.to + prefix};
}

enum fetch_result
section_find(struct fetch *f, const struct imap_section *section,
	     struct byte_range *out, const struct mime_place **place, struct err *err)
{
	enum fetch_result result = FETCH_DONE;
	uint32_t part;

	*place = NULL;
	if (section->depth > 0 || section->text != IMAP_SECTION_ALL)
		result = need_summary(f, section->depth > 0, err);
	if (result != FETCH_DONE)
		return result;
	if (section->depth == 0) {
		*out = message_range(f, section->text);
		return FETCH_DONE;
	}
	part = mime_section_find(f->summary.places, f->summary.n_places, section->path,
				 section->depth);
	*out = part == MIME_NO_PART ? nowhere : part_range(f, part, section->text);
	if (part != MIME_NO_PART)
		*place = &f->summary.places[part];
	return FETCH_DONE;
}

static enum fetch_result
put_nil(const struct fetch_op *op, struct buf *out)
{
	buf_put(out, op->label);
	buf_put(out, SPAN("NIL"));
	return FETCH_DONE;
}

enum fetch_result
put_section(struct fetch *f, const struct fetch_op *op, struct buf *out,
	    struct err *err)
{
	const struct mime_place *place;
	enum fetch_result result;
	struct byte_range range;

	result = section_find(f, &op->item->section, &range, &place, err);
	if (result == FETCH_DONE && range.from > range.to)
		return put_nil(op, out);
	if (result == FETCH_DONE)
		result = need_content(f, err);
	if (result != FETCH_DONE)
		return result;
	return stream_literal(f, op, range, out, err);
}

#define LITERAL_HEAD_MAX 24

/* --- HEADER.FIELDS -------------------------------------------------------- */

static void
runs_reset(struct field_runs *runs)
{
	runs->n = 0;
	runs->bytes = 0;
	runs->lines = 0;
}

/* Gathers up to MIME_HEADER_BLOCK_MAX bytes into f->block. */
static enum fetch_result
block_gather(struct fetch *f, struct byte_range range, struct err *err)
{
	if (range.to - range.from > MIME_HEADER_BLOCK_MAX)
		range.to = range.from + MIME_HEADER_BLOCK_MAX;
	buf_reset(&f->block);
	while (range.from < range.to) {
		struct span piece;

		if (store_content_read(f->content, range.from,
				       (size_t)(range.to - range.from), &piece,
				       err) != STORE_OK)
			return FETCH_FAULT;
		if (piece.n == 0)
			break;
		buf_put(&f->block, piece);
		range.from += piece.n;
	}
	return FETCH_DONE;
}

/* How the lines of the content end: as its first does, see common/mime/mime.h. */
static enum fetch_result
lines_look(struct fetch *f, enum line_ends *ends, struct err *err)
{
	uint64_t at = f->record.prefix_bytes;
	char before = '\0';

	*ends = LINES_CRLF;
	for (;;) {
		struct span piece;
		size_t n;

		if (store_content_read(f->content, at, SESSION_PIECE_MAX, &piece,
				       err) != STORE_OK)
			return FETCH_FAULT;
		if (piece.n == 0)
			return FETCH_DONE;
		n = span_find(piece, '\n');
		if (n > 0)
			before = piece.at[n - 1];
		if (n < piece.n) {
			*ends = before == '\r' ? LINES_CRLF : LINES_BARE;
			return FETCH_DONE;
		}
		at += piece.n;
		f->left_ns -= FETCH_NS_KIB * (int64_t)(piece.n / 1024) / 8;
	}
}

/* A block that is cut off ends before its last field, which is not whole. */
static size_t
whole_fields(struct span block)
{
	size_t n = block.n;

	while (n > 0 && !(block.at[n - 1] == '\n' && n < block.n &&
			  block.at[n] != ' ' && block.at[n] != '\t'))
		n--;
	return n;
}

/* The empty line behind what was cut off. */
static enum fetch_result
block_end(struct fetch *f, struct byte_range range, enum line_ends ends,
	  struct err *err)
{
	struct span tail;
	struct span empty = ends == LINES_BARE ? SPAN("\n\n") : SPAN("\r\n\r\n");

	if (store_content_read(f->content, range.to - 4, 4, &tail, err) != STORE_OK)
		return FETCH_FAULT;
	if (span_ends_nocase(tail, empty))
		buf_put(&f->held, span_after(empty, empty.n / 2));
	return FETCH_DONE;
}

static void
runs_hold(struct fetch *f)
{
	for (size_t i = 0; i < f->runs.n; i++)
		buf_put(&f->held, f->runs.at[i]);
}

/* The fields of a block in the content go into f->held; what stands beyond
 * MIME_HEADER_BLOCK_MAX has no names, and follows whole when all but some are wanted.
 */
static enum fetch_result
fields_gather(struct fetch *f, const struct fetch_op *op, struct byte_range *range,
	      enum line_ends ends, struct err *err)
{
	enum fetch_result result = block_gather(f, *range, err);
	uint64_t n = range->to - range->from;

	if (result != FETCH_DONE)
		return result;
	if (f->block.n < n)
		f->block.n = whole_fields(buf_span(&f->block));
	runs_reset(&f->runs);
	if (!names_collect(&op->names, buf_span(&f->block), ends, &f->runs))
		return FETCH_FAULT;
	f->left_ns -= FETCH_NS_FIELD * (int64_t)f->runs.lines;
	runs_hold(f);
	if (f->block.n < n && !op->names.inverted)
		result = block_end(f, *range, ends, err);
	range->from = op->names.inverted ? range->from + f->block.n : range->to;
	return result;
}

static enum fetch_result
fields_of_content(struct fetch *f, const struct fetch_op *op, struct buf *out,
		  struct err *err)
{
	uint64_t prefix = f->record.prefix_bytes;
	const struct mime_place *place;
	enum line_ends ends = LINES_CRLF;
	enum fetch_result result;
	struct byte_range range;

	result = section_find(f, &op->item->section, &range, &place, err);
	if (result == FETCH_DONE && range.from > range.to)
		return put_nil(op, out);
	if (result == FETCH_DONE)
		result = need_content(f, err);
	if (result == FETCH_DONE)
		result = lines_look(f, &ends, err);
	if (result == FETCH_DONE && range.from < prefix) {
		struct byte_range own = {0, prefix};

		result = fields_gather(f, op, &own, LINES_CRLF, err);
		range.from = prefix;
	}
	if (result == FETCH_DONE)
		result = fields_gather(f, op, &range, ends, err);
	if (result == FETCH_DONE)
		return stream_literal(f, op, range, out, err);
	buf_reset(&f->held);
	return result;
}

/* Those of a message that a summary has all of. False: read the content. */
static bool
fields_of_summary(struct fetch *f, const struct fetch_op *op)
{
	struct span headers = f->summary.headers;
	bool all;

	runs_reset(&f->runs);
	if (headers.n == 0 && f->summary.header_bytes > 0)
		return false;
	all = names_collect(&op->names, headers, LINES_UNSURE, &f->runs);
	f->left_ns -= FETCH_NS_FIELD * (int64_t)f->runs.lines;
	return all;
}

static void
runs_put(const struct field_runs *runs, const struct fetch_op *op, struct buf *out)
{
	size_t bytes = (size_t)runs->bytes;
	char *at = buf_extend(out, op->label.n + LITERAL_HEAD_MAX + bytes), *text;

	if (!at)
		return;
	at = mempcpy(at, op->label.at, op->label.n);
	if (bytes == 0) {
		*at++ = '"';
		*at++ = '"';
		out->n = (size_t)(at - out->at);
		return;
	}
	*at++ = '{';
	at = digits_put(at, bytes);
	text = at = mempcpy(at, "}\r\n", 3);
	for (size_t i = 0; i < runs->n; i++)
		at = mempcpy(at, runs->at[i].at, runs->at[i].n);
	nul_hide(text, at);
	out->n = (size_t)(at - out->at);
}

enum fetch_result
put_fields(struct fetch *f, const struct fetch_op *op, struct buf *out, struct err *err)
{
	enum fetch_result result;

	if (op->item->section.depth > 0 || op->names.trace)
		return fields_of_content(f, op, out, err);
	result = need_summary(f, false, err);
	if (result != FETCH_DONE)
		return result;
	if (!fields_of_summary(f, op))
		return fields_of_content(f, op, out, err);
	if (!op->item->partial && f->runs.bytes <= SESSION_PIECE_MAX) {
		runs_put(&f->runs, op, out);
		return FETCH_DONE;
	}
	runs_hold(f);
	return stream_literal(f, op, (struct byte_range){0, 0}, out, err);
}
