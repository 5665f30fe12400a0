/* tests/unit/test_imap_session.c - what a client says, and what it is answered */
#include "tests/unit/imap_script.h"

#define SELECTED                                                                       \
	"= * FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)\n"                  \
	"= * OK [PERMANENTFLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft \\*)] " \
	"Flags permitted\n"

static const struct imap_script basic[] = {
    {"any state",    "0: a NOOP\n"
		  "= a OK NOOP completed\n"
		  "0: b ID NIL\n"
		  "= * ID (\"name\" \"Postroad\")\n"
		  "= b OK ID completed\n"
		  "0: c NAMESPACE\n"
		  "= * NAMESPACE ((\"\" \"/\")) NIL NIL\n"
		  "= c OK NAMESPACE completed\n"
		  "0: d LOGOUT\n"
		  "= * BYE Logging out\n"
		  "= d OK LOGOUT completed\n"
		  "!closed 0\n"                           },
    {"pipelined",    "0: a NOOP\n"
		  "0: b NOOP\n"
		  "0: c LOGOUT\n"
		  "= a OK NOOP completed\n"
		  "= b OK NOOP completed\n"
		  "= * BYE Logging out\n"
		  "= c OK LOGOUT completed\n"             },
    {"not selected", "0: a CHECK\n"
		     "= a BAD No mailbox is selected\n"
		     "0: b CLOSE\n"
		     "= b BAD No mailbox is selected\n"},
    {"select",       "!seen INBOX\n"
	       "!append INBOX\n"
	       "0: a SELECT INBOX\n" SELECTED "= * 2 EXISTS\n"
	       "= * 2 RECENT\n"
	       "= * OK [UNSEEN 2] First unseen\n"
	       "= * OK [UIDVALIDITY 1800000000] UIDs valid\n"
	       "= * OK [UIDNEXT 3] Predicted next UID\n"
	       "= * OK [HIGHESTMODSEQ ~] Highest\n"
	       "= * OK [MAILBOXID (F1-1800000000)] Ok\n"
	       "= a OK [READ-WRITE] SELECT completed\n"
	       "!deliver INBOX\n"
	       "0: b NOOP\n"
	       "= * 3 EXISTS\n"
	       "= * 3 RECENT\n"
	       "= b OK NOOP completed\n"                     },
};

#define OPENED(n, recent, next)                                                        \
	"= * " n " EXISTS\n= * " recent                                                \
	" RECENT\n= * OK [UIDVALIDITY ~] UIDs valid\n= * OK [UIDNEXT " next            \
	"] Predicted next UID\n= * OK [HIGHESTMODSEQ ~] Highest\n= * OK [MAILBOXID "   \
	"(F~-~)] Ok\n"

static const struct imap_script literals[] = {
    {"synchronising",            "0: a STATUS {5}\n"
		      "= + OK\n"
		      "0: INBOX (MESSAGES)\n"
		      "= * STATUS INBOX (MESSAGES 0)\n"
		      "= a OK STATUS completed\n"                    },
    {"not synchronising",        "0: a STATUS {5+}\n"
			  "0: INBOX (MESSAGES)\n"
			  "= * STATUS INBOX (MESSAGES 0)\n"
			  "= a OK STATUS completed\n"            },
    {"empty",		    "0: a STATUS {0+}\n"
	      "0:  (MESSAGES)\n"
	      "= a NO [NONEXISTENT] There is no such mailbox\n"              },
    {"too large, synchronising", "0: a STATUS {200000}\n"
				 "= a NO [TOOBIG] The literal is too large\n"
				 "0: b NOOP\n"
				 "= b OK NOOP completed\n"},
    {"absurd",		   "0: a STATUS {99999999999999999999+}\n"
	       "= * BYE The literal is too large to be skipped\n"
	       "!closed 0\n"						},
    {"message for no command",   "0: a REPLACE 1 INBOX {5}\n"
			       "= a BAD No mailbox is selected\n"
			       "0: b REPLACE 1 INBOX {5+}\n"
			       "0: 12345\n"
			       "= b BAD No mailbox is selected\n"
			       "0: c NOOP\n"
			       "= c OK NOOP completed\n"    },
};

static const struct imap_script errors[] = {
    {"unknown",          "0: a FROBNICATE\n"
		"= a BAD Unknown command\n"                                  },
    {"before the login", "0: a LOGIN x y\n"
			 "= a BAD Already logged in\n"
			 "0: b STARTTLS\n"
			 "= b BAD Already logged in\n"              },
    {"too many",         "0: a FROB\n"
		 "0: b FROB\n"
		 "0: c FROB\n"
		 "0: d NOOP\n"
		 "= a BAD Unknown command\n"
		 "= b BAD Unknown command\n"
		 "= c BAD Unknown command\n"
		 "= * BYE Too many errors\n"
		 "!closed 0\n"					      },
    {"not in a row",     "0: a FROB\n"
		     "0: b FROB\n"
		     "0: c NOOP\n"
		     "0: d FROB\n"
		     "0: e NOOP\n"
		     "= a BAD Unknown command\n"
		     "= b BAD Unknown command\n"
		     "= c OK NOOP completed\n"
		     "= d BAD Unknown command\n"
		     "= e OK NOOP completed\n"                          },
    {"bare CR",          "0: a NO\rOP\n"
		"= a BAD A line is too long, or holds a bare CR, LF or NUL\n"},
};

static const struct imap_script enable[] = {
    {"enable",					    "0: a ENABLE CONDSTORE X-NEW\n"
	       "= * ENABLED CONDSTORE\n"
	       "= a OK ENABLE completed\n"
	       "0: b ENABLE QRESYNC\n"
	       "= * ENABLED QRESYNC\n"
	       "= b OK ENABLE completed\n"
	       "0: c ENABLE QRESYNC IMAP4rev2 UTF8=ACCEPT\n"
	       "= * ENABLED UTF8=ACCEPT IMAP4rev2\n"
	       "= c OK ENABLE completed\n"            },
    {"both at once",				      "0: a ENABLE QRESYNC\n"
		     "= * ENABLED CONDSTORE QRESYNC\n"
		     "= a OK ENABLE completed\n"},
    {"condstore in a mailbox",
     "0: a SELECT INBOX\n" SELECTED OPENED(
	 "0",							 "0", "1") "= a OK [READ-WRITE] SELECT completed\n"
			"0: b STATUS INBOX (HIGHESTMODSEQ)\n"
			"= * OK [HIGHESTMODSEQ ~] CONDSTORE is enabled\n"
			"= * STATUS INBOX (HIGHESTMODSEQ ~)\n"
			"= b OK STATUS completed\n"},
    {"rev2", "!append INBOX\n"
	     "0: a ENABLE IMAP4rev2\n"
	     "= * ENABLED IMAP4rev2\n"
	     "= a OK ENABLE completed\n"
	     "0: b SELECT INBOX\n" SELECTED "= * 1 EXISTS\n"
	     "= * OK [UIDVALIDITY ~] UIDs valid\n"
	     "= * OK [UIDNEXT 2] Predicted next UID\n"
	     "= * OK [HIGHESTMODSEQ ~] Highest\n"
	     "= * OK [MAILBOXID (F~-~)] Ok\n"
	     "= * LIST (\\HasNoChildren) \"/\" INBOX\n"
	     "= b OK [READ-WRITE] SELECT completed\n"
	     "!deliver INBOX\n"
	     "0: c NOOP\n"
	     "= * 2 EXISTS\n"
	     "= c OK NOOP completed\n"          },
};

static const struct imap_script selected[] = {
    {"another mailbox",
     "0: a SELECT Sent\n" SELECTED OPENED(
	 "0",						      "0", "1") "= a OK [READ-WRITE] SELECT completed\n"
			"0: b SELECT none\n"
			"= * OK [CLOSED] The previous mailbox is closed\n"
			"= b NO [NONEXISTENT] There is no such mailbox\n"
			"0: c CHECK\n"
			"= c BAD No mailbox is selected\n"},
    {"unselect", "0: a SELECT Sent\n" SELECTED OPENED(
		     "0", "0", "1") "= a OK [READ-WRITE] SELECT completed\n"
				    "0: b UNSELECT\n"
				    "= b OK UNSELECT completed\n"
				    "0: c UNSELECT\n"
				    "= c BAD No mailbox is selected\n"},
    {"recent to the first",
     "!append Sent\n"
     "0: a SELECT Sent\n" SELECTED
     "= * 1 EXISTS\n= * 1 RECENT\n= * OK [UNSEEN 1] First unseen\n"
     "= * OK [UIDVALIDITY ~] UIDs valid\n= * OK [UIDNEXT 2] Predicted next UID\n"
     "= * OK [HIGHESTMODSEQ ~] Highest\n= * OK [MAILBOXID (F~-~)] Ok\n"
     "= a OK [READ-WRITE] SELECT completed\n"
     "1: a SELECT Sent\n" SELECTED
     "= * 1 EXISTS\n= * 0 RECENT\n= * OK [UNSEEN 1] First unseen\n"
     "= * OK [UIDVALIDITY ~] UIDs valid\n= * OK [UIDNEXT 2] Predicted next UID\n"
     "= * OK [HIGHESTMODSEQ ~] Highest\n= * OK [MAILBOXID (F~-~)] Ok\n"
     "= a OK [READ-WRITE] SELECT completed\n"
     "!deliver Sent\n"
     "1: b NOOP\n"
     "= * 2 EXISTS\n"
     "= * 1 RECENT\n"
     "= b OK NOOP completed\n"
     "0: b FETCH 1 FLAGS\n"
     "= * 1 FETCH (FLAGS (\\Recent))\n"
     "= * 2 EXISTS\n"
     "= * 1 RECENT\n"
     "= b OK FETCH completed\n"			       },
    {"idle",							  "0: a SELECT INBOX\n" SELECTED OPENED(
		 "0",				      "0", "1") "= a OK [READ-WRITE] SELECT completed\n"
				"0: b IDLE\n"
				"= + idling\n"
				"!deliver INBOX\n"
				"!push 0\n"
				"= * 1 EXISTS\n"
				"= * 1 RECENT\n"
				"!push 0\n"
				"0: done\n"
				"0: c NOOP\n"
				"= b OK IDLE completed\n"
				"= c OK NOOP completed\n"
				"0: d IDLE\n"
				"0: NOOP\n"
				"= + idling\n"
				"= d BAD DONE was expected\n"},
    {"idle with DONE at once",							  "0: a IDLE\n"
			       "0: DONE\n"
			       "= + idling\n"
			       "= a OK IDLE completed\n"                     },
};

static const struct imap_script rest[] = {
    {"no quota", "0: a GETQUOTA \"\"\n"
		 "= a NO [NONEXISTENT] There is no such quota root\n"
		 "0: b GETQUOTAROOT INBOX\n"
		 "= * QUOTAROOT INBOX\n"
		 "= b OK GETQUOTAROOT completed\n"
		 "0: c SETQUOTA \"\" (STORAGE 5)\n"
		 "= c NO [NOPERM] Quotas are set by the operator\n"          },
    {"compress", "0: a COMPRESS DEFLATE\n"
		 "= a OK Compression begins\n"
		 "0: b COMPRESS DEFLATE\n"
		 "= b NO [COMPRESSIONACTIVE] Compression is active already\n"},
};

#define DIALOGUES(name)                                                                \
	static void test_##name##_dialogues(void **state)                              \
	{                                                                              \
		(void)state;                                                           \
		imap_scripts_run(name, N_ELEMS(name));                                 \
	}

DIALOGUES(basic)
DIALOGUES(literals)
DIALOGUES(errors)
DIALOGUES(enable)
DIALOGUES(selected)
DIALOGUES(rest)

static void
test_quota_of_the_domain_is_a_root_of_its_own(void **state)
{
	char name[] = "example.org";
	struct account_domain domain = {7, 10u << 20, name};
	struct harness h;

	(void)state;
	harness_init(&h);
	h.account->domain = &domain;
	h.domain_known = true;
	h.domain_bytes = 1025;
	harness_expect(&h, 0, "a GETQUOTAROOT INBOX\r\n",
		       "* QUOTAROOT INBOX \"Domain example.org\"\r\n"
		       "* QUOTA \"Domain example.org\" (STORAGE 2 10240)\r\n"
		       "a OK GETQUOTAROOT completed\r\n");
	h.account->quota_bytes = 1u << 20;
	harness_expect(&h, 0, "b GETQUOTAROOT INBOX\r\n",
		       "* QUOTAROOT INBOX \"\" \"Domain example.org\"\r\n"
		       "* QUOTA \"\" (STORAGE 0 1024 MESSAGE 0 4294967295)\r\n"
		       "* QUOTA \"Domain example.org\" (STORAGE 2 10240)\r\n"
		       "b OK GETQUOTAROOT completed\r\n");
	harness_expect(&h, 0, "c GETQUOTA \"Domain Example.ORG\"\r\n",
		       "* QUOTA \"Domain example.org\" (STORAGE 2 10240)\r\n"
		       "c OK GETQUOTA completed\r\n");
	harness_expect(&h, 0, "d GETQUOTA \"Domain theirs.example\"\r\n",
		       "d NO [NONEXISTENT] There is no such quota root\r\n");
	h.domain_known = false;
	harness_expect(&h, 0, "e GETQUOTA \"Domain example.org\"\r\n",
		       "e NO [UNAVAILABLE] Nobody can say how full the domain is\r\n");
	harness_expect(&h, 0, "f GETQUOTAROOT INBOX\r\n",
		       "* QUOTAROOT INBOX \"\" \"Domain example.org\"\r\n"
		       "* QUOTA \"\" (STORAGE 0 1024 MESSAGE 0 4294967295)\r\n"
		       "f OK GETQUOTAROOT completed\r\n");
	domain.quota_bytes = 0;
	h.asked = 0;
	harness_expect(&h, 0, "g GETQUOTA \"Domain example.org\"\r\n",
		       "g NO [NONEXISTENT] There is no such quota root\r\n");
	assert_int_equal(h.asked, 0);
	harness_release(&h);
}

static void
test_quota_is_told_in_kilobytes(void **state)
{
	struct harness h;

	(void)state;
	harness_init(&h);
	h.account->quota_bytes = 10u << 20;
	harness_append(&h, STORE_INBOX, "A: b\r\n\r\nc\r\n", 0);
	harness_expect(&h, 0, "a GETQUOTAROOT INBOX\r\n",
		       "* QUOTAROOT INBOX \"\"\r\n"
		       "* QUOTA \"\" (STORAGE 1 10240 MESSAGE 1 4294967295)\r\n"
		       "a OK GETQUOTAROOT completed\r\n");
	harness_release(&h);
}

static void
test_create_is_answered_when_durable(void **state)
{
	struct harness h;

	(void)state;
	harness_init(&h);
	h.hold_sync = true;
	assert_int_equal(harness_say(&h, 0, "a CREATE x\r\n").n, 0);
	assert_int_equal(h.at[0].want, SESSION_WANT_SYNC);
	assert_int_equal(session_sync_position(h.at[0].session),
			 store_position(h.f.account));
	assert_true(span_starts(harness_go_on(&h, 0), SPAN("a OK [MAILBOXID (F")));
	h.fail_sync = true;
	harness_expect(&h, 0, "b CREATE y\r\n",
		       "b NO [UNAVAILABLE] It could not be made durable\r\n");
	harness_release(&h);
}

static void
test_a_line_at_its_limit(void **state)
{
	struct buf line = buf_make(1 << 20);
	struct harness h;

	(void)state;
	for (size_t extra = 0; extra < 2; extra++) {
		size_t n = session_limits_default.line_bytes_max + extra;

		harness_init(&h);
		buf_reset(&line);
		buf_put_str(&line, "a STATUS INBOX (MESSAGES");
		while (line.n < n - 3 - 9)
			buf_put_str(&line, " MESSAGES");
		while (line.n < n - 3)
			buf_put_str(&line, "x");
		buf_put_str(&line, ")\r\n");
		assert_int_equal(line.n, n);
		if (extra == 0)
			assert_false(span_starts(harness_send(&h, 0, buf_span(&line)),
						 SPAN("a BAD A line is too long")));
		else
			assert_true(span_starts(harness_send(&h, 0, buf_span(&line)),
						SPAN("a BAD A line is too long")));
		harness_release(&h);
	}
	buf_release(&line);
}

static void
test_endings_are_said_when_there_is_place(void **state)
{
	struct harness h;

	(void)state;
	harness_init(&h);
	(void)harness_say(&h, 0, "a IDLE\r\n");
	session_end(h.at[0].session, SESSION_END_TIMEOUT, &h.at[0].out);
	assert_true(span_equal(buf_span(&h.at[0].out),
			       SPAN("* BYE Nothing came for too long\r\n")));
	assert_string_equal(session_reason(h.at[0].session), "timeout");
	(void)harness_say(&h, 0, "");
	assert_int_equal(h.at[0].want, SESSION_WANT_CLOSE);
	harness_release(&h);
}

static void
test_open_answers_the_login(void **state)
{
	struct harness h;
	struct buf out = buf_make(4096);

	(void)state;
	harness_init(&h);
	session_open(harness_session(&h, 0), SPAN("x1"), &out);
	assert_true(span_starts(buf_span(&out), SPAN("x1 OK [CAPABILITY IMAP4rev1 ")));
	assert_true(span_ends_nocase(buf_span(&out), SPAN("] Logged in\r\n")));
	buf_release(&out);
	harness_release(&h);
}

/* Commands that need a mailbox, without one; and all that do not. */
static void
test_every_command_in_its_states(void **state)
{
	static const char *const selected_only[] = {
	    "CHECK",
	    "CLOSE",
	    "UNSELECT",
	    "EXPUNGE",
	    "UID EXPUNGE 1",
	    "SEARCH ALL",
	    "UID SEARCH ALL",
	    "SORT (DATE) UTF-8 ALL",
	    "THREAD REFERENCES UTF-8 ALL",
	    "FETCH 1 FLAGS",
	    "UID FETCH 1 FLAGS",
	    "STORE 1 FLAGS ()",
	    "COPY 1 x",
	    "MOVE 1 x",
	};
	static const char *const any[] = {
	    "CAPABILITY",
	    "NOOP",
	    "ID NIL",
	    "ENABLE X",
	    "CREATE c",
	    "RENAME c d",
	    "DELETE d",
	    "SUBSCRIBE c",
	    "UNSUBSCRIBE c",
	    "LIST \"\" *",
	    "LSUB \"\" *",
	    "NAMESPACE",
	    "STATUS INBOX (MESSAGES)",
	    "GETQUOTAROOT INBOX",
	    "APPEND INBOX {2+}\r\n\r\n",
	    "IDLE\r\nDONE",
	    "EXAMINE INBOX",
	};
	struct harness h;
	char line[100];

	(void)state;
	harness_init(&h);
	h.policy.limits.errors_max = 1000;
	for (size_t i = 0; i < N_ELEMS(selected_only); i++) {
		snprintf(line, sizeof(line), "a %s\r\n", selected_only[i]);
		harness_expect(&h, 0, line, "a BAD No mailbox is selected\r\n");
	}
	for (size_t round = 0; round < 2; round++)
		for (size_t i = 0; i < N_ELEMS(any); i++) {
			struct span got;

			snprintf(line, sizeof(line), "a %s\r\n", any[i]);
			got = harness_say(&h, 0, line);
			if (span_find_span(got, SPAN("a OK ")) == got.n)
				print_message("%s: %.*s", any[i], SPAN_ARG(got));
			assert_true(span_find_span(got, SPAN("a OK ")) < got.n);
		}
	harness_release(&h);
}

static enum session_want
step_once(struct harness *h, const char *text)
{
	struct span in = span_str(text);

	return session_step(harness_session(h, 0), h->f.now_us, &in, &h->at[0].out);
}

static void
test_a_lock_is_waited_for_outside(void **state)
{
	struct harness h;

	(void)state;
	harness_init(&h);
	fixture_check(&h.f, store_batch_begin(harness_other(&h), true, &h.f.err));
	assert_int_equal(step_once(&h, "a CREATE x\r\n"), SESSION_WANT_LOCK);
	assert_int_equal(step_once(&h, ""), SESSION_WANT_LOCK);
	store_batch_cancel(h.other);
	assert_int_equal(step_once(&h, ""), SESSION_WANT_SYNC);
	assert_int_equal(h.at[0].out.n, 0);
	assert_true(span_starts(harness_say(&h, 0, ""), SPAN("a OK [MAILBOXID ")));
	harness_release(&h);
}

static void
test_progress_is_said_every_ten_seconds(void **state)
{
	struct buf out = buf_make(1000);
	struct step step = {.out = &out, .now_us = 1000000};
	struct harness h;
	struct session *s;

	(void)state;
	harness_init(&h);
	s = harness_session(&h, 0);
	snprintf(s->tag, sizeof(s->tag), "A7");
	s->progress_us = step.now_us;
	step.now_us += 9999999;
	session_progress(s, &step, 1, 2);
	assert_int_equal(out.n, 0);
	step.now_us++;
	session_progress(s, &step, 1, 2);
	session_progress(s, &step, 1, 2);
	step.now_us += 10000000;
	session_progress(s, &step, 0, 0);
	assert_true(
	    span_equal(buf_span(&out),
		       SPAN("* OK [INPROGRESS (\"A7\" 1 2)] Still working\r\n"
			    "* OK [INPROGRESS (\"A7\" NIL NIL)] Still working\r\n")));
	buf_release(&out);
	harness_release(&h);
}

/* Nothing but the session and its numbers stays. */
static void
test_an_idle_session_is_small(void **state)
{
	struct harness h;
	const struct session *s;

	(void)state;
	harness_init(&h);
	harness_fill(&h, STORE_INBOX, 100);
	(void)harness_say(&h, 0,
			  "a SELECT INBOX\r\nb SEARCH RETURN (SAVE) ALL\r\n"
			  "c FETCH 1:* (FLAGS ENVELOPE)\r\nd IDLE\r\n");
	s = h.at[0].session;
	assert_true(session_idles(s));
	assert_true(sizeof(*s) <= 800);
	assert_null(s->arena.blocks);
	assert_int_equal(s->frame.bytes.size, 0);
	assert_int_equal(s->result.code.size, 0);
	assert_true(s->view.size <= 100 + 100 / 16 + 16);
	harness_release(&h);
}

/* A client that has not heard of an EXPUNGE is not one that cannot speak. */
static void
test_commands_that_were_understood_are_no_errors(void **state)
{
	struct harness h;

	(void)state;
	harness_init(&h);
	(void)harness_say(&h, 0, "s SELECT INBOX\r\n");
	for (int i = 0; i < 10; i++)
		harness_expect(&h, 0, "a FETCH 9 FLAGS\r\n",
			       "a BAD No such message\r\n");
	harness_release(&h);
}

/* The answer waits for room when the disk fails. */
static void
test_a_sync_that_fails_before_it_is_waited_for(void **state)
{
	struct span in = SPAN("a RENAME Archive Old\r\n");
	struct buf out = buf_make(4096);
	struct session *s;
	struct harness h;

	(void)state;
	harness_init(&h);
	s = harness_session(&h, 0);
	session_sync_failed(s); /* nothing waits yet */
	(void)harness_say(&h, 0, "e ENABLE IMAP4rev2\r\n");
	h.policy.limits.output_high = 10;
	assert_int_equal(session_step(s, h.f.now_us, &in, &out), SESSION_WANT_ROOM);
	session_sync_failed(s);
	buf_reset(&out);
	(void)!session_step(s, h.f.now_us, &in, &out);
	assert_true(
	    span_equal(buf_span(&out),
		       SPAN("a NO [UNAVAILABLE] It could not be made durable\r\n")));
	buf_release(&out);
	harness_release(&h);
}

/* So that the caller can look after others between them. */
static void
test_a_step_ends_with_its_command(void **state)
{
	struct harness h;
	uint64_t before;

	(void)state;
	harness_init(&h);
	(void)harness_session(&h, 0);
	before = h.at[0].steps;
	(void)harness_say(&h, 0, "a NOOP\r\nb SELECT INBOX\r\nc CHECK\r\nd NOOP\r\n");
	assert_int_equal(h.at[0].steps - before, 4);
	harness_release(&h);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_basic_dialogues),
	    cmocka_unit_test(test_literals_dialogues),
	    cmocka_unit_test(test_errors_dialogues),
	    cmocka_unit_test(test_enable_dialogues),
	    cmocka_unit_test(test_selected_dialogues),
	    cmocka_unit_test(test_rest_dialogues),
	    cmocka_unit_test(test_quota_of_the_domain_is_a_root_of_its_own),
	    cmocka_unit_test(test_quota_is_told_in_kilobytes),
	    cmocka_unit_test(test_create_is_answered_when_durable),
	    cmocka_unit_test(test_a_line_at_its_limit),
	    cmocka_unit_test(test_endings_are_said_when_there_is_place),
	    cmocka_unit_test(test_commands_that_were_understood_are_no_errors),
	    cmocka_unit_test(test_a_step_ends_with_its_command),
	    cmocka_unit_test(test_a_sync_that_fails_before_it_is_waited_for),
	    cmocka_unit_test(test_open_answers_the_login),
	    cmocka_unit_test(test_every_command_in_its_states),
	    cmocka_unit_test(test_a_lock_is_waited_for_outside),
	    cmocka_unit_test(test_progress_is_said_every_ten_seconds),
	    cmocka_unit_test(test_an_idle_session_is_small),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
