/* tests/unit/test_smtp_limits.c - every limit of a session at limit - 1, limit and
 * limit + 1
 */
#include "tests/unit/smtp_limits.h"

static void
feed_repeated(struct script *t, const char *text, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		script_feed(t, span_str(text));
}

static void
test_command_line_limit(void **state)
{
	(void)state;
	for (size_t n = 2047; n <= 2049; n++) {
		struct script t;

		policy = script_policy(SESSION_MX);
		open_session(&t, false);
		feed_padded(&t, "NOOP ", n - 7, "\r\n");
		assert_last(&t, n <= 2048 ? 250 : 500, false);
		feed_padded(&t, "NOOP ", 3000000, "\r\nNOOP\r\n");
		assert_last(&t, 250, false);
		feed_padded(&t, "", 1000000, "");
		feed_padded(&t, "", 1000000, "\r");
		assert_last(&t, 250, false);
		script_feed(&t, SPAN("\n"));
		assert_last(&t, n <= 2048 ? 500 : 421, n > 2048);
		script_release(&t);
	}
}

static void
test_auth_line_limit(void **state)
{
	(void)state;
	for (size_t n = 12287; n <= 12289; n++) {
		struct script t;

		policy = script_policy(SESSION_SUBMISSIONS);
		policy.auth_without_tls = true;
		open_session(&t, false);
		feed_padded(&t, "AUTH PLAIN ", n - 13, "\r\n");
		assert_last(&t, n <= 12288 ? 535 : 500, false);
		script_feed(&t, SPAN("AUTH PLAIN\r\n"));
		assert_last(&t, 334, false);
		feed_padded(&t, "", n - 2, "\r\n");
		assert_last(&t, n <= 12288 ? 535 : 500, false);
		script_feed(&t, SPAN("NOOP\r\n"));
		assert_last(&t, 250, false);
		script_release(&t);
	}
}

static void
test_text_line_limit(void **state)
{
	(void)state;
	for (size_t n = (64 << 10) - 1; n <= (64 << 10) + 1; n++) {
		struct script t;

		policy = script_policy(SESSION_MX);
		open_session(&t, true);
		script_feed(&t, SPAN("DATA\r\n"));
		feed_padded(&t, "\r\n", n, "\r\n.\r\n");
		assert_last(&t, n <= 64 << 10 ? 250 : 552, false);
		script_release(&t);
	}
}

static void
test_ten_megabyte_line_is_refused_and_read_to_its_end(void **state)
{
	struct script t;

	(void)state;
	policy = script_policy(SESSION_MX);
	open_session(&t, true);
	script_feed(&t, SPAN("DATA\r\n"));
	feed_padded(&t, "", 10 << 20, "\r\n.\r\nNOOP\r\n");
	assert_true(span_find_span(buf_span(&t.out), SPAN("\n552 5.3.4 ")) < t.out.n);
	assert_last(&t, 250, false);
	assert_int_equal(t.finished, 0);
	script_release(&t);
}

static void
test_message_size_limit(void **state)
{
	(void)state;
	for (size_t n = 999; n <= 1001; n++) {
		char command[64];
		struct script t;

		policy = script_policy(SESSION_MX);
		policy.limits.message_bytes_max = 1000;
		open_session(&t, true);
		script_feed(&t, SPAN("DATA\r\n"));
		feed_padded(&t, "", n - 2, "\r\n.\r\n");
		assert_last(&t, n <= 1000 ? 250 : 552, false);
		script_feed(&t, SPAN("MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\n"));
		snprintf(command, sizeof(command), "BDAT %zu LAST\r\n", n);
		feed_padded(&t, command, n, "");
		assert_last(&t, n <= 1000 ? 250 : 552, false);
		assert_int_equal(t.finished, n <= 1000 ? 2 : 0);
		script_release(&t);
	}
}

static void
test_chunk_sum_limit(void **state)
{
	(void)state;
	for (size_t n = 499; n <= 501; n++) {
		char command[64];
		struct script t;

		policy = script_policy(SESSION_MX);
		policy.limits.message_bytes_max = 1000;
		open_session(&t, true);
		feed_padded(&t, "BDAT 500\r\n", 498, "\r\n");
		snprintf(command, sizeof(command), "BDAT %zu LAST\r\n", n);
		feed_padded(&t, command, n - 2, "\r\nNOOP\r\n");
		assert_int_equal(t.finished, n <= 500);
		assert_int_equal(t.aborted, n > 500);
		assert_last(&t, 250, false);
		script_release(&t);
	}
}

static void
test_declared_size_limit(void **state)
{
	(void)state;
	for (unsigned n = 999; n <= 1001; n++) {
		char command[64];
		struct script t;

		policy = script_policy(SESSION_MX);
		policy.limits.message_bytes_max = 1000;
		open_session(&t, false);
		snprintf(command, sizeof(command), "MAIL FROM:<a@b> SIZE=%u\r\n", n);
		script_feed(&t, span_str(command));
		assert_last(&t, n <= 1000 ? 250 : 552, false);
		script_release(&t);
	}
}

/* A refused message is read to its end, but no further than swallow_bytes_max. */
static void
test_swallow_limit(void **state)
{
	(void)state;
	for (size_t n = 2999; n <= 3001; n++) {
		struct script t;

		policy = script_policy(SESSION_MX);
		policy.limits.message_bytes_max = 1000;
		policy.limits.swallow_bytes_max = 2000;
		open_session(&t, true);
		script_feed(&t, SPAN("DATA\r\n"));
		feed_padded(&t, "", n, "");
		assert_int_equal(t.closed, n > 3000);
		script_release(&t);

		open_session(&t, true);
		feed_repeated(&t, n == 3001 ? "BDAT 3001\r\n" : "BDAT 2999\r\n", 1);
		assert_int_equal(t.closed, n > 3000);
		script_release(&t);
	}
}

/* NULs are dropped on submission, yet an endless row of them has an end. */
static void
test_dropped_bytes_count_too(void **state)
{
	static const char nuls[1000];
	struct script t;

	(void)state;
	policy = script_policy(SESSION_MX);
	policy.normalise_bare = true;
	policy.limits.message_bytes_max = 1000;
	policy.limits.swallow_bytes_max = 2000;
	open_session(&t, true);
	script_feed(&t, SPAN("DATA\r\n"));
	for (int i = 0; i < 3; i++)
		script_feed(&t, span_make(nuls, sizeof(nuls)));
	assert_false(t.closed);
	script_feed(&t, span_make(nuls, 1));
	assert_last(&t, 552, true);
	script_release(&t);
}

static const struct header_row {
	const char *name, *line;
	unsigned max;
	const char *want;
} header_rows[] = {
    {"hops",           "Received: x\r\n",     50,   "554"},
    {"hops delivered", "Delivered-To: x\r\n", 50,   "554"},
    {"fields",         "A: x\r\n",            5000, "552"},
};

static void
test_header_limits(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ELEMS(header_rows); i++) {
		const struct header_row *row = &header_rows[i];

		print_message("%s\n", row->name);
		for (unsigned n = row->max - 1; n <= row->max + 1; n++) {
			struct buf text = buf_make(1 << 20);
			struct script t;

			policy = script_policy(SESSION_MX);
			open_session(&t, true);
			script_feed(&t, SPAN("DATA\r\n"));
			for (unsigned j = 0; j < n; j++)
				buf_put_str(&text, row->line);
			buf_put_str(&text, "\r\nbody\r\n.\r\n");
			buf_reset(&t.out);
			script_feed(&t, buf_span(&text));
			assert_true(
			    span_starts(buf_span(&t.out),
					span_str(n <= row->max ? "250" : row->want)));
			assert_false(t.closed);
			buf_release(&text);
			script_release(&t);
		}
	}
}

static void
test_header_size_limits(void **state)
{
	(void)state;
	for (size_t n = 99; n <= 101; n++) {
		struct script t;

		policy = script_policy(SESSION_MX);
		policy.limits.header_field_bytes_max = 100;
		open_session(&t, true);
		script_feed(&t, SPAN("DATA\r\n"));
		feed_padded(&t, "A: b\r\nB:", n - 4, "\r\n\r\n.\r\n");
		assert_last(&t, n <= 100 ? 250 : 552, false);
		script_release(&t);

		policy.limits = session_limits_default;
		policy.limits.header_bytes_max = 100;
		open_session(&t, true);
		script_feed(&t, SPAN("DATA\r\n"));
		feed_padded(&t, "A: b\r\nB:", n - 12, "\r\n\r\n.\r\n");
		assert_last(&t, n <= 100 ? 250 : 552, false);
		script_release(&t);
	}
}

/* Commands repeated until a limit: the one at `n` is still answered `below`. */
static const struct repeat_row {
	const char *name, *before, *command;
	unsigned n, below, beyond;
	bool closed;
} repeat_rows[] = {
    {"recipients",         "MAIL FROM:<a@b>\r\n",                  "RCPT TO:<c@d>\r\n",       1000,  250, 452, false},
    {"refused recipients", "MAIL FROM:<a@b>\r\n",                  "RCPT TO:<later@d>\r\n",   1000,  451,
     421,												      true },
    {"transactions",       "",				     "MAIL FROM:<later@b>\r\n", 100,   451, 421, true },
    {"errors",             "",				     "FOO\r\n",                 19,    500, 421, true },
    {"idle commands",      "NOOP\r\nHELP\r\n",                     "NOOP\r\n",                97,    250, 421, true },
    {"failed logins",      "",				     "AUTH PLAIN x\r\n",        4,     535, 421, true },
    {"chunks",             "MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\n", "BDAT 1\r\nx",             10000, 250, 421,
     true													   },
};

static void
test_repeated_commands_end_at_their_limit(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ELEMS(repeat_rows); i++) {
		const struct repeat_row *row = &repeat_rows[i];
		struct script t;

		print_message("%s\n", row->name);
		policy = script_policy(SESSION_MX);
		policy.auth_without_tls = true;
		open_session(&t, false);
		script_feed(&t, span_str(row->before));
		feed_repeated(&t, row->command, row->n - 1);
		assert_last(&t, row->below, false);
		feed_repeated(&t, row->command, 1);
		assert_last(&t, row->below, false);
		feed_repeated(&t, row->command, 1);
		assert_last(&t, row->beyond, row->closed);
		script_release(&t);
	}
}

static void
test_chunks_are_counted_by_message(void **state)
{
	struct script t;

	(void)state;
	policy = script_policy(SESSION_MX);
	policy.limits.chunks_max = 2;
	open_session(&t, true);
	script_feed(&t, SPAN("BDAT 1\r\nxBDAT 1 LAST\r\nx"));
	script_feed(&t, SPAN("MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\n"));
	script_feed(&t, SPAN("BDAT 1\r\nxBDAT 1\r\nx"));
	assert_last(&t, 250, false);
	script_feed(&t, SPAN("BDAT 1 LAST\r\nx"));
	assert_last(&t, 421, true);
	script_release(&t);
}

static void
test_lowered_size_limit_holds_for_the_message_under_way(void **state)
{
	struct script t;

	(void)state;
	policy = script_policy(SESSION_MX);
	open_session(&t, true);
	script_feed(&t, SPAN("DATA\r\n"));
	feed_padded(&t, "", 2000, "\r\n");
	policy.limits.message_bytes_max = 1000;
	policy.limits.swallow_bytes_max = 2000;
	feed_padded(&t, "", 500, "\r\n.\r\n");
	assert_last(&t, 552, false);
	script_release(&t);
}

static void
test_message_starts_idle_count_anew(void **state)
{
	struct script t;

	(void)state;
	policy = script_policy(SESSION_MX);
	open_session(&t, true);
	feed_repeated(&t, "NOOP\r\n", 98);
	script_feed(&t, SPAN("BDAT 0 LAST\r\n"));
	assert_int_equal(t.finished, 1);
	feed_repeated(&t, "NOOP\r\n", 100);
	assert_last(&t, 250, false);
	feed_repeated(&t, "NOOP\r\n", 1);
	assert_last(&t, 421, true);
	script_release(&t);
}

static void
test_recipients_over_the_limit_do_not_spoil_the_others(void **state)
{
	struct script t;

	(void)state;
	policy = script_policy(SESSION_MX);
	open_session(&t, false);
	script_feed(&t, SPAN("MAIL FROM:<a@b>\r\n"));
	feed_repeated(&t, "RCPT TO:<c@d>\r\n", 2000);
	assert_last(&t, 452, false);
	assert_int_equal(session_envelope(t.s)->n_rcpts, 1000);
	script_feed(&t, SPAN("BDAT 0 LAST\r\n"));
	assert_int_equal(t.finished, 1);
	script_release(&t);
}

static void
test_envelope_memory_limit(void **state)
{
	unsigned n = 0;
	struct script t;

	(void)state;
	policy = script_policy(SESSION_MX);
	policy.limits.envelope_bytes_max = 8192;
	open_session(&t, false);
	script_feed(&t, SPAN("MAIL FROM:<a@b>\r\n"));
	for (; n < 1000 && session_last_code(t.s) == 250; n++)
		script_feed(&t, SPAN("RCPT TO:<c@d>\r\n"));
	assert_int_equal(session_last_code(t.s), 452);
	assert_in_range(n, 200, 260);
	script_feed(&t, SPAN("BDAT 0 LAST\r\n"));
	assert_int_equal(t.finished, 1);
	script_release(&t);
}

static void
test_errors_are_slowed_down(void **state)
{
	struct session_peer peer = {.address = SPAN("192.0.2.1")};
	struct span in, none = SPAN("");
	struct session *s;
	uint64_t now = 1000;

	(void)state;
	policy = script_policy(SESSION_MX);
	s = session_new(&policy, &peer);
	session_open(s, now);
	for (int i = 1; i < 10; i++) {
		in = SPAN("FOO\r\n");
		assert_int_equal(session_step(s, &in, now), SESSION_WANT_INPUT);
	}
	in = SPAN("FOO\r\nNOOP\r\n");
	assert_int_equal(session_step(s, &in, now), SESSION_WANT_PAUSE);
	assert_int_equal(in.n, 6);
	assert_int_equal(session_deadline_ms(s), now + 1000);
	assert_int_equal(session_step(s, &in, now + 999), SESSION_WANT_PAUSE);
	session_timeout(s, now + 1000);
	assert_int_equal(session_step(s, &in, now + 1000), SESSION_WANT_INPUT);
	assert_int_equal(in.n, 0);
	assert_int_equal(session_step(s, &none, now + 1000), SESSION_WANT_INPUT);
	session_free(&s);
}

/* [RFC2033 4.2]: however many there are, and it is one error of the client's. */
static void
test_lmtp_refusal_is_told_for_every_recipient(void **state)
{
	enum {
		RCPTS = 50
	};
	struct buf codes = buf_make(4096), want = buf_make(4096);
	struct script t;

	(void)state;
	policy = script_policy(SESSION_LMTP);
	script_init(&t, &policy, NULL);
	script_feed(&t, SPAN("LHLO c\r\n"));
	script_feed(&t, SPAN("MAIL FROM:<a@c.example>\r\n"));
	for (int i = 0; i < RCPTS; i++)
		script_feed(&t, SPAN("RCPT TO:<b@d.example>\r\n"));
	script_feed(&t, SPAN("DATA\r\n"));
	buf_reset(&t.out);
	script_feed(&t, SPAN("m\nn\r\n.\r\n"));
	script_feed(&t, SPAN("NOOP\r\n"));
	script_codes(buf_span(&t.out), &codes);
	for (int i = 0; i < RCPTS; i++)
		buf_put_str(&want, "550 ");
	buf_put_str(&want, "250 ");
	assert_true(span_equal(buf_span(&codes), buf_span(&want)));
	assert_int_equal(session_errors(t.s), 1);
	buf_release(&codes);
	buf_release(&want);
	script_release(&t);
}

/* A chunk that belongs to no message is read as one. */
static void
test_refused_chunk_does_not_end_the_session(void **state)
{
	struct script t;

	(void)state;
	policy = script_policy(SESSION_MX);
	policy.limits.session_ms = 1000;
	script_init(&t, &policy, NULL);
	script_feed(&t, SPAN("EHLO c\r\n"));
	script_feed(&t, SPAN("BDAT 2\r\nx"));
	t.now_ms += 999;
	script_feed(&t, SPAN("x"));
	assert_last(&t, 503, false);
	script_release(&t);
}

static void
test_output_stops_at_its_high_mark(void **state)
{
	struct session_peer peer = {.address = SPAN("192.0.2.1")};
	struct buf flood = buf_make(1 << 20);
	struct span in;
	struct session *s;

	(void)state;
	policy = script_policy(SESSION_MX);
	policy.limits.idle_commands_max = 100000;
	for (int i = 0; i < 10000; i++)
		buf_put_str(&flood, "NOOP\r\n");
	in = buf_span(&flood);
	s = session_new(&policy, &peer);
	session_open(s, 0);
	assert_int_equal(session_step(s, &in, 0), SESSION_WANT_FLUSH);
	assert_in_range(session_out(s)->n, 16384, 16384 + 256);
	assert_true(in.n > 0);
	assert_int_equal(session_step(s, &in, 0), SESSION_WANT_FLUSH);
	session_free(&s);
	buf_release(&flood);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_command_line_limit),
	    cmocka_unit_test(test_auth_line_limit),
	    cmocka_unit_test(test_text_line_limit),
	    cmocka_unit_test(test_ten_megabyte_line_is_refused_and_read_to_its_end),
	    cmocka_unit_test(test_message_size_limit),
	    cmocka_unit_test(test_chunk_sum_limit),
	    cmocka_unit_test(test_declared_size_limit),
	    cmocka_unit_test(test_swallow_limit),
	    cmocka_unit_test(test_dropped_bytes_count_too),
	    cmocka_unit_test(test_header_limits),
	    cmocka_unit_test(test_header_size_limits),
	    cmocka_unit_test(test_repeated_commands_end_at_their_limit),
	    cmocka_unit_test(test_chunks_are_counted_by_message),
	    cmocka_unit_test(test_lowered_size_limit_holds_for_the_message_under_way),
	    cmocka_unit_test(test_message_starts_idle_count_anew),
	    cmocka_unit_test(test_recipients_over_the_limit_do_not_spoil_the_others),
	    cmocka_unit_test(test_envelope_memory_limit),
	    cmocka_unit_test(test_errors_are_slowed_down),
	    cmocka_unit_test(test_lmtp_refusal_is_told_for_every_recipient),
	    cmocka_unit_test(test_refused_chunk_does_not_end_the_session),
	    cmocka_unit_test(test_output_stops_at_its_high_mark),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
