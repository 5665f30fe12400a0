/* tests/unit/test_pickup.c - the head of a drop file */
#include "pickup/drop/drop.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define HEAD "postroad-drop 1\nsender s@example.org\n"

static const struct row {
	const char *name, *bytes;
	enum drop_result want;
	size_t n_recipients, head_bytes;
} rows[] = {
    {"one recipient",         HEAD "recipient a@b\n\nhello\n",               DROP_OK,   1, 52},
    {"two",		   HEAD "recipient a@b\nrecipient c@d\n\n",       DROP_OK,   2, 66},
    {"null sender",           "postroad-drop 1\nsender \nrecipient a@b\n\n", DROP_OK,   1, 39},
    {"no recipient",          HEAD "\nhello\n",                              DROP_BAD,  0, 0 },
    {"empty recipient",       HEAD "recipient \n\n",                         DROP_BAD,  0, 0 },
    {"another version",       "postroad-drop 2\nsender \nrecipient a@b\n\n", DROP_BAD,  0, 0 },
    {"no sender",             "postroad-drop 1\nrecipient a@b\n\n",          DROP_BAD,  0, 0 },
    {"CR in an address",      HEAD "recipient a@b\rRSET\n\n",                DROP_BAD,  0, 0 },
    {"bracket in an address", HEAD "recipient a@b> NOTIFY=NEVER\n\n",        DROP_BAD,  0, 0 },
    {"unknown line",          HEAD "recipient a@b\nflags x\n\n",             DROP_BAD,  0, 0 },
    {"not ended",             HEAD "recipient a@b\n",                        DROP_MORE, 0, 0 },
    {"empty file",            "",					    DROP_MORE, 0, 0 },
};

static void
test_drop_head_is_read_or_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		struct drop d = {0};

		if (drop_parse(span_str(rows[i].bytes), &d) != rows[i].want ||
		    d.n_recipients != rows[i].n_recipients ||
		    d.head_bytes != rows[i].head_bytes)
			fail_msg("%s", rows[i].name);
	}
}

static void
test_drop_head_needs_more_at_every_cut(void **state)
{
	(void)state;
	struct span whole = span_str(rows[1].bytes), rest, address;
	struct drop d;

	for (size_t n = 0; n < whole.n; n++)
		assert_int_equal(drop_parse(span_first(whole, n), &d), DROP_MORE);
	assert_int_equal(drop_parse(whole, &d), DROP_OK);
	rest = d.recipients;
	assert_true(drop_recipient(&rest, &address));
	assert_true(span_equal(address, SPAN("a@b")));
	assert_true(drop_recipient(&rest, &address));
	assert_true(span_equal(address, SPAN("c@d")));
	assert_false(drop_recipient(&rest, &address));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_drop_head_is_read_or_refused),
	    cmocka_unit_test(test_drop_head_needs_more_at_every_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
