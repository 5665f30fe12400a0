/* SEARCH: keys, answers, "$", and that small steps change nothing */
#include "tests/unit/imap_like.h"
#include "tests/unit/memory.h"

#include "common/text/text.h"

static struct text_charsets *charsets;

/* FIXTURE_NOW is 15-Jan-2027 08:00 UTC. */
static const struct {
	const char *flags, *date, *text;
} messages[] = {
    {"\\Seen",             "01-Jan-2027 00:00:00 +0000",
     "From: Ann <ann@example.org>\r\nTo: bob@example.org\r\n"
     "Subject: Budget\r\nDate: Thu, 31 Dec 2026 23:30:00 -0500\r\n\r\nThe "
     "numbers.\r\n"								  },
    {"\\Flagged $Label",   "31-Dec-2026 23:59:59 +0000",
     "From: =?utf-8?Q?Zo=C3=AB?= <zoe@example.net>\r\nCc: ann@example.org\r\n"
     "Subject: =?iso-8859-1?Q?Gr=FC=DFe?=\r\nDate: Fri, 1 Jan 2027 01:00:00 +0900\r\n"
     "\r\nHello.\r\n"								},
    {"\\Seen \\Deleted",   "14-Jan-2027 08:00:00 +0000",
     "Subject: html\r\nContent-Type: text/html; charset=koi8-r\r\n\r\n"
     "<p>\xf0\xd2\xc9\xd7\xc5\xd4</p>\r\n"					   },
    {"",		   "14-Jan-2027 08:00:01 +0000", "\r\nno header, STRASSE\r\n"},
    {"\\Answered \\Draft", "15-Jan-2027 07:00:00 +0000",
     "X-Empty:\r\nSubject: last\r\nDate: no date\r\n\r\n"                            },
};

static void
append(struct harness *h, size_t i)
{
	struct buf command = buf_make(4096);

	buf_putf(&command, "a APPEND INBOX (%s) \"%s\" {%zu+}\r\n%s\r\n",
		 messages[i].flags, messages[i].date, strlen(messages[i].text),
		 messages[i].text);
	assert_true(span_starts(harness_send(h, 0, buf_span(&command)), SPAN("a OK")));
	buf_release(&command);
}

static void
start(struct harness *h, const struct session_policy *policy)
{
	if (policy)
		harness_init_with(h, policy,
				  &(struct store_settings){.summarize = true});
	else
		harness_init(h);
	h->account->charsets = text_charsets_mime(charsets);
	for (size_t i = 0; i < N_ELEMS(messages); i++)
		append(h, i);
	(void)harness_say(h, 0, "a SELECT INBOX (CONDSTORE)\r\n");
}

struct row {
	const char *keys, *found;
};

static const struct row rows[] = {
    {"ALL",									  "1 2 3 4 5"},
    {"SEEN",									 "1 3"      },
    {"UNSEEN UNDELETED",							     "2 4 5"    },
    {"ANSWERED",								     "5"        },
    {"UNDRAFT UNFLAGGED",							    "1 3 4"    },
    {"KEYWORD $label",							       "2"        },
    {"KEYWORD nowhere",							      ""         },
    {"UNKEYWORD $Label",							     "1 3 4 5"  },
    {"OLD SINCE 1-Jan-2027",							 ""         },
    {"RECENT",								       "1 2 3 4 5"},
    {"NEW",									  "2 4 5"    },
    {"2:3,5",									"2 3 5"    },
    {"*",									    "5"        },
    {"4:*",									  "4 5"      },
    {"*:4",									  "4 5"      },
    {"UID 1:2,99",								   "1 2"      },
    {"UID 99:*",								     "5"        },
    {"NOT 2:3",								      "1 4 5"    },
    {"OR 1 OR 2 5",								  "1 2 5"    },
    {"NOT (OR SEEN FLAGGED)",							"4 5"      },
    {"NOT NOT SEEN",								 "1 3"      },
    {"(1:3 (SEEN)) NOT (DELETED)",						   "1"        },
    {"BEFORE 1-Jan-2027",							    "2"        },
    {"ON 1-Jan-2027",								"1"        },
    {"SINCE 1-Jan-2027",							     "1 3 4 5"  },
    {"SENTBEFORE 1-Jan-2027",							"1"        },
    {"SENTON 1-Jan-2027",							    "2"        },
    {"SENTSINCE 31-Dec-2026",							"1 2"      },
    {"NOT SENTSINCE 1-Jan-1970",						     "3 4 5"    },
    {"SAVEDON 15-Jan-2027",							  "1 2 3 4 5"},
    {"SAVEDBEFORE 15-Jan-2027",						      ""         },
    {"SAVEDATESUPPORTED",							    "1 2 3 4 5"},
    {"OLDER 86400",								  "1 2"      },
    {"YOUNGER 86400",								"3 4 5"    },
    {"YOUNGER 86399",								"4 5"      },
    {"LARGER 41 SMALLER 43",							 "5"        },
    {"MODSEQ 1",								     "1 2 3 4 5"},
    {"SUBJECT budGET",							       "1"        },
    {"SUBJECT grusse",							       "2"        },
    {"SUBJECT \"\"",								 "1 2 3 5"  },
    {"FROM ZOE",								     "2"        },
    {"FROM example.net",							     "2"        },
    {"CC ann TO ann",								""         },
    {"TO bob",								       "1"        },
    {"BCC \"\"",								     ""         },
    {"HEADER X-Empty \"\"",							  "5"        },
    {"HEADER x-empty a",							     ""         },
    {"HEADER Date 2026",							     "1"        },
    {"HEADER \"\" a",								""         },
    {"BODY numbers",								 "1"        },
    {"BODY budget",								  ""         },
    {"TEXT budget",								  "1"        },
    {"TEXT {7+}\r\nstra\xc3\x9f"
     "e",								       "4"	},
    {"TEXT \"header,  strasse\"",						    "4"        },
    {"BODY \"\"",								    "1 2 3 4 5"},
    {"NOT TEXT e",								   ""         },
    {"CHARSET KOI8-R BODY {6+}\r\n\xf0\xd2\xc9\xd7\xc5\xd4",                         "3"        },
    {"CHARSET utf-8 BODY {12+}\r\n\xd0\xbf\xd0\xa0\xd0\x98\xd0\x92\xd0\xb5\xd1\x82",
     "3"											},
    {"OR BODY hello SUBJECT html",						   "2 3"      },
    {"EMAILID nonsense",							     ""         },
    {"NOT THREADID T0",							      "1 2 3 4 5"},
};

static void
expect(struct harness *h, const struct row *row)
{
	struct buf send = buf_make(4096), want = buf_make(4096);

	buf_putf(&send, "a SEARCH %s\r\n", row->keys);
	buf_putf(&want, "* SEARCH%s%s", row->found[0] ? " " : "", row->found);
	if (strstr(row->keys, "MODSEQ"))
		buf_put_str(&want, " (MODSEQ ~)");
	buf_put_str(&want, "\r\na OK SEARCH completed\r\n");
	expect_like(h, buf_span(&send), buf_span(&want));
	buf_release(&send);
	buf_release(&want);
}

static void
test_search_finds_what_the_keys_say(void **state)
{
	struct harness h;

	(void)state;
	start(&h, NULL);
	for (size_t i = 0; i < N_ELEMS(rows); i++)
		expect(&h, &rows[i]);
	harness_release(&h);
}

/* One message a step, one number a turn of the output. */
static void
test_search_in_small_steps_finds_the_same(void **state)
{
	struct session_policy policy = {.limits = session_limits_default,
					.host_name = SPAN("mail.example.org")};
	struct harness h;

	(void)state;
	policy.limits.text_scan_bytes = 1;
	policy.limits.output_high = 1;
	start(&h, &policy);
	for (size_t i = 0; i < N_ELEMS(rows); i++)
		expect(&h, &rows[i]);
	harness_release(&h);
}

/* --- answers -------------------------------------------------------------- */

static const struct {
	const char *command, *want;
} answers[] = {
    {"a SEARCH RETURN (MIN MAX COUNT ALL) SEEN",
     "* ESEARCH (TAG \"a\") MIN 1 MAX 3 COUNT 2 ALL 1,3\r\na OK SEARCH completed\r\n"                                   },
    {"b UID SEARCH RETURN () 2:5",
     "* ESEARCH (TAG \"b\") UID ALL 2:5\r\nb OK UID SEARCH completed\r\n"                                               },
    {"c SEARCH RETURN (MIN MAX ALL COUNT) KEYWORD nowhere",
     "* ESEARCH (TAG \"c\") COUNT 0\r\nc OK SEARCH completed\r\n"                                                       },
    {"d SEARCH RETURN (PARTIAL 2:3) ALL",
     "* ESEARCH (TAG \"d\") PARTIAL (2:3 2:3)\r\nd OK SEARCH completed\r\n"                                             },
    {"d SEARCH RETURN (PARTIAL 3:2) ALL",
     "* ESEARCH (TAG \"d\") PARTIAL (3:2 2:3)\r\nd OK SEARCH completed\r\n"                                             },
    {"d SEARCH RETURN (PARTIAL -1:-2 COUNT) ALL",
     "* ESEARCH (TAG \"d\") COUNT 5 PARTIAL (-1:-2 4:5)\r\nd OK SEARCH completed\r\n"                                   },
    {"d SEARCH RETURN (PARTIAL -5:-99) ALL",
     "* ESEARCH (TAG \"d\") PARTIAL (-5:-99 1)\r\nd OK SEARCH completed\r\n"                                            },
    {"d SEARCH RETURN (PARTIAL 6:9) ALL",
     "* ESEARCH (TAG \"d\") PARTIAL (6:9 NIL)\r\nd OK SEARCH completed\r\n"                                             },
    {"d SEARCH RETURN (PARTIAL -6:-9) ALL",
     "* ESEARCH (TAG \"d\") PARTIAL (-6:-9 NIL)\r\nd OK SEARCH completed\r\n"                                           },
    {"e SEARCH 6",					  "e BAD ~\r\n"					       },
    {"e SEARCH CHARSET x-nowhere TEXT a",                   "e NO [BADCHARSET (US-ASCII UTF-8 ~\r\n"                    },
    {"f SEARCH RETURN (SAVE) SEEN",                         "f OK SEARCH completed\r\n"                                 },
    {"f SEARCH $ DELETED",				  "* SEARCH 3\r\nf OK SEARCH completed\r\n"                   },
    {"f UID SEARCH UID $",				  "* SEARCH 1 3\r\nf OK UID SEARCH completed\r\n"             },
    {"f SEARCH RETURN (SAVE MIN) 2:4",
     "* ESEARCH (TAG \"f\") MIN 2\r\nf OK SEARCH completed\r\n"                                                         },
    {"f SEARCH $",					  "* SEARCH 2\r\nf OK SEARCH completed\r\n"                   },
    {"f SEARCH RETURN (SAVE MIN MAX) 2:4",
     "* ESEARCH (TAG \"f\") MIN 2 MAX 4\r\nf OK SEARCH completed\r\n"                                                   },
    {"f SEARCH $",					  "* SEARCH 2 4\r\nf OK SEARCH completed\r\n"                 },
    {"f SEARCH RETURN (SAVE MIN COUNT) 2:4",
     "* ESEARCH (TAG \"f\") MIN 2 COUNT 3\r\nf OK SEARCH completed\r\n"                                                 },
    {"f SEARCH $",					  "* SEARCH 2 3 4\r\nf OK SEARCH completed\r\n"               },
    {"f SEARCH RETURN (SAVE PARTIAL 1:2 MAX) ALL",
     "* ESEARCH (TAG \"f\") MAX 5 PARTIAL (1:2 1:2)\r\nf OK SEARCH completed\r\n"                                       },
    {"f SEARCH $",					  "* SEARCH 1 2 5\r\nf OK SEARCH completed\r\n"               },
    {"g SEARCH RETURN (SAVE) 9",                            "g BAD ~\r\n"					       },
    {"g SEARCH $",					  "* SEARCH 1 2 5\r\ng OK SEARCH completed\r\n"               },
    {"g SEARCH RETURN (SAVE) CHARSET x-nowhere TEXT a",     "g NO ~\r\n"                                                },
    {"g SEARCH $",					  "* SEARCH\r\ng OK SEARCH completed\r\n"                     },
    {"h UID SEARCH RETURN (MIN) MODSEQ 1",
     "* ESEARCH (TAG \"h\") UID MIN 1 MODSEQ ~\r\nh OK UID SEARCH completed\r\n"                                        },
    {"i ENABLE IMAP4rev2",				  "* ENABLED IMAP4rev2\r\ni OK ENABLE completed\r\n"          },
    {"i SEARCH SEEN",				       "* ESEARCH (TAG \"i\") ALL 1,3\r\ni OK SEARCH completed\r\n"},
    {"i SEARCH KEYWORD x",				  "* ESEARCH (TAG \"i\")\r\ni OK SEARCH completed\r\n"        },
    {"j ENABLE UTF8=ACCEPT",				"* ENABLED UTF8=ACCEPT\r\nj OK ENABLE completed\r\n"        },
    {"j SEARCH CHARSET UTF-8 TEXT a",                       "j BAD ~\r\n"                                               },
};

static void
test_search_answers_as_it_was_asked(void **state)
{
	struct harness h;

	(void)state;
	start(&h, NULL);
	for (size_t i = 0; i < N_ELEMS(answers); i++) {
		struct buf send = buf_make(4096);

		buf_putf(&send, "%s\r\n", answers[i].command);
		expect_like(&h, buf_span(&send), span_str(answers[i].want));
		buf_release(&send);
	}
	harness_release(&h);
}

/* --- others, meanwhile ---------------------------------------------------- */

static enum session_want
step(struct harness *h, struct span *in)
{
	struct harness_session *hs = &h->at[0];

	return session_step(hs->session, h->f.now_us, in, &hs->out);
}

/* Another process expunges and delivers between two steps: numbers stay. */
static void
test_search_goes_on_while_others_change_the_mailbox(void **state)
{
	struct session_policy policy = {.limits = session_limits_default,
					.host_name = SPAN("mail.example.org")};
	const struct store_range four = {4, 4};
	struct span in = SPAN("a SEARCH TEXT e\r\n");
	uint64_t n;
	struct harness h;

	(void)state;
	policy.limits.text_scan_bytes = 1;
	start(&h, &policy);
	buf_reset(&h.at[0].out);
	assert_int_equal(step(&h, &in), SESSION_WANT_TURN);
	fixture_check(&h.f, store_expunge(harness_other(&h), STORE_INBOX,
					  (struct store_uids){&four, 1}, h.f.now_us, &n,
					  NULL, &h.f.err));
	(void)harness_deliver(&h, STORE_INBOX, "Subject: e\r\n\r\n");
	fixture_check(&h.f, account_refresh(h.account, &h.f.err));
	while (step(&h, &in) == SESSION_WANT_TURN)
		continue;
	buf_put_char(&h.at[0].out, '\0');
	if (!strstr(h.at[0].out.at, "* SEARCH 1 2 3 5\r\n"))
		print_message("%s", h.at[0].out.at);
	assert_non_null(strstr(h.at[0].out.at, "* SEARCH 1 2 3 5\r\n"));
	assert_null(strstr(h.at[0].out.at, "EXPUNGE"));
	buf_reset(&h.at[0].out);
	expect_like(&h, SPAN("b SEARCH TEXT e\r\n"),
		    SPAN("* SEARCH 1 2 3 5 6\r\nb OK SEARCH completed\r\n"));
	harness_release(&h);
}

/* The command is cut after n steps, and everything moved to other files. */
static void
compact_after(const char *command, const char *want, int n)
{
	struct session_policy policy = {.limits = session_limits_default,
					.host_name = SPAN("mail.example.org")};
	struct span in = span_str(command);
	struct store_compaction ignored;
	struct harness h;

	policy.limits.text_scan_bytes = 1;
	start(&h, &policy);
	expect_like(&h, SPAN("a UID EXPUNGE 3\r\n"), SPAN("* ~a OK ~"));
	buf_reset(&h.at[0].out);
	while (n-- > 0)
		(void)step(&h, &in);
	h.f.now_us += 1000000;
	fixture_check(&h.f, store_compact(harness_other(&h), 0, h.f.now_us, NULL, NULL,
					  &ignored, &h.f.err));
	while (step(&h, &in) != SESSION_WANT_INPUT)
		continue;
	buf_put_char(&h.at[0].out, '\0');
	if (!strstr(h.at[0].out.at, want))
		print_message("%s", h.at[0].out.at);
	assert_non_null(strstr(h.at[0].out.at, want));
	harness_release(&h);
}

static void
test_search_goes_on_after_a_compaction(void **state)
{
	static const char *const rows_of[][2] = {
	    {"a SEARCH TEXT e\r\n",                  "* SEARCH 1 2 3 4\r\n"  },
	    {"a SEARCH SENTSINCE 1-Jan-2027\r\n",    "* SEARCH 2\r\n"        },
	    {"a SORT (SUBJECT) UTF-8 TEXT e\r\n",    "* SORT 3 1 2 4\r\n"    },
	    {"a THREAD REFERENCES UTF-8 BODY e\r\n", "* THREAD (2)(1)(3)\r\n"},
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows_of); i++)
		for (int n = 0; n < 8; n++)
			compact_after(rows_of[i][0], rows_of[i][1], n);
}

static void
test_search_of_an_empty_mailbox_finds_nothing(void **state)
{
	struct harness h;

	(void)state;
	harness_init(&h);
	(void)harness_say(&h, 0, "a SELECT INBOX\r\n");
	expect_like(&h, SPAN("a UID SEARCH 1:* NOT DELETED\r\n"),
		    SPAN("* SEARCH\r\na OK UID SEARCH completed\r\n"));
	expect_like(&h, SPAN("a SORT (DATE) UTF-8 1:*\r\n"),
		    SPAN("* SORT\r\na OK SORT completed\r\n"));
	harness_release(&h);
}

static void
test_search_says_its_progress(void **state)
{
	struct session_policy policy = {.limits = session_limits_default,
					.host_name = SPAN("mail.example.org")};
	struct harness h;

	(void)state;
	policy.limits.text_scan_bytes = 1;
	start(&h, &policy);
	h.step_us = 6000000;
	expect_like(&h, SPAN("a SEARCH TEXT nowhere\r\n"),
		    SPAN("* OK [INPROGRESS (\"a\" ~ 5)] ~\r\n"
			 "* OK [INPROGRESS (\"a\" ~ 5)] ~\r\n"
			 "* SEARCH\r\na OK SEARCH completed\r\n"));
	harness_release(&h);
}

static int
setup(void **state)
{
	(void)state;
	charsets = text_charsets_new();
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	text_charsets_free(&charsets);
	return 0;
}

/* --- much asked of little ------------------------------------------------- */

#define NEEDLES 200

/* Between two steps of a command: the most that was in use. */
static void
note_memory(void *context)
{
	size_t *most = context, now = memory_in_use();

	*most = now > *most ? now : *most;
}

/* As many needles as a client may name, in a long text: no step looks for more than a
 * few of them, and each text is found or not as ever. */
static void
test_search_for_many_needles_takes_many_steps(void **state)
{
	const size_t text_bytes = 64u << 10;
	struct session_policy policy = {.limits = session_limits_default,
					.host_name = SPAN("mail.example.org")};
	struct buf text = buf_make(1u << 20), command = buf_make(1u << 20);
	struct harness h;
	uint64_t before;

	(void)state;
	policy.limits.text_scan_bytes = (unsigned)text_bytes;
	harness_init_with(&h, &policy, &(struct store_settings){.summarize = true});
	buf_put_str(&text, "Subject: long\r\n\r\n");
	while (text.n < text_bytes)
		buf_put_str(&text, "nothing but this and that\r\n");
	buf_put_str(&text, "needle7\r\n");
	buf_put_char(&text, '\0');
	for (int i = 0; i < 3; i++)
		(void)harness_append(&h, STORE_INBOX, text.at, 0);
	(void)harness_say(&h, 0, "a SELECT INBOX\r\n");
	buf_put_str(&command, "b SEARCH");
	for (int i = 0; i < NEEDLES; i++)
		buf_putf(&command, " NOT TEXT absent%d", i);
	buf_put_str(&command, " BODY needle7\r\n");
	before = h.at[0].steps;
	expect_like(&h, buf_span(&command),
		    SPAN("* SEARCH 1 2 3\r\nb OK SEARCH completed\r\n"));
	assert_true(h.at[0].steps - before >= (uint64_t)3 * NEEDLES / 4);
	buf_release(&text);
	buf_release(&command);
	harness_release(&h);
}

/* "$" of every second message, as often as it may stand in one command. */
static void
test_search_in_many_saved_results_keeps_one(void **state)
{
	struct buf command = buf_make(1u << 16);
	const size_t n = 20000;
	struct harness h;
	size_t before;

	(void)state;
	harness_init(&h);
	harness_fill(&h, STORE_INBOX, n);
	(void)harness_say(&h, 0, "a SELECT INBOX\r\n");
	buf_put_str(&command, "b UID STORE 1");
	for (size_t i = 3; i <= n; i += 2)
		buf_putf(&command, ",%zu", i);
	buf_put_str(&command, " +FLAGS.SILENT (\\Flagged)\r\n");
	(void)harness_send(&h, 0, buf_span(&command));
	(void)harness_say(&h, 0, "c SEARCH RETURN (SAVE) FLAGGED\r\n");
	assert_int_equal(h.at[0].session->saved.n, n / 2);

	buf_reset(&command);
	buf_put_str(&command, "d SEARCH RETURN (COUNT)");
	for (int i = 0; i < 900; i++)
		buf_put_str(&command, " $");
	buf_put_str(&command, "\r\n");
	h.between = note_memory;
	before = memory_in_use();
	h.context = &(size_t){0};
	expect_like(
	    &h, buf_span(&command),
	    SPAN("* ESEARCH (TAG \"d\") COUNT 10000\r\nd OK SEARCH completed\r\n"));
	assert_true(*(size_t *)h.context - before < 16 * n * sizeof(struct imap_range));
	buf_release(&command);
	harness_release(&h);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_search_finds_what_the_keys_say),
	    cmocka_unit_test(test_search_in_small_steps_finds_the_same),
	    cmocka_unit_test(test_search_answers_as_it_was_asked),
	    cmocka_unit_test(test_search_goes_on_while_others_change_the_mailbox),
	    cmocka_unit_test(test_search_goes_on_after_a_compaction),
	    cmocka_unit_test(test_search_of_an_empty_mailbox_finds_nothing),
	    cmocka_unit_test(test_search_says_its_progress),
	    cmocka_unit_test(test_search_for_many_needles_takes_many_steps),
	    cmocka_unit_test(test_search_in_many_saved_results_keeps_one),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
