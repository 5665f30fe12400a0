#include "common/mime/imap_text.h"

#define QUOTED_MAX 1000 /* longer strings are sent as literals */

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
