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

bool
mail_courier_word(struct span *rest, struct span *name)
{
	if (rest->n == 0)
		return false;
	*name = span_trim(span_cut(rest, '\n'), "\r");
	return name->n > 0;
}

bool
mail_courier_row(struct span *rest, struct span *name, struct span *numbers)
{
	while (rest->n > 0) {
		struct span line = span_trim(span_cut(rest, '\n'), "\r");
		size_t colon = span_find(line, ':');

		if (colon == 0 || colon == line.n)
			continue;
		*name = span_first(line, colon);
		*numbers = span_after(line, colon + 1);
		return true;
	}
	return false;
}

bool
mail_courier_number(struct span *numbers, unsigned most, unsigned *number)
{
	while (numbers->n > 0) {
		uint64_t value;

		if (!number_parse(span_cut(numbers, ' '), most - 1, &value))
			continue;
		*number = (unsigned)value;
		return true;
	}
	return false;
}

bool
mail_courier_file(struct span file, struct span *name, uint64_t *number)
{
	struct span rest = span_after(file, 1);
	uint64_t value = 0;

	if (file.n == 0 || file.at[0] == ':')
		return false;
	*number = 1;
	*name = file;
	if (file.at[0] != '.')
		return true;
	if (!number_parse(span_cut(&rest, '.'), UINT64_MAX - 2, &value) || rest.n == 0)
		return false;
	*number = value + 2;
	*name = rest;
	return true;
}
