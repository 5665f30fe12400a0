/* the bytes of a chunk of text.N */
#include "common/store/text_internal.h"

void
text_chunk_put(const struct text_row *rows, size_t n, struct span texts,
	       struct buf *out)
{
	size_t table = out->n + TEXT_HEAD_BYTES;
	char *crc;

	wire_put_u32(out, text_rules());
	wire_put_u32(out, (uint32_t)n);
	wire_put_u32(out, 0);
	for (size_t i = 0; i < n; i++) {
		buf_put(out, span_make(rows[i].guid, STORE_GUID_BYTES));
		wire_put_u32(out, rows[i].data_offset);
		wire_put_u32(out, rows[i].bytes);
	}
	if (!out->full) {
		struct span bytes = span_after(buf_span(out), table);
		struct buf four = buf_make(4);

		crc = out->at + table - 4;
		wire_put_u32(&four, crc32c(0, bytes));
		memcpy(crc, four.at, 4);
		buf_release(&four);
	}
	buf_put(out, texts);
}

size_t
text_table_bytes(struct span payload)
{
	struct cursor c = cursor_make(payload);
	uint32_t n;

	(void)wire_get_u32(&c);
	n = wire_get_u32(&c);
	if (c.failed || n == 0 || n > TEXT_ROWS_MAX)
		return 0;
	return TEXT_HEAD_BYTES + (size_t)n * TEXT_ROW_BYTES;
}

bool
text_row_get(struct span table, uint32_t row, struct text_row *out)
{
	size_t at = TEXT_HEAD_BYTES + (size_t)row * TEXT_ROW_BYTES;
	struct cursor c = cursor_make(span_after(table, at));
	struct span guid = wire_get_raw(&c, STORE_GUID_BYTES);

	out->data_offset = wire_get_u32(&c);
	out->bytes = wire_get_u32(&c);
	if (c.failed)
		return false;
	memcpy(out->guid, guid.at, STORE_GUID_BYTES);
	return true;
}

bool
text_table_check(struct span table, uint64_t bytes, uint32_t *rules, uint32_t *n)
{
	struct cursor c = cursor_make(table);
	uint64_t sum = table.n;
	uint32_t crc;

	*rules = wire_get_u32(&c);
	*n = wire_get_u32(&c);
	crc = wire_get_u32(&c);
	if (c.failed || text_table_bytes(table) != table.n || crc != crc32c(0, c.rest))
		return false;
	for (uint32_t i = 0; i < *n; i++) {
		struct text_row row;

		if (!text_row_get(table, i, &row))
			return false;
		sum += (uint64_t)row.bytes + 1;
	}
	return sum == bytes;
}
