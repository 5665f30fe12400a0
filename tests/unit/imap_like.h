/* tests/unit/imap_like.h - answers of which some parts do not matter */
#pragma once

#include "tests/unit/imap_harness.h"

/* ~ stands for anything. */
static inline bool
is_like(struct span want, struct span got)
{
	while (want.n > 0 && want.at[0] != '~') {
		if (got.n == 0 || got.at[0] != want.at[0])
			return false;
		want = span_after(want, 1);
		got = span_after(got, 1);
	}
	if (want.n == 0)
		return got.n == 0;
	for (size_t i = 0; i <= got.n; i++)
		if (is_like(span_after(want, 1), span_after(got, i)))
			return true;
	return false;
}

/* Fails the test, showing both, when the answer is another. */
static inline void
expect_like(struct harness *h, struct span send, struct span want)
{
	struct span got = harness_send(h, 0, send);

	if (!is_like(want, got))
		print_message("--- sent\n%.*s--- wanted\n%.*s--- got\n%.*s---\n",
			      SPAN_ARG(send), SPAN_ARG(want), SPAN_ARG(got));
	assert_true(is_like(want, got));
}
