/* tests/fuzz/fuzz_smtp_data.c - any bytes behind DATA, or as chunks behind RCPT
 *
 * Input: a byte that chooses the listener and DATA or BDAT, a byte that seeds
 * answers and cuts, then what the client sends.
 */
#include "tests/fuzz/smtp_pair.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct span starts[] = {
	    SPAN("EHLO c\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n"),
	    SPAN("EHLO c\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nRCPT TO:<e@f>\r\n"),
	    SPAN("LHLO c\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nRCPT "
		 "TO:<e@f>\r\nDATA\r\n"),
	    SPAN("LHLO c\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\n"),
	};
	struct session_policy policy;
	bool lmtp;

	if (size < 2 || size > 4096)
		return 0;
	lmtp = (data[0] & 3) == 2;
	policy = pair_policy((uint8_t)(data[0] & ~16u));
	pair_run(&policy, data[1], starts[(lmtp ? 2 : 0) + (data[0] >> 7)],
		 span_make(data + 2, size - 2));
	return 0;
}
