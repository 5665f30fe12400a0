/* tests/unit/test_imap_append.c - APPEND of one and several messages, REPLACE */
#include "tests/unit/imap_script.h"

#define SELECTED                                                                       \
	"= * FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)\n"                  \
	"= * OK [PERMANENTFLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft \\*)] " \
	"Flags permitted\n"                                                            \
	"= * ~ EXISTS\n"                                                               \
	"= * ~ RECENT\n"                                                               \
	"= * OK [UNSEEN 1] First unseen\n"                                             \
	"= * OK [UIDVALIDITY ~] UIDs valid\n"                                          \
	"= * OK [UIDNEXT ~] Predicted next UID\n"                                      \
	"= * OK [HIGHESTMODSEQ ~] Highest\n"                                           \
	"= * OK [MAILBOXID (F1-1800000000)] Ok\n"                                      \
	"= s OK [READ-WRITE] SELECT completed\n"

/* Each is run as it is and byte by byte, so that literals are cut everywhere. */
static const struct imap_script scripts[] = {
    {"waited for",		    "0: a APPEND INBOX {10}\n"
		   "= + OK\n"
		   "0: Subject: x\\\n"
		   "0: \n"
		   "= a OK [APPENDUID 1800000000 1] APPEND completed\n"         },
    {"not waited for, and pipelined",
     "0: a APPEND INBOX {10+}\n"
     "0: Subject: x\n"
     "0: b APPEND INBOX {10+}\n"
     "0: Subject: y\n"
     "0: c NOOP\n"
     "= a OK [APPENDUID 1800000000 1] APPEND completed\n"
     "= b OK [APPENDUID 1800000000 2] APPEND completed\n"
     "= c OK NOOP completed\n"								    },
    {"flags and a date",
     "0: a APPEND INBOX (\\Seen \\Flagged) \"17-Jul-1996 02:44:25 -0700\" {3+}\n"
     "0: xyz (\\Draft) {2+}\n"
     "0: uv {1+}\n"
     "0: w\n"
     "= a OK [APPENDUID 1800000000 1:3] APPEND completed\n"
     "7: s SELECT INBOX\n"
     "= * FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)\n"
     "= * OK [PERMANENTFLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft \\*)] "
     "Flags permitted\n"
     "= * 3 EXISTS\n"
     "= * 3 RECENT\n"
     "= * OK [UNSEEN 2] First unseen\n"
     "= * OK [UIDVALIDITY ~] UIDs valid\n"
     "= * OK [UIDNEXT 4] Predicted next UID\n"
     "= * OK [HIGHESTMODSEQ ~] Highest\n"
     "= * OK [MAILBOXID (F1-1800000000)] Ok\n"
     "= s OK [READ-WRITE] SELECT completed\n"
     "7: b FETCH 1:* (FLAGS RFC822.SIZE)\n"
     "= * 1 FETCH (FLAGS (\\Flagged \\Seen \\Recent) RFC822.SIZE 3)\n"
     "= * 2 FETCH (FLAGS (\\Draft \\Recent) RFC822.SIZE 2)\n"
     "= * 3 FETCH (FLAGS (\\Recent) RFC822.SIZE 1)\n"
     "= b OK FETCH completed\n"
     "7: c FETCH 1 (INTERNALDATE BODY.PEEK[])\n"
     "= * 1 FETCH (INTERNALDATE \"17-Jul-1996 09:44:25 +0000\" BODY[] {3}\n"
     "= xyz)\n"
     "= c OK FETCH completed\n"								   },
    {"no such mailbox",               "0: a APPEND Nowhere {3+}\n"
			"0: xyz {100+}\n"
			"0: \\\n"
			"0: 0123456789012345678901234567890123456789012345678"
			"90123456789012345678901234567890123456789012345678"
			"9\n"
			"0: b NOOP\n"
			"= a NO [TRYCREATE] There is no such mailbox\n"
			"= b OK NOOP completed\n"
			"0: c APPEND Nowhere {3}\n"
			"= c NO [TRYCREATE] There is no such mailbox\n"
			"0: d NOOP\n"
			"= d OK NOOP completed\n"                          },
    {"too large to be skipped",       "0: a APPEND INBOX {99999999999+}\n"
				"= * BYE The literal is too large to be skipped\n"
				"!closed 0\n"                      },
    {"none at all",                   "0: a APPEND INBOX\n"
		    "= a BAD a literal with a message was expected\n"
		    "0: b APPEND INBOX (\\Seen)\n"
		    "= b BAD a literal with a message was expected\n"          },
    {"cancelled",		     "0: a APPEND INBOX {3+}\n"
		  "0: xyz {0+}\n"
		  "0: \n"
		  "0: b STATUS INBOX (MESSAGES)\n"
		  "= a NO A message without a byte cancels the command\n"
		  "= * STATUS INBOX (MESSAGES 0)\n"
		  "= b OK STATUS completed\n"                                    },
    {"rubbish behind it",             "0: a APPEND INBOX {3+}\n"
			  "0: xyzrubbish\n"
			  "0: b APPEND INBOX {3+}\n"
			  "0: xyz {3+} more\n"
			  "0: n NOOP\n"
			  "0: c APPEND INBOX {3+}\n"
			  "0: xyz (\\Seen {3+}\n"
			  "0: uvw\n"
			  "0: d STATUS INBOX (MESSAGES)\n"
			  "= a BAD The end of the command was expected\n"
			  "= b BAD The end of the command was expected\n"
			  "= n OK NOOP completed\n"
			  "= c BAD a flag was expected\n"
			  "= * STATUS INBOX (MESSAGES 0)\n"
			  "= d OK STATUS completed\n"                    },
    {"literal8 and utf8",             "0: a APPEND INBOX ~{3+}\n"
			  "0: xyz\n"
			  "0: b APPEND INBOX UTF8 (~{3+}\n"
			  "0: xyz)\n"
			  "0: c APPEND INBOX UTF8 (~{3+}\n"
			  "0: xyz\n"
			  "= a OK [APPENDUID 1800000000 1] APPEND completed\n"
			  "= b OK [APPENDUID 1800000000 2] APPEND completed\n"
			  "= c BAD The end of the command was expected\n"},
    {"to the selected mailbox",
     "!append INBOX\n"
     "0: s SELECT INBOX\n" SELECTED "0: a APPEND INBOX {3+}\n"
     "0: xyz\n"
     "= * 2 EXISTS\n"
     "= * 2 RECENT\n"
     "= a OK [APPENDUID 1800000000 2] APPEND completed\n"                                         },
    {"replace",		       "!append INBOX\n!append INBOX\n"
		"0: s SELECT INBOX\n" SELECTED "0: a REPLACE 1 INBOX (\\Draft) {3+}\n"
		"0: xyz\n"
		"= * OK [APPENDUID 1800000000 3] Replacement is there\n"
		"= * 1 EXPUNGE\n"
		"= * 2 EXISTS\n"
		"= * 2 RECENT\n"
		"= a OK REPLACE completed\n"
		"0: b UID REPLACE 2 Drafts {3+}\n"
		"0: xyz\n"
		"= * OK [APPENDUID 1800000001 1] Replacement is there\n"
		"= * 1 EXPUNGE\n"

		"= b OK UID REPLACE completed\n"
		"0: c UID REPLACE 2 Drafts {3+}\n"
		"0: xyz\n"
		"= c NO [NONEXISTENT] There is no such message\n"
		"0: d REPLACE 2 Drafts {3}\n"
		"= d BAD No such message\n"
		"0: e REPLACE 1 Nowhere {3}\n"
		"= e NO [TRYCREATE] There is no such mailbox\n"
		"0: f REPLACE 1 INBOX {3+}\n"
		"0: xyz {3+}\n"
		"0: uvw\n"
		"= f BAD REPLACE takes one message\n"
		"0: g REPLACE * INBOX {3+}\n"
		"0: xyz\n"
		"= * OK [APPENDUID 1800000000 4] Replacement is there\n"
		"= * 1 EXPUNGE\n"
		"= * 1 EXISTS\n"
		"= * 1 RECENT\n"
		"= g OK REPLACE completed\n"                                       },
    {"replace, not selected",         "0: a REPLACE 1 INBOX {3+}\n"
			      "0: xyz\n"
			      "0: b NOOP\n"
			      "= a BAD No mailbox is selected\n"
			      "= b OK NOOP completed\n"              },
};

static void
test_append_dialogues(void **state)
{
	(void)state;
	imap_scripts_run(scripts, N_ELEMS(scripts));
}

/* "a APPEND INBOX {n+}CRLF", n bytes, CRLF */
static void
put_append(struct buf *out, size_t n)
{
	char *at;

	buf_putf(out, "a APPEND INBOX {%zu+}\r\n", n);
	at = buf_extend(out, n);
	assert_non_null(at);
	memset(at, 'x', n);
	buf_put(out, SPAN("\r\n"));
}

/* Around what is kept in memory, and around the limit. */
static void
test_append_sizes(void **state)
{
	static const struct {
		size_t n;
		bool fits;
	} rows[] = {
	    {1,      true },
            {65535,  true },
            {65536,  true },
            {65537,  true },
	    {99999,  true },
            {100000, true },
            {100001, false},
	};
	struct harness h;

	(void)state;
	harness_init(&h);
	h.policy.limits.message_bytes_max = 100000;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		struct buf line = buf_make(1 << 20);
		struct span got;

		put_append(&line, rows[i].n);
		got = harness_send(&h, 0, buf_span(&line));
		assert_true(span_starts(got, rows[i].fits ? SPAN("a OK [APPENDUID ")
							  : SPAN("a NO [TOOBIG] ")));
		buf_release(&line);
	}
	assert_int_equal(store_usage(h.account->mail).bytes,
			 1 + 65535 + 65536 + 65537 + 99999 + 100000);
	harness_release(&h);
}

/* What came piece by piece into a file is what is stored. */
static void
test_append_large_ones_are_whole(void **state)
{
	struct buf text = buf_make(8 << 20), line = buf_make(16 << 20);
	struct harness h;
	struct span got;

	(void)state;
	harness_init(&h);
	buf_put(&text, SPAN("Subject: large\r\n\r\n"));
	for (int i = 0; i < 40000; i++)
		buf_putf(&text, "line %d\r\n", i);
	buf_putf(&line, "a APPEND INBOX {%zu+}\r\n", text.n);
	buf_put(&line, buf_span(&text));
	buf_putf(&line, " {%zu+}\r\n", text.n);
	buf_put(&line, buf_span(&text));
	buf_put(&line, SPAN("\r\n"));
	for (size_t done = 0; done < line.n; done += 5000)
		got = harness_send(&h, 0,
				   span_first(span_after(buf_span(&line), done), 5000));
	assert_true(span_equal(
	    got, SPAN("a OK [APPENDUID 1800000000 1:2] APPEND completed\r\n")));
	for (uint32_t uid = 1; uid <= 2; uid++) {
		assert_int_equal(fixture_read(&h.f, STORE_INBOX, uid, &line), STORE_OK);
		assert_true(span_equal(buf_span(&line), buf_span(&text)));
	}
	harness_release(&h);
	buf_release(&text);
	buf_release(&line);
}

static void
test_append_nul_needs_a_literal8(void **state)
{
	struct harness h;

	(void)state;
	harness_init(&h);
	assert_true(
	    span_equal(harness_send(&h, 0, SPAN("a APPEND INBOX {3+}\r\nx\0z\r\n")),
		       SPAN("a BAD NUL can only be in a ~{literal8}\r\n")));
	assert_true(
	    span_starts(harness_send(&h, 0, SPAN("a APPEND INBOX ~{3+}\r\nx\0z\r\n")),
			SPAN("a OK [APPENDUID ")));
	harness_release(&h);
}

static void
test_append_over_quota_is_refused_before_it_comes(void **state)
{
	struct harness h;

	(void)state;
	harness_init(&h);
	h.account->quota_bytes = 10;
	harness_expect(&h, 0, "a APPEND INBOX {11}\r\n",
		       "a NO [OVERQUOTA] The quota would be exceeded\r\n");
	harness_expect(&h, 0, "a APPEND INBOX {6+}\r\n123456 {5+}\r\n12345\r\n",
		       "a NO [OVERQUOTA] The quota would be exceeded\r\n");
	assert_int_equal(store_usage(h.account->mail).messages, 0);
	harness_expect(&h, 0, "a APPEND INBOX {6+}\r\n123456\r\n",
		       "a OK [APPENDUID 1800000000 1] APPEND completed\r\n");
	(void)harness_say(&h, 0, "s SELECT INBOX\r\n");
	harness_expect(&h, 0, "a REPLACE 1 INBOX {11}\r\n",
		       "a NO [OVERQUOTA] The quota would be exceeded\r\n");
	harness_expect(&h, 0, "a REPLACE 1 INBOX {10}\r\n", "+ OK\r\n");
	harness_expect(&h, 0, "1234567890\r\n",
		       "* OK [APPENDUID 1800000000 2] Replacement is there\r\n"
		       "* 1 EXPUNGE\r\n* 1 EXISTS\r\n* 1 RECENT\r\n"
		       "a OK REPLACE completed\r\n");
	harness_release(&h);
}

/* Each fits when it is announced; both together do not. */
static void
test_append_quota_holds_for_two_at_once(void **state)
{
	struct harness h;

	(void)state;
	harness_init(&h);
	h.account->quota_bytes = 10;
	harness_expect(&h, 0, "a APPEND INBOX {6}\r\n", "+ OK\r\n");
	harness_expect(&h, 1, "b APPEND INBOX {6}\r\n", "+ OK\r\n");
	harness_expect(&h, 0, "123456\r\n",
		       "a OK [APPENDUID 1800000000 1] APPEND completed\r\n");
	harness_expect(&h, 1, "123456\r\n",
		       "b NO [OVERQUOTA] The quota would be exceeded\r\n");
	assert_int_equal(store_usage(h.account->mail).messages, 1);
	harness_release(&h);
}

static void
test_append_asks_for_the_domain_before_and_after_the_message(void **state)
{
	struct account_domain domain = {7, 100, NULL};
	struct harness h;

	(void)state;
	harness_init(&h);
	h.account->domain = &domain;
	h.domain_known = true;
	h.domain_bytes = 90;
	harness_expect(&h, 0, "a APPEND INBOX {11}\r\n",
		       "a NO [OVERQUOTA] The quota would be exceeded\r\n");
	assert_int_equal(h.asked, 1);
	harness_expect(&h, 0, "a APPEND INBOX {10}\r\n", "+ OK\r\n");
	h.domain_bytes = 91; /* another account was quicker */
	harness_expect(&h, 0, "1234567890\r\n",
		       "a NO [OVERQUOTA] The quota would be exceeded\r\n");
	assert_int_equal(h.asked, 3);
	h.domain_bytes = 90;
	harness_expect(&h, 0, "a APPEND INBOX {10+}\r\n1234567890\r\n",
		       "a OK [APPENDUID 1800000000 1] APPEND completed\r\n");
	h.domain_known = false;
	harness_expect(&h, 0, "a APPEND INBOX {1+}\r\n1\r\n",
		       "a NO [UNAVAILABLE] Nobody can say how full the domain is\r\n");
	domain.quota_bytes = 0;
	h.asked = 0;
	harness_expect(&h, 0, "a APPEND INBOX {10+}\r\n1234567890\r\n",
		       "a OK [APPENDUID 1800000000 2] APPEND completed\r\n");
	assert_int_equal(h.asked, 0);
	harness_release(&h);
}

static void
test_append_waits_for_the_disk(void **state)
{
	struct harness h;
	struct span got;

	(void)state;
	harness_init(&h);
	h.hold_sync = true;
	got = harness_say(&h, 0, "a APPEND INBOX {3+}\r\nxyz\r\n");
	assert_int_equal(got.n, 0);
	got = harness_go_on(&h, 0);
	assert_true(span_starts(got, SPAN("a OK [APPENDUID ")));
	h.fail_sync = true;
	got = harness_say(&h, 0, "a APPEND INBOX {3+}\r\nxyz\r\n");
	assert_true(span_starts(got, SPAN("a NO [UNAVAILABLE] ")));
	harness_release(&h);
}

/* There is no room for a file: the rest is dropped, the next command is understood. */
static void
test_append_without_a_file(void **state)
{
	struct buf line = buf_make(1 << 20);
	struct harness h;
	struct span got;

	(void)state;
	harness_init(&h);
	h.policy.temporary = "/nowhere/at/all";
	put_append(&line, 70000);
	buf_put(&line, SPAN("b NOOP\r\n"));
	got = harness_send(&h, 0, buf_span(&line));
	assert_true(span_equal(got, SPAN("a NO [UNAVAILABLE] Nothing can be stored "
					 "just now\r\nb OK NOOP completed\r\n")));
	buf_reset(&line);
	put_append(&line, 65536);
	got = harness_send(&h, 0, buf_span(&line));
	assert_true(span_starts(got, SPAN("a OK ")));
	harness_release(&h);
	buf_release(&line);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_append_dialogues),
	    cmocka_unit_test(test_append_sizes),
	    cmocka_unit_test(test_append_large_ones_are_whole),
	    cmocka_unit_test(test_append_nul_needs_a_literal8),
	    cmocka_unit_test(test_append_over_quota_is_refused_before_it_comes),
	    cmocka_unit_test(test_append_quota_holds_for_two_at_once),
	    cmocka_unit_test(
		test_append_asks_for_the_domain_before_and_after_the_message),
	    cmocka_unit_test(test_append_waits_for_the_disk),
	    cmocka_unit_test(test_append_without_a_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
