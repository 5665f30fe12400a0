/* Any bytes as an envelope: what parses can be walked whole and, put again, gives
 * the same bytes. */
#include "common/spool/spool.h"

static void
recipients_copy(const struct envelope *e, struct buf *out)
{
	struct cursor c = cursor_make(e->recipients);
	struct envelope_recipient r;

	while (recipient_next(&c, &r)) {
		struct cursor t = cursor_make(r.targets);
		struct buf targets = buf_make(ENVELOPE_BYTES_MAX);
		struct target target;

		while (target_next(&t, &target))
			target_put(&targets, &target);
		ASSERT(!t.failed);
		r.targets = buf_span(&targets);
		recipient_put(out, &r);
		buf_release(&targets);
	}
	ASSERT(!c.failed);
}

/* A list that is right is put again the same. */
static void
demands_copy(struct span bytes)
{
	struct buf out = buf_make(ENVELOPE_BYTES_MAX);
	struct cursor c = cursor_make(bytes);
	struct demand d;

	while (demand_next(&c, &d))
		demand_put(&out, &d);
	ASSERT(demand_list_check(bytes) == !c.failed);
	if (!c.failed)
		ASSERT(span_equal(buf_span(&out), bytes));
	buf_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span bytes = span_make(data, size);
	struct buf list = buf_make(ENVELOPE_BYTES_MAX);
	struct buf out = buf_make(ENVELOPE_BYTES_MAX);
	struct spool_head head;
	struct envelope e;

	if (envelope_parse(bytes, &e)) {
		recipients_copy(&e, &list);
		e.recipients = buf_span(&list);
		envelope_put(&out, &e);
		ASSERT(span_equal(buf_span(&out), bytes));
	}
	demands_copy(bytes);
	if (spool_head_parse(bytes, size, &head))
		ASSERT(head.envelope_bytes <= size);
	buf_release(&list);
	buf_release(&out);
	return 0;
}
