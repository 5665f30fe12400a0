#include "common/mime/tree.h"
#include "common/mime/lex.h"
#include "common/mime/param.h"

static const struct mime_content opaque = {
    .type = {"application",  11},
    .subtype = {"octet-stream", 12},
};

static struct mime_content *
newest(struct mime_builder *b)
{
	return &b->contents[b->n_parts - 1];
}

void
mime_content_set_opaque(struct mime_builder *b, uint32_t part)
{
	b->contents[part].type = opaque.type;
	b->contents[part].subtype = opaque.subtype;
	b->contents[part].type_params = (struct mime_params){0, 0};
	b->places[part].kind = MIME_LEAF;
	b->places[part].text = MIME_TEXT_NONE;
}

static bool
params_reserve(struct mime_builder *b, uint32_t n)
{
	if (b->n_params + n > MIME_PARAMS_TOTAL_MAX)
		return false;
	if (b->n_params + n <= b->size_params)
		return true;
	b->size_params = (b->size_params + n) * 2;
	b->params = memory_resize(b->params, b->size_params, sizeof(*b->params));
	return true;
}

/* False when a limit was met. */
static bool
params_take(struct mime_builder *b, struct mime_lex *l, struct mime_params *out)
{
	struct mime_piece pieces[MIME_PARAMS_MAX];
	int n = mime_pieces_parse(l, &b->text, pieces);

	*out = (struct mime_params){b->n_params, 0};
	if (n <= 0 || !params_reserve(b, (uint32_t)n))
		return n == 0;
	n = mime_pieces_join(pieces, n, &b->text, b->params + b->n_params);
	if (n < 0)
		return false;
	*out = (struct mime_params){b->n_params, (uint32_t)n};
	b->n_params += (uint32_t)n;
	return true;
}

/* What is no type at all counts as no field [RFC2045 5.2]. */
static void
take_type(struct mime_builder *b, struct mime_content *c, struct span value)
{
	struct mime_lex l = mime_lex_make(value);
	struct span type, subtype;

	mime_lex_skip(&l);
	type = mime_lex_token(&l);
	mime_lex_skip(&l);
	if (type.n == 0 || !mime_lex_take(&l, '/'))
		return;
	mime_lex_skip(&l);
	subtype = mime_lex_token(&l);
	if (subtype.n == 0)
		return;
	c->type = type;
	c->subtype = subtype;
	if (!params_take(b, &l, &c->type_params)) {
		c->type = opaque.type;
		c->subtype = opaque.subtype;
	}
}

static void
take_disposition(struct mime_builder *b, struct mime_content *c, struct span value)
{
	struct mime_lex l = mime_lex_make(value);
	struct span name;

	mime_lex_skip(&l);
	name = mime_lex_token(&l);
	if (name.n == 0)
		return;
	c->disposition = name;
	if (!params_take(b, &l, &c->disposition_params))
		c->disposition_params = (struct mime_params){0, 0};
}

static void
take_encoding(struct mime_content *c, struct span value)
{
	struct mime_lex l = mime_lex_make(value);

	mime_lex_skip(&l);
	if (!mime_lex_done(&l) && *l.at == '"')
		value = mime_lex_quoted(&l);
	else
		value = mime_lex_token(&l);
	if (value.n > 0)
		c->encoding = value;
}

/* Fields whose value is shown as it stands. */
static struct span *
plain_field(struct mime_content *c, enum mime_header_id id)
{
	switch (id) {
	case MIME_HEADER_CONTENT_ID:
		return &c->id;
	case MIME_HEADER_CONTENT_DESCRIPTION:
		return &c->description;
	case MIME_HEADER_CONTENT_MD5:
		return &c->md5;
	case MIME_HEADER_CONTENT_LOCATION:
		return &c->location;
	case MIME_HEADER_CONTENT_LANGUAGE:
		return &c->language;
	default:
		return NULL;
	}
}

void
mime_content_take(struct mime_builder *b, const struct mime_header *field)
{
	struct mime_content *c = newest(b);
	struct span *plain;

	if (field->id < MIME_HEADER_CONTENT_TYPE)
		return;
	if (field->id == MIME_HEADER_CONTENT_TYPE && !c->type.at)
		take_type(b, c, field->value);
	if (field->id == MIME_HEADER_CONTENT_DISPOSITION && !c->disposition.at)
		take_disposition(b, c, field->value);
	if (field->id == MIME_HEADER_CONTENT_TRANSFER_ENCODING && !c->encoding.at)
		take_encoding(c, field->value);
	plain = plain_field(c, field->id);
	if (plain && !plain->at)
		*plain = span_trim(field->value, " \t\r\n");
}

static void
set_default_type(struct mime_content *c, bool in_digest)
{
	if (c->type.at)
		return;
	c->type = in_digest ? SPAN("message") : SPAN("text");
	c->subtype = in_digest ? SPAN("rfc822") : SPAN("plain");
}

static enum mime_text
text_kind(const struct mime_content *c)
{
	if (!span_equal_nocase(c->type, SPAN("text")))
		return MIME_TEXT_NONE;
	if (span_equal_nocase(c->subtype, SPAN("plain")))
		return MIME_TEXT_PLAIN;
	return span_equal_nocase(c->subtype, SPAN("html")) ? MIME_TEXT_HTML
							   : MIME_TEXT_OTHER;
}

static bool
holds_message(const struct mime_content *c)
{
	return span_equal_nocase(c->type, SPAN("message")) &&
	       (span_equal_nocase(c->subtype, SPAN("rfc822")) ||
		span_equal_nocase(c->subtype, SPAN("global")));
}

/* A multipart without a boundary is no valid type, and so plain text; one with
 * an endless boundary is opaque. */
static struct span
settle_multipart(struct mime_builder *b, struct mime_content *c)
{
	struct mime_tree tree = mime_builder_tree(b);
	struct span boundary = {NULL, 0};

	mime_param_find(&tree, c->type_params, SPAN("boundary"), &boundary);
	while (boundary.n > 0 && mime_is_space(boundary.at[boundary.n - 1]))
		boundary.n--;
	if (boundary.n > MIME_BOUNDARY_MAX) {
		mime_content_set_opaque(b, b->n_parts - 1);
		return span_make(NULL, 0);
	}
	if (boundary.n > 0) {
		b->places[b->n_parts - 1].kind = MIME_MULTIPART;
		return boundary;
	}
	c->type = SPAN("text");
	c->subtype = SPAN("plain");
	c->type_params = (struct mime_params){0, 0};
	return boundary;
}

struct span
mime_content_settle(struct mime_builder *b, bool in_digest)
{
	struct mime_content *c = newest(b);
	struct mime_place *place = &b->places[b->n_parts - 1];
	struct span boundary = {NULL, 0};

	set_default_type(c, in_digest);
	if (!c->encoding.at)
		c->encoding = SPAN("7bit");
	place->encoding = (uint8_t)mime_encoding_identify(c->encoding);
	if (span_equal_nocase(c->type, SPAN("multipart")))
		boundary = settle_multipart(b, c);
	else if (holds_message(c))
		place->kind = MIME_MESSAGE;
	place->text = (uint8_t)text_kind(c);
	return boundary;
}
