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

static void
put_literal(struct buf *out, struct span s)
{
	char *at;

	buf_putf(out, "{%zu}\r\n", s.n);
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
