#include "common/table/key.h"

#include <unicase.h>

static bool
is_ascii(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((uint8_t)s.at[i] >= 0x80)
			return false;
	return true;
}

bool
table_key_fold(struct span key, struct buf *out)
{
	uint8_t *folded;
	size_t n = 0;

	if (is_ascii(key)) {
		for (size_t i = 0; i < key.n; i++)
			buf_put_char(out, ascii_lower(key.at[i]));
		return true;
	}
	if (!utf8_valid(key))
		return false;
	folded = u8_casefold((const uint8_t *)key.at, key.n, NULL, NULL, NULL, &n);
	if (!folded)
		return false;
	buf_put(out, span_make(folded, n));
	free(folded);
	return true;
}
