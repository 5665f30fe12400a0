/* tests/unit/test_remote_session_results.c - limits, texts, and what is told when a
 * connection ends
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "tests/unit/relay_peer.h"

static const char text[] = "Subject: x\r\n\r\nhello\r\n";

static const struct relay_recipient two[] = {
    {.ordinal = 0, .address = SPAN("a@example.org")},
    {.ordinal = 1, .address = SPAN("b@example.org")},
};

static struct session_transaction
make(const struct relay_recipient *r, size_t n)
{
	return (struct session_transaction){.sender = SPAN("me@example.net"),
					    .content_bytes = strlen(text),
					    .recipients = r,
					    .n_recipients = n};
}

/* --- limits of the server [RFC9422] --------------------------------------- */

static void
test_session_keeps_to_the_servers_limits(void **state)
{
	static const struct relay_recipient r[] = {
	    {.address = SPAN("a@one")},   {.address = SPAN("b@one")},
	    {.address = SPAN("c@two")},   {.address = SPAN("d@ONE")},
	    {.address = SPAN("e@three")},
	};
	static const struct {
		const char *more;
		size_t want;
	} rows[] = {
	    {NULL,				   5},
	    {"250-LIMITS RCPTMAX=3\r\n",             3},
	    {"250-LIMITS X=1 RCPTDOMAINMAX=1\r\n",   2},
	    {"250-LIMITS RCPTDOMAINMAX=2\r\n",       4},
	    {"250-LIMITS RCPTMAX=0 RCPTMAX=x =\r\n", 5},
	    {"250-LIMITS MAILMAX=1\r\n",             5},
	};
	struct session_transaction t = make(r, 1);
	struct peer p;

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		peer_init(&p);
		p.more = rows[i].more;
		peer_begin(&p);
		assert_int_equal(session_fits(p.s, r, N_ELEMS(r)), rows[i].want);
		peer_transact(&p, &t, span_str(text));
		assert_int_equal(session_fits(p.s, r, N_ELEMS(r)) == 0, i == 5);
		peer_release(&p);
	}
}

/* --- texts ---------------------------------------------------------------- */

static void
test_session_size_at_its_limit(void **state)
{
	struct session_transaction t = make(two, 1);
	struct peer p;

	(void)state;
	for (uint64_t bytes = 999; bytes <= 1001; bytes++) {
		peer_init(&p);
		p.more = "250-SIZE 1000\r\n";
		peer_begin(&p);
		t.content_bytes = bytes;
		peer_transact(&p, &t, span_str(text));
		assert_int_equal(peer_result(&p, 0)->outcome,
				 bytes <= 1000 ? DELIVERY_DONE : DELIVERY_FAILED);
		peer_release(&p);
	}
}

static void
test_session_texts_are_printable_lines(void **state)
{
	static const struct {
		const char *name;
		struct span reply;
		unsigned code, e[3];
		const char *want;
	} rows[] = {
	    {"one line",
	     SPAN("550 5.1.1 no such user\r\n"),
	     550,								       {5, 1, 1},
	     "no such user"										 },
	    {"lines",
	     SPAN("550-5.7.1 We do not\r\n550-5.7.1  like you.\r\n550 5.7.1\r\n"),
	     550,								       {5, 7, 1},
	     "We do not like you."									  },
	    {"no codes",                SPAN("550 go away\r\n"),                   550, {5, 0, 0}, "go away"},
	    {"codes of another class",
	     SPAN("550 2.0.0 ok?\r\n"),
	     550,								       {5, 0, 0},
	     "ok?"											  },
	    {"an address at the start",
	     SPAN("550 192.0.2.1 is listed\r\n"),
	     550,								       {5, 0, 0},
	     "192.0.2.1 is listed"									  },
	    {"nothing",                 SPAN("452\r\n"),                           452, {4, 0, 0}, ""       },
	    {"controls",
	     SPAN("550 a\x1b[31mb\tc\0d\x7f\xc2\x9bm\r\n"),
	     550,								       {5, 0, 0},
	     "a [31mb c d m"										},
	    {"no UTF-8",
	     SPAN("550 gr\xfc\xdf \xe2\x82 \xc3\xbc\r\n"),
	     550,								       {5, 0, 0},
	     "gr?? ?? \xc3\xbc"									     },
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		struct session_transaction t = make(two, 1);
		struct session_config config = {.helo = SPAN("c")};
		struct session *s = session_new(&config);
		struct span in = SPAN("220 x\r\n250 x\r\n");
		const struct relay_result *r;
		size_t n;

		print_message("%s\n", rows[i].name);
		t.seven_bit = true;
		session_input(s, &in);
		session_start(s, &t);
		in = rows[i].reply;
		session_input(s, &in);
		r = session_results(s, &n);
		assert_int_equal(r->code, rows[i].code);
		for (int j = 0; j < 3; j++)
			assert_int_equal(r->enhanced[j], rows[i].e[j]);
		result_has_text(r, rows[i].want);
		session_free(&s);
	}
}

/* [RFC5321 4.5.3.1.10] */
static void
test_session_too_many_recipients_are_sent_later(void **state)
{
	static const struct {
		struct span reply;
		enum delivery_outcome want;
		unsigned code;
	} rows[] = {
	    {SPAN("452 4.5.3 too many\r\n"), DELIVERY_DEFERRED, 452},
	    {SPAN("552 5.5.3 too many\r\n"), DELIVERY_DEFERRED, 452},
	    {SPAN("552 5.2.2 full\r\n"),     DELIVERY_FAILED,   552},
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		struct session_transaction t = make(two, 2);
		struct session_config config = {.helo = SPAN("c")};
		struct session *s = session_new(&config);
		struct span in = SPAN("220 x\r\n250-x\r\n250 PIPELINING\r\n");
		const struct relay_result *r;
		size_t n;

		t.seven_bit = true;
		session_input(s, &in);
		session_start(s, &t);
		in = SPAN("250 ok\r\n250 ok\r\n");
		session_input(s, &in);
		in = rows[i].reply;
		session_input(s, &in);
		in = SPAN("354 go\r\n");
		session_input(s, &in);
		session_content(s, SPAN("x"), true);
		in = SPAN("250 done\r\n");
		session_input(s, &in);
		r = session_results(s, &n);
		result_has_status(&r[0], DELIVERY_DONE, 250, 2, 0, 0);
		assert_int_equal(r[1].outcome, rows[i].want);
		assert_int_equal(r[1].code, rows[i].code);
		session_free(&s);
	}
}

static void
test_session_long_texts_are_cut(void **state)
{
	struct session_transaction t = make(two, 1);
	struct session_config config = {.helo = SPAN("c")};
	struct session *s = session_new(&config);
	struct span in = SPAN("220 x\r\n250 x\r\n");
	struct buf reply = buf_make(1 << 20);
	size_t n;

	(void)state;
	t.seven_bit = true;
	session_input(s, &in);
	session_start(s, &t);
	for (int i = 0; i < 99; i++) {
		buf_put_str(&reply, "550-");
		for (int j = 0; j < 200; j++)
			buf_put_str(&reply, "\xe2\x82\xac");
		buf_put_str(&reply, "\r\n");
	}
	buf_put_str(&reply, "550 end\r\n");
	in = buf_span(&reply);
	session_input(s, &in);
	assert_int_equal(session_wish(s), SESSION_READY);
	assert_true(session_results(s, &n)->text.n > RELAY_TEXT_MAX - 4);
	assert_true(session_results(s, &n)->text.n <= RELAY_TEXT_MAX);
	assert_true(utf8_valid(session_results(s, &n)->text));
	buf_release(&reply);
	session_free(&s);
}

/* That the connection then ends adds a text, for which the others may have to move. */
static void
test_session_results_stay_when_it_ends(void **state)
{
	struct session_transaction t = make(two, N_ELEMS(two));
	struct buf why = buf_make(RELAY_TEXT_MAX);
	struct peer p;

	(void)state;
	while (buf_room(&why, 1))
		buf_put_char(&why, 'x');
	peer_init(&p);
	p.rule_at = AT_RCPT;
	p.rule_event = EVENT_4XX;
	peer_begin(&p);
	peer_transact(&p, &t, span_str(text));
	session_lost(p.s, buf_span(&why));
	result_has_text(peer_result(&p, 0), "not now, later");
	assert_int_equal(peer_result(&p, 0)->code, 451);
	result_has_text(peer_result(&p, 1), "queued");
	assert_int_equal(session_reason(p.s)->text.n, RELAY_TEXT_MAX);
	buf_release(&why);
	peer_release(&p);
}

static void
test_session_says_when_a_message_may_have_arrived(void **state)
{
	struct session_transaction t = make(two, N_ELEMS(two));
	struct peer p;

	(void)state;
	for (enum at at = AT_MAIL; at <= AT_FINAL; at++) {
		peer_init(&p);
		p.rule_at = at;
		p.rule_event = EVENT_DROP;
		peer_begin(&p);
		peer_transact(&p, &t, span_str(text));
		if (session_end(p.s) == SESSION_END_LOST)
			assert_int_equal(session_uncertain(p.s), at == AT_FINAL);
		peer_release(&p);
	}
	peer_init(&p);
	p.rule_at = AT_FINAL;
	p.rule_event = EVENT_DROP;
	peer_begin(&p);
	peer_transact(&p, &t, span_str(text));
	result_has_text(
	    peer_result(&p, 0),
	    "the connection was lost after the end of the message (which may "
	    "have arrived): Connection reset by peer");
	result_has_status(peer_result(&p, 0), DELIVERY_DEFERRED, 0, 4, 4, 2);
	assert_true(
	    span_equal(peer_result(&p, 0)->host, SPAN("mx.example[192.0.2.1]")));
	peer_release(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_session_keeps_to_the_servers_limits),
	    cmocka_unit_test(test_session_size_at_its_limit),
	    cmocka_unit_test(test_session_texts_are_printable_lines),
	    cmocka_unit_test(test_session_too_many_recipients_are_sent_later),
	    cmocka_unit_test(test_session_long_texts_are_cut),
	    cmocka_unit_test(test_session_results_stay_when_it_ends),
	    cmocka_unit_test(test_session_says_when_a_message_may_have_arrived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
