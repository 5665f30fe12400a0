/* tests/unit/test_smtp_deadlines.c - every deadline of a session, and its end */
#include "tests/unit/smtp_limits.h"

static void
assert_ends(struct script *t, uint64_t at_ms, const char *reply)
{
	struct span none = SPAN("");

	assert_int_equal(session_deadline_ms(t->s), at_ms);
	session_timeout(t->s, at_ms - 1);
	assert_int_equal(session_step(t->s, &none, at_ms - 1), SESSION_WANT_INPUT);
	session_timeout(t->s, at_ms);
	assert_int_equal(session_step(t->s, &none, at_ms), SESSION_WANT_CLOSE);
	assert_true(span_starts(buf_span(session_out(t->s)), span_str(reply)));
}

static void
test_command_deadline_is_not_moved_by_single_bytes(void **state)
{
	struct script t;
	uint64_t start;

	(void)state;
	policy = script_policy(SESSION_MX);
	open_session(&t, false);
	start = t.now_ms;
	for (int i = 0; i < 10; i++) {
		t.now_ms += 1000;
		script_feed(&t, SPAN("x"));
	}
	assert_ends(&t, start + 300000, "421 4.4.2 ");
	script_release(&t);
}

static void
test_silent_client_is_ended_early(void **state)
{
	struct script t;

	(void)state;
	policy = script_policy(SESSION_MX);
	script_init(&t, &policy, NULL);
	buf_reset(&t.out);
	assert_ends(&t, t.now_ms + 60000, "421 4.4.2 ");
	script_release(&t);
}

static void
test_login_deadline_runs_from_the_greeting(void **state)
{
	struct script t;
	uint64_t start;

	(void)state;
	policy = script_policy(SESSION_SUBMISSION);
	open_session(&t, false);
	start = t.now_ms;
	t.now_ms += 30000;
	script_feed(&t, SPAN("NOOP\r\n"));
	assert_ends(&t, start + 60000, "421 4.4.2 ");
	script_release(&t);
}

static void
test_slow_data_is_ended(void **state)
{
	struct span none = SPAN("");
	struct script t;

	(void)state;
	for (size_t n = 14999; n <= 15001; n++) {
		policy = script_policy(SESSION_MX);
		open_session(&t, true);
		script_feed(&t, SPAN("DATA\r\n"));
		buf_reset(&t.out);
		feed_padded(&t, "", n, "");
		t.now_ms += 30000;
		assert_int_equal(session_deadline_ms(t.s), t.now_ms);
		session_timeout(t.s, t.now_ms);
		script_feed(&t, none);
		assert_int_equal(t.closed, n < 15000);
		if (n >= 15000)
			assert_ends(&t, t.now_ms + 30000, "421 4.4.2 ");
		script_release(&t);
	}
}

/* A client that does something before each deadline: every command is in time. */
static void
test_session_has_an_end_however_busy_it_is(void **state)
{
	struct script t;
	uint64_t start;

	(void)state;
	policy = script_policy(SESSION_MX);
	policy.limits.session_ms = 1000000;
	open_session(&t, false);
	start = t.now_ms;
	while (t.now_ms + 299999 < start + 1000000) {
		t.now_ms += 299999;
		script_feed(&t, SPAN("NOOP\r\n"));
		assert_last(&t, 250, false);
	}
	buf_reset(&t.out);
	assert_ends(&t, start + 1000000, "421 4.4.2 Session");
	script_release(&t);
}

static void
test_session_that_never_pauses_has_an_end(void **state)
{
	struct script t;

	(void)state;
	policy = script_policy(SESSION_MX);
	policy.limits.session_ms = 1000000;
	open_session(&t, false);
	t.now_ms += 999999;
	script_feed(&t, SPAN("NOOP\r\n"));
	assert_last(&t, 250, false);
	t.now_ms += 1;
	script_feed(&t, SPAN("NOOP\r\n"));
	assert_last(&t, 421, true);
	script_release(&t);
}

/* Bytes come fast enough, and chunks in time; the message has its own end. */
static void
test_message_has_an_end_from_its_mail_on(void **state)
{
	static const struct {
		const char *name, *begin, *go_on;
		size_t bytes; /* behind that */
	} rows[] = {
	    {"recipients", "",                "RCPT TO:<c@d>\r\n", 0    },
	    {"data",       "DATA\r\n",        "",                  16000},
	    {"one chunk",  "BDAT 999999\r\n", "",                  16000},
	    {"chunks",     "",                "BDAT 1\r\nx",       0    },
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		struct script t;
		uint64_t mail;

		print_message("%s\n", rows[i].name);
		policy = script_policy(SESSION_MX);
		policy.limits.session_ms = 150000;
		open_session(&t, false);
		t.now_ms += 149999; /* the session's own time is nearly over */
		mail = t.now_ms;
		script_feed(&t, SPAN("MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\n"));
		script_feed(&t, span_str(rows[i].begin));
		while (t.now_ms < mail + 120000) {
			script_feed(&t, span_str(rows[i].go_on));
			if (rows[i].bytes > 0)
				feed_padded(&t, "", rows[i].bytes, "");
			t.now_ms += 30000;
			session_timeout(t.s, t.now_ms);
			script_feed(&t, SPAN(""));
			assert_false(t.closed);
		}
		t.now_ms = mail + 149999;
		script_feed(&t, SPAN(""));
		assert_false(t.closed);
		t.now_ms += 1;
		session_timeout(t.s, t.now_ms);
		script_feed(&t, SPAN(""));
		assert_last(&t, 421, true);
		script_release(&t);
	}
}

/* The message that was begun in time is taken; the next one needs another session. */
static void
test_session_that_is_over_takes_no_further_message(void **state)
{
	struct buf codes = buf_make(100);
	struct script t;

	(void)state;
	policy = script_policy(SESSION_MX);
	policy.limits.session_ms = 150000;
	open_session(&t, false);
	t.now_ms += 149999;
	script_feed(&t, SPAN("MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\n"));
	t.now_ms += 1000;
	script_feed(&t, SPAN("BDAT 1 LAST\r\nx"));
	assert_int_equal(t.finished, 1);
	script_codes(buf_span(&t.out), &codes);
	assert_true(span_equal(buf_span(&codes), SPAN("250 250 250 421 ")));
	assert_last(&t, 421, true);
	buf_release(&codes);
	script_release(&t);
}

static void
test_time_of_the_spool_is_not_the_peers(void **state)
{
	struct session_peer peer = {.address = SPAN("192.0.2.1")};
	struct span in;
	struct session *s;

	(void)state;
	policy = script_policy(SESSION_MX);
	s = session_new(&policy, &peer);
	session_open(s, 0);
	in = SPAN("HELO c\r\n");
	assert_int_equal(session_step(s, &in, 0), SESSION_WANT_INPUT);
	in = SPAN("MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n");
	assert_int_equal(session_step(s, &in, 0), SESSION_WANT_SENDER);
	assert_int_equal(session_deadline_ms(s), 120000);
	session_answer_sender(s, SESSION_SENDER_OK);
	assert_int_equal(session_step(s, &in, 0), SESSION_WANT_RCPT);
	session_answer_rcpt(s, SESSION_RCPT_OK, SPAN(""));
	assert_int_equal(session_step(s, &in, 0), SESSION_WANT_BEGIN);
	session_answer_begin(s, SESSION_MESSAGE_OK, SPAN("q"), 0);
	assert_int_equal(session_step(s, &in, 10000), SESSION_WANT_PIECE);
	assert_int_equal(session_step(s, &in, 60000), SESSION_WANT_INPUT);
	assert_int_equal(session_deadline_ms(s), 90000);
	session_free(&s);
}

static void
test_answer_that_never_comes_ends_the_session(void **state)
{
	struct session_peer peer = {.address = SPAN("192.0.2.1")};
	struct span in = SPAN("HELO c\r\n");
	struct session *s;

	(void)state;
	policy = script_policy(SESSION_MX);
	s = session_new(&policy, &peer);
	session_open(s, 0);
	assert_int_equal(session_step(s, &in, 0), SESSION_WANT_INPUT);
	in = SPAN("MAIL FROM:<a@b>\r\n");
	assert_int_equal(session_step(s, &in, 5), SESSION_WANT_SENDER);
	session_timeout(s, 120005);
	assert_int_equal(session_step(s, &in, 120005), SESSION_WANT_CLOSE);
	session_free(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_command_deadline_is_not_moved_by_single_bytes),
	    cmocka_unit_test(test_silent_client_is_ended_early),
	    cmocka_unit_test(test_login_deadline_runs_from_the_greeting),
	    cmocka_unit_test(test_slow_data_is_ended),
	    cmocka_unit_test(test_session_has_an_end_however_busy_it_is),
	    cmocka_unit_test(test_session_that_never_pauses_has_an_end),
	    cmocka_unit_test(test_message_has_an_end_from_its_mail_on),
	    cmocka_unit_test(test_session_that_is_over_takes_no_further_message),
	    cmocka_unit_test(test_time_of_the_spool_is_not_the_peers),
	    cmocka_unit_test(test_answer_that_never_comes_ends_the_session),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
