#include "common/mime/preview.h"
#include "common/mime/html.h"

/* How much of a body is looked at: little first, since that is mostly enough; at
 * last so much that the style sheets before the text of an HTML part are passed. */
static const size_t looks[] = {512, (size_t)4 << 10, (size_t)64 << 10};

#define PARTS_TRIED_MAX 4 /* empty ones before the first with text */

static struct span
charset_of(const struct mime_tree *tree, uint32_t part)
{
	struct span charset = SPAN("");

	mime_param_find(tree, tree->contents[part].type_params, SPAN("charset"),
			&charset);
	return span_trim(charset, " '");
}

void
mime_text_put(const struct mime_tree *tree, uint32_t part, struct span message,
	      const struct mime_charsets *charsets, size_t bytes_max, struct buf *work,
	      struct buf *out)
{
	const struct mime_place *place = &tree->places[part];
	struct span body = span_first(span_after(message, place->body_start),
				      place->body_end - place->body_start);
	struct mime_decoder decoder;
	struct buf text = buf_make(bytes_max * 4);

	buf_reset(work);
	mime_decoder_init(&decoder, (enum mime_encoding)place->encoding);
	mime_decoder_feed(&decoder, span_first(body, bytes_max), work);
	if (body.n <= bytes_max)
		mime_decoder_end(&decoder, work);
	else
		work->n = mime_utf8_whole(buf_span(work)).n;
	if (place->text == MIME_TEXT_HTML) {
		mime_charset_put(charsets, charset_of(tree, part), buf_span(work),
				 &text);
		mime_html_put_text(buf_span(&text), out);
	} else {
		mime_charset_put(charsets, charset_of(tree, part), buf_span(work), out);
	}
	buf_release(&text);
}

/* Characters that are no more than white space to a reader, or nothing at all:
 * mailers pad their hidden preview texts with them. */
static const struct {
	const char *bytes;
	const char *as;
} invisible[] = {
    {"\xc2\xa0",     " "}, /* no-break space */
    {"\xc2\xad",     "" }, /* soft hyphen */
    {"\xcd\x8f",     "" }, /* combining grapheme joiner */
    {"\xe2\x80\x8b", "" }, /* zero width space */
    {"\xe2\x80\x87", " "}, /* figure space */
    {"\xe2\x80\xa8", " "}, /* line separator */
    {"\xe3\x80\x80", " "}, /* ideographic space */
    {"\xef\xbb\xbf", "" }, /* byte order mark */
};

/* The character of n bytes at s.at[at] as it is to be shown. */
static struct span
shown_as(struct span s, size_t at, size_t *n)
{
	unsigned char c = (unsigned char)s.at[at];

	*n = c < 0xc0 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
	if (c <= ' ' || c == 0x7f)
		return SPAN(" ");
	if (c < 0x80)
		return span_make(s.at + at, 1);
	for (size_t i = 0; i < N_ELEMS(invisible); i++)
		if (span_starts(span_after(s, at), span_str(invisible[i].bytes)))
			return span_str(invisible[i].as);
	return span_make(s.at + at, *n);
}

/* White space collapsed, cut after the last whole character that fits. False when
 * more text would have fitted. */
static bool
put_collapsed(struct span text, struct buf *out)
{
	char line[MIME_PREVIEW_CHARS_MAX * 4];
	size_t made = 0, chars = 0, n;
	bool space = false, whole = false;

	for (size_t at = 0; at < text.n; at += n) {
		struct span shown = shown_as(text, at, &n);

		if (shown.n == 0)
			continue;
		if (shown.at[0] == ' ') {
			space = made > 0;
			continue;
		}
		if (chars + space + 1 > MIME_PREVIEW_CHARS_MAX) {
			whole = true;
			break;
		}
		if (space)
			line[made++] = ' ';
		chars += space + 1u;
		space = false;
		for (size_t i = 0; i < shown.n; i++)
			line[made++] = shown.at[i];
	}
	buf_put(out, span_make(line, made));
	return whole;
}

static bool
is_attachment(const struct mime_content *c)
{
	return span_equal_nocase(c->disposition, SPAN("attachment"));
}

static void
put_part(const struct mime_tree *tree, uint32_t part, struct span message,
	 const struct mime_charsets *charsets, struct buf *work, struct buf *out)
{
	const struct mime_place *place = &tree->places[part];
	struct buf decoded = buf_make(looks[N_ELEMS(looks) - 1] * 4);
	size_t before = out->n;

	for (size_t i = 0; i < N_ELEMS(looks); i++) {
		buf_reset(&decoded);
		out->n = before;
		mime_text_put(tree, part, message, charsets, looks[i], work, &decoded);
		if (put_collapsed(buf_span(&decoded), out) ||
		    place->body_end - place->body_start <= looks[i])
			break;
	}
	buf_release(&decoded);
}

/* The parts of attached messages are not this message's text. */
static bool
put_first_of(const struct mime_tree *tree, enum mime_text text, struct span message,
	     const struct mime_charsets *charsets, struct buf *work, struct buf *out)
{
	size_t before = out->n, tried = 0;
	uint32_t i = 0;

	while (i < tree->n && tried < PARTS_TRIED_MAX && out->n == before) {
		const struct mime_place *place = &tree->places[i];

		if (place->text == text && !is_attachment(&tree->contents[i])) {
			put_part(tree, i, message, charsets, work, out);
			tried++;
		}
		i = place->kind == MIME_MESSAGE && i > 0 ? place->next : i + 1;
	}
	return out->n > before;
}

void
mime_preview_put(const struct mime_tree *tree, struct span message,
		 const struct mime_charsets *charsets, struct buf *work,
		 struct buf *out)
{
	if (!put_first_of(tree, MIME_TEXT_PLAIN, message, charsets, work, out))
		(void)put_first_of(tree, MIME_TEXT_HTML, message, charsets, work, out);
}
