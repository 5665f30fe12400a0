#include "common/mime/summary.h"
#include "common/mime/address.h"
#include "common/mime/date.h"
#include "common/mime/imap_envelope.h"
#include "common/mime/imap_structure.h"
#include "common/mime/msgid.h"
#include "common/mime/preview.h"
#include "common/mime/subject.h"
#include "common/mime/tree.h"
#include "common/mime/word.h"

#define WORK_BYTES_MAX ((size_t)1 << 20)
#define TEXT_BYTES_MAX ((size_t)400 << 10) /* four times MIME_HEADER_MAX */
#define KEEP_BYTES_MAX ((size_t)256 << 10) /* more memory is given back */

/* What the spans of a summary point into. */
enum result {
	R_ENVELOPE,
	R_BODY,
	R_BODYSTRUCTURE,
	R_HEADERS,
	R_PREVIEW,
	R_SUBJECT,
	R_FROM,
	R_TO,
	R_CC,
	R_FROM_DISPLAY,
	R_TO_DISPLAY,
	R_MESSAGE_ID,
	R_REFERENCES,
	R_N,
};

static const size_t result_max[R_N] = {
    [R_ENVELOPE] = MIME_RENDERED_MAX,
    [R_BODY] = MIME_RENDERED_MAX,
    [R_BODYSTRUCTURE] = MIME_RENDERED_MAX,
    [R_HEADERS] = MIME_HEADER_BLOCK_MAX + MIME_HEADER_MAX,
    [R_PREVIEW] = MIME_PREVIEW_CHARS_MAX * 4,
    [R_SUBJECT] = TEXT_BYTES_MAX,
    [R_FROM] = TEXT_BYTES_MAX,
    [R_TO] = TEXT_BYTES_MAX,
    [R_CC] = TEXT_BYTES_MAX,
    [R_FROM_DISPLAY] = TEXT_BYTES_MAX,
    [R_TO_DISPLAY] = TEXT_BYTES_MAX,
    [R_MESSAGE_ID] = TEXT_BYTES_MAX,
    [R_REFERENCES] = TEXT_BYTES_MAX,
};

struct mime_parser {
	struct mime_charsets charsets;
	struct mime_builder builder;
	struct mime_addresses list;
	struct buf work, line;
	struct buf results[R_N];
};

struct mime_parser *
mime_parser_new(const struct mime_charsets *charsets)
{
	struct mime_parser *p = memory_new(1, sizeof(*p));

	if (charsets)
		p->charsets = *charsets;
	mime_builder_init(&p->builder);
	mime_addresses_init(&p->list);
	buf_init(&p->work, WORK_BYTES_MAX);
	buf_init(&p->line, MIME_HEADER_MAX);
	for (size_t i = 0; i < R_N; i++)
		buf_init(&p->results[i], result_max[i]);
	return p;
}

void
mime_parser_free(struct mime_parser **parser)
{
	struct mime_parser *p = *parser;

	if (!p)
		return;
	mime_builder_release(&p->builder);
	mime_addresses_release(&p->list);
	buf_release(&p->work);
	buf_release(&p->line);
	for (size_t i = 0; i < R_N; i++)
		buf_release(&p->results[i]);
	free(p);
	*parser = NULL;
}

static void
results_reset(struct mime_parser *p)
{
	for (size_t i = 0; i < R_N; i++) {
		if (p->results[i].size > KEEP_BYTES_MAX)
			buf_release(&p->results[i]);
		buf_reset(&p->results[i]);
	}
	if (p->work.size > KEEP_BYTES_MAX)
		buf_release(&p->work);
}

/* Header fields */

/* First values of the fields that keys are made of. */
struct fields {
	struct mime_envelope envelope;
	struct span references;
};

static void
take_field(struct mime_parser *p, const struct mime_header *field, struct fields *f,
	   struct mime_summary *out)
{
	struct buf *headers = &p->results[R_HEADERS];

	switch (field->id) {
	case MIME_HEADER_RECEIVED:
		out->hops.received++;
		return;
	case MIME_HEADER_DELIVERED_TO:
		out->hops.delivered_to++;
		return;
	case MIME_HEADER_OTHER:
		if (mime_header_is_trace(field->name))
			return;
		break;
	case MIME_HEADER_REFERENCES:
		if (!f->references.at)
			f->references = field->value;
		break;
	default:
		mime_envelope_take(&f->envelope, field);
		break;
	}
	buf_put(headers, field->raw);
}

static void
take_fields(struct mime_parser *p, struct fields *f, struct mime_summary *out)
{
	const struct mime_place *top = &p->builder.places[0];
	struct buf *headers = &p->results[R_HEADERS];
	struct span empty_line = span_first(p->builder.message, top->body_start);

	for (uint32_t i = 0; i < p->builder.n_top; i++) {
		take_field(p, &p->builder.top[i], f, out);
		empty_line = span_after(empty_line, p->builder.top[i].raw.n);
	}
	buf_put(headers, empty_line);
	out->headers_whole = !headers->full;
	if (headers->full)
		headers->n = 0;
	out->header_bytes = top->body_start;
	out->lines = (uint64_t)top->header_lines + top->body_lines;
}

/* Renderings */

static void
render_envelope(struct mime_parser *p, const struct mime_envelope *envelope)
{
	struct buf *out = &p->results[R_ENVELOPE];

	mime_envelope_put(envelope, &p->list, &p->line, out);
	if (!out->full)
		return;
	buf_reset(out);
	buf_put(out, SPAN("(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)"));
}

/* A structure too long to show is shown as one part of unknown content. */
static void
render_body(struct mime_parser *p, enum mime_body_form form, struct buf *out)
{
	struct mime_tree tree = mime_builder_tree(&p->builder);
	const struct mime_place *top = &tree.places[0];

	mime_body_put(&tree, p->builder.message, form, out);
	if (!out->full)
		return;
	buf_reset(out);
	buf_putf(out, "(\"application\" \"octet-stream\" NIL NIL NIL \"8bit\" %llu%s)",
		 (unsigned long long)(top->body_end - top->body_start),
		 form == MIME_BODYSTRUCTURE ? " NIL NIL NIL NIL" : "");
}

/* Keys */

/* [RFC5957 3]: the decoded name, or the address where there is none. */
static void
put_display(struct mime_parser *p, const struct mime_address *a, struct buf *out)
{
	if (a->name.n > 0) {
		mime_words_put(&p->charsets, a->name, out);
		return;
	}
	mime_charset_put(NULL, SPAN(""), a->mailbox, out);
	if (a->host.n > 0) {
		buf_put_char(out, '@');
		mime_charset_put(NULL, SPAN(""), a->host, out);
	}
}

static void
key_address(struct mime_parser *p, struct span value, struct buf *mailbox,
	    struct buf *display)
{
	const struct mime_address *first;

	if (!value.at || !mime_addresses_parse(&p->list, value))
		return;
	if (display && p->list.n > 0 && p->list.at[0].kind == MIME_ADDRESS_GROUP_START)
		mime_words_put(&p->charsets, p->list.at[0].name, display);
	else if (display && p->list.n > 0)
		put_display(p, &p->list.at[0], display);
	first = mime_addresses_first(&p->list);
	if (first)
		buf_put(mailbox, first->mailbox);
}

static void
key_references(struct mime_parser *p, const struct fields *f)
{
	struct buf *out = &p->results[R_REFERENCES];
	struct span rest = f->references;

	for (int i = 0; i < MIME_REFERENCES_MAX && mime_msgid_next(&rest, out); i++)
		buf_put_char(out, '\n');
	rest = f->envelope.in_reply_to;
	if (out->n == 0 && mime_msgid_next(&rest, out))
		buf_put_char(out, '\n');
}

static void
make_keys(struct mime_parser *p, const struct fields *f, struct mime_summary *out)
{
	const struct mime_envelope *e = &f->envelope;
	struct span rest = e->message_id;

	out->date_seconds = mime_date_parse(e->date).seconds;
	out->is_reply =
	    mime_subject_put(&p->charsets, e->subject, &p->results[R_SUBJECT]);
	key_address(p, e->from, &p->results[R_FROM], &p->results[R_FROM_DISPLAY]);
	key_address(p, e->to, &p->results[R_TO], &p->results[R_TO_DISPLAY]);
	key_address(p, e->cc, &p->results[R_CC], NULL);
	mime_msgid_next(&rest, &p->results[R_MESSAGE_ID]);
	key_references(p, f);
}

static void
point_out(const struct mime_parser *p, struct mime_summary *out)
{
	const struct {
		enum result from;
		struct span *to;
	} rows[] = {
	    {R_ENVELOPE,      &out->envelope     },
	    {R_BODY,          &out->body         },
	    {R_BODYSTRUCTURE, &out->bodystructure},
	    {R_HEADERS,       &out->headers      },
	    {R_PREVIEW,       &out->preview      },
	    {R_SUBJECT,       &out->base_subject },
	    {R_FROM,          &out->from_mailbox },
	    {R_TO,            &out->to_mailbox   },
	    {R_CC,            &out->cc_mailbox   },
	    {R_FROM_DISPLAY,  &out->from_display },
	    {R_TO_DISPLAY,    &out->to_display   },
	    {R_MESSAGE_ID,    &out->message_id   },
	    {R_REFERENCES,    &out->references   },
	};

	for (size_t i = 0; i < N_ELEMS(rows); i++)
		*rows[i].to = buf_span(&p->results[rows[i].from]);
	out->tree = mime_builder_tree(&p->builder);
}

void
mime_summarize(struct mime_parser *p, struct span message, struct mime_summary *out)
{
	struct fields fields = {
	    .references = {NULL, 0}
        };
	struct mime_tree tree;

	*out = (struct mime_summary){.date_seconds = MIME_DATE_NONE};
	if (!message.at)
		message = SPAN("");
	results_reset(p);
	mime_builder_run(&p->builder, message);
	out->bare_lines = p->builder.bare;
	take_fields(p, &fields, out);
	render_envelope(p, &fields.envelope);
	render_body(p, MIME_BODY, &p->results[R_BODY]);
	render_body(p, MIME_BODYSTRUCTURE, &p->results[R_BODYSTRUCTURE]);
	make_keys(p, &fields, out);
	tree = mime_builder_tree(&p->builder);
	mime_preview_put(&tree, message, &p->charsets, &p->work,
			 &p->results[R_PREVIEW]);
	point_out(p, out);
}

void
mime_parse(struct mime_parser *p, struct span message, struct mime_tree *out)
{
	results_reset(p);
	mime_builder_run(&p->builder, message.at ? message : SPAN(""));
	*out = mime_builder_tree(&p->builder);
}
