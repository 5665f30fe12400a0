/* tests/fuzz/fuzz_srs.c - any bytes as a sender, and as an address that comes back
 *
 * What is rewritten can be turned back; what somebody made up cannot.
 */
#include "common/srs/srs.h"

#define DAY 20000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct srs_keys keys = {{SPAN("0123456789abcdef")}, 1};
	struct buf made = buf_make(SRS_ADDRESS_MAX), back = buf_make(SRS_ADDRESS_MAX);
	struct span text = span_make(data, size);

	ASSERT(srs_reverse(&keys, text, DAY, &back) != SRS_OK);
	buf_reset(&back);
	if (srs_forward(&keys, text, SPAN("ours.example"), DAY, &made)) {
		enum srs_result r = srs_reverse(&keys, buf_span(&made), DAY, &back);

		ASSERT(r == SRS_OK || r == SRS_FORGED);
	}
	buf_release(&made);
	buf_release(&back);
	return 0;
}
