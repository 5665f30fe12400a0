/* tests/unit/test_imap_steps.c - changes of more messages than one step takes
 *
 * A step changes STEP messages here. What others do between two steps is done from
 * within harness.between.
 */
#include "tests/unit/imap_harness.h"

#define STEP 3

struct meanwhile {
	struct harness h;
	void (*once)(struct harness *h); /* after the first step */
	const char *ask, *answer;        /* of session 1, after each */
	unsigned turns;
};

static void
between(void *context)
{
	struct meanwhile *m = context;
	void (*once)(struct harness *) = m->once;

	m->h.between = NULL;
	m->once = NULL;
	m->turns++;
	if (once)
		once(&m->h);
	if (m->ask)
		harness_expect(&m->h, 1, m->ask, m->answer);
	m->h.between = between;
}

/* Ten messages in INBOX, which both sessions have selected. */
static void
set_up(struct meanwhile *m)
{
	struct session_policy policy = {.limits = session_limits_default,
					.host_name = SPAN("mail.example.org")};

	*m = (struct meanwhile){0};
	policy.limits.change_step = STEP;
	harness_init_with(
	    &m->h, &policy,
	    &(struct store_settings){.summarize = true, .copy_step = STEP});
	harness_fill(&m->h, STORE_INBOX, 10);
	(void)harness_say(&m->h, 0, "s SELECT INBOX\r\n");
	(void)harness_say(&m->h, 1, "s SELECT INBOX\r\n");
	m->h.between = between;
	m->h.context = m;
}

static void
tear_down(struct meanwhile *m)
{
	harness_release(&m->h);
}

/* --- what happens meanwhile ----------------------------------------------- */

static void
deliver_to_archive(struct harness *h)
{
	harness_deliver(h, harness_mailbox(h, "Archive"), "A: b\r\n\r\ntext\r\n");
}

static void
mark_first(struct harness *h)
{
	harness_expect(h, 1, "m STORE 1 +FLAGS.SILENT (\\Answered)\r\n",
		       "m OK STORE completed\r\n");
}

static void
undelete_last(struct harness *h)
{
	harness_expect(h, 1, "m STORE 10 -FLAGS.SILENT (\\Deleted)\r\n",
		       "* 4 FETCH (FLAGS (\\Deleted))\r\n"
		       "* 5 FETCH (FLAGS (\\Deleted))\r\n"
		       "* 6 FETCH (FLAGS (\\Deleted))\r\n"
		       "* 7 FETCH (FLAGS (\\Deleted))\r\n"
		       "* 8 FETCH (FLAGS (\\Deleted))\r\n"
		       "* 9 FETCH (FLAGS (\\Deleted))\r\n"
		       "* 10 FETCH (FLAGS ())\r\n"
		       "m OK STORE completed\r\n");
}

static void
expunge_last(struct harness *h)
{
	const struct store_range last = {10, 10};
	struct store_account *other = harness_other(h);
	uint64_t n;

	fixture_check(&h->f,
		      store_expunge(other, STORE_INBOX, (struct store_uids){&last, 1},
				    h->f.now_us, &n, NULL, &h->f.err));
	fixture_check(&h->f, store_sync(other, h->f.now_us, &h->f.err));
}

static void
end_copier(struct harness *h)
{
	harness_expect(h, 1, "m STATUS Archive (MESSAGES)\r\n",
		       "* STATUS Archive (MESSAGES 0)\r\nm OK STATUS completed\r\n");
}

/* --- COPY ----------------------------------------------------------------- */

static void
test_a_copy_is_seen_as_a_whole(void **state)
{
	struct meanwhile m;

	(void)state;
	set_up(&m);
	m.ask = "w STATUS Archive (MESSAGES UIDNEXT)\r\n";
	m.answer = "* STATUS Archive (MESSAGES 0 UIDNEXT 1)\r\n"
		   "w OK STATUS completed\r\n";
	harness_expect(&m.h, 0, "c COPY 1:10 Archive\r\n",
		       "c OK [COPYUID 1800000003 1:10 1:10] COPY completed\r\n");
	assert_true(m.turns >= 2);
	harness_expect(&m.h, 1, m.ask,
		       "* STATUS Archive (MESSAGES 10 UIDNEXT 11)\r\n"
		       "w OK STATUS completed\r\n");

	tear_down(&m);
}

/* Others deliver there, durably, and change what is copied. */
static void
test_a_copy_stands_beside_what_others_do(void **state)
{
	void (*const rows[])(struct harness *) = {deliver_to_archive, mark_first,
						  end_copier};
	static const char *const counts[] = {"11", "10", "10"};
	char want[160];

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		struct meanwhile m;

		set_up(&m);
		m.once = rows[i];
		harness_expect(
		    &m.h, 0, "c UID COPY 1:10 Archive\r\n",
		    i == 1
			? "* 1 FETCH (UID 1 FLAGS (\\Answered \\Recent))\r\n"
			  "c OK [COPYUID 1800000003 1:10 1:10] UID COPY completed\r\n"
			: "c OK [COPYUID 1800000003 1:10 1:10] UID COPY "
			  "completed\r\n");
		snprintf(want, sizeof(want),
			 "* STATUS Archive (MESSAGES %s)\r\nw OK STATUS completed\r\n",
			 counts[i]);
		harness_expect(&m.h, 0, "w STATUS Archive (MESSAGES)\r\n", want);
		tear_down(&m);
	}
}

/* Its client is gone in the middle: it was decided, and is there as a whole. */
static void
test_a_copy_outlives_its_session(void **state)
{
	struct span in = SPAN("c COPY 1:10 Archive\r\n");
	struct harness_session *hs;
	struct meanwhile m;

	(void)state;
	set_up(&m);
	m.h.between = NULL;
	hs = &m.h.at[0];
	assert_int_equal(session_step(hs->session, m.h.f.now_us, &in, &hs->out),
			 SESSION_WANT_TURN);
	harness_end(&m.h, 0);
	end_copier(&m.h);
	while (store_sync(m.h.f.account, m.h.f.now_us, &m.h.f.err) == STORE_BUSY)
		end_copier(&m.h);
	harness_expect(&m.h, 1, "w STATUS Archive (MESSAGES)\r\n",
		       "* STATUS Archive (MESSAGES 10)\r\nw OK STATUS completed\r\n");
	tear_down(&m);
}

/* With a quota all are looked at first; what is gone then is found. */
static void
test_a_copy_finds_what_goes_while_it_looks(void **state)
{
	struct meanwhile m;

	(void)state;
	set_up(&m);
	m.h.account->quota_bytes = 100000;
	m.once = expunge_last;
	harness_expect(&m.h, 0, "c COPY 1:10 Archive\r\n",
		       "* 10 EXPUNGE\r\n"
		       "c NO [EXPUNGEISSUED] Some of the messages were expunged "
		       "meanwhile\r\n");
	assert_true(m.turns >= 3);
	harness_expect(&m.h, 0, "c COPY 1:9 Archive\r\n",
		       "c OK [COPYUID 1800000003 1:9 1:9] COPY completed\r\n");
	tear_down(&m);
}

/* --- MOVE ----------------------------------------------------------------- */

#define NINE_TO_ONE                                                                    \
	"* 9 EXPUNGE\r\n* 8 EXPUNGE\r\n* 7 EXPUNGE\r\n* 6 EXPUNGE\r\n* 5 EXPUNGE\r\n"  \
	"* 4 EXPUNGE\r\n* 3 EXPUNGE\r\n* 2 EXPUNGE\r\n* 1 EXPUNGE\r\n"

static void
test_a_move_tells_all_that_went(void **state)
{
	struct meanwhile m;

	(void)state;
	set_up(&m);
	m.once = deliver_to_archive;
	harness_expect(&m.h, 0, "m MOVE 1:10 Archive\r\n",
		       "* OK [COPYUID 1800000003 1:10 1:3,5:11] Moved\r\n"
		       "* 10 EXPUNGE\r\n" NINE_TO_ONE "m OK MOVE completed\r\n");
	assert_int_equal(m.turns, 3);
	tear_down(&m);
}

static void
delete_archive(struct harness *h)
{
	harness_expect(h, 1, "d DELETE Archive\r\n",
		       "* 3 EXPUNGE\r\n* 2 EXPUNGE\r\n* 1 EXPUNGE\r\n"
		       "d OK DELETE completed\r\n");
}

static void
test_a_move_that_fails_tells_what_went(void **state)
{
	struct meanwhile m;

	(void)state;
	set_up(&m);
	m.once = delete_archive;
	harness_expect(&m.h, 0, "m MOVE 1:10 Archive\r\n",
		       "* 3 EXPUNGE\r\n* 2 EXPUNGE\r\n* 1 EXPUNGE\r\n"
		       "m NO [NONEXISTENT] There is no such mailbox\r\n");
	tear_down(&m);
}

/* --- EXPUNGE, CLOSE ------------------------------------------------------- */

static void
test_expunge_takes_what_is_deleted_when_it_comes_there(void **state)
{
	struct meanwhile m;

	(void)state;
	set_up(&m);
	(void)harness_say(&m.h, 0, "d STORE 1:10 +FLAGS.SILENT (\\Deleted)\r\n");
	m.turns = 0;
	m.once = undelete_last;
	harness_expect(&m.h, 0, "e EXPUNGE\r\n",
		       NINE_TO_ONE "* 1 FETCH (FLAGS (\\Recent))\r\n"
				   "e OK EXPUNGE completed\r\n");
	assert_int_equal(m.turns, 3);
	tear_down(&m);
}

static void
test_close_goes_step_by_step(void **state)
{
	struct meanwhile m;

	(void)state;
	set_up(&m);
	(void)harness_say(&m.h, 0, "d STORE 1:9 +FLAGS.SILENT (\\Deleted)\r\n");
	m.turns = 0;
	harness_expect(&m.h, 0, "e CLOSE\r\n", "e OK CLOSE completed\r\n");
	assert_int_equal(m.turns, 3);
	harness_expect(&m.h, 0, "w STATUS INBOX (MESSAGES)\r\n",
		       "* STATUS INBOX (MESSAGES 1)\r\nw OK STATUS completed\r\n");
	tear_down(&m);
}

/* --- STORE ---------------------------------------------------------------- */

static void
test_store_goes_on_with_those_that_are_left(void **state)
{
	struct meanwhile m;

	(void)state;
	set_up(&m);
	m.once = expunge_last;
	harness_expect(&m.h, 0, "a STORE 2:10 +FLAGS (\\Seen)\r\n",
		       "* 2 FETCH (FLAGS (\\Seen \\Recent))\r\n"
		       "* 3 FETCH (FLAGS (\\Seen \\Recent))\r\n"
		       "* 4 FETCH (FLAGS (\\Seen \\Recent))\r\n"
		       "* 5 FETCH (FLAGS (\\Seen \\Recent))\r\n"
		       "* 6 FETCH (FLAGS (\\Seen \\Recent))\r\n"
		       "* 7 FETCH (FLAGS (\\Seen \\Recent))\r\n"
		       "* 8 FETCH (FLAGS (\\Seen \\Recent))\r\n"
		       "* 9 FETCH (FLAGS (\\Seen \\Recent))\r\n"
		       "a NO [EXPUNGEISSUED] Some of the messages were expunged "
		       "meanwhile\r\n");
	assert_true(m.turns >= 2);
	harness_expect(&m.h, 0, "b UID SEARCH UNSEEN\r\n",
		       "* SEARCH 1\r\n* 10 EXPUNGE\r\nb OK UID SEARCH completed\r\n");
	tear_down(&m);
}

static void
test_store_tells_all_that_were_modified(void **state)
{
	struct store_mailbox box;
	struct meanwhile m;
	char line[120];

	(void)state;
	set_up(&m);
	assert_true(store_mailbox_get(m.h.f.account, STORE_INBOX, &box));
	(void)harness_say(&m.h, 1, "x STORE 2,5,8 +FLAGS.SILENT (\\Answered)\r\n");
	(void)harness_say(&m.h, 0, "n NOOP\r\n");
	snprintf(line, sizeof(line),
		 "a STORE 1:9 (UNCHANGEDSINCE %llu) +FLAGS.SILENT (\\Flagged)\r\n",
		 (unsigned long long)box.modseq);
	assert_true(
	    span_ends_nocase(harness_say(&m.h, 0, line),
			     SPAN("a OK [MODIFIED 2,5,8] STORE completed\r\n")));
	harness_expect(&m.h, 0, "b SEARCH FLAGGED\r\n",
		       "* SEARCH 1 3 4 6 7 9\r\nb OK SEARCH completed\r\n");
	tear_down(&m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_a_copy_is_seen_as_a_whole),
	    cmocka_unit_test(test_a_copy_stands_beside_what_others_do),
	    cmocka_unit_test(test_a_copy_outlives_its_session),
	    cmocka_unit_test(test_a_copy_finds_what_goes_while_it_looks),
	    cmocka_unit_test(test_a_move_tells_all_that_went),
	    cmocka_unit_test(test_a_move_that_fails_tells_what_went),
	    cmocka_unit_test(test_expunge_takes_what_is_deleted_when_it_comes_there),
	    cmocka_unit_test(test_close_goes_step_by_step),
	    cmocka_unit_test(test_store_goes_on_with_those_that_are_left),
	    cmocka_unit_test(test_store_tells_all_that_were_modified),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
