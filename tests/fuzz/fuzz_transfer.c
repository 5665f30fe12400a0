/* tests/fuzz/fuzz_transfer.c - what an import remembered, read from its notes */
#include "common/transfer/import_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static uint64_t
bit_of(const void *context, struct span name)
{
	(void)context;
	return name.n > 0 ? UINT64_C(1) << (name.at[0] & 63) : 0;
}

static struct span
name_of(const void *context, int bit)
{
	(void)context;
	return bit == 3 ? SPAN("work") : SPAN("");
}

static bool
keep(const void *context, const struct guid_row *row)
{
	(void)context;
	return row->mailbox > 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct past p = {0}, again = {0};
	struct buf out = buf_make(1u << 24);
	size_t rows;

	if (n < 100000 && past_parse(&p, span_make(data, n), bit_of, NULL)) {
		past_begin(&p, "/somewhere", SPAN(""));
		for (size_t i = 0, m; i < p.n_had; i += m)
			ASSERT(past_had_in(&p, p.had[i].mailbox, &m) == p.had + i &&
			       m > 0);
		rows = p.rows.n;
		past_put(&p, name_of, keep, NULL, &out);
		ASSERT(!out.full && past_parse(&again, buf_span(&out), bit_of, NULL));
		ASSERT(again.rows.n == rows && again.n_sources == p.n_sources);
	}
	past_release(&p);
	past_release(&again);
	buf_release(&out);
	return 0;
}
