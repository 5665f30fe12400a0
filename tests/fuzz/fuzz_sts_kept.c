/* The first byte says which half the rest is: whatever is read out of it could have
 * been written, and is read again from what kept_record_put() makes of it. */
#include "resolver/kept.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(const struct kept_policy *p)
{
	struct buf made = buf_make(KEPT_HALF_BYTES);
	struct kept_half half;
	struct kept_policy again;

	kept_head_put(&made, 2);
	kept_record_put(&made, 2, p);
	kept_end_put(&made, 2);
	ASSERT(made.n == KEPT_HEAD_BYTES + kept_record_bytes(p) + KEPT_END_BYTES);
	ASSERT(kept_open(buf_span(&made), 0, &half) == KEPT_POLICY);
	ASSERT(kept_next(&half, &again) == KEPT_POLICY);
	ASSERT(span_equal(again.domain, p->domain) && span_equal(again.id, p->id) &&
	       span_equal(again.hosts, p->hosts) && again.mode == p->mode &&
	       again.until_s == p->until_s);
	ASSERT(kept_next(&half, &again) == KEPT_END);
	buf_release(&made);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kept_half half;
	struct kept_policy p;

	if (size == 0 ||
	    kept_open(span_make(data + 1, size - 1), data[0] & 1, &half) != KEPT_POLICY)
		return 0;
	while (kept_next(&half, &p) == KEPT_POLICY)
		check(&p);
	return 0;
}
