#include "common/dsn/put.h"

#include "common/mime/mime.h"

#include <time.h>

#define WORD_CHUNK 42u /* bytes in one encoded word, which may have 75 characters */

bool
dsn_ascii(struct span text)
{
	for (size_t i = 0; i < text.n; i++)
		if ((unsigned char)text.at[i] >= 0x80)
			return false;
	return true;
}

void
dsn_date_put(struct buf *out, uint64_t us)
{
	static const char days[] = "SunMonTueWedThuFriSat";
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	time_t seconds = (time_t)(us / 1000000);
	struct tm t;

	if (!gmtime_r(&seconds, &t))
		return;
	buf_putf(out, "%.3s, %d %.3s %04d %02d:%02d:%02d +0000", days + t.tm_wday * 3,
		 t.tm_mday, months + t.tm_mon * 3, t.tm_year + 1900, t.tm_hour,
		 t.tm_min, t.tm_sec);
}

void
dsn_clean_put(struct buf *out, struct span text, bool utf8)
{
	struct span s = mime_utf8_whole(span_trim(text, " \t\r\n"));
	bool keep = utf8 && utf8_valid(s);

	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.at[i];

		if (c < 0x20 || c == 0x7f)
			buf_put_char(out, ' ');
		else
			buf_put_char(out, c < 0x80 || keep ? (char)c : '?');
	}
}

/* The next word and the spaces before it, off the front of *rest. */
static struct span
word_take(struct span *rest)
{
	size_t n = 0;

	while (n < rest->n && rest->at[n] == ' ')
		n++;
	while (n < rest->n && rest->at[n] != ' ' && n < DSN_WORD_BYTES)
		n++;
	while (n > 1 && n < rest->n && ((unsigned char)rest->at[n] & 0xc0) == 0x80)
		n--;
	struct span word = span_first(*rest, n);

	*rest = span_after(*rest, n);
	return word;
}

/* Characters, not bytes. */
static size_t
width(struct span s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += ((unsigned char)s.at[i] & 0xc0) != 0x80;
	return n;
}

static void
broken_put(struct buf *out, size_t column, struct span text, struct span indent)
{
	bool first = true;

	while (text.n > 0) {
		struct span word = word_take(&text);

		if (!first && column + width(word) > DSN_COLUMNS) {
			buf_put(out, SPAN("\r\n"));
			buf_put(out, indent);
			word = span_trim(word, " ");
			column = indent.n;
		}
		buf_put(out, word);
		column += width(word);
		first = false;
	}
	buf_put(out, SPAN("\r\n"));
}

void
dsn_field_put(struct buf *out, const char *name, struct span value)
{
	buf_put_str(out, name);
	buf_put(out, SPAN(": "));
	broken_put(out, strlen(name) + 2, value, SPAN(" "));
}

void
dsn_line_put(struct buf *out, struct span line)
{
	size_t n = 0;

	while (n < line.n && line.at[n] == ' ')
		n++;
	buf_put(out, span_first(line, n));
	broken_put(out, n, span_after(line, n), span_first(line, n));
}

/* So much of the text as one encoded word takes, no character cut. */
static struct span
chunk_take(struct span *rest)
{
	size_t n = rest->n < WORD_CHUNK ? rest->n : WORD_CHUNK;

	while (n > 1 && n < rest->n && ((unsigned char)rest->at[n] & 0xc0) == 0x80)
		n--;
	struct span chunk = span_first(*rest, n);

	*rest = span_after(*rest, n);
	return chunk;
}

void
dsn_encoded_word_put(struct buf *out, struct span *text)
{
	buf_put(out, SPAN("=?utf-8?B?"));
	base64_put(out, chunk_take(text));
	buf_put(out, SPAN("?="));
}

void
dsn_field_words_put(struct buf *out, const char *name, struct span value)
{
	bool first = true;

	if (dsn_ascii(value)) {
		dsn_field_put(out, name, value);
		return;
	}
	buf_put_str(out, name);
	buf_put(out, SPAN(":"));
	while (value.n > 0) {
		buf_put_str(out, first ? " " : "\r\n ");
		dsn_encoded_word_put(out, &value);
		first = false;
	}
	buf_put(out, SPAN("\r\n"));
}
