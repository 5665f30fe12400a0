#include "common/detail/detail.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static void
test_detail_comes_back_as_it_was(void **state)
{
	const struct detail d = {.reason = SPAN("451 4.7.1 later"),
				 .states = SPAN("odfw"),
				 .headers = SPAN("Subject: x\r\n")};
	struct buf bytes = buf_make(4096);
	struct detail back;

	(void)state;
	detail_put(&bytes, &d);
	assert_true(detail_parse(buf_span(&bytes), &back));
	assert_true(span_equal(back.reason, d.reason));
	assert_true(span_equal(back.states, d.states));
	assert_true(span_equal(back.headers, d.headers));
	buf_release(&bytes);
}

static void
test_detail_that_is_cut_or_too_long_is_none(void **state)
{
	const struct detail d = {.reason = SPAN("r"), .states = SPAN("o")};
	struct buf bytes = buf_make(4096);
	struct detail back = {.reason = SPAN("untouched")};

	(void)state;
	detail_put(&bytes, &d);
	for (size_t cut = 0; cut < bytes.n; cut++)
		assert_false(detail_parse(span_first(buf_span(&bytes), cut), &back));
	buf_put_char(&bytes, 'x');
	assert_false(detail_parse(buf_span(&bytes), &back));
	assert_true(span_equal(back.reason, SPAN("untouched")));
	buf_release(&bytes);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_detail_comes_back_as_it_was),
	    cmocka_unit_test(test_detail_that_is_cut_or_too_long_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
