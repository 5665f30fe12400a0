#include "common/mime/downgrade.h"
#include "common/mime/tree.h"

#define PIECE_BYTES ((size_t)16 << 10)

/* What is done with a stretch of the message. */
enum op_kind {
	OP_COPY,   /* as it is */
	OP_GLUE,   /* around parts: 8-bit bytes become '?' */
	OP_HEADER, /* gets its new fields */
	OP_ENCODE, /* to quoted-printable */
	OP_MEND,   /* quoted-printable with 8-bit bytes: those are encoded */
	OP_DROP,   /* base64 with 8-bit bytes, which mean nothing */
};

struct op {
	enum op_kind kind;
	size_t from, to;
	bool encoded;    /* HEADER: quoted-printable, else 7bit */
	bool is_message; /* HEADER: of a message, not of a part */
	bool is_utf8;    /* HEADER: what the body is */
};

struct mime_downgrade {
	struct span message;
	struct op *ops;
	size_t n_ops, size_ops;
	size_t next;   /* op */
	size_t column; /* of the line being encoded */
};

/* --- what is to be done --------------------------------------------------- */

static bool
has_8bit(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.at[i] >= 0x80)
			return true;
	return false;
}

static struct span
stretch(const struct mime_downgrade *d, size_t from, size_t to)
{
	return span_first(span_after(d->message, from), to - from);
}

static struct op *
op_add(struct mime_downgrade *d, enum op_kind kind, size_t from, size_t to)
{
	struct op *op;

	if (d->n_ops == d->size_ops) {
		d->size_ops = d->size_ops ? d->size_ops * 2 : 16;
		d->ops = memory_resize(d->ops, d->size_ops, sizeof(*d->ops));
	}
	op = &d->ops[d->n_ops++];
	*op = (struct op){.kind = kind, .from = from, .to = to};
	return op;
}

/* What no encoding is allowed for: multipart, also one that the tree shows as a leaf
 * since it is broken, and parts of messages that are elsewhere [RFC2046 5.2]. */
static bool
must_be_7bit(struct span header)
{
	static const struct span types[] = {SPAN("multipart/"), SPAN("message/partial"),
					    SPAN("message/external-body")};
	struct span type;

	if (!mime_header_find(header, SPAN("Content-Type"), &type))
		return false;
	type = span_trim(type, " \t\r\n");
	for (size_t i = 0; i < N_ELEMS(types); i++)
		if (span_starts_nocase(type, types[i]))
			return true;
	return false;
}

/* How the body of a leaf is to be treated; false when nothing helps. */
static bool
leaf_kind(struct span header, struct span body, unsigned encoding, enum op_kind *out)
{
	static const enum op_kind kinds[] = {
	    [MIME_7BIT] = OP_ENCODE,   [MIME_8BIT] = OP_ENCODE,
	    [MIME_BINARY] = OP_ENCODE, [MIME_QUOTED_PRINTABLE] = OP_MEND,
	    [MIME_BASE64] = OP_DROP,
	};

	*out = OP_COPY;
	if (!has_8bit(body))
		return true;
	if (must_be_7bit(header) || encoding >= N_ELEMS(kinds))
		return false;
	*out = kinds[encoding];
	return true;
}

/* The header of part i, rewritten when what it says of the encoding changes. */
static void
header_add(struct mime_downgrade *d, const struct mime_tree *tree, uint32_t i,
	   bool encoded)
{
	const struct mime_place *p = &tree->places[i];
	bool wide = p->encoding == MIME_8BIT || p->encoding == MIME_BINARY;
	struct op *op = op_add(d, encoded || wide ? OP_HEADER : OP_COPY,
			       p->header_start, p->body_start);

	op->encoded = encoded;
	op->is_message =
	    p->parent == MIME_NO_PART || tree->places[p->parent].kind == MIME_MESSAGE;
	op->is_utf8 = encoded && utf8_valid(stretch(d, p->body_start, p->body_end));
}

/* A part with all that is in it; false when it cannot be done. */
static bool
leaf_add(struct mime_downgrade *d, const struct mime_tree *tree, uint32_t i)
{
	const struct mime_place *p = &tree->places[i];
	struct span header = stretch(d, p->header_start, p->body_start);
	struct span body = stretch(d, p->body_start, p->body_end);
	enum op_kind kind;

	if (!leaf_kind(header, body, p->encoding, &kind))
		return false;
	if (kind == OP_MEND || kind == OP_DROP)
		op_add(d, OP_COPY, p->header_start, p->body_start);
	else
		header_add(d, tree, i, kind == OP_ENCODE);
	op_add(d, kind, p->body_start, p->body_end);
	return true;
}

static bool
is_sealed(const struct mime_content *c)
{
	return span_equal_nocase(c->type, SPAN("multipart")) &&
	       (span_equal_nocase(c->subtype, SPAN("signed")) ||
		span_equal_nocase(c->subtype, SPAN("encrypted")));
}

/* [RFC6532 3.7] message/global may be encoded as a whole, and must be: its header is
 * 8-bit. */
static bool
is_global(const struct mime_place *p, const struct mime_content *c)
{
	return p->kind == MIME_MESSAGE && span_equal_nocase(c->subtype, SPAN("global"));
}

/* What is done with part i; *next is the part behind all that it covers, *at where
 * the message goes on. */
static bool
part_add(struct mime_downgrade *d, const struct mime_tree *tree, uint32_t i,
	 uint32_t *next, size_t *at)
{
	const struct mime_place *p = &tree->places[i];
	const struct mime_content *c = &tree->contents[i];

	if (p->header_start > *at)
		op_add(d, OP_GLUE, *at, p->header_start);
	*next = p->next;
	*at = p->body_end;
	if (is_sealed(c)) {
		op_add(d, OP_COPY, p->header_start, p->body_end);
		return !has_8bit(stretch(d, p->body_start, p->body_end));
	}
	if (p->kind == MIME_LEAF || is_global(p, c))
		return leaf_add(d, tree, i);
	header_add(d, tree, i, false);
	*next = i + 1;
	*at = p->body_start;
	return true;
}

static bool
plan(struct mime_downgrade *d, const struct mime_tree *tree)
{
	size_t at = 0;

	for (uint32_t i = 0, next; i < tree->n; i = next)
		if (!part_add(d, tree, i, &next, &at))
			return false;
	if (at < d->message.n)
		op_add(d, OP_GLUE, at, d->message.n);
	return true;
}

struct mime_downgrade *
mime_downgrade_new(struct span message)
{
	struct mime_downgrade *d = memory_new(1, sizeof(*d));
	struct mime_builder *b = memory_new(1, sizeof(*b));
	struct mime_tree tree;

	d->message = message;
	mime_builder_init(b);
	mime_builder_run(b, message);
	tree = mime_builder_tree(b);
	if (!plan(d, &tree))
		mime_downgrade_free(&d);
	mime_builder_release(b);
	free(b);
	return d;
}

void
mime_downgrade_free(struct mime_downgrade **at)
{
	struct mime_downgrade *d = *at;

	*at = NULL;
	if (!d)
		return;
	free(d->ops);
	free(d);
}

/* --- headers -------------------------------------------------------------- */

static void
put_line(struct buf *out, const char *text)
{
	if (out->n > 0 && out->at[out->n - 1] != '\n')
		buf_put(out, SPAN("\r\n"));
	buf_put_str(out, text);
	buf_put(out, SPAN("\r\n"));
}

static void
put_encoding(const struct op *op, struct buf *out)
{
	put_line(out, op->encoded ? "Content-Transfer-Encoding: quoted-printable"
				  : "Content-Transfer-Encoding: 7bit");
}

/* The fields that were not there. */
static void
put_missing(const struct op *op, const bool *seen, bool has_version, struct buf *out)
{
	if (op->is_message && !has_version)
		put_line(out, "MIME-Version: 1.0");
	if (op->encoded && !seen[MIME_HEADER_CONTENT_TYPE])
		put_line(out, op->is_utf8
				  ? "Content-Type: text/plain; charset=utf-8"
				  : "Content-Type: text/plain; charset=unknown-8bit");
	if (!seen[MIME_HEADER_CONTENT_TRANSFER_ENCODING])
		put_encoding(op, out);
}

static void
put_header(const struct mime_downgrade *d, const struct op *op, struct buf *out)
{
	bool seen[MIME_HEADER_N] = {false}, has_version = false;
	struct mime_headers walk;
	struct mime_header field;

	mime_headers_init_inside(&walk, stretch(d, op->from, op->to), false);
	while (mime_headers_next(&walk, &field)) {
		if (field.id != MIME_HEADER_CONTENT_TRANSFER_ENCODING)
			buf_put(out, field.raw);
		else if (!seen[field.id])
			put_encoding(op, out);
		seen[field.id] = true;
		has_version |= span_equal_nocase(field.name, SPAN("MIME-Version"));
	}
	put_missing(op, seen, has_version, out);
	buf_put(out, SPAN("\r\n"));
}

/* --- bodies --------------------------------------------------------------- */

static void
put_hex(struct buf *out, char c)
{
	static const char digits[] = "0123456789ABCDEF";
	const char text[3] = {'=', digits[(unsigned char)c >> 4],
			      digits[(unsigned char)c & 15]};

	buf_put(out, span_make(text, sizeof(text)));
}

static void
put_replaced(enum op_kind kind, struct span in, struct buf *out)
{
	for (size_t i = 0; i < in.n; i++) {
		if ((unsigned char)in.at[i] < 0x80)
			buf_put_char(out, in.at[i]);
		else if (kind == OP_MEND)
			put_hex(out, in.at[i]);
		else if (kind == OP_GLUE)
			buf_put_char(out, '?');
	}
}

/* Whether the first byte of rest may stand for itself [RFC2045 6.7]. A line that was
 * broken must not begin like a boundary, or like the line of an mbox. */
static bool
is_literal(struct span rest, size_t column)
{
	char c = rest.at[0];

	if (c == ' ' || c == '\t')
		return rest.n > 1 && !span_starts(span_after(rest, 1), SPAN("\r\n"));
	if (column == 0 &&
	    (span_starts(rest, SPAN("--")) || span_starts(rest, SPAN("From "))))
		return false;
	return c > ' ' && c < 127 && c != '=';
}

/* About `bytes` of rest; returns how many were taken. */
static size_t
put_encoded(struct mime_downgrade *d, struct span rest, size_t bytes, struct buf *out)
{
	size_t left = rest.n;

	while (rest.n > 0 && left - rest.n < bytes) {
		bool literal;

		if (span_starts(rest, SPAN("\r\n"))) {
			buf_put(out, SPAN("\r\n"));
			d->column = 0;
			rest = span_after(rest, 2);
			continue;
		}
		if (d->column + 3 > 75) {
			buf_put(out, SPAN("=\r\n"));
			d->column = 0;
		}
		literal = is_literal(rest, d->column);
		if (literal)
			buf_put_char(out, rest.at[0]);
		else
			put_hex(out, rest.at[0]);
		d->column += literal ? 1 : 3;
		rest = span_after(rest, 1);
	}
	return left - rest.n;
}

/* Some of an op; how many bytes were taken. */
static size_t
op_run(struct mime_downgrade *d, const struct op *op, size_t bytes, struct buf *out)
{
	struct span rest = stretch(d, op->from, op->to);
	struct span some = span_first(rest, bytes);

	switch (op->kind) {
	case OP_HEADER:
		put_header(d, op, out);
		return rest.n;
	case OP_ENCODE:
		return put_encoded(d, rest, bytes, out);
	case OP_COPY:
		buf_put(out, some);
		break;
	default:
		put_replaced(op->kind, some, out);
		break;
	}
	return some.n;
}

bool
mime_downgrade_next(struct mime_downgrade *d, size_t bytes, struct buf *out)
{
	while (bytes > 0 && d->next < d->n_ops) {
		struct op *op = &d->ops[d->next];
		size_t n =
		    op_run(d, op, bytes < PIECE_BYTES ? bytes : PIECE_BYTES, out);

		op->from += n;
		bytes -= n < bytes ? n : bytes;
		if (op->from < op->to)
			continue;
		d->next++;
		d->column = 0;
	}
	return d->next < d->n_ops;
}
