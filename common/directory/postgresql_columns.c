#include "common/directory/postgresql_row.h"

#define COLUMN_BYTES_MAX (64U << 20)

void
row_columns_init(struct row_columns *c)
{
	c->n = 0;
	for (size_t i = 0; i < N_ELEMS(c->arrays); i++)
		c->arrays[i] = buf_make(COLUMN_BYTES_MAX);
}

void
row_columns_release(struct row_columns *c)
{
	for (size_t i = 0; i < N_ELEMS(c->arrays); i++)
		buf_release(&c->arrays[i]);
}

void
row_columns_add(struct row_columns *c, const struct row *row)
{
	c->n = row->n;
	for (size_t i = 0; i < row->n; i++)
		pgsql_array_put(&c->arrays[i], row->values[i]);
}

bool
row_columns_end(struct row_columns *c, struct row *out)
{
	for (size_t i = 0; i < c->n; i++) {
		pgsql_array_end(&c->arrays[i]);
		if (c->arrays[i].full || !row_put_text(out, buf_span(&c->arrays[i])))
			return false;
	}
	return true;
}
