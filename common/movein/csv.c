/* [RFC4180] lines of values, quoted where a comma, a quote or a line's end is in them
 */
#include "common/movein/table.h"

struct csv {
	struct span rest;
	struct buf bytes; /* values of the row, one behind the other */
	size_t ends[MOVEIN_COLUMNS_MAX];
	size_t n;
	bool bad;
};

/* Takes one value off the front; false at a quote that nothing closes. */
static bool
take_quoted(struct csv *c)
{
	c->rest = span_after(c->rest, 1);
	for (;;) {
		size_t at = span_find(c->rest, '"');

		buf_put(&c->bytes, span_first(c->rest, at));
		if (at == c->rest.n)
			return false;
		c->rest = span_after(c->rest, at + 1);
		if (c->rest.n == 0 || c->rest.at[0] != '"')
			return true;
		buf_put_char(&c->bytes, '"');
		c->rest = span_after(c->rest, 1);
	}
}

static void
take_plain(struct csv *c)
{
	size_t n = 0;

	while (n < c->rest.n && c->rest.at[n] != ',' && c->rest.at[n] != '\n')
		n++;
	buf_put(&c->bytes, span_trim(span_first(c->rest, n), "\r"));
	c->rest = span_after(c->rest, n);
}

/* Behind a value: true when another one follows in the row. */
static bool
take_separator(struct csv *c)
{
	bool more;

	if (c->rest.n > 0 && c->rest.at[0] == '\r')
		c->rest = span_after(c->rest, 1);
	if (c->rest.n == 0)
		return false;
	more = c->rest.at[0] == ',';
	if (!more && c->rest.at[0] != '\n') {
		c->bad = true;
		span_cut(&c->rest, '\n');
		return false;
	}
	c->rest = span_after(c->rest, 1);
	return more;
}

/* The values of one row; false at the end of the text. */
static bool
take_row(struct csv *c)
{
	bool more = true;

	buf_reset(&c->bytes);
	c->n = 0;
	c->bad = false;
	if (c->rest.n == 0)
		return false;
	while (more) {
		if (c->rest.n > 0 && c->rest.at[0] == '"')
			c->bad |= !take_quoted(c);
		else
			take_plain(c);
		if (c->n == MOVEIN_COLUMNS_MAX)
			c->bad = true;
		else
			c->ends[c->n++] = c->bytes.n;
		more = take_separator(c);
	}
	c->bad |= c->bytes.full;
	return true;
}

static void
values_of(const struct csv *c, struct span *values)
{
	size_t start = 0;

	for (size_t i = 0; i < c->n; i++) {
		values[i] = c->ends[i] > start
				? span_make(c->bytes.at + start, c->ends[i] - start)
				: SPAN("");
		start = c->ends[i];
	}
}

size_t
movein_csv_read(struct span text, struct span table, movein_take_row *take,
		void *context, size_t *bad)
{
	struct csv *head = memory_new(1, sizeof(*head)), *c = memory_new(1, sizeof(*c));
	struct span columns[MOVEIN_COLUMNS_MAX], values[MOVEIN_COLUMNS_MAX];
	size_t taken = 0;

	if (span_starts(text, SPAN("\xef\xbb\xbf")))
		text = span_after(text, 3);
	*bad = 0;
	*head = (struct csv){.rest = text, .bytes = buf_make(MOVEIN_ROW_MAX)};
	if (take_row(head) && !head->bad)
		values_of(head, columns);
	*c = (struct csv){.rest = head->rest, .bytes = buf_make(MOVEIN_ROW_MAX)};
	while (take_row(c)) {
		const struct movein_row row = {table, columns, values, c->n};

		if (c->n == 1 && c->bytes.n == 0)
			continue; /* an empty line */
		if (c->bad || head->bad || c->n != head->n) {
			++*bad;
			continue;
		}
		values_of(c, values);
		take(context, &row);
		taken++;
	}
	buf_release(&head->bytes);
	buf_release(&c->bytes);
	free(head);
	free(c);
	return taken;
}
