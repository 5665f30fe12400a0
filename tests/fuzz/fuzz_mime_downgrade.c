/* tests/fuzz/fuzz_mime_downgrade.c - any message for a server of 7 bits
 *
 * Input: a message. In steps of any size the same comes out, and behind the header only
 * 7-bit bytes, but for headers of parts.
 */
#include "common/mime/mime.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* False when it cannot be done. */
static bool
make(struct span message, size_t step, struct buf *out)
{
	struct mime_downgrade *d = mime_downgrade_new(message);

	if (!d)
		return false;
	while (mime_downgrade_next(d, step, out))
		;
	mime_downgrade_free(&d);
	ASSERT(!out->full);
	return true;
}

static size_t
count_8bit(struct span s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += (unsigned char)s.at[i] >= 0x80;
	return n;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span message = span_make(data, size);
	struct buf once = buf_make(4 * size + ((size_t)1 << 20));
	struct buf again = buf_make(once.max);

	if (make(message, SIZE_MAX, &once)) {
		ASSERT(make(message, size % 13 + 1, &again));
		ASSERT(span_equal(buf_span(&once), buf_span(&again)));
		ASSERT(count_8bit(buf_span(&once)) <= count_8bit(message));
	}
	buf_release(&once);
	buf_release(&again);
	return 0;
}
