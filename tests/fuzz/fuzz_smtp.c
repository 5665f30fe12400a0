/* tests/fuzz/fuzz_smtp.c - any bytes as commands, with any answers from outside
 *
 * Input: a byte that chooses the listener, a byte that seeds answers and cuts,
 * then what the client sends.
 */
#include "tests/fuzz/smtp_pair.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct session_policy policy;

	if (size < 2 || size > 4096)
		return 0;
	policy = pair_policy(data[0]);
	pair_run(&policy, data[1], SPAN(""), span_make(data + 2, size - 2));
	return 0;
}
