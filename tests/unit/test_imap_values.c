/* tests/unit/test_imap_values.c - sets, dates, and what responses are made of */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/imap/imap.h"
#include "tests/unit/imap_random.h"

#include <stdio.h>

static void
expect_text(struct buf *out, const char *want)
{
	if (!span_equal(buf_span(out), span_str(want)))
		fail_msg("%.*s, not %s", SPAN_ARG(buf_span(out)), want);
	buf_reset(out);
}

/* --- sets ----------------------------------------------------------------- */

static const struct set_row {
	const char *name;
	struct imap_range at[5];
	size_t n;
	uint32_t max;
	bool cut;
	const char *want;
} sets[] = {
    {"one",		      {{3, 3}},                  1, 5,          true,  "3"                    },
    {"all",		      {{1, 0}},                  1, 5,          true,  "1:5"                  },
    {"backwards",                {{0, 2}},                  1, 5,          true,  "2:5"                  },
    {"last",		     {{0, 0}},                  1, 5,          true,  "5"                    },
    {"sorted",		   {{5, 5}, {1, 2}, {4, 4}},  3, 9,          true,  "1:2,4:5"              },
    {"neighbours",               {{1, 2}, {3, 4}},          2, 9,          true,  "1:4"                  },
    {"inside",		   {{1, 8}, {3, 4}, {8, 9}},  3, 9,          true,  "1:9"                  },
    {"cut",		      {{4, 100}, {200, 300}},    2, 9,          true,  "4:9"                  },
    {"nothing left",             {{10, 0}},                 1, 9,          true,  "9"                    },
    {"beyond",		   {{10, 10}},                1, 9,          true,  ""                     },
    {"empty mailbox",            {{1, 0}},                  1, 0,          true,  ""                     },
    {"no set",		   {{0, 0}},                  0, 9,          true,  ""                     },
    {"uids",		     {{4, 100}, {7, 0}},        2, 50,         false, "4:100"                },
    {"uids above the last",      {{60, 0}},                 1, 50,         false, "50:60"                },
    {"uids of nothing",          {{0, 0}},                  1, 0,          false, ""                     },
    {"uids, one end of nothing", {{7, 0}},                  1, 0,          false, "7"                    },
    {"the greatest",             {{4294967295, 1}, {2, 2}}, 2, 4294967295, false, "1:4294967295"         },
    {"touch at the greatest",
     {{4294967295, 4294967295}, {4294967294, 4294967294}},
     2,							4294967295,
     true,									"4294967294:4294967295"},
};

static void
test_set_resolves(void **state)
{
	struct imap_ranges ranges = {0};
	struct buf out = buf_make(1000);

	(void)state;
	for (size_t i = 0; i < N_ELEMS(sets); i++) {
		struct imap_set set = {.at = sets[i].at, .n = sets[i].n};

		imap_set_resolve(&set, sets[i].max, sets[i].cut, &ranges);
		imap_put_ranges(&out, ranges.at, ranges.n);
		print_message("%s\n", sets[i].name);
		expect_text(&out, sets[i].want);
	}
	imap_ranges_release(&ranges);
	buf_release(&out);
}

#define MODEL 70

static bool
model_has(const struct imap_set *set, uint32_t max, bool cut, uint32_t number)
{
	for (size_t i = 0; i < set->n; i++) {
		uint32_t a = set->at[i].first ? set->at[i].first : max;
		uint32_t b = set->at[i].last ? set->at[i].last : max;

		if (number >= (a < b ? a : b) && number <= (a < b ? b : a) &&
		    (!cut || number <= max))
			return true;
	}
	return false;
}

static void
test_set_is_what_a_bitmap_says(void **state)
{
	struct random random = random_begin();
	struct imap_ranges ranges = {0};

	(void)state;
	for (int round = 0; round < 5000; round++) {
		struct imap_range at[8];
		struct imap_set set = {.at = at, .n = random_below(&random, 9)};
		uint32_t max = 1 + random_below(&random, MODEL - 10);
		bool cut = random_below(&random, 2) > 0;

		for (size_t i = 0; i < set.n; i++)
			at[i] = (struct imap_range){random_below(&random, MODEL - 2),
						    random_below(&random, MODEL - 2)};
		imap_set_resolve(&set, max, cut, &ranges);
		for (uint32_t number = 1; number < MODEL; number++)
			assert_int_equal(imap_ranges_contain(&ranges, number),
					 model_has(&set, max, cut, number));
		assert_false(imap_ranges_contain(&ranges, 0));
		for (size_t i = 1; i < ranges.n; i++)
			assert_true(ranges.at[i - 1].last + 1 < ranges.at[i].first);
	}
	imap_ranges_release(&ranges);
}

static void
test_ranges_grow_number_by_number(void **state)
{
	struct imap_ranges ranges = {0};
	struct buf out = buf_make(1000);

	(void)state;
	for (uint32_t i = 1; i <= 20; i++)
		if (i % 5 != 0)
			imap_ranges_add(&ranges, i, i);
	imap_ranges_add(&ranges, 19, 19);
	imap_ranges_add(&ranges, 20, 4294967295);
	imap_put_ranges(&out, ranges.at, ranges.n);
	expect_text(&out, "1:4,6:9,11:14,16:4294967295");
	imap_ranges_release(&ranges);
	buf_release(&out);
}

/* --- dates ---------------------------------------------------------------- */

static const struct date_row {
	const char *text;
	int64_t seconds;
	bool bad;
} dates[] = {
    {"17-Jul-1996 02:44:25 -0700",  837596665,    false},
    {" 7-Feb-1994 21:52:25 +0000",  760657945,    false},
    {"7-feb-1994 21:52:25 +0000",   760657945,    false},
    {"07-FEB-1994 21:52:25 +0000",  760657945,    false},
    {" 1-Jan-1970 00:00:00 +0000",  0,            false},
    {"31-Dec-1969 23:59:59 +0000",  -1,           false},
    {" 1-Jan-1970 00:00:00 +1400",  -50400,       false},
    {"31-Dec-9999 23:59:59 -2359",  253402387139, false},
    {"29-Feb-2000 00:00:00 +0000",  951782400,    false},
    {"31-Dec-2016 23:59:60 +0000",  1483228799,   false},
    {"29-Feb-1900 00:00:00 +0000",  0,            true },
    {"29-Feb-2023 00:00:00 +0000",  0,            true },
    {"31-Apr-2023 00:00:00 +0000",  0,            true },
    {" 0-Apr-2023 00:00:00 +0000",  0,            true },
    {"32-Apr-2023 00:00:00 +0000",  0,            true },
    {"1-Foo-2023 00:00:00 +0000",   0,            true },
    {"1-Jan-23 00:00:00 +0000",     0,            true },
    {"1-Jan-12023 00:00:00 +0000",  0,            true },
    {"1-Jan-2023 24:00:00 +0000",   0,            true },
    {"1-Jan-2023 00:60:00 +0000",   0,            true },
    {"1-Jan-2023 00:00:61 +0000",   0,            true },
    {"1-Jan-2023 0:00:00 +0000",    0,            true },
    {"1-Jan-2023 00:00:00 0000",    0,            true },
    {"1-Jan-2023 00:00:00 +2400",   0,            true },
    {"1-Jan-2023 00:00:00 +0060",   0,            true },
    {"1-Jan-2023 00:00:00 +000",    0,            true },
    {"1-Jan-2023 00:00:00 +00000",  0,            true },
    {"1-Jan-2023 00:00:00",         0,            true },
    {"1-Jan-2023",                  0,            true },
    {"  1-Jan-2023 00:00:00 +0000", 0,            true },
    {"1-Jan-2023  00:00:00 +0000",  0,            true },
    {"",			    0,	    true },
};

static void
test_date_times(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ELEMS(dates); i++) {
		int64_t seconds = 7;
		bool fine = imap_date_time_parse(span_str(dates[i].text), &seconds);

		print_message("%s\n", dates[i].text);
		assert_int_equal(fine, !dates[i].bad);
		assert_int_equal(seconds, fine ? dates[i].seconds : 7);
	}
}

static void
round_trip(int32_t day, int64_t second)
{
	struct buf out = buf_make(100);
	int64_t seconds;
	struct span text;
	int32_t back;

	imap_put_date_time(&out, day * INT64_C(86400) + second);
	text = span_trim(span_make(out.at + 1, 11), " ");
	assert_true(imap_date_parse(text, &back));
	assert_int_equal(back, day);
	assert_true(imap_date_time_parse(span_make(out.at + 1, out.n - 2), &seconds));
	assert_int_equal(seconds, day * INT64_C(86400) + second);
	buf_release(&out);
}

/* Each day from 1960 to 2040, and one in 37 of the years 0 to 9999. */
static void
test_dates_round_trip(void **state)
{
	(void)state;
	for (int32_t day = -10 * 365; day < 70 * 365; day++)
		round_trip(day, (day + 10 * 365) * 7919 % 86400);
	for (int32_t day = -719528; day <= 2932896; day += 37)
		round_trip(day, (day + 719528) % 86400);
	round_trip(2932896, 86399);
}

static void
test_date_time_is_put(void **state)
{
	struct buf out = buf_make(100);

	(void)state;
	imap_put_date_time(&out, 760657945);
	expect_text(&out, "\" 7-Feb-1994 21:52:25 +0000\"");
	imap_put_date_time(&out, INT64_MIN);
	expect_text(&out, "\" 1-Jan-0000 00:00:00 +0000\"");
	imap_put_date_time(&out, INT64_MAX);
	expect_text(&out, "\"31-Dec-9999 23:59:59 +0000\"");
	buf_release(&out);
}

/* --- strings -------------------------------------------------------------- */

static const struct put_row {
	const char *text, *string, *utf8, *astring;
} puts_[] = {
    {"",	     "\"\"",                "\"\"",                 "\"\""           },
    {"foo",          "\"foo\"",             "\"foo\"",              "foo"            },
    {"foo bar",      "\"foo bar\"",         "\"foo bar\"",          "\"foo bar\""    },
    {"a\"b\\c",      "\"a\\\"b\\\\c\"",     "\"a\\\"b\\\\c\"",      "\"a\\\"b\\\\c\""},
    {"NIL",          "\"NIL\"",             "\"NIL\"",              "\"NIL\""        },
    {"nil",          "\"nil\"",             "\"nil\"",              "\"nil\""        },
    {"a]",	   "\"a]\"",              "\"a]\"",               "\"a]\""         },
    {"a*",	   "\"a*\"",              "\"a*\"",               "\"a*\""         },
    {"\303\244",     "{2}\r\n\303\244",     "\"\303\244\"",         "{2}\r\n\303\244"},
    {"\303\244\"\\", "{4}\r\n\303\244\"\\", "\"\303\244\\\"\\\\\"",
     "{4}\r\n\303\244\"\\"							   },
    {"\344",         "{1}\r\n\344",         "{1}\r\n\344",          "{1}\r\n\344"    },
    {"a\r\nb",       "{4}\r\na\r\nb",       "{4}\r\na\r\nb",        "{4}\r\na\r\nb"  },
};

static void
test_strings_are_put(void **state)
{
	struct buf out = buf_make(10000);
	char text[1002];

	(void)state;
	for (size_t i = 0; i < N_ELEMS(puts_); i++) {
		struct span s = span_str(puts_[i].text);

		imap_put_string(&out, s, false);
		expect_text(&out, puts_[i].string);
		imap_put_nstring(&out, s, true);
		expect_text(&out, puts_[i].utf8);
		imap_put_astring(&out, s, false);
		expect_text(&out, puts_[i].astring);
	}
	imap_put_nstring(&out, (struct span){NULL, 0}, true);
	expect_text(&out, "NIL");
	imap_put_literal_head(&out, 18446744073709551615u, false);
	imap_put_literal_head(&out, 0, true);
	expect_text(&out, "{18446744073709551615}\r\n~{0}\r\n");

	memset(text, 'x', sizeof(text));
	imap_put_string(&out, span_make(text, 1000), true);
	assert_int_equal(out.n, 1002);
	imap_put_string(&out, span_make(text, 1001), true);
	assert_int_equal(out.n, 1002 + 8 + 1001);
	buf_release(&out);
}

static void
test_flags_are_put(void **state)
{
	struct buf out = buf_make(1000);

	(void)state;
	assert_false(imap_put_system_flags(&out, 0));
	expect_text(&out, "");
	assert_true(imap_put_system_flags(&out, IMAP_FLAG_SEEN));
	expect_text(&out, "\\Seen");
	assert_true(imap_put_system_flags(&out, 31));
	expect_text(&out, "\\Answered \\Flagged \\Deleted \\Seen \\Draft");
	buf_release(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_set_resolves),
	    cmocka_unit_test(test_set_is_what_a_bitmap_says),
	    cmocka_unit_test(test_ranges_grow_number_by_number),
	    cmocka_unit_test(test_date_times),
	    cmocka_unit_test(test_dates_round_trip),
	    cmocka_unit_test(test_date_time_is_put),
	    cmocka_unit_test(test_strings_are_put),
	    cmocka_unit_test(test_flags_are_put),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
