/* tests/unit/test_imap_view.c - numbers stay until their change was told */
#include "tests/unit/imap_script.h"

#define FLAGS                                                                          \
	"= * FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)\n"                  \
	"= * OK [PERMANENTFLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft \\*)] " \
	"Flags permitted\n"
#define COUNTS(n, recent, next)                                                        \
	"= * " n " EXISTS\n= * " recent " RECENT\n= * OK [UNSEEN 1] First unseen\n"    \
	"= * OK [UIDVALIDITY ~] UIDs valid\n= * OK [UIDNEXT " next                     \
	"] Predicted next UID\n= * OK [HIGHESTMODSEQ ~] Highest\n= * OK [MAILBOXID "   \
	"(F~-~)] Ok\n= s OK [READ-WRITE] SELECT completed\n"
#define FOUR                                                                           \
	"!append INBOX\n!append INBOX\n!append INBOX\n!append INBOX\n"                 \
	"0: s SELECT INBOX\n" FLAGS COUNTS(                                            \
	    "4", "4", "5") "1: s SELECT INBOX\n" FLAGS COUNTS("4", "0", "5")

static const struct imap_script scripts[] = {
    {"flags of another session",                FOUR "0: a STORE 2 +FLAGS.SILENT (\\Flagged)\n"
				      "= a OK STORE completed\n"
				      "1: b NOOP\n"
				      "= * 2 FETCH (FLAGS (\\Flagged))\n"
				      "= b OK NOOP completed\n"
				      "1: c NOOP\n"
				      "= c OK NOOP completed\n"
				      "0: d NOOP\n"
				      "= d OK NOOP completed\n"          },
    {"a new keyword is told before it is used",
     FOUR "0: a STORE 2 +FLAGS.SILENT (Later)\n"
	  "= * FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft Later)\n"
	  "= * OK [PERMANENTFLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft Later "
	  "\\*)] Flags permitted\n"
	  "= a OK STORE completed\n"
	  "1: b NOOP\n"
	  "= * FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft Later)\n"
	  "= * OK [PERMANENTFLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft Later "
	  "\\*)] Flags permitted\n"
	  "= * 2 FETCH (FLAGS (Later))\n"
	  "= b OK NOOP completed\n"								      },
    {"expunged by another session",             FOUR "0: a STORE 1,3 +FLAGS.SILENT (\\Deleted)\n"
					 "= a OK STORE completed\n"
					 "0: b EXPUNGE\n"
					 "= * 3 EXPUNGE\n"
					 "= * 1 EXPUNGE\n"
					 "= b OK EXPUNGE completed\n"
					 "1: c FETCH 4 (UID)\n"
					 "= * 4 FETCH (UID 4)\n"
					 "= c OK FETCH completed\n"
					 "!deliver INBOX\n"
					 "1: d FETCH 4 (UID)\n"
					 "= * 4 FETCH (UID 4)\n"
					 "= * 5 EXISTS\n"
					 "= * 1 RECENT\n"
					 "= d OK FETCH completed\n"
					 "1: e UID FETCH 4 (UID)\n"
					 "= * 4 FETCH (UID 4)\n"
					 "= * 3 EXPUNGE\n"
					 "= * 1 EXPUNGE\n"
					 "= e OK UID FETCH completed\n"
					 "1: f FETCH 2 (UID)\n"
					 "= * 2 FETCH (UID 4)\n"
					 "= f OK FETCH completed\n"   },
    {"vanished",
     FOUR "0: a STORE 1:3 +FLAGS.SILENT (\\Deleted)\n"
	  "= a OK STORE completed\n"
	  "1: b ENABLE QRESYNC\n"
	  "= * ENABLED CONDSTORE QRESYNC\n"
	  "= * OK [HIGHESTMODSEQ ~] CONDSTORE is enabled\n"
	  "= * 1 FETCH (UID 1 FLAGS (\\Deleted) MODSEQ (~))\n"
	  "= * 2 FETCH (UID 2 FLAGS (\\Deleted) MODSEQ (~))\n"
	  "= * 3 FETCH (UID 3 FLAGS (\\Deleted) MODSEQ (~))\n"
	  "= b OK ENABLE completed\n"
	  "0: c EXPUNGE\n"
	  "= * 3 EXPUNGE\n"
	  "= * 2 EXPUNGE\n"
	  "= * 1 EXPUNGE\n"
	  "= c OK EXPUNGE completed\n"
	  "1: d NOOP\n"
	  "= * VANISHED 1:3\n"
	  "= d OK NOOP completed\n"
	  "1: e CLOSE\n"
	  "= e OK CLOSE completed\n"
	  "1: f SELECT INBOX (QRESYNC (1800000000 1))\n" FLAGS
	  "= * 1 EXISTS\n= * 0 RECENT\n= * OK [UNSEEN 1] First unseen\n"
	  "= * OK [UIDVALIDITY ~] UIDs valid\n= * OK [UIDNEXT 5] Predicted next UID\n"
	  "= * OK [HIGHESTMODSEQ ~] Highest\n= * OK [MAILBOXID (F~-~)] Ok\n"
	  "= * VANISHED (EARLIER) 1:3\n"
	  "= * 1 FETCH (UID 4 FLAGS () MODSEQ (~))\n"
	  "= f OK [READ-WRITE] SELECT completed\n"
	  "1: g SELECT INBOX (QRESYNC (1800000000 1 2:3))\n"
	  "= * OK [CLOSED] The previous mailbox is closed\n" FLAGS
	  "= * 1 EXISTS\n= * 0 RECENT\n= * OK [UNSEEN 1] First unseen\n"
	  "= * OK [UIDVALIDITY ~] UIDs valid\n= * OK [UIDNEXT 5] Predicted next UID\n"
	  "= * OK [HIGHESTMODSEQ ~] Highest\n= * OK [MAILBOXID (F~-~)] Ok\n"
	  "= * VANISHED (EARLIER) 2:3\n"
	  "= g OK [READ-WRITE] SELECT completed\n"
	  "1: h SELECT INBOX (QRESYNC (1800000001 1))\n"
	  "= * OK [CLOSED] The previous mailbox is closed\n" FLAGS
	  "= * 1 EXISTS\n= * 0 RECENT\n= * OK [UNSEEN 1] First unseen\n"
	  "= * OK [UIDVALIDITY ~] UIDs valid\n= * OK [UIDNEXT 5] Predicted next UID\n"
	  "= * OK [HIGHESTMODSEQ ~] Highest\n= * OK [MAILBOXID (F~-~)] Ok\n"
	  "= h OK [READ-WRITE] SELECT completed\n"						       },
    {"resync without QRESYNC",                  "0: a SELECT INBOX (QRESYNC (1800000000 1))\n"
			       "= a BAD QRESYNC is not enabled\n"          },
    {"close expunges without a word",           FOUR "0: a STORE 2:3 +FLAGS.SILENT (\\Deleted)\n"
					   "= a OK STORE completed\n"
					   "0: b CLOSE\n"
					   "= b OK CLOSE completed\n"
					   "1: c NOOP\n"
					   "= * 3 EXPUNGE\n"
					   "= * 2 EXPUNGE\n"
					   "= c OK NOOP completed\n"},
    {"gone before it was seen",                 FOUR "!deliver INBOX\n"
				     "0: a UID STORE 5 +FLAGS.SILENT (\\Deleted)\n"
				     "= * 5 EXISTS\n"
				     "= * 5 RECENT\n"
				     "= a OK UID STORE completed\n"
				     "0: b UID STORE 5 +FLAGS.SILENT (\\Deleted)\n"
				     "= b OK UID STORE completed\n"
				     "0: c EXPUNGE\n"
				     "= * 5 EXPUNGE\n"
				     "= c OK EXPUNGE completed\n"
				     "1: d NOOP\n"
				     "= d OK NOOP completed\n"
				     "!deliver INBOX\n"
				     "1: e NOOP\n"
				     "= * 5 EXISTS\n"
				     "= * 1 RECENT\n"
				     "= e OK NOOP completed\n"            },
};

static void
test_view_dialogues(void **state)
{
	(void)state;
	imap_scripts_run(scripts, N_ELEMS(scripts));
}

/* --- what is told before what ------------------------------------------------ */

/* The number behind `before` in a response. */
static uint64_t
number_behind(struct span got, struct span before)
{
	size_t at = span_find_span(got, before), n = 0;
	struct span rest = span_after(got, at + before.n);
	uint64_t number = 0;

	assert_true(at < got.n);
	while (n < rest.n && ascii_digit(rest.at[n]))
		n++;
	assert_true(number_parse(span_first(rest, n), UINT64_MAX, &number));
	return number;
}

/* A MODSEQ is told while an EXPUNGE that was before it is not: who comes back with the
 * highest that it was told of is told of that, too. */
static void
test_modseq_before_vanished_is_taken_back(void **state)
{
	uint64_t told, highest;
	struct harness h;
	struct span got;
	char select[80];

	(void)state;
	harness_init(&h);
	harness_fill(&h, STORE_INBOX, 4);
	(void)harness_say(&h, 0, "s SELECT INBOX\r\n");
	(void)harness_say(&h, 1, "e ENABLE QRESYNC\r\ns SELECT INBOX\r\n");
	(void)harness_say(&h, 0, "a UID STORE 2 +FLAGS.SILENT (\\Deleted)\r\n");
	(void)harness_say(&h, 1, "a NOOP\r\n");
	(void)harness_say(&h, 0, "b EXPUNGE\r\n");
	(void)harness_say(&h, 0, "c UID STORE 4 +FLAGS.SILENT (\\Seen)\r\n");

	got = harness_say(&h, 1, "b FETCH 4 (FLAGS MODSEQ)\r\n");
	assert_true(span_find_span(got, SPAN("VANISHED")) == got.n);
	told = number_behind(got, SPAN("MODSEQ ("));
	highest = number_behind(got, SPAN("* OK [HIGHESTMODSEQ "));
	assert_true(highest < told);
	harness_end(&h, 1);

	snprintf(select, sizeof(select),
		 "e ENABLE QRESYNC\r\ns SELECT INBOX (QRESYNC (1800000000 %llu))\r\n",
		 (unsigned long long)highest);
	got = harness_say(&h, 2, select);
	assert_true(span_find_span(got, SPAN("* VANISHED (EARLIER) 2\r\n")) < got.n);
	assert_true(span_find_span(got, SPAN("UID 4 FLAGS (\\Seen)")) < got.n);

	/* With nothing held back there is nothing to take back. */
	got = harness_say(&h, 2, "f FETCH 1 (MODSEQ)\r\n");
	assert_true(span_find_span(got, SPAN("HIGHESTMODSEQ")) == got.n);
	harness_release(&h);
}

/* --- many changes --------------------------------------------------------- */

static size_t
count_lines(struct span text, struct span end)
{
	size_t n = 0;

	while (text.n > 0) {
		struct span line = span_cut(&text, '\n');

		n += line.n >= end.n &&
		     span_equal(span_after(line, line.n - end.n), end);
	}
	return n;
}

/* Every second message of n gets flags, and is then expunged: more ranges than are
 * noted, so that the second session compares. */
static void
many_ranges(size_t n, size_t output_high)
{
	struct harness h;
	struct span got;

	harness_init(&h);
	h.policy.limits.output_high = output_high;
	harness_fill(&h, STORE_INBOX, n);
	(void)harness_say(&h, 0, "a SELECT INBOX\r\n");
	(void)harness_say(&h, 1, "a SELECT INBOX\r\n");
	for (size_t i = 1; i <= n; i += 2) {
		char text[64];

		snprintf(text, sizeof(text),
			 "a STORE %zu +FLAGS.SILENT (\\Deleted)\r\n", i);
		(void)harness_say(&h, 0, text);
	}
	got = harness_say(&h, 1, "b FETCH 1 (UID)\r\n");
	assert_int_equal(count_lines(got, SPAN(" FETCH (FLAGS (\\Deleted))\r")),
			 (n + 1) / 2);
	got = harness_say(&h, 0, "c EXPUNGE\r\n");
	assert_int_equal(count_lines(got, SPAN(" EXPUNGE\r")), (n + 1) / 2);
	got = harness_say(&h, 1, "d STORE 2 +FLAGS (\\Seen)\r\n");
	assert_int_equal(count_lines(got, SPAN(" EXPUNGE\r")), 0);
	/* Once by the command, and perhaps once more when all is compared. */
	assert_true(count_lines(got, SPAN("* 2 FETCH (FLAGS (\\Seen))\r")) >= 1);
	got = harness_say(&h, 1, "e NOOP\r\n");
	assert_int_equal(count_lines(got, SPAN(" EXPUNGE\r")), (n + 1) / 2);

	assert_int_equal(h.at[1].session->view.n, n / 2);
	for (uint32_t k = 1; k <= n / 2; k++)
		assert_int_equal(view_uid(&h.at[1].session->view, k), 2 * k);
	harness_release(&h);
}

static void
test_more_ranges_than_are_noted(void **state)
{
	(void)state;
	many_ranges(5, 1 << 20);
	many_ranges(VIEW_UNTOLD_MAX, 300);
	many_ranges(2 * VIEW_UNTOLD_MAX - 1, 300);
	many_ranges(2 * VIEW_UNTOLD_MAX + 3, 1 << 20);
}

/* Each in one step of its own, and yet as if at once. */
static void
test_vanished_in_many_lines(void **state)
{
	struct harness h;
	struct span got;

	(void)state;
	harness_init(&h);
	h.policy.limits.output_high = 100;
	harness_fill(&h, STORE_INBOX, 5001);
	(void)harness_say(&h, 0, "a ENABLE QRESYNC\r\nb SELECT INBOX\r\n");
	for (uint32_t uid = 1; uid <= 5001; uid += 2) {
		struct store_range range = {uid, uid};
		uint64_t n;

		fixture_check(&h.f, store_expunge(h.f.account, STORE_INBOX,
						  (struct store_uids){&range, 1},
						  h.f.now_us, &n, NULL, &h.f.err));
	}
	got = harness_say(&h, 0, "c NOOP\r\n");
	assert_true(span_starts(got, SPAN("* VANISHED 1,3,5,7,9,")));
	assert_int_equal(h.at[0].session->view.n, 2500);
	assert_true(span_ends_nocase(got, SPAN(",5001\r\nc OK NOOP completed\r\n")));
	harness_release(&h);
}

/* What others did within the same call is told, the client's own change is not. */
static void
test_silent_is_but_one_change(void **state)
{
	static const struct store_range mine = {1, 2}, theirs = {2, 3};
	struct store_change change = {.kind = STORE_CHANGE_FLAGS, .mailbox = 1};
	struct view v = {.mailbox = 1};

	(void)state;
	view_silent_begin(&v);
	change.uids = (struct store_uids){&theirs, 1};
	change.modseq = 10;
	view_note(&v, &change);
	change.uids = (struct store_uids){&mine, 1};
	change.modseq = 20;
	view_note(&v, &change);
	view_silent_end(&v, 20);
	assert_int_equal(v.flags.n, 1);
	assert_int_equal(v.flags.at[0].first, 2);
	assert_int_equal(v.flags.at[0].last, 3);

	view_silent_begin(&v);
	change.uids = (struct store_uids){&mine, 1};
	change.modseq = 30;
	view_note(&v, &change);
	view_silent_end(&v, 0);
	view_sort_notes(&v.flags);
	assert_int_equal(v.flags.n, 1);
	assert_int_equal(v.flags.at[0].first, 1);
	imap_ranges_release(&v.flags);
}

/* As when a worker writes the index: what it learns is told later, also to a session
 * that is there no more. */
static void
test_view_learns_what_was_missed(void **state)
{
	const struct store_range first = {1, 1};
	struct harness h;
	uint64_t n;

	(void)state;
	harness_init(&h);
	harness_fill(&h, STORE_INBOX, 2);
	(void)harness_say(&h, 0, "s SELECT INBOX\r\n");
	(void)harness_say(&h, 1, "s SELECT INBOX\r\n");
	account_pause(h.account);
	fixture_check(&h.f, store_expunge(harness_other(&h), STORE_INBOX,
					  (struct store_uids){&first, 1}, h.f.now_us,
					  &n, NULL, &h.f.err));
	(void)harness_deliver(&h, STORE_INBOX, "x: y\r\n\r\n");
	fixture_check(&h.f, store_view_refresh(h.account->mail, &h.f.err));
	harness_end(&h, 1);
	account_resume(h.account);
	harness_expect(
	    &h, 0, "a NOOP\r\n",
	    "* 1 EXPUNGE\r\n* 2 EXISTS\r\n* 2 RECENT\r\na OK NOOP completed\r\n");
	harness_release(&h);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_view_dialogues),
	    cmocka_unit_test(test_modseq_before_vanished_is_taken_back),
	    cmocka_unit_test(test_more_ranges_than_are_noted),
	    cmocka_unit_test(test_vanished_in_many_lines),
	    cmocka_unit_test(test_silent_is_but_one_change),
	    cmocka_unit_test(test_view_learns_what_was_missed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
