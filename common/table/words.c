#include "common/table/words.h"

#include "common/table/key.h"

static bool
separates(char c)
{
	return c == ',' || table_space(c);
}

bool
table_word_next(struct span *rest, struct span *word)
{
	bool quoted = false;
	size_t i;

	*rest = span_trim(*rest, "," TABLE_SPACES);
	for (i = 0; i < rest->n && (quoted || !separates(rest->at[i])); i++) {
		if (rest->at[i] == '"')
			quoted = !quoted;
		i += rest->at[i] == '\\';
	}
	*word = span_first(*rest, i);
	*rest = span_after(*rest, i);
	return word->n > 0;
}
