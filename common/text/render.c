#include "common/text/render.h"
#include "common/text/find.h"
#include "common/text/fold.h"

#define KEEP_BYTES_MAX ((size_t)1 << 20) /* more working memory is given back */

struct text_renderer {
	struct mime_charsets charsets;
	struct mime_parser *parser;
	struct buf work, line, text;
};

/* Charsets whose bytes below 128 are ASCII, by their first letters. */
static const char *const ascii_charsets[] = {"us-ascii", "ascii",     "utf-8",
					     "utf8",     "iso-8859-", "windows-125"};

struct text_renderer *
text_renderer_new(const struct mime_charsets *charsets)
{
	struct text_renderer *r = memory_new(1, sizeof(*r));

	if (charsets)
		r->charsets = *charsets;
	r->parser = mime_parser_new(charsets);
	buf_init(&r->work, TEXT_LOOK_MAX);
	buf_init(&r->line, TEXT_LOOK_MAX * 4);
	buf_init(&r->text, TEXT_BYTES_MAX);
	return r;
}

void
text_renderer_free(struct text_renderer **renderer)
{
	struct text_renderer *r = *renderer;

	if (!r)
		return;
	mime_parser_free(&r->parser);
	buf_release(&r->work);
	buf_release(&r->line);
	buf_release(&r->text);
	free(r);
	*renderer = NULL;
}

static void
keep_little(struct buf *b)
{
	if (b->size > KEEP_BYTES_MAX)
		buf_release(b);
	buf_reset(b);
}

/* ASCII without NULs, so that decoding it changes nothing that folding keeps. */
static bool
is_plain(struct span s)
{
	uint64_t high = 0, word;
	size_t i = 0;

	for (; i + 8 <= s.n; i += 8) {
		memcpy(&word, s.at + i, 8);
		high |= word;
	}
	for (; i < s.n; i++)
		high |= (unsigned char)s.at[i];
	return (high & UINT64_C(0x8080808080808080)) == 0 && !memchr(s.at, '\0', s.n);
}

/* --- header fields -------------------------------------------------------- */

/* [RFC2231 4]: charset'language'percent-encoded */
static void
put_extended(struct text_renderer *r, struct span value, struct buf *line)
{
	struct span rest = value, charset = span_cut(&rest, '\'');

	(void)span_cut(&rest, '\'');
	buf_reset(&r->work);
	for (size_t i = 0; i < rest.n; i++) {
		char byte = rest.at[i];

		if (byte == '%' &&
		    hex_parse(span_first(span_after(rest, i + 1), 2), &byte, 1))
			i += 2;
		buf_put_char(&r->work, byte);
	}
	mime_charset_put(&r->charsets, charset, buf_span(&r->work), line);
}

/* "; name=value" for each */
static void
put_params(struct text_renderer *r, const struct mime_tree *tree,
	   struct mime_params params, struct buf *line)
{
	for (uint32_t i = params.first; i < params.first + params.n; i++) {
		struct span name = tree->params[i].name;
		struct span value = tree->params[i].value;
		bool extended = name.n > 0 && name.at[name.n - 1] == '*';

		if (extended)
			name.n--;
		buf_put_str(line, "; ");
		mime_charset_put(NULL, SPAN(""), name, line);
		buf_put_char(line, '=');
		if (extended)
			put_extended(r, value, line);
		else
			mime_words_put(&r->charsets, value, line);
	}
}

/* A field whose parameters may be in pieces or encoded also says them whole. */
static void
put_field_params(struct text_renderer *r, const struct mime_tree *tree, uint32_t part,
		 const struct mime_header *field, struct buf *line)
{
	const struct mime_content *content = &tree->contents[part];

	if (span_find(field->value, '*') == field->value.n)
		return;
	if (field->id == MIME_HEADER_CONTENT_TYPE)
		put_params(r, tree, content->type_params, line);
	if (field->id == MIME_HEADER_CONTENT_DISPOSITION)
		put_params(r, tree, content->disposition_params, line);
}

/* Two blanks would stand there: the value begins with what became one. */
static void
join_blanks(struct buf *out, size_t at)
{
	if (at == 0 || at >= out->n || out->at[at - 1] != ' ' || out->at[at] != ' ')
		return;
	memmove(out->at + at, out->at + at + 1, out->n - at - 1);
	out->n--;
}

/* `tree` may be null. */
static void
put_field(struct text_renderer *r, const struct mime_tree *tree, uint32_t part,
	  const struct mime_header *field, struct buf *out)
{
	struct buf *line = &r->line;
	struct span value = field->value;
	size_t start;

	buf_reset(line);
	if (field->id == MIME_HEADER_OPAQUE) {
		value = field->raw;
	} else {
		text_fold(field->name, out);
		buf_put(out, SPAN(": "));
	}
	start = out->n;
	value = span_trim(value, " \t\r\n");
	if (is_plain(value) && span_find_span(value, SPAN("=?")) == value.n)
		text_fold(value, out);
	else
		mime_words_put(&r->charsets, value, line);
	if (tree && field->id != MIME_HEADER_OPAQUE)
		put_field_params(r, tree, part, field, line);
	text_fold(buf_span(line), out);
	join_blanks(out, start);
	buf_put_char(out, '\n');
}

static void
put_fields(struct text_renderer *r, const struct mime_tree *tree, uint32_t part,
	   struct span block, bool bare, struct buf *out)
{
	struct mime_headers walk;
	struct mime_header field;

	mime_headers_init_inside(&walk, block, bare);
	while (!out->full && mime_headers_next(&walk, &field))
		put_field(r, tree, part, &field, out);
}

/* --- parts ---------------------------------------------------------------- */

static bool
is_ascii_charset(const struct mime_tree *tree, uint32_t part)
{
	struct span charset = SPAN("");

	if (!mime_param_find(tree, tree->contents[part].type_params, SPAN("charset"),
			     &charset))
		return true;
	for (size_t i = 0; i < N_ELEMS(ascii_charsets); i++)
		if (span_starts_nocase(charset, span_str(ascii_charsets[i])))
			return true;
	return false;
}

static void
put_text(struct text_renderer *r, const struct mime_tree *tree, uint32_t part,
	 struct span message, struct buf *out)
{
	const struct mime_place *place = &tree->places[part];
	struct span body = span_first(span_after(message, place->body_start),
				      place->body_end - place->body_start);

	body = span_first(body, TEXT_LOOK_MAX);
	if (place->text != MIME_TEXT_HTML && place->encoding != MIME_BASE64 &&
	    place->encoding != MIME_QUOTED_PRINTABLE && is_plain(body) &&
	    is_ascii_charset(tree, part)) {
		text_fold(body, out);
	} else {
		buf_reset(&r->line);
		mime_text_put(tree, part, message, &r->charsets, TEXT_LOOK_MAX,
			      &r->work, &r->line);
		text_fold(buf_span(&r->line), out);
	}
	buf_put_char(out, '\n');
}

static bool
is_inner_message(const struct mime_tree *tree, uint32_t part)
{
	uint32_t parent = tree->places[part].parent;

	return part > 0 && parent < tree->n &&
	       tree->places[parent].kind == MIME_MESSAGE;
}

static struct span
header_of(const struct mime_tree *tree, uint32_t part, struct span message)
{
	const struct mime_place *place = &tree->places[part];

	return span_first(span_after(message, place->header_start),
			  place->body_start - place->header_start);
}

static void
put_body(struct text_renderer *r, const struct mime_tree *tree, struct span message,
	 bool bare, struct buf *out)
{
	for (uint32_t i = 0; i < tree->n && !out->full; i++) {
		const struct mime_place *place = &tree->places[i];

		if (is_inner_message(tree, i))
			put_fields(r, tree, i, header_of(tree, i, message), bare, out);
		if (place->kind == MIME_LEAF && place->text != MIME_TEXT_NONE)
			put_text(r, tree, i, message, out);
	}
}

struct span
text_render(struct text_renderer *r, struct span prefix, struct span message)
{
	bool bare;
	struct buf *out = &r->text;
	struct mime_tree tree;

	if (!message.at)
		message = SPAN("");
	bare = mime_lines_are_bare(message);
	keep_little(&r->work);
	keep_little(&r->line);
	keep_little(out);
	mime_parse(r->parser, message, &tree);
	out->max = TEXT_HEADERS_MAX - 1;
	put_fields(r, NULL, 0, prefix, false, out);
	put_fields(r, &tree, 0, header_of(&tree, 0, message), bare, out);
	out->max = TEXT_BYTES_MAX;
	out->full = false;
	buf_put_char(out, '\0');
	put_body(r, &tree, message, bare, out);
	return buf_span(out);
}

/* --- looking into it ------------------------------------------------------ */

struct text_parts
text_view(struct span stored)
{
	size_t n = span_find(stored, '\0');

	return (struct text_parts){span_first(stored, n), span_after(stored, n + 1)};
}

/* Bytes of "name: " at the front of the line; 0 when it is not that field. */
static size_t
name_size(struct span line, struct span name)
{
	if (!span_starts_nocase(line, name) ||
	    !span_starts(span_after(line, name.n), SPAN(": ")))
		return 0;
	return name.n + 2;
}

/* The line that has the byte at `at`; its start in *start. */
static struct span
line_around(struct span headers, size_t at, size_t *start)
{
	*start = 0;
	if (at > 0) {
		size_t before = span_find_last(span_first(headers, at), '\n');

		*start = before < at ? before + 1 : 0;
	}
	return span_first(span_after(headers, *start),
			  span_find(span_after(headers, *start), '\n'));
}

bool
text_header_has(struct span headers, struct span name, struct span needle)
{
	size_t at = 0, start;

	while (at < headers.n) {
		size_t hit = text_find(span_after(headers, at), needle);
		struct span line;
		size_t skip;

		if (at + hit >= headers.n)
			return false;
		line = line_around(headers, at + hit, &start);
		skip = name_size(line, name);
		if (skip > 0 &&
		    text_find(span_after(line, skip), needle) < line.n - skip)
			return true;
		if (skip > 0 && needle.n == 0)
			return true;
		at = start + line.n + 1;
	}
	return false;
}
