#include "common/mime/word.h"
#include "common/mime/header.h"
#include "common/mime/lex.h"
#include "common/mime/transfer.h"

/* One "=?charset?encoding?text?=" [RFC2047 2]. */
struct word {
	struct span charset; /* without the language [RFC2231 5] */
	struct span text;
	bool base64;
};

/* Bytes of the encoded word at the front of s; 0 when there is none. */
static size_t
word_parse(struct span s, struct word *out)
{
	struct span rest = span_after(s, 2), charset, method;

	if (!span_starts(s, SPAN("=?")))
		return 0;
	charset = span_cut(&rest, '?');
	method = span_cut(&rest, '?');
	if (charset.n == 0 || charset.n > MIME_CHARSET_NAME_MAX || method.n != 1 ||
	    !strchr("bBqQ", method.at[0]) || method.at[0] == '\0')
		return 0;
	out->text = span_first(rest, span_find(rest, '?'));
	if (!span_starts(span_after(rest, out->text.n), SPAN("?=")))
		return 0;
	out->charset = span_first(charset, span_find(charset, '*'));
	out->base64 = ascii_lower(method.at[0]) == 'b';
	return (size_t)(out->text.at + out->text.n + 2 - s.at);
}

/* The Q encoding [RFC2047 4.2]: quoted-printable but for the underscore. */
static void
word_decode(const struct word *word, struct buf *bytes)
{
	struct mime_decoder decoder;

	mime_decoder_init(&decoder, word->base64 ? MIME_BASE64 : MIME_QUOTED_PRINTABLE);
	if (word->base64) {
		mime_decoder_feed(&decoder, word->text, bytes);
	} else {
		struct span rest = word->text;

		while (rest.n > 0) {
			size_t n = span_find(rest, '_');

			mime_decoder_feed(&decoder, span_first(rest, n), bytes);
			mime_decoder_end(&decoder, bytes);
			if (n < rest.n)
				buf_put_char(bytes, ' ');
			rest = span_after(rest, n + 1);
		}
	}
	mime_decoder_end(&decoder, bytes);
}

static size_t
space_size(struct span s)
{
	size_t n = 0;

	while (n < s.n && mime_is_space(s.at[n]))
		n++;
	return n;
}

/* All encoded words from the front of s that follow one another, decoded; those
 * of one charset together, since some mailers cut a character in two. */
static size_t
words_run(const struct mime_charsets *charsets, struct span s, struct buf *out)
{
	struct word word;
	struct span charset = {NULL, 0};
	struct buf bytes = buf_make(out->max);
	size_t at = 0, gap = 0, n;

	while ((n = word_parse(span_after(s, at + gap), &word)) > 0) {
		if (charset.at && !span_equal_nocase(charset, word.charset)) {
			mime_charset_put(charsets, charset, buf_span(&bytes), out);
			buf_reset(&bytes);
		}
		charset = word.charset;
		word_decode(&word, &bytes);
		at += gap + n;
		gap = space_size(span_after(s, at));
	}
	if (bytes.n > 0)
		mime_charset_put(charsets, charset, buf_span(&bytes), out);
	buf_release(&bytes);
	return at;
}

void
mime_words_put(const struct mime_charsets *charsets, struct span text, struct buf *out)
{
	struct buf line = buf_make(text.n);
	struct span rest;

	mime_header_unfold(text, &line);
	rest = buf_span(&line);
	while (rest.n > 0) {
		size_t n = span_find_span(rest, SPAN("=?"));

		mime_charset_put(NULL, SPAN(""), span_first(rest, n), out);
		rest = span_after(rest, n);
		if (rest.n == 0)
			break;
		n = words_run(charsets, rest, out);
		if (n == 0) {
			n = 2;
			buf_put(out, span_first(rest, n));
		}
		rest = span_after(rest, n);
	}
	buf_release(&line);
}
