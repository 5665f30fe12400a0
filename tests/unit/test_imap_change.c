/* tests/unit/test_imap_change.c - STORE, COPY, MOVE, EXPUNGE */
#include "tests/unit/imap_script.h"

/* Two messages, none of them \Recent to session 0. */
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

#define TWO                                                                            \
	"!append INBOX\n!append INBOX\n"                                               \
	"7: s SELECT INBOX\n" SELECTED "0: s SELECT INBOX\n" SELECTED

#define THREE "!append INBOX\n" TWO

static const struct imap_script store[] = {
    {"flags",			  TWO "0: a STORE 1 +FLAGS (\\Flagged \\Seen)\n"
		  "= * 1 FETCH (FLAGS (\\Flagged \\Seen))\n"
		  "= a OK STORE completed\n"
		  "0: b STORE 1 -FLAGS (\\Seen)\n"
		  "= * 1 FETCH (FLAGS (\\Flagged))\n"
		  "= b OK STORE completed\n"
		  "0: c STORE 1:2 FLAGS (\\Draft)\n"
		  "= * 1 FETCH (FLAGS (\\Draft))\n"
		  "= * 2 FETCH (FLAGS (\\Draft))\n"
		  "= c OK STORE completed\n"
		  "0: d UID STORE 2 FLAGS ()\n"
		  "= * 2 FETCH (UID 2 FLAGS ())\n"
		  "= d OK UID STORE completed\n"                                              },
    {"silent, and nothing later",      TWO "0: a STORE 1:* +FLAGS.SILENT (\\Deleted)\n"
				      "= a OK STORE completed\n"
				      "0: b NOOP\n"
				      "= b OK NOOP completed\n"
				      "7: c NOOP\n"
				      "= * 1 FETCH (FLAGS (\\Deleted \\Recent))\n"
				      "= * 2 FETCH (FLAGS (\\Deleted \\Recent))\n"
				      "= c OK NOOP completed\n"           },
    {"silent hides nothing of others", TWO "7: a STORE 1 +FLAGS.SILENT (\\Seen)\n"
					   "= a OK STORE completed\n"
					   "0: b STORE 1 +FLAGS.SILENT (\\Flagged)\n"
					   "= * 1 FETCH (FLAGS (\\Flagged \\Seen))\n"
					   "= b OK STORE completed\n"},
    {"a keyword",
     TWO "0: a STORE 1 +FLAGS ($Label)\n"
	 "= * FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft $Label)\n"
	 "= * OK [PERMANENTFLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft "
	 "$Label \\*)] Flags permitted\n"
	 "= * 1 FETCH (FLAGS ($Label))\n"
	 "= a OK STORE completed\n"
	 "0: b STORE 1 -FLAGS (Unknown)\n"
	 "= * 1 FETCH (FLAGS ($Label))\n"
	 "= b OK STORE completed\n"									},
    {"no such message",                TWO "0: a STORE 3 FLAGS ()\n"
			    "= a BAD No such message\n"
			    "0: b UID STORE 3 FLAGS ()\n"
			    "= b OK UID STORE completed\n"                          },
    {"read-only",		      "!append INBOX\n"
		  "0: s EXAMINE INBOX\n"
		  "= * FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)\n"
		  "= * OK [PERMANENTFLAGS ()] Flags permitted\n"
		  "= * 1 EXISTS\n"
		  "= * 1 RECENT\n"
		  "= * OK [UNSEEN 1] First unseen\n"
		  "= * OK [UIDVALIDITY ~] UIDs valid\n"
		  "= * OK [UIDNEXT 2] Predicted next UID\n"
		  "= * OK [HIGHESTMODSEQ ~] Highest\n"
		  "= * OK [MAILBOXID (F1-1800000000)] Ok\n"
		  "= s OK [READ-ONLY] EXAMINE completed\n"
		  "0: a STORE 1 FLAGS (\\Seen)\n"
		  "= a NO The mailbox is read-only\n"
		  "0: b EXPUNGE\n"
		  "= b NO The mailbox is read-only\n"
		  "0: c MOVE 1 Trash\n"
		  "= c NO The mailbox is read-only\n"
		  "0: d FETCH 1 BODY[TEXT]<0.1>\n"
		  "= * 1 FETCH (BODY[TEXT]<0> {1}\n"
		  "= t)\n"
		  "= d OK FETCH completed\n"
		  "0: e FETCH 1 FLAGS\n"
		  "= * 1 FETCH (FLAGS (\\Recent))\n"
		  "= e OK FETCH completed\n"					      },
    {"unchangedsince",
     TWO "7: a STORE 2 +FLAGS.SILENT (\\Seen)\n"
	 "= a OK STORE completed\n"
	 "0: b STORE 1:2 (UNCHANGEDSINCE 1) +FLAGS (\\Flagged)\n"
	 "= * OK [HIGHESTMODSEQ ~] CONDSTORE is enabled\n"
	 "= * 2 FETCH (FLAGS (\\Seen) MODSEQ (~))\n"
	 "= b OK [MODIFIED 1:2] STORE completed\n"
	 "0: c UID STORE 1:2 (UNCHANGEDSINCE 9999999) +FLAGS.SILENT (\\Flagged)\n"
	 "= * 1 FETCH (UID 1 MODSEQ (~))\n"
	 "= * 2 FETCH (UID 2 MODSEQ (~))\n"
	 "= c OK UID STORE completed\n"								    },
    {"expunged by another",
     TWO "7: a STORE 1 +FLAGS.SILENT (\\Deleted)\n"
	 "7: b EXPUNGE\n"
	 "= a OK STORE completed\n"
	 "= * 1 EXPUNGE\n"
	 "= b OK EXPUNGE completed\n"
	 "0: c STORE 1:2 +FLAGS (\\Seen)\n"
	 "= * 2 FETCH (FLAGS (\\Seen))\n"
	 "= c NO [EXPUNGEISSUED] Some of the messages were expunged meanwhile\n"
	 "0: d NOOP\n"
	 "= * 1 EXPUNGE\n"
	 "= d OK NOOP completed\n"									 },
};

static const struct imap_script copy[] = {
    {"copy",		TWO "0: a COPY 1:2 Archive\n"
		 "= a OK [COPYUID 1800000003 1:2 1:2] COPY completed\n"
		 "0: b UID COPY 2 Archive\n"
		 "= b OK [COPYUID 1800000003 2 3] UID COPY completed\n"
		 "0: c UID COPY 9 Archive\n"
		 "= c OK UID COPY completed\n"
		 "0: d COPY 1 Nowhere\n"
		 "= d NO [TRYCREATE] There is no such mailbox\n"
		 "0: e COPY 3 Archive\n"
		 "= e BAD No such message\n"
		 "0: f STATUS Archive (MESSAGES UIDNEXT)\n"
		 "= * STATUS Archive (MESSAGES 3 UIDNEXT 4)\n"
		 "= f OK STATUS completed\n"                         },
    {"to itself",           TWO "0: a COPY 1 INBOX\n"
		      "= * 3 EXISTS\n"
		      "= * 1 RECENT\n"
		      "= a OK [COPYUID ~ 1 3] COPY completed\n"
		      "0: b MOVE 1 INBOX\n"
		      "= * OK [COPYUID ~ 1 4] Moved\n"
		      "= * 1 EXPUNGE\n"
		      "= * 3 EXISTS\n"
		      "= * 2 RECENT\n"
		      "= b OK MOVE completed\n"                 },
    {"flags go along",
     TWO "0: a STORE 1 +FLAGS.SILENT (\\Flagged kw)\n"
	 "= * FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft kw)\n"
	 "= * OK [PERMANENTFLAGS (\\Answered \\Flagged \\Deleted \\Seen "
	 "\\Draft kw \\*)] Flags permitted\n"
	 "= a OK STORE completed\n"
	 "0: b COPY 1 INBOX\n"
	 "= * 3 EXISTS\n"
	 "= * 1 RECENT\n"
	 "= b OK [COPYUID ~ 1 3] COPY completed\n"
	 "0: c FETCH 3 FLAGS\n"
	 "= * 3 FETCH (FLAGS (\\Flagged \\Recent kw))\n"
	 "= c OK FETCH completed\n"					      },
    {"move",		THREE "0: a MOVE 1,3 Trash\n"
		   "= * OK [COPYUID 1800000005 1,3 1:2] Moved\n"
		   "= * 3 EXPUNGE\n"
		   "= * 1 EXPUNGE\n"
		   "= a OK MOVE completed\n"
		   "0: b ENABLE QRESYNC\n"
		   "= * ENABLED CONDSTORE QRESYNC\n"
		   "= * OK [HIGHESTMODSEQ ~] CONDSTORE is enabled\n"
		   "= b OK ENABLE completed\n"
		   "0: c UID MOVE 2 Trash\n"
		   "= * OK [COPYUID 1800000005 2 3] Moved\n"
		   "= * VANISHED 2\n"
		   "= c OK [HIGHESTMODSEQ ~] UID MOVE completed\n"
		   "7: d NOOP\n"
		   "= * 3 EXPUNGE\n"
		   "= * 2 EXPUNGE\n"
		   "= * 1 EXPUNGE\n"

		   "= d OK NOOP completed\n"                         },
    {"expunged by another", TWO "7: a UID MOVE 1 Trash\n"
				"= * OK [COPYUID ~ 1 1] Moved\n"
				"= * 1 EXPUNGE\n"

				"= a OK UID MOVE completed\n"
				"0: b COPY 1:2 Archive\n"
				"= * 1 EXPUNGE\n"
				"= b NO [EXPUNGEISSUED] Some of the messages were "
				"expunged meanwhile\n"},
};

static const struct imap_script expunge[] = {
    {"expunge",   THREE "0: a STORE 1,3 +FLAGS.SILENT (\\Deleted)\n"
		      "0: b EXPUNGE\n"
		      "= a OK STORE completed\n"
		      "= * 3 EXPUNGE\n"
		      "= * 1 EXPUNGE\n"
		      "= b OK EXPUNGE completed\n"
		      "0: c EXPUNGE\n"
		      "= c OK EXPUNGE completed\n"                          },
    {"some uids", THREE "0: a STORE 1:3 +FLAGS.SILENT (\\Deleted)\n"
			"0: b UID EXPUNGE 2:9\n"
			"= a OK STORE completed\n"
			"= * 3 EXPUNGE\n"
			"= * 2 EXPUNGE\n"
			"= b OK UID EXPUNGE completed\n"
			"0: c ENABLE QRESYNC\n"
			"= * ENABLED CONDSTORE QRESYNC\n"
			"= * OK [HIGHESTMODSEQ ~] CONDSTORE is enabled\n"
			"= c OK ENABLE completed\n"
			"0: d UID EXPUNGE 1\n"
			"= * VANISHED 1\n"
			"= d OK [HIGHESTMODSEQ ~] UID EXPUNGE completed\n"},
};

static void
test_store_dialogues(void **state)
{
	(void)state;
	imap_scripts_run(store, N_ELEMS(store));
}

static void
test_copy_dialogues(void **state)
{
	(void)state;
	imap_scripts_run(copy, N_ELEMS(copy));
}

static void
test_expunge_dialogues(void **state)
{
	(void)state;
	imap_scripts_run(expunge, N_ELEMS(expunge));
}

/* The answer comes after the disk; a sync that fails makes it NO. */
static void
test_copy_waits_for_the_disk(void **state)
{
	struct harness h;
	struct span got;

	(void)state;
	harness_init(&h);
	harness_fill(&h, STORE_INBOX, 3);
	(void)harness_say(&h, 0, "s SELECT INBOX\r\n");
	h.hold_sync = true;
	got = harness_say(&h, 0, "a COPY 1 Archive\r\n");
	assert_int_equal(got.n, 0);
	got = harness_go_on(&h, 0);
	assert_true(span_starts(got, SPAN("a OK [COPYUID ")));
	h.hold_sync = true;
	got = harness_say(&h, 0, "b MOVE 1 Archive\r\n");
	assert_int_equal(got.n, 0);
	got = harness_go_on(&h, 0);
	assert_true(span_starts(got, SPAN("* OK [COPYUID ")));
	h.fail_sync = true;
	got = harness_say(&h, 0, "c COPY 1 Archive\r\n");
	assert_true(span_starts(got, SPAN("c NO [UNAVAILABLE] ")));
	harness_release(&h);
}

static void
test_copy_beyond_the_quota_of_the_domain_is_refused(void **state)
{
	struct account_domain domain = {7, 1000000, NULL};
	struct harness h;
	uint64_t bytes;

	(void)state;
	harness_init(&h);
	harness_fill(&h, STORE_INBOX, 1);
	bytes = store_usage(h.account->mail).bytes;
	(void)harness_say(&h, 0, "s SELECT INBOX\r\n");
	h.account->domain = &domain;
	h.domain_known = true;
	h.domain_bytes = 1000000 - bytes + 1;
	harness_expect(&h, 0, "a COPY 1 Archive\r\n",
		       "a NO [OVERQUOTA] The quota would be exceeded\r\n");
	h.domain_bytes--;
	harness_expect(&h, 0, "b COPY 1 Archive\r\n",
		       "b OK [COPYUID 1800000003 1 1] COPY completed\r\n");
	h.domain_known = false;
	harness_expect(&h, 0, "c COPY 1 Archive\r\n",
		       "c NO [UNAVAILABLE] Nobody can say how full the domain is\r\n");
	assert_int_equal(h.asked, 3);
	/* What is moved takes no more room. */
	harness_expect(&h, 0, "d MOVE 1 Archive\r\n",
		       "* OK [COPYUID 1800000003 1 2] Moved\r\n"
		       "* 1 EXPUNGE\r\n"
		       "d OK MOVE completed\r\n");
	harness_release(&h);
}

static void
test_copy_over_quota_is_refused(void **state)
{
	struct harness h;
	uint64_t bytes;

	(void)state;
	harness_init(&h);
	harness_fill(&h, STORE_INBOX, 2);
	bytes = store_usage(h.account->mail).bytes / 2;
	(void)harness_say(&h, 0, "s SELECT INBOX\r\n");
	h.account->quota_bytes = 3 * bytes - 1;
	harness_expect(&h, 0, "a COPY 1 Archive\r\n",
		       "a NO [OVERQUOTA] The quota would be exceeded\r\n");
	harness_expect(&h, 0, "b MOVE 1 Archive\r\n",
		       "* OK [COPYUID 1800000003 1 1] Moved\r\n"
		       "* 1 EXPUNGE\r\n"
		       "b OK MOVE completed\r\n");
	h.account->quota_bytes = 3 * bytes;
	harness_expect(&h, 0, "c COPY 1 Archive\r\n",
		       "c OK [COPYUID 1800000003 2 2] COPY completed\r\n");
	harness_release(&h);
}

/* As many keywords as the store takes; one more is refused, and nothing is changed. */
static void
test_store_refuses_one_keyword_too_many(void **state)
{
	struct harness h;
	struct span got;
	char line[64];

	(void)state;
	harness_init(&h);
	harness_fill(&h, STORE_INBOX, 1);
	(void)harness_say(&h, 0, "s SELECT INBOX\r\n");
	for (int i = 0; i <= STORE_KEYWORDS_MAX; i++) {
		snprintf(line, sizeof(line), "a STORE 1 +FLAGS.SILENT (kw%d)\r\n", i);
		got = harness_say(&h, 0, line);
		if (i < STORE_KEYWORDS_MAX)
			assert_true(
			    span_ends_nocase(got, SPAN("a OK STORE completed\r\n")));
	}
	assert_true(span_starts(got, SPAN("a NO [LIMIT] ")));
	harness_release(&h);
}

/* Half of a COPYUID would tell of messages that are others. */
static void
test_copy_tells_all_uids_or_none(void **state)
{
	struct session *session;
	struct harness h;

	(void)state;
	harness_init(&h);
	session = harness_session(&h, 0);
	harness_fill(&h, STORE_INBOX, 6);
	(void)harness_say(&h, 0, "s SELECT INBOX\r\n");
	session->result.code.max = 24;
	harness_expect(&h, 0, "a COPY 1,3,5 Trash\r\n", "a OK COPY completed\r\n");
	harness_expect(&h, 0, "a MOVE 1,3,5 Trash\r\n",
		       "* 5 EXPUNGE\r\n* 3 EXPUNGE\r\n* 1 EXPUNGE\r\n"
		       "a OK MOVE completed\r\n");
	(void)harness_say(&h, 0, "e ENABLE CONDSTORE\r\n");
	harness_expect(&h, 0, "a STORE 1,3 (UNCHANGEDSINCE 0) +FLAGS (\\Seen)\r\n",
		       "a OK [MODIFIED 1,3] STORE completed\r\n");
	session->result.code.max = 11;
	harness_expect(&h, 0, "a STORE 1,3 (UNCHANGEDSINCE 0) +FLAGS (\\Seen)\r\n",
		       "a NO [LIMIT] Too many of the messages had changed\r\n");
	harness_release(&h);
}

/* Another process has the lock: nothing is done and nothing is said, until it has not.
 */
static void
test_change_waits_for_the_lock(void **state)
{
	static const struct {
		const char *command, *answer;
	} rows[] = {
	    {"a STORE 1 +FLAGS (\\Flagged)\r\n",
	     "* 1 FETCH (FLAGS (\\Flagged \\Recent))\r\na OK STORE completed\r\n"                  },
	    {"a STORE 1 +FLAGS.SILENT (own)\r\n",
	     "* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft own)\r\n"
	     "* OK [PERMANENTFLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft own "
	     "\\*)] Flags permitted\r\na OK STORE completed\r\n"                                   },
	    {"a FETCH 1 BODY[TEXT]<0.1>\r\n",
	     "* 1 FETCH (BODY[TEXT]<0> {1}\r\nt FLAGS (\\Flagged \\Seen \\Recent "
	     "own))\r\na OK FETCH completed\r\n"						   },
	    {"a COPY 1 Archive\r\n",
	     "a OK [COPYUID 1800000003 1 1] COPY completed\r\n"                                    },
	    {"a MOVE 1 Archive\r\n",
	     "* OK [COPYUID 1800000003 1 2] Moved\r\n* 1 EXPUNGE\r\n"
	     "a OK MOVE completed\r\n"							     },
	    {"a APPEND Archive (mine) {1+}\r\nx\r\n",
	     "a OK [APPENDUID 1800000003 3] APPEND completed\r\n"                                  },
	    {"a REPLACE 1 Archive {1+}\r\nx\r\n",
	     "* OK [APPENDUID 1800000003 4] Replacement is there\r\n* 1 EXPUNGE\r\n"
	     "a OK REPLACE completed\r\n"							  },
	    {"a STORE 1 +FLAGS.SILENT (\\Deleted)\r\n",
	     "* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft own mine)\r\n"
	     "* OK [PERMANENTFLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft own "
	     "mine \\*)] Flags permitted\r\na OK STORE completed\r\n"                              },
	    {"a EXPUNGE\r\n",                           "* 1 EXPUNGE\r\na OK EXPUNGE completed\r\n"},
	};
	struct store_account *other;
	struct harness h;

	(void)state;
	harness_init(&h);
	harness_fill(&h, STORE_INBOX, 3);
	(void)harness_say(&h, 0, "s SELECT INBOX\r\n");
	other = harness_other(&h);
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		struct harness_session *hs = &h.at[0];
		struct span in = span_str(rows[i].command);

		fixture_check(&h.f, store_batch_begin(other, true, &h.f.err));
		for (int k = 0; k < 3; k++)
			assert_int_equal(
			    session_step(hs->session, h.f.now_us, &in, &hs->out),
			    SESSION_WANT_LOCK);
		assert_int_equal(hs->out.n, 0);
		store_batch_cancel(other);
		buf_put(&hs->pending, in);
		harness_expect(&h, 0, "", rows[i].answer);
	}
	harness_release(&h);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_store_dialogues),
	    cmocka_unit_test(test_copy_dialogues),
	    cmocka_unit_test(test_expunge_dialogues),
	    cmocka_unit_test(test_copy_waits_for_the_disk),
	    cmocka_unit_test(test_copy_over_quota_is_refused),
	    cmocka_unit_test(test_copy_beyond_the_quota_of_the_domain_is_refused),
	    cmocka_unit_test(test_store_refuses_one_keyword_too_many),
	    cmocka_unit_test(test_change_waits_for_the_lock),
	    cmocka_unit_test(test_copy_tells_all_uids_or_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
