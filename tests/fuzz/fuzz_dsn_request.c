/* Any bytes as a request for a report: what parses can be walked whole and, put
 * again, gives the same bytes. */
#include "common/dsn/dsn.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span bytes = span_make(data, size);
	struct buf rows = buf_make(DSN_ROWS_BYTES_MAX);
	struct buf out = buf_make((size_t)1 << 20);
	struct dsn_request r;
	struct dsn_row row;

	if (dsn_request_parse(bytes, &r)) {
		struct cursor c = cursor_make(r.rows);

		while (dsn_row_next(&c, &row))
			dsn_row_put(&rows, &row);
		ASSERT(!c.failed && span_equal(buf_span(&rows), r.rows));
		r.rows = buf_span(&rows);
		dsn_request_put(&out, &r);
		ASSERT(span_equal(buf_span(&out), bytes));
	}
	buf_release(&rows);
	buf_release(&out);
	return 0;
}
