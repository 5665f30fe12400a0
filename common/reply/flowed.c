#include "common/reply/flowed.h"

#define WORD_BYTES 900u /* a longer one is broken, whatever it is */

/* Characters, not bytes. */
static size_t
width(struct span s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += ((unsigned char)s.at[i] & 0xc0) != 0x80;
	return n;
}

/* A word and the spaces behind it, off the front of *rest. */
static struct span
word_take(struct span *rest)
{
	size_t n = 0;

	while (n < rest->n && rest->at[n] != ' ' && n < WORD_BYTES)
		n++;
	while (n > 1 && n < rest->n && ((unsigned char)rest->at[n] & 0xc0) == 0x80)
		n--;
	while (n < rest->n && rest->at[n] == ' ' && n < WORD_BYTES)
		n++;
	struct span word = span_first(*rest, n);

	*rest = span_after(*rest, n);
	return word;
}

/* [RFC3676 4.4] what a reader could take for something else. */
static void
stuff(struct buf *out, struct span line)
{
	if (span_starts(line, SPAN(" ")) || span_starts(line, SPAN(">")) ||
	    span_starts(line, SPAN("From ")))
		buf_put_char(out, ' ');
}

static void
line_put(struct buf *out, struct span line)
{
	size_t column = 0;

	/* A space at its end would join it with the next. */
	if (!span_equal(line, SPAN("-- ")))
		while (line.n > 0 && line.at[line.n - 1] == ' ')
			line.n--;
	stuff(out, line);
	while (line.n > 0) {
		struct span rest = line, word = word_take(&line);

		if (column > 0 &&
		    column + width(span_trim(word, " ")) > FLOWED_COLUMNS) {
			buf_put(out, SPAN("\r\n"));
			stuff(out, rest);
			column = 0;
		}
		buf_put(out, word);
		column += width(word);
	}
	buf_put(out, SPAN("\r\n"));
}

/* One line without its end, each control a space. */
static void
clean_put(struct buf *out, struct span line)
{
	bool keep = utf8_valid(line);

	for (size_t i = 0; i < line.n; i++) {
		unsigned char c = (unsigned char)line.at[i];

		if (c < 0x20 || c == 0x7f)
			buf_put_char(out, ' ');
		else
			buf_put_char(out, c < 0x80 || keep ? (char)c : '?');
	}
}

void
flowed_put(struct buf *out, struct span text)
{
	struct buf line = buf_make(text.n + 1);

	while (text.n > 0) {
		struct span raw = span_cut(&text, '\n');

		if (raw.n > 0 && raw.at[raw.n - 1] == '\r')
			raw.n--;
		buf_reset(&line);
		clean_put(&line, raw);
		line_put(out, buf_span(&line));
	}
	buf_release(&line);
}
