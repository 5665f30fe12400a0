/* tests/fuzz/fuzz_mend.c - any text through the mending of headers
 *
 * Cut anywhere it comes out the same, it grows by the added lines only, and what was
 * mended once is not mended again.
 */
#include "common/smtp/smtp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define DATE SPAN("Date: now\r\n")
#define ID   SPAN("Message-ID: <id>\r\n")

static void
run(struct span text, size_t step, struct buf *out)
{
	struct mend m;

	buf_reset(out);
	mend_init(&m, DATE, ID);
	for (; text.n > 0; text = span_after(text, step))
		mend_feed(&m, span_first(text, step), out);
	mend_end(&m, out);
	ASSERT(mend_over(&m) && !out->full);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf whole = buf_make(1 << 20), cut = buf_make(1 << 20);
	size_t step = size > 0 ? data[0] % 16u + 1u : 1;
	struct span text = span_make(data, size);

	if (size <= 1 << 16) {
		run(text, SIZE_MAX, &whole);
		ASSERT(whole.n <= size + DATE.n + ID.n + 4);
		run(text, step, &cut);
		ASSERT(span_equal(buf_span(&whole), buf_span(&cut)));
		run(buf_span(&whole), SIZE_MAX, &cut);
		ASSERT(span_equal(buf_span(&whole), buf_span(&cut)));
	}
	buf_release(&whole);
	buf_release(&cut);
	return 0;
}
