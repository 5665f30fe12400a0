#include "admin/reason.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static const struct row {
	const char *name, *reason;
	const char *host;
	unsigned code;
	uint16_t enhanced[3];
	const char *text;
	bool known;
} rows[] = {
    {"nothing",		    "",				   "",			    0,   {0},       "",                     false},
    {"all there",
     "mx.example.org[192.0.2.1]: 451 4.7.1 Greylisted, come back later", "mx.example.org[192.0.2.1]",
     451,												    {4, 7, 1},
     "Greylisted, come back later",													     true },
    {"IPv6",
     "mx.example.org[2001:db8::1]: 550 5.1.1 no such user",	      "mx.example.org[2001:db8::1]",
     550,												    {5, 1, 1},
     "no such user",															    true },
    {"no enhanced code",
     "mx[192.0.2.1]: 450 busy",					  "mx[192.0.2.1]",
     450,												    {0},
     "busy",																    false},
    {"no code",
     "mx[192.0.2.1]: 4.4.2 lost",					"mx[192.0.2.1]",
     0,												      {4, 4, 2},
     "lost",																    false},
    {"ours",
     "4.4.1 connect to mx[192.0.2.1]:25: Connection refused",	    "",
     0,												      {4, 4, 1},
     "connect to mx[192.0.2.1]:25: Connection refused",											 true },
    {"words",		      "held by the operator",               "",                            0,   {0},       "held by the operator", false},
    {"a number that is no code",   "199 things",                         "",                            0,   {0},       "199 things",           false},
    {"a long number",              "4511 4.7.1 x",                       "",                            0,   {0},       "4511 4.7.1 x",         false},
    {"two numbers only",           "451 4.7 x",                          "",                            451, {0},       "4.7 x",                false},
    {"four numbers",               "451 4.7.1.2 x",                      "",                            451, {0},       "4.7.1.2 x",            false},
    {"class 1",		    "451 1.7.1 x",                        "",                            451, {0},       "1.7.1 x",              false},
    {"huge number",                "451 4.7.70000 x",                    "",                            451, {0},       "4.7.70000 x",          false},
    {"host alone",                 "mx[192.0.2.1]: ",                    "mx[192.0.2.1]",               0,   {0},       "",                     false},
    {"no host before the bracket", "]: x",                               "",                            0,   {0},       "]: x",                 false},
    {"a blank in the host",        "a b[1]: x",                          "",                            0,   {0},       "a b[1]: x",            false},
    {"code alone",                 "451",				"",                            451, {0},       "",                     false},
};

static void
test_reason_is_taken_apart(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		struct reason r = reason_parse(span_str(rows[i].reason));

		print_message("%s\n", rows[i].name);
		assert_true(span_equal(r.host, span_str(rows[i].host)));
		assert_int_equal(r.code, rows[i].code);
		assert_memory_equal(r.enhanced, rows[i].enhanced, sizeof(r.enhanced));
		assert_true(span_equal(r.text, span_str(rows[i].text)));
		if (rows[i].known)
			assert_non_null(r.advice);
	}
}

static void
test_reason_cut_anywhere_is_read_without_harm(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		struct span whole = span_str(rows[i].reason);

		for (size_t cut = 0; cut <= whole.n; cut++) {
			char *part = span_dup(span_first(whole, cut));
			struct reason r = reason_parse(span_make(part, cut));

			assert_true(r.host.n + r.text.n <= cut);
			free(part);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_reason_is_taken_apart),
	    cmocka_unit_test(test_reason_cut_anywhere_is_read_without_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
