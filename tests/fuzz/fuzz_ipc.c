/* tests/fuzz/fuzz_ipc.c - packets of a program that may have been stolen
 *
 * Whatever can be read is written again to the same bytes.
 */
#include "common/ipc/ipc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf back = buf_make(IPC_PACKET_MAX);
	struct span rest = span_make(data, size);
	struct ipc_message m;

	while (rest.n > 0) {
		struct span before = rest;

		if (!ipc_decode(&rest, &m))
			break;
		buf_reset(&back);
		if (before.n - rest.n > IPC_PACKET_MAX)
			continue;
		ASSERT(ipc_encode(&back, &m));
		ASSERT(
		    span_equal(buf_span(&back), span_first(before, before.n - rest.n)));
	}
	buf_release(&back);
	return 0;
}
