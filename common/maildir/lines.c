#include "common/maildir/lines.h"

bool
lines_are_lf(struct span bytes)
{
	size_t lf = span_find(bytes, '\n');

	return lf < bytes.n && (lf == 0 || bytes.at[lf - 1] != '\r');
}

void
lines_put_crlf(struct span bytes, struct buf *out, bool *mixed)
{
	while (bytes.n > 0) {
		size_t lf = span_find(bytes, '\n');
		bool crlf = lf < bytes.n && lf > 0 && bytes.at[lf - 1] == '\r';

		buf_put(out, span_first(bytes, lf - crlf));
		if (lf < bytes.n)
			buf_put_str(out, "\r\n");
		*mixed = *mixed || crlf;
		bytes = span_after(bytes, lf + 1);
	}
}

bool
lines_whole(struct span bytes)
{
	while (bytes.n > 0) {
		size_t lf = span_find(bytes, '\n'), cr = span_find(bytes, '\r');

		if (lf == bytes.n || lf == 0 || cr + 1 != lf)
			return false;
		bytes = span_after(bytes, lf + 1);
	}
	return true;
}
