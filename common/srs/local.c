#include "common/srs/local.h"

void
srs_put_plain(struct span local, struct buf *out)
{
	if (local.n < 2 || local.at[0] != '"') {
		buf_put(out, local);
		return;
	}
	for (size_t i = 1; i + 1 < local.n; i++) {
		if (local.at[i] == '\\' && i + 2 < local.n)
			i++;
		buf_put_char(out, local.at[i]);
	}
}

/* Atoms with dots between them. */
static bool
needs_quotes(struct span plain)
{
	char before = '.';

	for (size_t i = 0; i < plain.n; i++) {
		char c = plain.at[i];

		if (c == '.' && before == '.')
			return true;
		if (c != '.' && !ascii_alnum(c) && (uint8_t)c < 0x80 &&
		    (c == '\0' || !strchr("!#$%&'*+-/=?^_`{|}~", c)))
			return true;
		before = c;
	}
	return before == '.';
}

void
srs_put_local(struct span plain, struct buf *out)
{
	if (!needs_quotes(plain)) {
		buf_put(out, plain);
		return;
	}
	buf_put_char(out, '"');
	for (size_t i = 0; i < plain.n; i++) {
		if (plain.at[i] == '"' || plain.at[i] == '\\')
			buf_put_char(out, '\\');
		buf_put_char(out, plain.at[i]);
	}
	buf_put_char(out, '"');
}
