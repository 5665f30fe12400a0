#include "common/imap/put.h"

#include "common/imap/chars.h"
#include "common/mime/mime.h"

void
imap_put_number(struct buf *out, uint64_t number)
{
	mime_imap_put_number(out, number);
}

/* Between quotes, UTF-8 as it is. False, and nothing appended, when quotes cannot
 * hold it. */
static bool
put_quoted_utf8(struct buf *out, struct span s)
{
	size_t escapes = 0;
	bool ascii = true;
	char *at;

	for (size_t i = 0; i < s.n; i++) {
		if (s.at[i] == '\r' || s.at[i] == '\n' || s.at[i] == '\0')
			return false;
		escapes += s.at[i] == '"' || s.at[i] == '\\';
		ascii &= (unsigned char)s.at[i] < 0x80;
	}
	if (ascii || s.n > IMAP_QUOTED_MAX || !utf8_valid(s))
		return false;
	at = buf_extend(out, s.n + escapes + 2);
	if (!at)
		return true;
	*at++ = '"';
	for (size_t i = 0; i < s.n; i++) {
		if (s.at[i] == '"' || s.at[i] == '\\')
			*at++ = '\\';
		*at++ = s.at[i];
	}
	*at = '"';
	return true;
}

void
imap_put_string(struct buf *out, struct span s, bool utf8)
{
	if (!utf8 || !put_quoted_utf8(out, s))
		mime_imap_put_string(out, s);
}

void
imap_put_nstring(struct buf *out, struct span s, bool utf8)
{
	if (s.at)
		imap_put_string(out, s, utf8);
	else
		buf_put(out, SPAN("NIL"));
}

void
imap_put_astring(struct buf *out, struct span s, bool utf8)
{
	bool atom = s.n > 0 && s.n <= IMAP_QUOTED_MAX;

	for (size_t i = 0; atom && i < s.n; i++)
		atom = imap_is(s.at[i], IMAP_C_ATOM);
	/* NIL would be taken for nothing at all by who expects an nstring. */
	if (atom && !span_equal_nocase(s, SPAN("NIL")))
		buf_put(out, s);
	else
		imap_put_string(out, s, utf8);
}

void
imap_put_literal_head(struct buf *out, uint64_t bytes, bool binary)
{
	buf_put(out, binary ? SPAN("~{") : SPAN("{"));
	imap_put_number(out, bytes);
	buf_put(out, SPAN("}\r\n"));
}

bool
imap_put_system_flags(struct buf *out, uint32_t flags)
{
	static const struct {
		uint32_t flag;
		struct span name; /* with a space before it */
	} names[] = {
	    {IMAP_FLAG_ANSWERED, SPAN(" \\Answered")},
	    {IMAP_FLAG_FLAGGED,  SPAN(" \\Flagged") },
	    {IMAP_FLAG_DELETED,  SPAN(" \\Deleted") },
	    {IMAP_FLAG_SEEN,     SPAN(" \\Seen")    },
	    {IMAP_FLAG_DRAFT,    SPAN(" \\Draft")   },
	};
	bool any = false;

	for (size_t i = 0; i < N_ELEMS(names); i++) {
		if (!(flags & names[i].flag))
			continue;
		buf_put(out, any ? names[i].name : span_after(names[i].name, 1));
		any = true;
	}
	return any;
}
