#include "common/mime/imap_structure.h"
#include "common/mime/imap_envelope.h"
#include "common/mime/imap_text.h"
#include "common/mime/lex.h"

/* Shown where a multipart has no parts, which IMAP's grammar does not allow. */
#define EMPTY_PART                                                                     \
	"(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 0 0)"

struct writer {
	const struct mime_tree *tree;
	struct span message;
	enum mime_body_form form;
	struct buf *out;
	struct buf line;
	struct mime_addresses list;
};

static void
put_unfolded(struct writer *w, struct span value)
{
	if (!value.at) {
		buf_put(w->out, SPAN("NIL"));
		return;
	}
	buf_reset(&w->line);
	mime_header_unfold(value, &w->line);
	mime_imap_put_string(w->out, buf_span(&w->line));
}

/* ("name" "value" ...) or NIL; a text part always has a charset. */
static void
put_params(struct writer *w, struct mime_params params, bool want_charset)
{
	struct span value;

	if (mime_param_find(w->tree, params, SPAN("charset"), &value))
		want_charset = false;
	if (params.n == 0 && !want_charset) {
		buf_put(w->out, SPAN("NIL"));
		return;
	}
	buf_put(w->out, SPAN("("));
	for (uint32_t i = 0; i < params.n; i++) {
		const struct mime_param *at = &w->tree->params[params.first + i];

		if (i > 0)
			buf_put(w->out, SPAN(" "));
		mime_imap_put_string(w->out, at->name);
		buf_put(w->out, SPAN(" "));
		mime_imap_put_string(w->out, at->value);
	}
	if (want_charset && params.n > 0)
		buf_put(w->out, SPAN(" "));
	if (want_charset)
		buf_put(w->out, SPAN("\"charset\" \"us-ascii\""));
	buf_put(w->out, SPAN(")"));
}

static void
put_disposition(struct writer *w, const struct mime_content *c)
{
	if (!c->disposition.at) {
		buf_put(w->out, SPAN("NIL"));
		return;
	}
	buf_put(w->out, SPAN("("));
	mime_imap_put_string(w->out, c->disposition);
	buf_put(w->out, SPAN(" "));
	put_params(w, c->disposition_params, false);
	buf_put(w->out, SPAN(")"));
}

/* One tag as a string, several as a list, none as NIL [RFC3282]. */
static void
put_language(struct writer *w, struct span value)
{
	struct mime_lex l = value.at ? mime_lex_make(value) : mime_lex_make(SPAN(""));
	size_t n = 0;

	while (mime_lex_skip(&l), !mime_lex_done(&l)) {
		struct span tag = mime_lex_token(&l);

		if (tag.n == 0) {
			l.at++;
			continue;
		}
		buf_put(w->out, n++ == 0 ? SPAN("(") : SPAN(" "));
		mime_imap_put_string(w->out, tag);
	}
	buf_put(w->out, n > 0 ? SPAN(")") : SPAN("NIL"));
}

/* What BODYSTRUCTURE says more than BODY. */
static void
put_extension(struct writer *w, const struct mime_content *c)
{
	buf_put(w->out, SPAN(" "));
	put_disposition(w, c);
	buf_put(w->out, SPAN(" "));
	put_language(w, c->language);
	buf_put(w->out, SPAN(" "));
	put_unfolded(w, c->location);
}

static void put_part(struct writer *w, uint32_t part);

static void
put_multipart(struct writer *w, uint32_t part)
{
	const struct mime_content *c = &w->tree->contents[part];
	uint32_t end = w->tree->places[part].next;

	for (uint32_t child = part + 1; child < end;
	     child = w->tree->places[child].next)
		put_part(w, child);
	if (end == part + 1)
		buf_put(w->out, SPAN(EMPTY_PART));
	buf_put(w->out, SPAN(" "));
	mime_imap_put_string(w->out, c->subtype);
	if (w->form == MIME_BODYSTRUCTURE) {
		buf_put(w->out, SPAN(" "));
		put_params(w, c->type_params, false);
		put_extension(w, c);
	}
}

static void
put_inner_envelope(struct writer *w, const struct mime_place *child)
{
	struct mime_envelope envelope = {
	    .date = {NULL, 0}
        };
	struct mime_headers walk;
	struct mime_header field;

	mime_headers_init_inside(&walk,
				 span_make(w->message.at + child->header_start,
					   child->body_start - child->header_start),
				 mime_lines_are_bare(w->message));
	while (mime_headers_next(&walk, &field))
		mime_envelope_take(&envelope, &field);
	mime_envelope_put(&envelope, &w->list, &w->line, w->out);
}

/* A body with lines: a text, or a message with its envelope and structure. */
static void
put_lines(struct writer *w, uint32_t part)
{
	const struct mime_place *place = &w->tree->places[part];

	if (place->kind == MIME_MESSAGE) {
		buf_put(w->out, SPAN(" "));
		put_inner_envelope(w, &w->tree->places[part + 1]);
		buf_put(w->out, SPAN(" "));
		put_part(w, part + 1);
	}
	if (place->kind == MIME_MESSAGE || place->text != MIME_TEXT_NONE) {
		buf_put(w->out, SPAN(" "));
		mime_imap_put_number(w->out, place->body_lines);
	}
}

static void
put_single(struct writer *w, uint32_t part)
{
	const struct mime_content *c = &w->tree->contents[part];
	const struct mime_place *place = &w->tree->places[part];

	mime_imap_put_string(w->out, c->type);
	buf_put(w->out, SPAN(" "));
	mime_imap_put_string(w->out, c->subtype);
	buf_put(w->out, SPAN(" "));
	put_params(w, c->type_params, place->text != MIME_TEXT_NONE);
	buf_put(w->out, SPAN(" "));
	put_unfolded(w, c->id);
	buf_put(w->out, SPAN(" "));
	put_unfolded(w, c->description);
	buf_put(w->out, SPAN(" "));
	mime_imap_put_string(w->out, c->encoding);
	buf_put(w->out, SPAN(" "));
	mime_imap_put_number(w->out, place->body_end - place->body_start);
	put_lines(w, part);
	if (w->form == MIME_BODYSTRUCTURE) {
		buf_put(w->out, SPAN(" "));
		put_unfolded(w, c->md5);
		put_extension(w, c);
	}
}

/* As deep as MIME_DEPTH_MAX. */
static void
put_part(struct writer *w, uint32_t part)
{
	buf_put(w->out, SPAN("("));
	if (w->tree->places[part].kind == MIME_MULTIPART)
		put_multipart(w, part);
	else
		put_single(w, part);
	buf_put(w->out, SPAN(")"));
}

void
mime_body_put(const struct mime_tree *tree, struct span message,
	      enum mime_body_form form, struct buf *out)
{
	struct writer w = {.tree = tree, .message = message, .form = form, .out = out};

	buf_init(&w.line, MIME_HEADER_MAX);
	mime_addresses_init(&w.list);
	put_part(&w, 0);
	buf_release(&w.line);
	mime_addresses_release(&w.list);
}
