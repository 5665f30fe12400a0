#include "common/maildir/keywords.h"

bool
mail_keyword_next(struct span *rest, unsigned most, unsigned *letter, struct span *name)
{
	while (rest->n > 0) {
		struct span line = span_trim(span_cut(rest, '\n'), "\r");
		struct span number = span_cut(&line, ' ');
		uint64_t value;

		if (!number_parse(number, most - 1, &value) || line.n == 0)
			continue;
		*letter = (unsigned)value;
		*name = line;
		return true;
	}
	return false;
}

void
mail_keyword_put(unsigned letter, struct span name, struct buf *out)
{
	buf_putf(out, "%u ", letter);
	buf_put(out, name);
	buf_put_char(out, '\n');
}
