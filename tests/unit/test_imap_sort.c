/* SORT: every key, ESORT, the collation, and a merge sort that stops anywhere */
#include "tests/unit/imap_like.h"

#include "imapd/session/search.h"

#include <stdio.h>

static const struct {
	const char *date, *text;
} messages[] = {
    {"02-Jan-2027 00:00:00 +0000",
     "From: =?utf-8?Q?=C3=89mile?= <zed@example.org>\r\nTo: B@example.org\r\n"
     "Subject: Re: banana\r\nDate: Fri, 1 Jan 2027 12:00:00 +0000\r\n\r\n"},
    {"01-Jan-2027 00:00:00 +0000",
     "From: Zoe <alpha@example.org>\r\nTo: a@example.org\r\nCc: x@example.org\r\n"
     "Subject: [list] Apple\r\nDate: Fri, 1 Jan 2027 14:00:00 +0300\r\n\r\nlong "
     "long\r\n"							   },
    {"03-Jan-2027 00:00:00 +0000", "Subject: BANANA (fwd)\r\n\r\n"        },
    {"01-Jan-2027 00:00:00 +0000",
     "From: Alpha@example.net\r\nTo: list: c@example.org, d@example.org;\r\n"
     "Subject: =?utf-8?Q?=C3=84pfel?=\r\nDate: nonsense\r\n\r\n"          },
};

static void
append(struct harness *h, size_t i)
{
	struct buf command = buf_make(4096);

	buf_putf(&command, "a APPEND INBOX \"%s\" {%zu+}\r\n%s\r\n", messages[i].date,
		 strlen(messages[i].text), messages[i].text);
	assert_true(span_starts(harness_send(h, 0, buf_span(&command)), SPAN("a OK")));
	buf_release(&command);
}

static const struct {
	const char *command, *want;
} rows[] = {
    {"SORT (ARRIVAL) UTF-8 ALL",                       "* SORT 2 4 1 3"                   },
    {"SORT (REVERSE ARRIVAL) UTF-8 ALL",               "* SORT 3 1 2 4"                   },
    {"SORT (DATE) UTF-8 ALL",                          "* SORT 4 2 1 3"                   },
    {"SORT (SIZE) UTF-8 ALL",                          "* SORT 3 4 1 2"                   },
    {"SORT (SUBJECT) UTF-8 ALL",                       "* SORT 2 4 1 3"                   },
    {"SORT (REVERSE SUBJECT) UTF-8 ALL",               "* SORT 1 3 4 2"                   },
    {"SORT (SUBJECT REVERSE DATE) UTF-8 ALL",          "* SORT 2 4 3 1"                   },
    {"SORT (FROM) UTF-8 ALL",                          "* SORT 3 2 4 1"                   },
    {"SORT (TO) UTF-8 ALL",			    "* SORT 3 2 1 4"                   },
    {"SORT (CC DATE) UTF-8 ALL",                       "* SORT 4 1 3 2"                   },
    {"SORT (DISPLAYFROM) UTF-8 ALL",                   "* SORT 3 4 1 2"                   },
    {"SORT (DISPLAYTO) UTF-8 ALL",                     "* SORT 3 2 1 4"                   },
    {"SORT (SUBJECT) US-ASCII 2:3",                    "* SORT 2 3"                       },
    {"SORT (SUBJECT) US-ASCII KEYWORD none",           "* SORT"                           },
    {"SORT (SUBJECT) US-ASCII 1:2 MODSEQ 1",           "* SORT 2 1 (MODSEQ ~)"            },
    {"UID SORT (REVERSE DATE) UTF-8 UID 2:*",          "* SORT 3 2 4"                     },
    {"SORT RETURN (MIN MAX COUNT) (DATE) UTF-8 ALL",
     "* ESEARCH (TAG \"a\") MIN 4 MAX 3 COUNT 4"                                          },
    {"SORT RETURN () (SIZE) UTF-8 ALL",                "* ESEARCH (TAG \"a\") ALL 3:4,1:2"},
    {"SORT RETURN (ALL) (REVERSE SUBJECT) UTF-8 2:4",
     "* ESEARCH (TAG \"a\") ALL 3:4,2"						    },
    {"UID SORT RETURN (PARTIAL 2:3) (SIZE) UTF-8 ALL",
     "* ESEARCH (TAG \"a\") UID PARTIAL (2:3 4,1)"                                        },
};

static void
expect_sort(struct harness *h, const char *command, const char *answer)
{
	struct buf send = buf_make(1024), want = buf_make(1024);
	bool uid = strncmp(command, "UID ", 4) == 0;

	buf_putf(&send, "a %s\r\n", command);
	buf_putf(&want, "%s\r\na OK %sSORT completed\r\n", answer, uid ? "UID " : "");
	expect_like(h, buf_span(&send), buf_span(&want));
	buf_release(&send);
	buf_release(&want);
}

static void
test_sort_orders_by_each_key(void **state)
{
	struct harness h;

	(void)state;
	harness_init(&h);
	for (size_t i = 0; i < N_ELEMS(messages); i++)
		append(&h, i);
	(void)harness_say(&h, 0, "a SELECT INBOX (CONDSTORE)\r\n");
	for (size_t i = 0; i < N_ELEMS(rows); i++)
		expect_sort(&h, rows[i].command, rows[i].want);
	expect_like(&h, SPAN("a SORT (DATE) x-nowhere ALL\r\n"),
		    SPAN("a NO [BADCHARSET ~\r\n"));
	expect_sort(&h, "SORT RETURN (SAVE MAX) (DATE) UTF-8 ALL",
		    "* ESEARCH (TAG \"a\") MAX 3");
	expect_sort(&h, "SORT (DATE) UTF-8 $", "* SORT 3");
	harness_release(&h);
}

/* --- the collation -------------------------------------------------------- */

static void
test_sort_casemap_is_that_of_the_rfc(void **state)
{
	static const struct {
		const char *name, *in, *out;
	} texts[] = {
	    {"ASCII",               "aZ 1!",        "AZ 1!"            },
	    {"decomposed",          "\xc3\xa9",     "E\xcc\x81"        },
	    {"no full mapping",     "\xc3\x9f",     "\xc3\x9f"         },
	    {"compatibility",       "\xef\xac\x81", "fi"               },
	    {"title, not upper",    "\xc7\x86",     "Dz\xcc\x8c"       },
	    {"Hangul stays",        "\xea\xb0\x80", "\xea\xb0\x80"     },
	    {"bytes that are none", "a\xff\xc3",    "A\xff\xc3"        },
	    {"twice decomposed",    "\xe1\xbb\xa9", "U\xcc\x9b\xcc\x81"},
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(texts); i++) {
		struct buf out = buf_make(100);

		sort_casemap(span_str(texts[i].in), &out);
		if (!span_equal(buf_span(&out), span_str(texts[i].out)))
			print_message("%s\n", texts[i].name);
		assert_true(span_equal(buf_span(&out), span_str(texts[i].out)));
		buf_release(&out);
	}
}

/* --- merging -------------------------------------------------------------- */

static uint64_t
random_next(uint64_t *seed)
{
	*seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return *seed >> 33;
}

static void
sort_random(uint64_t *seed, size_t n, size_t moves)
{
	struct sort_item *items = memory_new(n + 1, sizeof(*items));
	struct sort_merge m;

	for (size_t i = 0; i < n; i++)
		items[i] = (struct sort_item){.prefix = random_next(seed) % 50,
					      .number = (uint32_t)i};
	sort_merge_begin(&m, items, n, "");
	while (!sort_merge_step(&m, moves))
		continue;
	for (size_t i = 1; i < n; i++) {
		const struct sort_item *a = &m.items[i - 1], *b = &m.items[i];

		assert_true(a->prefix < b->prefix ||
			    (a->prefix == b->prefix && a->number < b->number));
	}
	sort_merge_release(&m);
}

static void
test_sort_merge_is_stable_in_any_steps(void **state)
{
	const char *env = getenv("SEED");
	uint64_t seed = env ? (uint64_t)strtoull(env, NULL, 10) : (uint64_t)getpid();

	(void)state;
	print_message("SEED=%llu\n", (unsigned long long)seed);
	for (size_t n = 0; n < 70; n++)
		sort_random(&seed, n, 1);
	for (size_t i = 0; i < 30; i++)
		sort_random(&seed, random_next(&seed) % 3000,
			    1 + random_next(&seed) % 500);
}

/* A name of very many NULs, and shorter ones: no NUL ends a key, nor is any of them
 * moved for each that stands before it. */
static void
test_sort_by_names_with_nuls(void **state)
{
	static const size_t nuls[] = {90000, 0, 3, 1, 2};
	struct harness h;

	(void)state;
	harness_init(&h);
	for (size_t i = 0; i < N_ELEMS(nuls); i++) {
		struct buf text = buf_make(1u << 20), command = buf_make(1u << 20);

		buf_put_str(&text, "From: \"b");
		for (size_t n = 0; n < nuls[i]; n++)
			buf_put_char(&text, '\0');
		buf_put_str(&text, "\"@example.org\r\n\r\n");
		buf_putf(&command, "a APPEND INBOX ~{%zu+}\r\n", text.n);
		buf_put(&command, buf_span(&text));
		buf_put_str(&command, "\r\n");
		assert_true(
		    span_starts(harness_send(&h, 0, buf_span(&command)), SPAN("a OK")));
		buf_release(&text);
		buf_release(&command);
	}
	(void)harness_say(&h, 0, "s SELECT INBOX\r\n");
	harness_expect(&h, 0, "b SORT (FROM) UTF-8 ALL\r\n",
		       "* SORT 2 4 5 3 1\r\nb OK SORT completed\r\n");
	harness_expect(&h, 0, "c SORT (REVERSE FROM) UTF-8 ALL\r\n",
		       "* SORT 1 3 5 4 2\r\nc OK SORT completed\r\n");
	harness_release(&h);
}

#define TOO_MUCH "a NO [LIMIT] There is too much to put in order at once\r\n"

/* Each message is an item twice, and the bytes of its key beyond the first eight. */
static void
test_sort_takes_no_more_than_its_limit(void **state)
{
	const size_t n = 500;
	const size_t items = 2 * (n + 1) * sizeof(struct sort_item);
	struct harness h;
	struct span got;

	(void)state;
	harness_init(&h);
	harness_fill(&h, STORE_INBOX, n);
	(void)harness_say(&h, 0, "s SELECT INBOX\r\n");
	h.policy.limits.order_bytes_max = items + 8;
	got = harness_say(&h, 0, "a SORT (ARRIVAL) UTF-8 ALL\r\n");
	assert_true(span_ends_nocase(got, SPAN("a OK SORT completed\r\n")));
	harness_expect(&h, 0, "a SORT (ARRIVAL SIZE) UTF-8 ALL\r\n", TOO_MUCH);
	h.policy.limits.order_bytes_max = items + n * 8 + 8;
	got = harness_say(&h, 0, "a SORT (ARRIVAL SIZE) UTF-8 ALL\r\n");
	assert_true(span_ends_nocase(got, SPAN("a OK SORT completed\r\n")));
	h.policy.limits.order_bytes_max = items - 1;
	harness_expect(&h, 0, "a SORT (ARRIVAL) UTF-8 ALL\r\n", TOO_MUCH);
	got = harness_say(&h, 0, "a SORT (ARRIVAL) UTF-8 1:100\r\n");
	assert_true(span_ends_nocase(got, SPAN("a OK SORT completed\r\n")));
	harness_release(&h);
}

/* What messages refer to counts, too. */
static void
test_thread_takes_no_more_than_its_limit(void **state)
{
	struct buf text = buf_make(1u << 16);
	struct harness h;
	struct span got;

	(void)state;
	harness_init(&h);
	harness_fill(&h, STORE_INBOX, 100);
	(void)harness_say(&h, 0, "s SELECT INBOX\r\n");
	h.policy.limits.order_bytes_max = 300000;
	got = harness_say(&h, 0, "a THREAD REFERENCES UTF-8 ALL\r\n");
	assert_true(span_ends_nocase(got, SPAN("a OK THREAD completed\r\n")));
	for (int i = 0; i < 50; i++) {
		buf_reset(&text);
		buf_put_str(&text, "References:");
		for (int k = 0; k < 100; k++)
			buf_putf(&text, "\r\n <%d.%d@example.org>", i, k);
		buf_put_str(&text, "\r\n\r\n");
		buf_put_char(&text, '\0');
		(void)harness_append(&h, STORE_INBOX, text.at, 0);
	}
	(void)harness_say(&h, 0, "n NOOP\r\n");
	harness_expect(&h, 0, "a THREAD REFERENCES UTF-8 ALL\r\n", TOO_MUCH);
	h.policy.limits.order_bytes_max = 1000000;
	got = harness_say(&h, 0, "a THREAD REFERENCES UTF-8 ALL\r\n");
	assert_true(span_ends_nocase(got, SPAN("a OK THREAD completed\r\n")));
	h.policy.limits.order_bytes_max = 50000;
	harness_expect(&h, 0, "a THREAD ORDEREDSUBJECT UTF-8 ALL\r\n", TOO_MUCH);
	buf_release(&text);
	harness_release(&h);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_sort_orders_by_each_key),
	    cmocka_unit_test(test_sort_casemap_is_that_of_the_rfc),
	    cmocka_unit_test(test_sort_merge_is_stable_in_any_steps),
	    cmocka_unit_test(test_sort_by_names_with_nuls),
	    cmocka_unit_test(test_sort_takes_no_more_than_its_limit),
	    cmocka_unit_test(test_thread_takes_no_more_than_its_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
