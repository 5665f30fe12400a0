#include "common/mime/charset.h"

#define REPLACEMENT SPAN("\xef\xbf\xbd")

/* Names that need no converter [IANA character sets]. */
static const char *const latin1_names[] = {"iso-8859-1",   "iso_8859-1",  "iso8859-1",
					   "latin1",       "latin-1",     "l1",
					   "windows-1252", "windows1252", "cp1252"};
static const char *const utf8_names[] = {"",         "utf-8", "utf8",
					 "us-ascii", "ascii", "ansi_x3.4-1968"};

/* Bytes of the character of more than one byte at the front of s, 0 when there is
 * no valid one. The lead byte bounds the second [RFC3629 4]. */
static size_t
char_size(struct span s)
{
	unsigned char lead = (unsigned char)s.at[0], low = 0x80, high = 0xbf;
	size_t n;

	if (lead < 0xc2 || lead > 0xf4)
		return 0;
	n = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
	if (lead == 0xe0)
		low = 0xa0;
	if (lead == 0xed)
		high = 0x9f;
	if (lead == 0xf0)
		low = 0x90;
	if (lead == 0xf4)
		high = 0x8f;
	for (size_t i = 1; i < n; i++) {
		if (i >= s.n || (unsigned char)s.at[i] < low ||
		    (unsigned char)s.at[i] > high)
			return 0;
		low = 0x80;
		high = 0xbf;
	}
	return n;
}

/* Bytes at the front of s that are ASCII and no NUL. */
static size_t
ascii_size(struct span s)
{
	size_t n = 0;

	while (n < s.n && s.at[n] > 0)
		n++;
	return n;
}

size_t
mime_utf8_valid(struct span s)
{
	size_t at = 0, n = 1;

	while (n > 0) {
		at += ascii_size(span_after(s, at));
		n = at < s.n ? char_size(span_after(s, at)) : 0;
		at += n;
	}
	return at;
}

struct span
mime_utf8_whole(struct span s)
{
	for (size_t back = 1; back <= 3 && back <= s.n; back++) {
		unsigned char c = (unsigned char)s.at[s.n - back];

		if (c < 0x80)
			break;
		if (c >= 0xc0) {
			size_t n = c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;

			return n > back ? span_first(s, s.n - back) : s;
		}
	}
	return s;
}

static void
put_utf8(struct span bytes, struct buf *out)
{
	while (bytes.n > 0) {
		size_t n = mime_utf8_valid(bytes);

		buf_put(out, span_first(bytes, n));
		if (n < bytes.n)
			buf_put(out, REPLACEMENT);
		bytes = span_after(bytes, n + 1);
	}
}

/* Bytes 0x80 to 0x9f of windows-1252; 0: not used. */
static const uint16_t high_controls[] = {
    0x20ac, 0,      0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021,
    0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0,      0x017d, 0,
    0,      0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014,
    0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0,      0x017e, 0x0178};

uint32_t
mime_windows_1252(uint8_t byte)
{
	uint32_t code = byte;

	if (byte >= 0x80 && byte < 0xa0)
		code = high_controls[byte - 0x80];
	return code == 0 ? 0xfffd : code;
}

static void
put_latin1(struct span bytes, struct buf *out)
{
	while (bytes.n > 0) {
		size_t n = ascii_size(bytes);
		char character[4];

		buf_put(out, span_first(bytes, n));
		bytes = span_after(bytes, n);
		if (bytes.n == 0)
			return;
		n = utf8_encode(mime_windows_1252((uint8_t)bytes.at[0]), character);
		buf_put(out, span_make(character, n));
		bytes = span_after(bytes, 1);
	}
}

static bool
is_among(struct span name, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (span_equal_nocase(name, span_str(names[i])))
			return true;
	return false;
}

/* The converter's answer is checked: what it gave may not be UTF-8 either. */
static bool
put_converted(const struct mime_charsets *charsets, struct span charset,
	      struct span bytes, struct buf *out)
{
	struct buf text;
	bool done;

	if (!charsets || !charsets->convert || charset.n > MIME_CHARSET_NAME_MAX)
		return false;
	buf_init(&text, out->max);
	done = charsets->convert(charsets->context, charset, bytes, &text);
	if (done)
		put_utf8(buf_span(&text), out);
	buf_release(&text);
	return done;
}

void
mime_charset_put(const struct mime_charsets *charsets, struct span charset,
		 struct span bytes, struct buf *out)
{
	bool known = is_among(charset, utf8_names, N_ELEMS(utf8_names));

	if (is_among(charset, latin1_names, N_ELEMS(latin1_names)))
		put_latin1(bytes, out);
	else if (!known && put_converted(charsets, charset, bytes, out))
		return;
	else if (span_equal_nocase(charset, SPAN("utf-8")) ||
		 mime_utf8_valid(bytes) == bytes.n)
		put_utf8(bytes, out);
	else
		put_latin1(bytes, out);
}
