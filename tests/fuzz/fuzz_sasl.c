/* tests/fuzz/fuzz_sasl.c - exchanges with messages from a stranger
 *
 * Input: a byte (mechanism, plus offered), then messages, each after its length
 * byte. A message may not log in: the keys are fake and unknown.
 */
#include "common/sasl/sasl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
run_messages(struct sasl *s, struct span rest, struct buf *out)
{
	struct scram_keys keys;
	enum sasl_result r = SASL_CONTINUE;

	while (r == SASL_CONTINUE && rest.n > 0) {
		size_t n = (uint8_t)rest.at[0];

		rest = span_after(rest, 1);
		r = sasl_step(s, span_first(rest, n), out);
		rest = span_after(rest, n);
		if (r != SASL_LOOKUP)
			continue;
		scram_keys_fake(sasl_name(s), SPAN("secret"), &keys);
		r = sasl_keys(s, &keys, false, out);
	}
	ASSERT(r != SASL_DONE);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct sasl_binding binding = {SPAN("tls-exporter"),
						    SPAN("channel")};
	struct buf out = buf_make(SASL_MESSAGE_MAX);
	struct sasl_offer offer = {
	    .nonce = SPAN("3rfcNHYJY1ZVvWVs7j"), .bindings = &binding, .n_bindings = 1};
	struct sasl s;

	if (size == 0)
		return 0;
	offer.plus_offered = (data[0] & 4) != 0;
	sasl_init(&s, (enum sasl_mechanism)(data[0] & 3), &offer);
	sasl_prompt(&s, &out);
	run_messages(&s, span_make(data + 1, size - 1), &out);
	sasl_release(&s);
	buf_release(&out);
	return 0;
}
