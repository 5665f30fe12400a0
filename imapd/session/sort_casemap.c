/* the collation of SORT and THREAD: i;unicode-casemap [RFC5051 2] [RFC5255 4.6] */
#include "imapd/session/search.h"

#include <unicase.h>
#include <uninorm.h>
#include <unistr.h>

#define HANGUL_FIRST 0xac00u
#define HANGUL_LAST  0xd7a3u

static void
put_char(ucs4_t c, struct buf *out)
{
	uint8_t bytes[6];
	int n = u8_uctomb(bytes, c, sizeof(bytes));

	if (n > 0)
		buf_put(out, span_make(bytes, (size_t)n));
}

/* UnicodeData.txt has no decompositions of Hangul syllables, so there is none here.
 * What a decomposition gives is decomposed again; that ends, for no character comes
 * back in its own. */
static void
put_decomposed(ucs4_t c, struct buf *out)
{
	ucs4_t parts[UC_DECOMPOSITION_MAX_LENGTH];
	int tag, n = -1;

	if (c < HANGUL_FIRST || c > HANGUL_LAST)
		n = uc_decomposition(c, &tag, parts);
	if (n < 0)
		put_char(c, out);
	for (int i = 0; i < n; i++)
		put_decomposed(parts[i], out);
}

static size_t
put_ascii(struct span s, struct buf *out)
{
	size_t n = 0;
	char *at;

	while (n < s.n && s.at[n] >= 0)
		n++;
	at = n > 0 ? buf_extend(out, n) : NULL;
	for (size_t i = 0; at && i < n; i++)
		at[i] = s.at[i] >= 'a' && s.at[i] <= 'z' ? (char)(s.at[i] & ~0x20)
							 : s.at[i];
	return n;
}

void
sort_casemap(struct span s, struct buf *out)
{
	while (s.n > 0) {
		ucs4_t c;
		int n;

		s = span_after(s, put_ascii(s, out));
		if (s.n == 0)
			return;
		n = u8_mbtoucr(&c, (const uint8_t *)s.at, s.n);
		if (n > 0)
			put_decomposed(uc_totitle(c), out);
		else
			buf_put_char(out, s.at[0]);
		s = span_after(s, n > 0 ? (size_t)n : 1);
	}
}
