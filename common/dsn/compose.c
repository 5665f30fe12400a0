/* The parts put together. */
#include "common/dsn/internal.h"

#include "common/mime/mime.h"
#include "common/spool/spool.h"

#define WORDS_BYTES    (16u << 10)
#define BOUNDARY_BYTES 48

struct part {
	const char *type; /* of Content-Type, with its parameters */
	const char *description;
	struct span body;
};

bool
dsn_wants_whole(const struct dsn_request *r)
{
	return r->kind == DSN_FAILURE && r->ret == ENVELOPE_RET_FULL &&
	       !(r->flags & ENVELOPE_BINARYMIME);
}

/* Any address beyond ASCII, or a message that was sent as such. */
static bool
is_global(const struct dsn_letter *l)
{
	struct cursor rows = cursor_make(l->request->rows);
	struct dsn_row row;

	if (l->request->flags & ENVELOPE_SMTPUTF8 || !dsn_ascii(l->to))
		return true;
	while (dsn_row_next(&rows, &row))
		if (!dsn_ascii(row.final) || !dsn_ascii(row.original))
			return true;
	return false;
}

/* The header's lines, as many as are whole, without the empty one. */
static struct span
block_of(struct span content)
{
	struct span block = span_first(content, mime_header_block_size(content));

	while (block.n > 0 && block.at[block.n - 1] != '\n')
		block.n--;
	if (block.n >= 4 && memcmp(block.at + block.n - 4, "\r\n\r\n", 4) == 0)
		block.n -= 2;
	return block;
}

/* --- the header of the report --------------------------------------------- */

static void
message_id_put(struct buf *out, const struct material *m)
{
	char id[QUEUE_ID_TEXT_SIZE];

	queue_id_format(m->letter->id, id);
	buf_putf(out, "Message-ID: <%s@", id);
	buf_put(out, m->letter->hostname);
	buf_put(out, SPAN(">\r\n"));
}

/* The original's Message-ID, if it is one that may be repeated. */
static void
references_put(struct buf *out, const struct material *m)
{
	struct buf id = buf_make(256);
	struct span value, text;
	bool plain = true;

	if (mime_header_find(m->block, SPAN("message-id"), &value) &&
	    mime_msgid_next(&value, &id)) {
		text = buf_span(&id);
		for (size_t i = 0; i < text.n; i++)
			plain &= text.at[i] > ' ' && text.at[i] < 0x7f &&
				 text.at[i] != '<' && text.at[i] != '>';
		if (plain && !id.full)
			buf_putf(out, "In-Reply-To: <%.*s>\r\nReferences: <%.*s>\r\n",
				 SPAN_ARG(text), SPAN_ARG(text));
	}
	buf_release(&id);
}

static void
to_put(struct buf *out, const struct dsn_letter *l)
{
	struct buf to = buf_make(DSN_ADDRESS_MAX);

	dsn_clean_put(&to, l->to, true);
	dsn_field_put(out, "To", buf_span(&to));
	buf_release(&to);
}

static void
subject_put(struct buf *out, const struct material *m)
{
	const struct dsn_letter *l = m->letter;
	struct buf subject = buf_make(8192), line = buf_make(8192);

	dsn_expand_line(&line, l->templates->at[letter_template(l)].subject, m->values);
	dsn_clean_put(&subject, buf_span(&line), true);
	dsn_field_words_put(out, "Subject", buf_span(&subject));
	buf_release(&subject);
	buf_release(&line);
}

static void
header_put(struct buf *out, const struct material *m)
{
	const struct dsn_letter *l = m->letter;
	char id[QUEUE_ID_TEXT_SIZE];

	queue_id_format(l->id, id);
	buf_putf(out, "Received: by %.*s (Postroad) id %s;\r\n\t",
		 SPAN_ARG(l->hostname), id);
	dsn_date_put(out, l->now_us);
	buf_put(out, SPAN("\r\nDate: "));
	dsn_date_put(out, l->now_us);
	buf_putf(out, "\r\nFrom: MAILER-DAEMON@%.*s (Mail Delivery System)\r\n",
		 SPAN_ARG(l->hostname));
	to_put(out, l);
	subject_put(out, m);
	message_id_put(out, m);
	references_put(out, m);
	/* [RFC3834 5] about a message, or of its own accord */
	buf_putf(out, "Auto-Submitted: %s\r\nMIME-Version: 1.0\r\n",
		 l->request->kind < DSN_NOTICE ? "auto-replied" : "auto-generated");
}

/* --- parts ---------------------------------------------------------------- */

static void
part_put(struct buf *out, const struct part *p)
{
	buf_putf(out, "Content-Type: %s\r\n", p->type);
	if (p->description)
		buf_putf(out, "Content-Description: %s\r\n", p->description);
	if (!dsn_ascii(p->body))
		buf_put(out, SPAN("Content-Transfer-Encoding: 8bit\r\n"));
	buf_put(out, SPAN("\r\n"));
	buf_put(out, p->body);
}

/* Occurs in no part: the random bytes make it unlikely, looking makes it sure. */
static void
boundary_make(const struct dsn_letter *l, const struct part *parts, size_t n,
	      char out[BOUNDARY_BYTES])
{
	char hex[sizeof(l->random) * 2 + 1];
	struct buf text = buf_make(BOUNDARY_BYTES);
	bool found = true;

	hex_put(l->random, sizeof(l->random), hex);
	for (unsigned i = 0; found; i++) {
		buf_reset(&text);
		buf_putf(&text, "=_%s.%u", hex, i);
		found = false;
		for (size_t k = 0; k < n; k++)
			found |= span_find_span(parts[k].body, buf_span(&text)) <
				 parts[k].body.n;
	}
	ASSERT(span_copy(buf_span(&text), out, BOUNDARY_BYTES));
	buf_release(&text);
}

static void
report_put(struct buf *out, const struct material *m, const struct part *parts,
	   size_t n)
{
	char boundary[BOUNDARY_BYTES];

	boundary_make(m->letter, parts, n, boundary);
	buf_putf(out,
		 "Content-Type: multipart/report; report-type=%sdelivery-status;\r\n"
		 "\tboundary=\"%s\"\r\n",
		 m->global ? "global-" : "", boundary);
	for (size_t i = 0; i < n; i++)
		if (!dsn_ascii(parts[i].body)) {
			buf_put(out, SPAN("Content-Transfer-Encoding: 8bit\r\n"));
			break;
		}
	buf_put(out, SPAN("\r\nThis is a report in several parts.\r\n"));
	for (size_t i = 0; i < n; i++) {
		buf_putf(out, "\r\n--%s\r\n", boundary);
		part_put(out, &parts[i]);
	}
	buf_putf(out, "\r\n--%s--\r\n", boundary);
}

static struct part
text_part(struct span text)
{
	return (struct part){dsn_ascii(text) ? "text/plain; charset=us-ascii"
					     : "text/plain; charset=utf-8",
			     NULL, text};
}

static struct part
status_part(const struct material *m, struct span status)
{
	return (struct part){m->global ? "message/global-delivery-status"
				       : "message/delivery-status",
			     "Delivery report", status};
}

static struct part
original_part(const struct material *m)
{
	bool whole = m->letter->whole && m->letter->reader == DSN_TO_SENDER;

	if (whole)
		return (struct part){m->global ? "message/global" : "message/rfc822",
				     "Returned message", m->letter->content};
	return (struct part){m->global ? "message/global-headers"
				       : "text/rfc822-headers",
			     "Header of the message", m->block};
}

static void
letter_put(struct buf *out, struct material *m)
{
	struct buf text = buf_make(DSN_REPORT_BYTES_MAX);
	struct buf status = buf_make(DSN_REPORT_BYTES_MAX);
	struct part parts[3];

	header_put(out, m);
	text_put(&text, m);
	parts[0] = text_part(buf_span(&text));
	if (m->letter->request->kind >= DSN_NOTICE) {
		part_put(out, &parts[0]);
	} else {
		status_put(&status, m);
		parts[1] = status_part(m, buf_span(&status));
		parts[2] = original_part(m);
		report_put(out, m, parts, N_ELEMS(parts));
	}
	if (text.full || status.full)
		out->full = true;
	buf_release(&text);
	buf_release(&status);
}

bool
dsn_compose(struct buf *out, const struct dsn_letter *letter,
	    struct dsn_letter_made *made)
{
	struct material m = {.letter = letter,
			     .global = is_global(letter),
			     .block = block_of(letter->content),
			     .words = buf_make(WORDS_BYTES)};
	size_t start = out->n;

	ASSERT(buf_extend(&m.words, WORDS_BYTES));
	buf_reset(&m.words);
	values_make(&m);
	letter_put(out, &m);
	buf_release(&m.words);
	if (out->full)
		return false;
	*made = (struct dsn_letter_made){
	    .eightbit = !dsn_ascii(span_after(buf_span(out), start)),
	    .utf8 = !dsn_ascii(letter->to)};
	return true;
}
