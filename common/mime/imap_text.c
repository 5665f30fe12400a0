#include "common/mime/imap_text.h"

#define QUOTED_MAX 1000 /* longer strings are sent as literals */

#define EACH_BYTE(c) (0x0101010101010101u * (uint64_t)(c))

/* The high bit of each byte that is c, and of some above one that is. */
static uint64_t
bytes_equal(uint64_t word, unsigned char c)
{
	word ^= EACH_BYTE(c);
	return (word - EACH_BYTE(1)) & ~word & EACH_BYTE(0x80);
}

/* True when s can stand between quotes as it is; most strings can, so that eight
 * bytes are looked at together. */
static bool
is_plain(struct span s)
{
	uint64_t word, odd = 0;

	for (size_t i = 0; i < s.n; i += sizeof(word)) {
		size_t left = s.n - i;

		word = EACH_BYTE(' ');
		memcpy(&word, s.at + i, left < sizeof(word) ? left : sizeof(word));
		odd |= word & EACH_BYTE(0x80);                            /* 8-bit */
		odd |= (word - EACH_BYTE(' ')) & ~word & EACH_BYTE(0x80); /* control */
		odd |= bytes_equal(word, '"') | bytes_equal(word, '\\');
	}
	return odd == 0 && s.n <= QUOTED_MAX;
}

/* What a quoted string may not hold [RFC3501 9]: TEXT-CHAR is 7-bit, without CR
 * and LF; NUL is in no string at all. */
static bool
needs_literal(struct span s, size_t *escapes)
{
	*escapes = 0;
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.at[i];

		if (c >= 0x80 || c == '\r' || c == '\n' || c == '\0')
			return true;
		*escapes += c == '"' || c == '\\';
	}
	return s.n > QUOTED_MAX;
}

void
mime_imap_put_number(struct buf *out, uint64_t number)
{
	char digits[20];
	size_t at = sizeof(digits);

	do
		digits[--at] = (char)('0' + number % 10);
	while ((number /= 10) > 0);
	buf_put(out, span_make(digits + at, sizeof(digits) - at));
}

static void
put_literal(struct buf *out, struct span s)
{
	char *at;

	buf_put(out, SPAN("{"));
	mime_imap_put_number(out, s.n);
	buf_put(out, SPAN("}\r\n"));
	at = buf_extend(out, s.n);
	for (size_t i = 0; at && i < s.n; i++)
		at[i] = s.at[i] ? s.at[i] : (char)0x80;
}

void
mime_imap_put_string(struct buf *out, struct span s)
{
	size_t escapes;
	char *at;

	if (is_plain(s)) {
		at = buf_extend(out, s.n + 2);
		if (!at)
			return;
		at[0] = at[s.n + 1] = '"';
		if (s.n > 0)
			memcpy(at + 1, s.at, s.n);
		return;
	}
	if (needs_literal(s, &escapes)) {
		put_literal(out, s);
		return;
	}
	at = buf_extend(out, s.n + escapes + 2);
	if (!at)
		return;
	*at++ = '"';
	for (size_t i = 0; i < s.n; i++) {
		if (s.at[i] == '"' || s.at[i] == '\\')
			*at++ = '\\';
		*at++ = s.at[i];
	}
	*at = '"';
}

void
mime_imap_put_nstring(struct buf *out, struct span s)
{
	if (s.at)
		mime_imap_put_string(out, s);
	else
		buf_put(out, SPAN("NIL"));
}
