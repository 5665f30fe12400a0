#include "admin/progress.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static const struct row {
	const char *name;
	uint64_t done, total, elapsed_ms;
	const char *at, *want;
} rows[] = {
    {"the start",     0,       50000,   0,    "",           "importing  0 of 50,000 messages (0%)"    },
    {"no total",      1234567, 0,       0,    "",           "importing  1,234,567 messages"           },
    {"speed",         1000,    50000,   2000, "",
     "importing  1,000 of 50,000 messages (2%), 500/s, 98 s left"                                     },
    {"minutes",       1000,    1000000, 2000, "",
     "importing  1,000 of 1,000,000 messages (0%), 500/s, 33 min left"                                },
    {"hours",         1,       100000,  1000, "",
     "importing  1 of 100,000 messages (0%), 1/s, 27 h left"                                          },
    {"the end",       10,      10,      2000, "",           "importing  10 of 10 messages (100%), 5/s"},
    {"more than all", 11,      10,      0,    "",           "importing  11 of 10 messages (100%)"     },
    {"a place",       1,       2,       0,    "INBOX",      "importing  1 of 2 messages (50%): INBOX" },
    {"tricks",        1,       2,       0,    "a\r\033[Kb", "importing  1 of 2 messages (50%): a..[Kb"},
};

static void
test_progress_text_says_how_far_it_is(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		char line[PROGRESS_TEXT];

		progress_text("importing", "messages", rows[i].done, rows[i].total,
			      rows[i].elapsed_ms, span_str(rows[i].at), line);
		if (strcmp(line, rows[i].want) != 0)
			fail_msg("%s: %s", rows[i].name, line);
	}
}

static void
test_progress_text_never_cuts_a_character(void **state)
{
	char at[2 * PROGRESS_TEXT + 1] = {0}, line[PROGRESS_TEXT];

	(void)state;
	for (size_t shift = 0; shift < 3; shift++) {
		memset(at, 'x', shift);
		for (size_t i = shift; i + 2 < sizeof(at); i += 2)
			memcpy(at + i, "\xc3\xa4", 2);
		progress_text("exporting", "messages", 1, 2, 0, span_str(at), line);
		assert_true(utf8_valid(span_str(line)));
		assert_in_range(strlen(line), PROGRESS_TEXT - 4, PROGRESS_TEXT - 1);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_progress_text_says_how_far_it_is),
	    cmocka_unit_test(test_progress_text_never_cuts_a_character),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
